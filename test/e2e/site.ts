// A site as a user has it: a folder with a YAML file, and Entente started through its launcher. What it prints is
// kept whole, so that a test can also search it for what must not be there.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { inWarmProcess } from './warm.ts';

const LAUNCHER = join(import.meta.dirname, '../../bin/entente.mjs');
/** Type stripping is done once for all starts of a test run. */
const COMPILED = join(tmpdir(), 'entente-e2e-compiled');

/** Set, no command is carried out in the warm process. */
const EACH_BY_LAUNCHER = process.env['ENTENTE_BY_LAUNCHER'] === '1';
const LIMIT_MS = 60_000;
/** Daemons, simulators and the demo are meant to stay, and have signals and heaps of their own. */
const endsByItself = ([command = '', ...rest]: readonly string[]): boolean =>
  !['simulate', 'demo'].includes(command) && (command !== 'run' || rest.includes('--once'));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface How {
  /** Time at which the process believes to start, as `ENTENTE_CLOCK`. */
  readonly clock?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly limitMs?: number;
  /** Words before the launcher, as `prlimit --fsize=…`. */
  readonly under?: readonly string[];
  /** A process of its own, by the launcher. */
  readonly by?: 'launcher';
}

export type Settings = Readonly<Record<string, unknown>>;

/** The values of tests are from ranges that Entente refuses to arm unless it is told otherwise. */
export function notingDocumentation(policy: unknown): object {
  return { never_block: { list_actions: { documentation: 'note' } }, ...Object(policy) } as object;
}

export class Site {
  readonly folder = mkdtempSync(join(tmpdir(), 'entente-site-'));
  readonly state = join(this.folder, 'state', 'entente.db');
  readonly #children = new Set<ChildProcess>();
  /** Everything that any process of this site ever printed. */
  printed = '';

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string): string {
    const path = this.path(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  remove(name: string): void {
    rmSync(this.path(name));
  }

  removeFolder(name: string): void {
    rmSync(this.path(name), { recursive: true });
  }

  configure(settings: Settings, name = 'entente.yaml'): void {
    this.write(
      name,
      stringify({ listen: '127.0.0.1:0', ...settings, policy: notingDocumentation(settings['policy']) }),
    );
  }

  start(args: readonly string[], how: How = {}): Running {
    const [file = '', ...rest] = [...(how.under ?? []), process.execPath, LAUNCHER, ...args];
    const child = spawn(file, rest, {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: this.#environment(how),
    });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return new Running(child, how.limitMs ?? LIMIT_MS, (text) => {
      this.printed += text;
    });
  }

  #environment(how: How): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: this.folder,
      NODE_COMPILE_CACHE: COMPILED,
      ...(how.clock === undefined ? {} : { ENTENTE_CLOCK: how.clock }),
      ...how.env,
    };
  }

  /** Runs a command to its end. */
  async entente(args: readonly string[], how: How = {}): Promise<Ended> {
    const alone = EACH_BY_LAUNCHER || how.by === 'launcher' || how.under !== undefined || !endsByItself(args);
    const env = this.#environment(how);
    const warm = alone ? undefined : inWarmProcess({ folder: this.folder, args, env }, how.limitMs ?? LIMIT_MS);
    if (warm === undefined) return this.start(args, how).ended;
    const result = await warm;
    this.printed += result.stdout + result.stderr;
    return { ...result, signal: result.code === null ? 'SIGKILL' : null };
  }

  /** Its answer with --json. */
  async ask<T = Record<string, unknown>>(args: readonly string[], how: How = {}): Promise<T> {
    const { stdout, stderr } = await this.entente([...args, '--json'], how);
    try {
      return JSON.parse(stdout) as T;
    } catch {
      throw new Error(`entente ${args.join(' ')} --json printed ${JSON.stringify(stdout)} and ${stderr}`);
    }
  }

  async daemon(how: How = {}, args: readonly string[] = []): Promise<Daemon> {
    const running = this.start(['run', ...args], { limitMs: 120_000, ...how });
    const url = await running.until(/listens on (http:\S+)/);
    return new Daemon(running, url);
  }

  /** The bytes of every file of the site whose name fits, for searching. */
  files(fits: RegExp): string {
    return readdirSync(this.folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => fits.test(name) && statSync(join(this.folder, name)).isFile())
      .map((name) => readFileSync(join(this.folder, name)).toString('latin1'))
      .join('\n');
  }

  /** Permissions of the files whose name fits, as octal digits. */
  modes(fits: RegExp): Record<string, string> {
    const names = readdirSync(this.folder, { recursive: true, encoding: 'utf8' }).filter((name) => fits.test(name));
    return Object.fromEntries(
      names.map((name) => [name, (statSync(join(this.folder, name)).mode & 0o777).toString(8)]),
    );
  }

  close(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class Running {
  readonly ended: Promise<Ended>;
  readonly pid: number;
  readonly #child: ChildProcess;
  stdout = '';
  stderr = '';

  constructor(child: ChildProcess, limitMs: number, printed: (text: string) => void) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString('utf8');
      printed(chunk.toString('utf8'));
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString('utf8');
      printed(chunk.toString('utf8'));
    });
    const limit = setTimeout(() => child.kill('SIGKILL'), limitMs);
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        clearTimeout(limit);
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  kill(signal: NodeJS.Signals): Promise<Ended> {
    this.#child.kill(signal);
    return this.ended;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The first group of `pattern` once stdout or stderr shows it. */
  async until(pattern: RegExp, limitMs = 40_000): Promise<string> {
    for (const end = performance.now() + limitMs; performance.now() < end; ) {
      const found = pattern.exec(this.stderr) ?? pattern.exec(this.stdout);
      if (found !== null) return found[1] ?? found[0];
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) break;
      await moment();
    }
    throw new Error(`never printed ${pattern}:\n${this.stdout}\n${this.stderr}`);
  }
}

