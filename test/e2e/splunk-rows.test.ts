// Rows of ours over which others wrote, through the launcher: a revocation takes them off all the same, a comparison
// writes them again, and one that cannot be read does not end a purge.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type RunningSplunk, startSplunk } from '../../src/simulators/splunk/index.ts';
import type { Document } from '../../src/simulators/splunk/state.ts';
import { ES_APP } from '../../src/simulators/splunk/threat-intel.ts';
import { aWorld, indicator, revoked, type World } from './world.ts';

const VALUES = ['198.18.0.1', '198.18.0.2', '198.18.0.3'] as const;
let world: World;
let splunk: RunningSplunk;
beforeEach(async () => {
  world = await aWorld();
  splunk = await startSplunk();
  world.taxii.load(VALUES.map((one) => indicator(one)));
});
afterEach(async () => {
  await world.close();
  await splunk.close();
});

function configure(form: string, more: object = {}): void {
  const { siems: _, ...settings } = world.settings();
  const siem = { name: 'hq', type: 'splunk', url: splunk.url, auth: { token: splunk.token }, form, ...more };
  world.site.configure({ ...settings, siems: [siem] });
}
const table = (form: string): Map<string, Document> => {
  const name = form === 'lookups' ? 'entente/entente_ip' : `${ES_APP}/ip_intel`;
  return splunk.state.collections.get(name)!.documents.get('nobody')!;
};
const armed = (form: string): string[] =>
  [...table(form).values()].flatMap((row) => (typeof row['ip'] === 'string' ? [row['ip']] : [])).sort();
const rewrite = (form: string, left: (row: Document) => void): void => {
  for (const row of table(form).values()) if ('ip' in row) left(row);
};

it.each(['lookups', 'threat_intel'])(
  'with form %s: found, removed and written again',
  { timeout: 90_000 },
  async (form) => {
    configure(form);
    expect((await world.site.entente(['run', '--once'])).code).toBe(0);
    rewrite(form, (row) => delete row['owner']);
    world.taxii.load([revoked(VALUES[0])]);

    const ran = await world.site.entente(['run', '--once']);

    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    expect(armed(form)).toEqual(VALUES.slice(1));
    const repaired = await world.site.entente(['reconcile', '--repair']);
    expect(repaired.code, repaired.stdout + repaired.stderr).toBeLessThan(2);
    await world.site.entente(['run', '--once']);
    expect(armed(form)).toEqual(VALUES.slice(1));
    rewrite(form, (row) => expect(row['owner']).toBe('entente:soc-one'));
  },
);

it('one row that cannot be read ends no purge', { timeout: 90_000 }, async () => {
  configure('lookups');
  await world.site.entente(['run', '--once']);
  let first = true;
  rewrite('lookups', (row) => {
    if (first) Object.assign(row, { entry_key: 7, revision: ['x'], valid_until: 'soon', writer: null });
    first = false;
  });

  configure('lookups', { enabled: false });
  const purged = await world.site.entente(['purge', '--siem', 'hq', '--yes']);

  expect(purged, purged.stderr).toMatchObject({ code: 0 });
  expect(armed('lookups')).toEqual([]);
});

it('what one call did is revoked though a later one of its batch got 403', { timeout: 90_000 }, async () => {
  const value = 'https://listed.example/a';
  world.taxii.load([{ ...indicator(value), pattern: `[url:value = '${value}']` }]);
  configure('lookups');
  const body = '{"messages":[{"type":"ERROR","text":"in the words of Splunk"}]}';
  const match = 'POST /servicesNS/nobody/entente/storage/collections/data/entente_url/batch_save';
  // The first of them writes the marker.
  splunk.setFaults([{ match, skip: 1, times: 1, action: 'status', status: 403, body }]);
  await world.site.entente(['run', '--once', '--patience-secs', '2']);
  expect(armed('lookups')).toEqual(VALUES);

  world.taxii.load([revoked(VALUES[0])]);
  await world.site.entente(['run', '--once', '--patience-secs', '2']);

  expect(armed('lookups')).toEqual(VALUES.slice(1));
});
