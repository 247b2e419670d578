// Runs our checks through OASIS' taxii2-client against any TAXII 2.1 server.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface CheckResult {
  readonly name: string;
  /** Undefined when the check passed. */
  readonly problem: string | undefined;
}

export interface CheckTarget {
  readonly python: string;
  readonly discovery: string;
  readonly username: string;
  readonly password: string;
  readonly ca?: string | undefined;
}

export async function runTaxii2Client(target: CheckTarget): Promise<readonly CheckResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'entente-taxii2client-'));
  try {
    const parameters = [join(import.meta.dirname, 'check.py'), target.discovery, target.username, target.password];
    if (target.ca !== undefined) {
      writeFileSync(join(folder, 'ca.pem'), target.ca);
      parameters.push('--ca', join(folder, 'ca.pem'));
    }
    const output = await outputOf(target.python, parameters);
    const lines = output.split('\n').map((line) => /^(ok {3}|FAIL )([a-z0-9_]+)(?:: (.*))?$/.exec(line));
    const results = lines.flatMap((found) =>
      found === null ? [] : [{ name: found[2] as string, problem: found[1] === 'FAIL ' ? found[3] : undefined }],
    );
    if (results.length === 0) throw new Error(`the check script reported nothing:\n${output.slice(-2000)}`);
    return results;
  } finally {
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
