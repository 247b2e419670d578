// Splunk's own Python SDK against our simulator: a witness that simulator and connector do not share one misreading.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startSplunk } from '../../src/simulators/splunk/index.ts';
import { pythonPeer } from './python.ts';

const CHECKS = 49;
const peer = await pythonPeer('splunk-sdk');

interface CheckResult {
  readonly name: string;
  /** Undefined when the check passed. */
  readonly problem: string | undefined;
}

async function against(version: string): Promise<readonly CheckResult[]> {
  if (peer.kind === 'missing') return [];
  const splunk = await startSplunk({ version });
  try {
    const script = join(import.meta.dirname, 'splunk-sdk', 'check.py');
    const output = await outputOf(peer.python, [script, splunk.url, splunk.username, splunk.password]);
    const lines = output.split('\n').map((line) => /^(ok {3}|FAIL )([^:]+(?:: \w+(?: \w+)*)?)(?:: (.*))?$/.exec(line));
    return lines.flatMap((found) =>
      found === null ? [] : [{ name: found[2] ?? '', problem: found[1] === 'FAIL ' ? (found[3] ?? '') : undefined }],
    );
  } finally {
    await splunk.close();
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

// The SDK uses other search paths from 9.0.2 on, and limits differ from 9.1 on.
for (const version of ['9.4.1', '8.2.5']) {
  const results = await against(version);

  describe.skipIf(peer.kind === 'missing')(`Splunk's Python SDK against a simulated Splunk ${version}`, () => {
    it.each(results)('agrees on $name', ({ problem }) => {
      expect(problem).toBeUndefined();
    });

    it('ran every check', () => {
      expect(results).toHaveLength(CHECKS);
    });
  });
}
