// Virtual environments for the peers that are written in Python. Each is made once, from pins that name every package,
// below $ENTENTE_PEERS_DIR (see runs.ts), and shared by all runs on this machine.
import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { peersDir } from './runs.ts';

const run = promisify(execFile);

export type PythonPeer =
  | { readonly kind: 'ready'; readonly python: string }
  | { readonly kind: 'missing'; readonly reason: string };

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
  if (existsSync(folder)) return python;
  // Made aside and moved into place whole, so that runs at the same time need no lock: the first to finish wins, and
  // an interrupted one leaves nothing that looks finished. Only `python -m` is used, which does not mind the move.
  mkdirSync(join(peersDir(), 'venv'), { recursive: true });
  const made = mkdtempSync(`${folder}.`);
  try {
    await run(interpreter, ['-m', 'venv', made]).catch((cause: unknown) => {
      throw new Error('python3 cannot make virtual environments; on Debian install python3-venv', { cause });
    });
    const install = [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--retries=5',
      '--no-deps',
      '-r',
      requirements,
    ];
    await run(join(made, 'bin', 'python'), install, { timeout: 300_000 }).catch((cause: unknown) => {
      throw new Error(`pip could not install ${requirements}: ${String(cause).slice(-500)}`, { cause });
    });
    moveUnlessThere(made, folder);
    return python;
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

function moveUnlessThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}
