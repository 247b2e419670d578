// Virtual environments for the peers that are written in Python. Each is made once, from pins that name every package,
// below $ENTENTE_PEERS_DIR (default ~/.cache/entente-peers), and shared by all runs on this machine.
import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type PythonPeer =
  | { readonly kind: 'ready'; readonly python: string }
  | { readonly kind: 'missing'; readonly reason: string };

export const peersDir = (): string => process.env['ENTENTE_PEERS_DIR'] ?? join(homedir(), '.cache', 'entente-peers');

/**
 * The environment of `requirements/<name>.txt`. Where CI=true a peer that cannot be had is an error; elsewhere the
 * reason is printed and the caller skips.
 */
export async function pythonPeer(name: string): Promise<PythonPeer> {
  try {
    return { kind: 'ready', python: await environment(name) };
  } catch (cause) {
    const reason = `peer ${name} is not available: ${cause instanceof Error ? cause.message : String(cause)}`;
    if (process.env['CI'] === 'true') throw new Error(reason, { cause });
    process.stderr.write(`SKIPPED: ${reason}\n`);
    return { kind: 'missing', reason };
  }
}

async function environment(name: string): Promise<string> {
  const requirements = join(import.meta.dirname, 'requirements', `${name}.txt`);
  const interpreter = process.env['PEERS_PYTHON'] ?? 'python3';
  const version = await run(interpreter, ['-V']).catch(() => {
    throw new Error(`no Python interpreter ${interpreter}; install python3 or set PEERS_PYTHON`);
  });
  const pins = readFileSync(requirements, 'utf8');
  const folder = join(peersDir(), 'venv', `${name}-${hash('sha256', `${version.stdout}${pins}`).slice(0, 12)}`);
  const python = join(folder, 'bin', 'python');
  const ready = join(folder, '.ready');
  if (existsSync(ready)) return python;
  mkdirSync(join(peersDir(), 'venv'), { recursive: true });
  const unlock = await lock(`${folder}.lock`);
  try {
    if (existsSync(ready)) return python;
    rmSync(folder, { recursive: true, force: true });
    await run(interpreter, ['-m', 'venv', folder]).catch((cause: unknown) => {
      throw new Error('python3 cannot make virtual environments; on Debian install python3-venv', { cause });
    });
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '-r', requirements];
    await run(python, install, { timeout: 300_000 }).catch((cause: unknown) => {
      throw new Error(`pip could not install ${requirements}: ${String(cause).slice(-500)}`, { cause });
    });
    writeFileSync(ready, '');
    return python;
  } finally {
    unlock();
  }
}

/** A folder is the lock, since making one either works or fails; it names its owner so that a dead one does not block. */
async function lock(path: string): Promise<() => void> {
  const owner = join(path, 'pid');
  for (let waited = 0; waited < 300; waited++) {
    try {
      mkdirSync(path);
      writeFileSync(owner, String(process.pid));
      return () => rmSync(path, { recursive: true, force: true });
    } catch {
      if (waited > 5 && !isAlive(owner)) rmSync(path, { recursive: true, force: true });
      await delay(1000);
    }
  }
  throw new Error(`another process holds ${path}; remove it if that process is gone`);
}

function isAlive(pidFile: string): boolean {
  try {
    process.kill(Number(readFileSync(pidFile, 'utf8')), 0);
    return true;
  } catch {
    return false;
  }
}