export interface Status {
  readonly state: string;
  readonly reasons: readonly string[];
  readonly conditions?: readonly { readonly condition: string; readonly runbook: string }[];
  readonly exchanges: readonly (Settings & { name: string; state: string; reason: string | null })[];
  readonly siems: readonly (Settings & { name: string; state: string; reason: string | null })[];
}

export class Daemon {
  readonly process: Running;
  readonly url: string;

  constructor(running: Running, url: string) {
    this.process = running;
    this.url = url;
  }

  async get(path: string): Promise<{ code: number; text: string }> {
    const answer = await fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(5000) });
    return { code: answer.status, text: await answer.text() };
  }

  async status(): Promise<Status> {
    return JSON.parse((await this.get('/status')).text) as Status;
  }

  /** The first status that fits. */
  async until(fits: (status: Status) => boolean, limitMs = 40_000): Promise<Status> {
    let last: Status | undefined;
    for (const end = performance.now() + limitMs; performance.now() < end; ) {
      last = await this.status();
      if (fits(last)) return last;
      await moment();
    }
    throw new Error(`no such status; the last was ${JSON.stringify(last, undefined, 1)}\n${this.process.stderr}`);
  }

  ready(limitMs = 40_000): Promise<void> {
    return eventually(async () => (await this.get('/readyz')).code === 200, 'ready', limitMs);
  }

  stop(): Promise<Ended> {
    return this.process.kill('SIGTERM');
  }
}

export async function eventually(
  holds: () => boolean | Promise<boolean>,
  what: string,
  limitMs = 40_000,
): Promise<void> {
  for (const end = performance.now() + limitMs; performance.now() < end; ) {
    if (await holds()) return;
    await moment();
  }
  throw new Error(`not within ${limitMs} ms: ${what}`);
}

export const moment = (ms = 40): Promise<void> => new Promise((go) => setTimeout(go, ms));
