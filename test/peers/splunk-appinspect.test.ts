// Splunk's own inspector reads the app that we ship, as it does before an app may be installed on Splunk Cloud.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pythonPeer } from './python.ts';

const run = promisify(execFile);
const peer = await pythonPeer('splunk-appinspect');
const content = join(import.meta.dirname, '..', '..', 'content', 'splunk');

const Report = z.object({
  summary: z.record(z.string(), z.number()),
  reports: z.array(
    z.object({
      groups: z.array(
        z.object({
          checks: z.array(
            z.object({ name: z.string(), result: z.string(), messages: z.array(z.object({ message: z.string() })) }),
          ),
        }),
      ),
    }),
  ),
});

async function inspect(python: string): Promise<z.output<typeof Report>> {
  const folder = mkdtempSync(join(tmpdir(), 'entente-appinspect-'));
  try {
    const app = join(folder, 'entente.tgz');
    const report = join(folder, 'report.json');
    await run('tar', ['-czf', app, '-C', content, 'entente']);
    // It exits with 1 when a check fails; the report tells which.
    const args = ['inspect', app, '--mode', 'precert', '--data-format', 'json', '--output-file', report];
    // By its interpreter: the environment was moved into place, which the script's own first line does not know.
    let said = '';
    await run(python, [join(dirname(python), 'splunk-appinspect'), ...args], { timeout: 300_000, cwd: folder }).catch(
      (error: unknown) => {
        said = String(error);
      },
    );
    if (!existsSync(report)) throw new Error(`the inspector left no report: ${said}`);
    return Report.parse(JSON.parse(readFileSync(report, 'utf8')));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe.skipIf(peer.kind === 'missing')('the Splunk app in content/', () => {
  it('passes the inspector without failure or error', async () => {
    if (peer.kind === 'missing') return;
    const { summary, reports } = await inspect(peer.python);
    const bad = reports
      .flatMap((one) => one.groups.flatMap((group) => group.checks))
      .filter((check) => check.result === 'failure' || check.result === 'error' || check.result === 'future_failure')
      .map((check) => `${check.name}: ${check.messages.map((one) => one.message).join(' ')}`);

    expect(bad).toEqual([]);
    // An inspector that ran no check would find nothing either.
    expect(summary['success']).toBeGreaterThan(50);
  });
});
