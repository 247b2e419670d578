// The whole way into Splunk: launcher, configuration, exchange and a simulated Splunk that is read past the connector.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { feedBundle } from '../../src/simulators/feed.ts';
import { type RunningSplunk, startSplunk } from '../../src/simulators/splunk/index.ts';
import { ES_APP } from '../../src/simulators/splunk/threat-intel.ts';
import { type RunningTaxii, startTaxii } from '../../src/simulators/taxii/index.ts';
import { notingDocumentation } from './site.ts';

const LAUNCHER = join(import.meta.dirname, '../../bin/entente.mjs');
let folder: string;
let taxii: RunningTaxii;
let splunk: RunningSplunk;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'entente-e2e-splunk-'));
  taxii = await startTaxii({ data: feedBundle({ count: 400, irregular: 0, start: Date.now() - 86_400_000 }) });
  splunk = await startSplunk({ version: '9.0.4' });
});
afterEach(async () => {
  await taxii.close();
  await splunk.close();
  rmSync(folder, { recursive: true, force: true });
});

function configure(siems: readonly object[]): string {
  const { apiRoot: url, username, password, collections } = taxii;
  const exchange = {
    name: 'partner',
    type: 'taxii21',
    url,
    auth: { username, password },
    collections: [collections.read],
  };
  const file = join(folder, 'entente.yaml');
  // JSON is YAML.
  const policy = notingDocumentation({});
  writeFileSync(file, JSON.stringify({ instance: 'e2e', state: './state.db', exchanges: [exchange], siems, policy }));
  return file;
}

function entente(...args: string[]): Promise<{ code: number; stdout: string; text: string }> {
  return new Promise((resolve) => {
    execFile(LAUNCHER, args, { timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({
        code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1,
        stdout,
        text: stdout + stderr,
      });
    });
  });
}

/** Keys of the entries that stand in these collections, whoever asks. */
function held(app: string, names: readonly string[]): string[] {
  const rows = names.flatMap((name) => [...splunk.documents(app, name).values()]);
  return rows.flatMap((row) => (typeof row['entry_key'] === 'string' ? [row['entry_key']] : [])).sort();
}
const lookups = () => held('entente', ['entente_ip', 'entente_domain', 'entente_url', 'entente_email', 'entente_file']);
const intel = () => held(ES_APP, ['ip_intel', 'http_intel', 'email_intel', 'file_intel']);

it('fills both forms with the same values, and fills again what an administrator deletes', {
  timeout: 120_000,
}, async () => {
  const { url, token, username, password } = splunk;
  const config = configure([
    { name: 'own', type: 'splunk', url, auth: { token } },
    { name: 'es', type: 'splunk', url, auth: { username, password }, form: 'threat_intel' },
  ]);

  const first = await entente('run', '--once', '-c', config);
  const wanted = lookups();
  expect(first, first.text).toMatchObject({ code: 0 });
  expect(wanted.length).toBeGreaterThan(50);
  expect(intel()).toEqual(wanted);

  splunk.state.collections.delete('entente/entente_domain');
  splunk.state.collections.get(`${ES_APP}/http_intel`)!.documents.clear();
  expect(lookups().length).toBeLessThan(wanted.length);
  const second = await entente('run', '--once', '-c', config);
  expect(second, second.text).toMatchObject({ code: 0 });
  expect(lookups()).toEqual(wanted);
  expect(intel()).toEqual(wanted);
});

it('delivers to the one Splunk though the token of the other is refused', { timeout: 120_000 }, async () => {
  const { url, token } = splunk;
  const config = configure([
    { name: 'refused', type: 'splunk', url, auth: { token: 'not-a-token' }, form: 'threat_intel' },
    { name: 'own', type: 'splunk', url, auth: { token } },
  ]);

  const ran = await entente('run', '--once', '--patience-secs', '5', '-c', config);
  const status = await entente('status', '--json', '-c', config);

  expect(ran.code).toBe(1);
  expect(lookups().length).toBeGreaterThan(50);
  expect(intel()).toEqual([]);
  const { siems } = JSON.parse(status.stdout) as { siems: { name: string; state: string; reason: string | null }[] };
  expect(siems.find((one) => one.name === 'own')).toMatchObject({ state: 'ok' });
  expect(siems.find((one) => one.name === 'refused')).toMatchObject({ state: 'failing' });
  expect(siems.find((one) => one.name === 'refused')?.reason).toContain('call not properly authenticated');
});
