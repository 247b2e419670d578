// A measured side as a process of its own, so that memory, JIT and garbage collection are its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODE_FLAGS, nodeEnvironment } from '../bin/flags.mjs';

export const ROOT = join(import.meta.dirname, '..');
const LONGEST_MS = 30 * 60_000;
/** 100 ticks a second on every Linux that Node runs on. */
const TICK_MS = 10;

export interface Ended {
  /** From start to end of the process. */
  readonly wallMs: number;
  /** Largest resident set, as the kernel counted it. */
  readonly peakMb: number;
  /** User and system time of all its threads, as the kernel counts it, in steps of 10 ms. */
  readonly cpuMs: number;
  /** The last line on stdout, read as JSON where it is. */
  readonly said: Readonly<Record<string, unknown>>;
}

/** One of the programs in sides/. `daemon` gives it the heap caps of the daemon. */
export function side(name: string, args: readonly string[], as: 'daemon' | 'plain'): Promise<Ended> {
  const flags = as === 'daemon' ? NODE_FLAGS : ['--disable-warning=ExperimentalWarning'];
  const env = as === 'daemon' ? nodeEnvironment(ROOT, process.env) : process.env;
  return finished(process.execPath, [...flags, join(import.meta.dirname, 'sides', `${name}.ts`), ...args], env);
}

/** The real launcher with a command of the daemon. */
export function entente(args: readonly string[]): Promise<Ended> {
  return finished(process.execPath, [join(ROOT, 'bin', 'entente.mjs'), ...args]);
}

export async function finished(file: string, args: readonly string[], env = process.env): Promise<Ended> {
  const begin = performance.now();
  const cpu = childrenCpuMs();
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: LONGEST_MS });
  const memory = watchMemory(child);
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString('utf8');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString('utf8');
  });
  const code = await new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => resolve(status ?? signal ?? 'unknown'));
  });
  const wallMs = performance.now() - begin;
  const peakMb = memory.stop();
  const cpuMs = childrenCpuMs() - cpu;
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${(err + out).trim().slice(-2000)}`);
  return { wallMs, peakMb, cpuMs, said: lastJson(out) };
}

function lastJson(out: string): Readonly<Record<string, unknown>> {
  const line = out.trim().split('\n').at(-1) ?? '';
  return line.startsWith('{') ? (JSON.parse(line) as Record<string, unknown>) : {};
}

/** Of all children of this process that have ended: exact to the last tick for one that ended while no other did. */
function childrenCpuMs(): number {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8');
    // Behind the name, which may hold spaces, from the third field on; cutime and cstime are the 16th and 17th (man 5 proc).
    const [user, system] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(13, 15);
    return (Number(user) + Number(system)) * TICK_MS;
  } catch {
    return Number.NaN; // not Linux
  }
}

/** Where a daemon listens, from what it has logged so far; undefined until the line "Entente runs." is there in full. */
export function listening(logged: string): string | undefined {
  return /"listen":"([^"]+)"/.exec(logged)?.[1];
}

/** The kernel keeps the peak itself, so a rare look is exact enough; it is gone with the process. */
export function watchMemory(child: ChildProcess): { stop(): number } {
  let peakMb = Number.NaN;
  const look = () => {
    try {
      const kb = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
      if (kb !== undefined) peakMb = Number(kb) / 1024;
    } catch {
      // Not Linux, or just ended.
    }
  };
  const timer = setInterval(look, 50);
  return {
    stop: () => {
      clearInterval(timer);
      return peakMb;
    },
  };
}

type Said = Readonly<Record<string, unknown>>;

/** A server that runs until it is stopped; resolves with the JSON line it prints when it listens. What it prints last is told by `stop`. */
export async function server(
  name: string,
  args: readonly string[],
): Promise<{ readonly said: Said; stop(): Promise<Said> }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'sides', `${name}.ts`), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let out = '';
  const said = await new Promise<Said>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString('utf8');
      if (out.includes('\n')) resolve(JSON.parse(out.slice(0, out.indexOf('\n'))) as Said);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)));
  });
  return {
    said,
    stop: async () => {
      child.kill('SIGTERM');
      await gone;
      return lastJson(out);
    },
  };
}
