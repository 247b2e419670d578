// One folder below $ENTENTE_PEERS_DIR/run for each run of tests. Every server of the run lives in it and has its path
// on its command line, so all can be ended together, also by the next run when this one was killed.
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Cache and running servers. The start scripts apply the same rule: another user, who runs the servers, must get in. */
export function peersDir(): string {
  const named = process.env['ENTENTE_PEERS_DIR'];
  if (named !== undefined && named !== '') return named;
  return process.getuid?.() === 0 ? '/var/cache/entente-peers' : join(homedir(), '.cache', 'entente-peers');
}

const RUN = 'ENTENTE_PEERS_RUN';

/** The folder of this run; made now for a program that has no run around it. */
export function runFolder(): string {
  const given = process.env[RUN];
  if (given !== undefined) return given;
  const folder = join(peersDir(), 'run', `run-${process.pid}-${Date.now()}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'owner'), `${process.pid} ${startTime(process.pid) ?? ''}`);
  process.env[RUN] = folder;
  return folder;
}

/** Ends every server of the run and removes its folder. */
export async function endRun(folder: string): Promise<readonly number[]> {
  const ended = await endProcesses(folder);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  if (process.env[RUN] === folder) delete process.env[RUN];
  return ended;
}

/** Ends what runs left whose own process is gone; answers a line about each. Runs that still live are left alone. */
export async function endLeftovers(): Promise<readonly string[]> {
  const place = join(peersDir(), 'run');
  const lines: string[] = [];
  for (const name of existsSync(place) ? readdirSync(place) : []) {
    const folder = join(place, name);
    if (!name.startsWith('run-') || ownerLives(folder)) continue;
    const pids = await endRun(folder);
    lines.push(`ended what an earlier run left: ${name}, processes ${pids.join(', ') || 'none'}`);
  }
  return lines;
}

function ownerLives(folder: string): boolean {
  let owner: string;
  try {
    owner = readFileSync(join(folder, 'owner'), 'utf8');
  } catch {
    // Being made, or half removed; the first is only a matter of a moment, and the name tells its process.
    owner = `${/^run-(\d+)-/.exec(basename(folder))?.[1] ?? 0} `;
  }
  const [pid = '0', started = ''] = owner.split(' ');
  const now = startTime(Number(pid));
  return now !== undefined && (started === '' || now === started);
}

/** Ends a server with all that it started, as a power cut would; over when the last of them is gone. */
export async function cutOff(pid: number): Promise<void> {
  const all = [pid, ...processes().filter((one) => stat(one)?.[1] === String(pid))];
  for (const one of all) signal(one, 'SIGKILL');
  for (let turn = 0; all.some((one) => startTime(one) !== undefined); turn += 1) {
    if (turn === 600) throw new Error(`not gone within a minute of SIGKILL: ${all.join(', ')}`);
    await delay(100);
  }
}

/** Tells a process from a later one with the same id; undefined when there is none. */
function startTime(pid: number): string | undefined {
  const fields = stat(pid);
  // A zombie has ended.
  return fields?.[0] === 'Z' ? undefined : fields?.[19];
}

/** State, parent and so on of a process. */
function stat(pid: number): string[] | undefined {
  try {
    // The name, in brackets, may hold blanks.
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return undefined;
  }
}

function processes(): number[] {
  if (!existsSync('/proc')) return [];
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid);
}

function processesOf(folder: string): number[] {
  return processes().filter((pid) => commandLine(pid).includes(`${folder}/`));
}

function commandLine(pid: number): string {
  try {
    return startTime(pid) === undefined ? '' : readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

async function endProcesses(folder: string): Promise<readonly number[]> {
  const found = processesOf(folder);
  for (let turn = 0, left = found; left.length > 0 && turn < 100; left = processesOf(folder), turn += 1) {
    for (const pid of left) signal(pid, turn < 75 ? 'SIGTERM' : 'SIGKILL');
    await delay(200);
  }
  return found;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone meanwhile.
  }
}

/**
 * A loopback port nobody listens on. Below the range from which the system takes ports for outgoing connections: one
 * of those could take it before a slow server does. Asked for once only within a run.
 */
export async function freePort(): Promise<number> {
  const taken = join(runFolder(), 'ports');
  mkdirSync(taken, { recursive: true });
  for (let turn = 0; turn < 200; turn += 1) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (!(await canListen(port))) continue;
    try {
      closeSync(openSync(join(taken, String(port)), 'wx'));
      return port;
    } catch {
      // Another test of this run has it.
    }
  }
  throw new Error('no free port on the loopback interface');
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
