// A foreign server as a child process on a free loopback port, with a folder of its own that goes when it stops.
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { selfSigned } from '../../src/simulators/tls.ts';
import { freePort, runFolder } from './runs.ts';

export interface ServerRequest {
  readonly name: string;
  readonly python: string;
  readonly script: string;
  readonly arguments: readonly string[];
  /** Objects or a bundle, each put into a file whose path the script gets last. */
  readonly bundles: readonly unknown[];
  readonly tls: boolean;
  /** A server that is started again, with more in it, at the place where clients know it. Default a free one. */
  readonly port?: number;
}

export interface ServerProcess {
  readonly origin: string;
  readonly ca?: string;
  readonly stop: () => Promise<void>;
}

export async function startServerProcess(request: ServerRequest): Promise<ServerProcess> {
  const folder = mkdtempSync(join(runFolder(), `${request.name}-`));
  const files = request.bundles.map((bundle, place) => {
    const path = join(folder, `bundle-${place}.json`);
    writeFileSync(path, JSON.stringify(bundle));
    return path;
  });
  const certificates = request.tls ? selfSigned() : undefined;
  if (certificates !== undefined) {
    writeFileSync(join(folder, 'server.pem'), certificates.cert);
    writeFileSync(join(folder, 'server.key'), certificates.key);
  }
  const port = request.port ?? (await freePort());
  const log = join(folder, 'log');
  const fixed = ['--dir', folder, '--port', String(port), ...(request.tls ? ['--tls'] : [])];
  const child = spawn(request.python, [request.script, ...fixed, ...request.arguments, ...files], {
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = createWriteStream(log);
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  const stop = async (): Promise<void> => {
    await end(child);
    output.end();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await untilListening(port, child, 60_000);
  } catch (cause) {
    const tail = readFileSync(log, 'utf8').slice(-2000);
    await stop();
    throw new Error(`${request.name} did not start:\n${tail}`, { cause });
  }
  return {
    origin: `${request.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    ...(certificates === undefined ? {} : { ca: certificates.ca }),
    stop,
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const patience = new AbortController();
  const force = delay(5000, undefined, { signal: patience.signal }).then(
    () => child.kill('SIGKILL'),
    () => false,
  );
  await gone;
  patience.abort();
  await force;
}

async function untilListening(port: number, child: ChildProcess, ms: number): Promise<void> {
  for (const end = performance.now() + ms; performance.now() < end; ) {
    if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}`);
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => socket.destroy());
      socket.once('connect', () => socket.end());
    });
    if (open) return;
    await delay(200);
  }
  throw new Error(`port ${port} did not open within ${ms} ms`);
}
