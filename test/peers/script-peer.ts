// Runs the start scripts of real products. A script prints shell assignments such as NAME_URL='…' when the server
// answers; its diagnostics, with the end of the server's own log, go to stderr and into the error when it fails.
import { spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cutOff, freePort, peersDir, runFolder } from './runs.ts';

export interface ScriptPeer {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** PEM text of the certificate to trust, with TLS only. */
  readonly ca?: string;
  /** The same as a file. */
  readonly caFile?: string;
  readonly port: number;
  /** Ends the server and removes its data; a shared one stays until the run ends. */
  stop(): Promise<void>;
  /** Ends and starts it again at the same port with its data. */
  restart(): Promise<void>;
  /** Ends it without warning, as a power cut would; `restart` brings it back. */
  kill(): Promise<void>;
}

export interface ScriptRequest {
  readonly script: string;
  /** Of the assignments that the script prints. */
  readonly prefix: string;
  readonly options: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** One server for all that ask with the same options in this run. */
  readonly shared: boolean;
}

/** A server that lives for minutes: its second compiler would take as long as it saves, of a processor the tests need. */
export const QUICK_JVM = { ES_JAVA_MORE: '-XX:TieredStopAtLevel=1' };

/** Fetching a product for the first time included. */
const START_MS = 420_000;
const STOP_MS = 60_000;

export async function startScript(request: ScriptRequest): Promise<ScriptPeer> {
  const { script, options, env, shared } = request;
  const path = join(import.meta.dirname, 'scripts', script);
  const kind = basename(script, '.sh');
  const asked = hash('sha256', JSON.stringify([options, env])).slice(0, 8);
  const fresh = shared ? undefined : await freePort();
  const dir = join(runFolder(), fresh === undefined ? `${kind}-${asked}` : `${kind}-${fresh}`);
  const port = fresh ?? (existsSync(join(dir, 'asked')) ? Number(readFileSync(join(dir, 'asked'), 'utf8')) : undefined);
  const chosen = port ?? (await freePort());
  const place = ['--port', String(chosen), '--dir', dir];
  const start = () => run(path, ['start', ...place, ...options], env, START_MS);

  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'asked'), String(chosen));
  const failed = join(dir, 'failed');
  // The second file that asks need not wait for the same failure again.
  if (existsSync(failed)) throw new Error(readFileSync(failed, 'utf8'));
  const output = await start().catch((error: Error) => {
    writeFileSync(failed, error.message);
    throw error;
  });
  const values = assignments(output);
  const caFile = values.get(`${request.prefix}_CA`);
  return {
    url: values.get(`${request.prefix}_URL`) ?? `http://127.0.0.1:${chosen}`,
    username: values.get(`${request.prefix}_USER`) ?? '',
    password: values.get(`${request.prefix}_PASSWORD`) ?? '',
    ...(caFile === undefined ? {} : { caFile, ca: await readFile(caFile, 'utf8') }),
    port: chosen,
    stop: async () => {
      if (!shared) await run(path, ['stop', ...place, '--purge'], env, STOP_MS);
    },
    restart: async () => {
      await run(path, ['stop', ...place], env, STOP_MS);
      await start();
    },
    kill: async () => cutOff(Number(await readFile(join(dir, 'server.pid'), 'utf8'))),
  };
}

function run(
  path: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  limitMs: number,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: limitMs,
      env: { ...process.env, ENTENTE_PEERS_DIR: peersDir(), ...env },
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString('utf8');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString('utf8');
    });
    child.once('error', reject);
    // Not `close`: the server keeps the pipes it inherited open.
    child.once('exit', (code, signal) => {
      if (code === 0) resolve(out);
      else reject(new Error(`${args[0]} ended with ${code ?? signal}: ${err.trim().slice(-6000)}`));
    });
  });
}

function assignments(text: string): Map<string, string> {
  return new Map([...text.matchAll(/^([A-Z_]+)='([^']*)'$/gm)].map(([, name = '', value = '']) => [name, value]));
}
