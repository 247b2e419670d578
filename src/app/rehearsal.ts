// What a configuration comes to: which values stand in each SIEM, and why others do not. Either from what the state knows,
// judged anew on a copy, or from a record, read into a fresh state and delivered to simulated SIEMs of the same kinds.
import { App } from '../app.ts';
import type { Config } from '../core/config/load.ts';
import { parseConfig } from '../core/config/load.ts';
import { problemLine } from '../core/config/source.ts';
import type { Registry } from '../core/config/settings.ts';
import { ConnectorError } from '../core/model/failure.ts';
import type { Observable } from '../core/model/observable.ts';
import type { Log } from '../core/runtime/log.ts';
import { claimSummary } from '../core/store/read/summary.ts';
import { runOnce } from './once.ts';
import { replaying } from './recording.ts';
import { storeSpec } from './specs.ts';

export interface Outcome {
  readonly siem: string;
  /** `type value`, each once. */
  readonly stands: ReadonlyMap<string, Observable>;
  readonly held: number;
  readonly refused: Readonly<Record<string, number>>;
  /** Why a value does not stand there. */
  why(value: Observable): string;
}

export interface Rehearsed {
  readonly outcomes: readonly Outcome[];
  /** What could not be done, as an exchange that was not recorded. */
  readonly left: readonly string[];
  close(): Promise<void>;
}

interface Given {
  readonly config: Config;
  /** A file of its own, which is thrown away. */
  readonly state: string;
  readonly log: Log;
  readonly version: string;
  readonly signal: AbortSignal;
  readonly record?: string;
}

const PATIENCE_MS = 10_000;

export async function rehearsed({ config, state, log, version, signal, record }: Given): Promise<Rehearsed> {
  const app = await App.open({
    config,
    log,
    version,
    state,
    ...(record === undefined ? {} : { exchange: (name: string) => replaying(record, name) }),
  });
  try {
    const left: string[] = [];
    if (record === undefined) {
      await app.tick(signal);
      // Taking the work out in batches shows what the mapping refuses.
      for (const { name } of config.siems)
        while ((await app.store.takeBatch(name, { maxItems: 5000, maxBytes: 64_000_000 }, app.now())) !== undefined);
    } else {
      left.push(...(await runOnce(app, PATIENCE_MS, signal)).left);
    }
    const spec = storeSpec(config, state);
    const outcomes = config.siems.map(({ name }): Outcome => {
      const { parked, held } = app.reader.plan(name);
      const { refused } = claimSummary(spec, name, app.now());
      for (const [reason, n] of Object.entries(parked)) refused[reason] = (refused[reason] ?? 0) + n;
      const stands = new Map([...app.reader.outcome(name)].map((one) => [`${one.type} ${one.value}`, one]));
      return { siem: name, stands, held, refused, why: (value) => whyNot(app, name, value) };
    });
    return { outcomes, left, close: () => app.close() };
  } catch (error) {
    await app.close();
    throw error;
  }
}

function whyNot(app: App, siem: string, value: Observable): string {
  const entry = app.reader.why(value, app.now());
  if (entry === undefined) return 'nobody vouches for it';
  const decisions = entry.claims.flatMap((claim) => claim.decisions.filter((one) => one.siem === siem));
  const refusals = [...new Set(decisions.filter((one) => one.decision !== 'accept').map((one) => one.reason))];
  if (refusals.length > 0) return refusals.join('; ');
  return entry.siems.find((one) => one.name === siem)?.reason ?? 'nobody vouches for it';
}

/** The same configuration with simulated SIEMs in place of the real ones, which are not touched. */
export function beforeSimulators(
  config: Config,
  registry: Registry,
  lines: ReadonlyMap<string, Readonly<Record<string, unknown>>>,
): Config {
  // Made by core/config as a text that it reads again.
  const data = JSON.parse(config.understood) as { siems?: Record<string, unknown>[] };
  const siems = (data.siems ?? []).map((siem) => {
    const line = lines.get(String(siem['name']));
    if (line === undefined) return siem;
    const { tls: _tls, proxy: _proxy, cloud_id: _cloud, product: _product, ...rest } = siem;
    const { url, api_key: key, token } = line;
    return { ...rest, url, auth: key === undefined ? { token } : { api_key: key }, hits: { enabled: false } };
  });
  const text = JSON.stringify({ ...data, siems, listen: '127.0.0.1:0' });
  const answer = parseConfig(config.file, text, registry, {}, 'unused');
  if ('config' in answer) return answer.config;
  throw new ConnectorError('permanent', answer.problems.map(problemLine).join('; '));
}
