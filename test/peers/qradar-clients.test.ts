// Two public Python clients, neither IBM's nor ours, against our simulator: a witness that simulator and connector do
// not share one misreading. The second one builds its methods from what the simulator lists as its routes.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startQradar } from '../../src/simulators/qradar/index.ts';
import { selfSigned } from '../../src/simulators/tls.ts';
import { pythonPeer } from './python.ts';

const CHECKS = 23;
const peer = await pythonPeer('qradar');

interface CheckResult {
  readonly name: string;
  /** Undefined when the check passed. */
  readonly problem: string | undefined;
}

/** `classic`: version in which the old routes are called; up to 16.0 they know bulk_load by name alone. */
async function against(apiVersion: string, classic: string, secure: boolean): Promise<readonly CheckResult[]> {
  if (peer.kind === 'missing') return [];
  const folder = mkdtempSync(join(tmpdir(), 'entente-qradar-clients-'));
  const certificates = selfSigned();
  const qradar = await startQradar({ apiVersion, ...(secure ? { tls: certificates } : {}) });
  try {
    const now = Date.now();
    qradar.plant(['192.0.2.1', '192.0.2.2'].map((sourceip, i) => ({ time: now - i * 60_000, fields: { sourceip } })));
    writeFileSync(join(folder, 'ca.pem'), certificates.ca);
    const output = await outputOf(peer.python, [
      join(import.meta.dirname, 'qradar-clients', 'check.py'),
      qradar.url,
      qradar.token,
      '--version',
      apiVersion,
      '--classic',
      classic,
      ...(secure ? ['--ca', join(folder, 'ca.pem')] : []),
    ]);
    const lines = output.split('\n').map((line) => /^(ok {3}|FAIL )(\w+: \w+)(?:: (.*))?$/.exec(line));
    return lines.flatMap((found) =>
      found === null ? [] : [{ name: found[2] ?? '', problem: found[1] === 'FAIL ' ? (found[3] ?? '') : undefined }],
    );
  } finally {
    await qradar.close();
    rmSync(folder, { recursive: true, force: true });
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

for (const [apiVersion, classic, secure] of [
  ['26.0', '26.0', true],
  ['20.0', '20.0', false],
  ['16.0', '15.0', false],
] as const) {
  const results = await against(apiVersion, classic, secure);

  describe.skipIf(peer.kind === 'missing')(`public clients against a simulated QRadar with API ${apiVersion}`, () => {
    it.each(results)('agree on $name', ({ problem }) => {
      expect(problem).toBeUndefined();
    });

    it('ran every check', () => {
      expect(results).toHaveLength(CHECKS);
    });
  });
}
