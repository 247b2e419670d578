// MISP's own client against our simulator: a witness that simulator and connector do not share one misreading.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startMisp } from '../../src/simulators/misp/index.ts';
import { pythonPeer } from './python.ts';

const CHECKS = 35;
const peer = await pythonPeer('pymisp');

interface CheckResult {
  readonly name: string;
  /** Undefined when the check passed. */
  readonly problem: string | undefined;
}

async function against(): Promise<readonly CheckResult[]> {
  if (peer.kind === 'missing') return [];
  const misp = await startMisp();
  try {
    const script = join(import.meta.dirname, 'pymisp', 'check.py');
    const output = await outputOf(peer.python, [script, misp.url, misp.key, '--read-key', misp.readKey ?? '']);
    const lines = output.split('\n').map((line) => /^(ok {3}|FAIL )([a-z0-9_]+)(?:: (.*))?$/.exec(line));
    return lines.flatMap((found) =>
      found === null ? [] : [{ name: found[2] ?? '', problem: found[1] === 'FAIL ' ? (found[3] ?? '') : undefined }],
    );
  } finally {
    await misp.close();
  }
}

/** Whatever it printed; a failed check is a line, so the exit code tells nothing new. */
function outputOf(command: string, parameters: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, parameters, {
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 120_000,
    });
    let text = '';
    const take = (piece: Buffer): void => {
      text += piece.toString('utf8');
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('error', reject);
    child.once('close', () => resolve(text));
  });
}

const results = await against();

describe.skipIf(peer.kind === 'missing')('PyMISP against the simulated MISP', () => {
  it.each(results)('agrees on $name', ({ problem }) => {
    expect(problem).toBeUndefined();
  });

  it('ran every check', () => {
    expect(results).toHaveLength(CHECKS);
  });
});
