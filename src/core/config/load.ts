// The configuration file in, a Config or every problem at once out. Peers are checked against the definitions that
// are handed in, because core does not know the connectors.
import { closeSync, openSync, readSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { PeerSettings } from '../contracts/settings.ts';
import { crossChecks, oddities } from './checks.ts';
import type { Config, ExchangeConfig, Secrets, SiemConfig } from './config.ts';
import { explain, issueMessages } from './explain.ts';
import { parseAddress } from './listen.ts';
import { fileSchema, type Registry } from './settings.ts';
import { type Environment, type Path, type Problem, readSource } from './source.ts';
import { stateServer } from './state-place.ts';
import { secretIn, withoutSecrets } from './without-secrets.ts';

export type { Config, ExchangeConfig, Secrets, SiemConfig } from './config.ts';

export function loadConfig(
  path: string,
  registry: Registry,
  env: Environment,
  secrets: Secrets = 'needed',
): { readonly config: Config } | { readonly problems: readonly Problem[] } {
  const file = resolve(path);
  let bytes: Buffer;
  try {
    bytes = beginningOf(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const next =
      code === 'EACCES'
        ? 'ask as the user of the daemon, or mend its rights'
        : 'name the file with --config, or in ENTENTE_CONFIG';
    const message = `cannot read ${path} (${code}); ${next}`;
    return { problems: [{ file: shown(file), line: 1, column: 1, path: '', message }] };
  }
  return parseConfig(file, bytes, registry, env, secrets, shown(file));
}

/** So much of the file that it is known to be too long: it may be a disk image, or a device that never ends. */
function beginningOf(file: string): Buffer {
  const bytes = Buffer.alloc(ENOUGH_BYTES);
  const fd = openSync(file, 'r');
  try {
    let length = 0;
    for (let n = 1; n > 0 && length < bytes.length; length += n)
      n = readSync(fd, bytes, length, bytes.length - length, null);
    return bytes.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}

/** As a person here would name it: what lies below this folder by its path from here, all else by its whole path. */
function shown(file: string): string {
  const near = relative('.', file);
  return near.startsWith('..') ? file : near;
}

/** The parser takes some hundred times as much memory, and no configuration that people write is as long. */
const MOST_BYTES = 1_000_000;
const ENOUGH_BYTES = 32_000_000;
const MOST_MARKS = 200_000;

function tooLong(bytes: Buffer | string): string | undefined {
  if (bytes.length > MOST_BYTES)
    return `the file is ${bytes.length >= ENOUGH_BYTES ? 'more than ' : ''}${(bytes.length / 1_000_000).toFixed(1)} MB long; a configuration has at most 1 MB: long lists belong into files of their own`;
  let marks = 0;
  for (const mark of bytes.toString().matchAll(/[\n,:[{-]/g)) if (mark.index >= 0) marks++;
  return marks > MOST_MARKS
    ? `the file has far more values than a configuration (at most some 100,000): long lists belong into files of their own`
    : undefined;
}

export function parseConfig(
  file: string,
  bytes: Buffer | string,
  registry: Registry,
  env: Environment,
  secrets: Secrets = 'needed',
  name = basename(file),
): { readonly config: Config } | { readonly problems: readonly Problem[] } {
  const long = tooLong(bytes);
  if (long !== undefined) return { problems: [{ file: name, line: 1, column: 1, path: '', message: long }] };
  const text = typeof bytes === 'string' ? bytes : bytes.toString('utf8');
  const { source, problems: found } = readSource(file, text, env, name);
  if (source.value === undefined) return { problems: sorted(found) };
  if (source.value === null)
    return { problems: [source.at([], 'the file is empty; config/example.yaml shows what belongs there')] };

  const parsed = fileSchema(registry).safeParse(source.value, { error: issueMessages });
  const types = {
    exchanges: registry.exchanges.map((one) => one.type),
    siems: registry.siems.map((one) => one.type),
  };
  const unneeded = (path: Path): boolean =>
    secrets === 'unused' && (path.at(-1) === 'proxy' || (parsed.success && secretIn(parsed.data, path)));
  const problems = [...found, ...source.unset.filter(({ path }) => !unneeded(path)).map(({ problem }) => problem)];
  // The value of a missing variable is not known, so what the schema says of it would only repeat the problem.
  const known = new Set(problems.map((one) => one.path));
  const wrongValues = parsed.success ? [] : explain(parsed.error.issues, source, types);
  const schemaProblems = [...problems, ...wrongValues.filter((one) => !known.has(one.path))];
  if (!parsed.success || schemaProblems.length > 0) return { problems: sorted(schemaProblems) };

  const data = parsed.data;
  const listen = typeof data.listen === 'string' ? { address: data.listen, hosts: [] } : data.listen;
  const address = parseAddress(listen.address);
  if ('wrong' in address) throw new Error(`the schema let a bad listen address pass: ${address.wrong}`);
  const config: Config = {
    file,
    instance: data.instance,
    ...placeOf(dirname(file), data.state),
    listen: {
      ...address,
      hosts: listen.hosts,
      ...('token' in listen && listen.token !== undefined ? { token: listen.token } : {}),
    },
    log: data.log,
    ...(data.proxy === undefined ? {} : { proxy: data.proxy }),
    exchanges: data.exchanges.map((one) => {
      const exchange = withDefinition<Omit<ExchangeConfig, 'reports'>>(one, registry.exchanges);
      return { ...exchange, reports: exchange.definition.reports?.(exchange.settings) === true };
    }),
    siems: data.siems.map((one) => withDefinition<SiemConfig>(one, registry.siems)),
    policy: data.policy,
    own: data.own,
    ...(data.identity === undefined ? {} : { identity: data.identity }),
    release: data.release,
    sightings: data.sightings,
    retention: data.retention,
    audit: {
      level: data.audit.level,
      keyFile: resolve(dirname(file), data.audit.key_file ?? besideState(data.state, 'audit.key')),
      checkpoints: resolve(dirname(file), data.audit.checkpoints ?? besideState(data.state, 'checkpoints')),
      checkpointMs: data.audit.checkpoint_minutes * 60_000,
    },
    retryAfterCapMs: data.retry_after_cap_minutes * 60_000,
    proxyEnv: proxyEnv(env),
    understood: withoutSecrets(source.value, data),
    warnings: [],
  };
  const wrong = crossChecks(config, source, env, secrets);
  if ('problems' in wrong) return { problems: sorted(wrong.problems) };
  return { config: { ...config, ...wrong, warnings: sorted(oddities(config, source)) } };
}

/** A state that is no file has no folder: the usual one. */
const besideState = (state: Parameters<typeof stateServer>[0], name: string): string =>
  join(typeof state !== 'string' || stateServer(state) !== undefined ? './state' : dirname(state), name);

/** A file by its path, a server by its URL. */
function placeOf(folder: string, given: Parameters<typeof stateServer>[0]): Pick<Config, 'state' | 'server'> {
  const server = stateServer(given);
  if (server !== undefined) return { state: server.name, server };
  if (typeof given !== 'string') throw new Error('the schema let a bad place of the state pass');
  return { state: resolve(folder, given) };
}

/** Splits a parsed peer into what core reads and what its connector gets. */
function withDefinition<T extends Omit<ExchangeConfig, 'reports'> | SiemConfig>(
  parsed: Record<string, unknown>,
  definitions: readonly { readonly type: string; urls?(settings: never): readonly string[] }[],
): T {
  const definition = definitions.find((one) => one.type === parsed['type']);
  if (definition === undefined) throw new Error(`the schema let an unknown type pass: ${String(parsed['type'])}`);
  const url = parsed['url'];
  const stated = Array.isArray(url) ? url.map(String) : typeof url === 'string' ? [url] : [];
  // Its own schema made these settings.
  const urls = definition.urls?.(parsed as never) ?? stated;
  const peer: PeerSettings = {
    timeout_secs: Number(parsed['timeout_secs'] ?? 60),
    allow_http: parsed['allow_http'] === true,
    ...(typeof parsed['proxy'] === 'string' ? { proxy: parsed['proxy'] } : {}),
    tls: (parsed['tls'] ?? {}) as PeerSettings['tls'],
  };
  // The schema of this very type has checked every key that ExchangeConfig and SiemConfig name.
  return { ...parsed, peer, urls, definition, settings: parsed } as unknown as T;
}

function proxyEnv(env: Environment): Config['proxyEnv'] {
  const made: { HTTP_PROXY?: string; HTTPS_PROXY?: string; NO_PROXY?: string } = {};
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'] as const) {
    const value = env[name] ?? env[name.toLowerCase()];
    if (value !== undefined && value !== '') made[name] = value;
  }
  return made;
}

function sorted(problems: readonly Problem[]): readonly Problem[] {
  return [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
}
