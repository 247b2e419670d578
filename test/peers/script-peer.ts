// Runs the start scripts of real products. A script prints shell assignments such as NAME_URL='…' when the server
// answers; its diagnostics go to stderr and into the error when it fails.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface ScriptPeer {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** PEM text of the certificate to trust, with TLS only. */
  readonly ca?: string;
  readonly port: number;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
  /** Ends and starts it again at the same port with its data. */
  restart(): Promise<void>;
  /** Ends it without warning, as a power cut would; `restart` brings it back. */
  kill(): Promise<void>;
}

/** A port nobody listens on now. `preferred` is taken if it is free. */
export async function freePort(preferred: number): Promise<number> {
  for (const port of [preferred, 0]) {
    const server = createServer();
    const got = await new Promise<number | undefined>((resolve) => {
      server.once('error', () => resolve(undefined));
      // A listening TCP server has an AddressInfo, never a pipe name.
      server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });
    await new Promise<void>((resolve) => server.close(() => resolve()));
    if (got !== undefined) return got;
  }
  throw new Error('no free port on the loopback interface');
}

export async function startScript(
  script: string,
  prefix: string,
  port: number,
  options: readonly string[],
): Promise<ScriptPeer> {
  const path = join(import.meta.dirname, 'scripts', script);
  const place = ['--port', String(port)];
  const values = assignments(await run(path, ['start', ...place, ...options], 300_000));
  const caFile = values.get(`${prefix}_CA`);
  const again = options.filter((one) => one !== '--fresh');
  return {
    url: values.get(`${prefix}_URL`) ?? `http://127.0.0.1:${port}`,
    username: values.get(`${prefix}_USER`) ?? '',
    password: values.get(`${prefix}_PASSWORD`) ?? '',
    ...(caFile === undefined ? {} : { ca: await readFile(caFile, 'utf8') }),
    port,
    stop: async () => void (await run(path, ['stop', ...place, '--purge'], 60_000)),
    restart: async () => {
      await run(path, ['stop', ...place], 60_000);
      await run(path, ['start', ...place, ...again], 300_000);
    },
    kill: async () => {
      const pid = Number(
        await readFile(join(peersDir(), 'run', `${script.replace('.sh', '')}-${port}`, 'server.pid'), 'utf8'),
      );
      process.kill(pid, 'SIGKILL');
    },
  };
}

/** Where the scripts keep their cache; they apply the same rule. */
function peersDir(): string {
  const named = process.env['ENTENTE_PEERS_DIR'];
  if (named !== undefined && named !== '') return named;
  return process.getuid?.() === 0 ? '/var/cache/entente-peers' : join(homedir(), '.cache', 'entente-peers');
}

function run(path: string, args: readonly string[], limitMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: limitMs,
      env: { ...process.env, ENTENTE_PEERS_DIR: peersDir() },
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
      else reject(new Error(`${args[0]} ended with ${code ?? signal}: ${err.trim().slice(-1500)}`));
    });
  });
}

function assignments(text: string): Map<string, string> {
  return new Map([...text.matchAll(/^([A-Z_]+)='([^']*)'$/gm)].map(([, name = '', value = '']) => [name, value]));
}
