// Rows of ours into which somebody else wrote: Enterprise Security, an analyst, a script. What they left of it still
// matches, so it is found, told and removed; and one row that cannot be read ends nothing.
import { describe, expect, it } from 'vitest';
import { anEntry } from '../../../../test/builders/entry.ts';
import { addresses, context, held, never, removals, SplunkRig, upserts } from '../../../../test/builders/splunk-rig.ts';
import { INSTANCE, rowsOf } from '../../../../test/contract/splunk-harness.ts';
import type { Entry } from '../../../core/model/entry.ts';
import type { Log } from '../../../core/runtime/log.ts';
import type { Document } from '../../../simulators/splunk/state.ts';
import { ES_APP } from '../../../simulators/splunk/threat-intel.ts';

const rig = new SplunkRig();
const VALUES = [
  anEntry({ value: '192.0.2.7' }),
  anEntry({ value: '198.51.100.0/24' }),
  anEntry({ type: 'domain-name', value: 'c2.example' }),
  anEntry({ type: 'url', value: 'https://listed.example/a' }),
  anEntry({ type: 'email-addr', value: 'phish@mail.example' }),
  anEntry({ type: "file:hashes.'SHA-256'", value: 'ab'.repeat(32) }),
];
const FORMS = ['lookups', 'threat_intel'] as const;
type Form = (typeof FORMS)[number];

/** Writes over every row of an entry what an analyst or the product might leave of it. */
function rewrite(form: Form, entries: readonly Entry[], left: (row: Document) => Document): void {
  const app = form === 'lookups' ? 'entente' : ES_APP;
  const keys = new Set<string>(entries.map((one) => one.key));
  for (const [name, collection] of rig.server.state.collections) {
    if (!name.startsWith(`${app}/`)) continue;
    const rows = collection.documents.get('nobody') ?? new Map<string, Document>();
    for (const [key, row] of rows) if (keys.has(String(row['entry_key']))) rows.set(key, left(row));
  }
}
const without = (row: Document, ...columns: readonly string[]): Document =>
  Object.fromEntries(Object.entries(row).filter(([name]) => !columns.includes(name)));
function standing(form: Form): Document[] {
  const all = new Map(VALUES.flatMap(({ type }) => [...rowsOf(rig.server, type, form)]));
  return [...all.values()].filter((row) => !('generation' in row));
}

describe.each(FORMS)('with form %s', (form) => {
  const ctx = () => context(INSTANCE, form);
  const armed = async () => {
    const connector = await rig.opened({ form });
    await connector.apply(upserts(VALUES, ctx()), never);
    return connector;
  };
  const keys = VALUES.map((one) => one.key).sort();

  it.each([
    ['the owner column', ['owner']],
    ['all our columns', ['owner', 'entry_key', 'writer', 'revision', 'valid_until', 'tlp', 'source_ids']],
  ])('rows that lost %s are listed, to be written again', async (_, columns) => {
    const connector = await armed();
    rewrite(form, VALUES, (row) => without(row, ...columns));

    const slots = standing(form).map((row) => String(row['_key']));
    for (const rows of [await held(connector), await held(connector, slots)]) {
      expect(rows.map((one) => one.key).sort()).toEqual(keys);
      // No revision of ours: the ledger sees that they are not as it wrote them.
      expect(rows.map((one) => one.revision)).toEqual(VALUES.map(() => 0));
    }
  });

  it('rows that lost the owner column are removed, and are rows of nobody else', async () => {
    const connector = await armed();
    rewrite(form, VALUES, (row) => without(row, 'owner'));
    if (form === 'lookups') expect(await connector.foreign?.(never)).toBe(0);

    const outcomes = await connector.apply(removals(VALUES, ctx()), never);

    expect(new Set(outcomes.map((one) => one.kind))).toEqual(new Set(['applied']));
    expect(standing(form)).toEqual([]);
  });

  it('rows are removed however many there are, in as many calls as their addresses take', async () => {
    const connector = await rig.opened({ form });
    const many = addresses(400);
    await connector.apply(upserts(many, ctx()), never);

    const outcomes = await connector.apply(removals(many, ctx()), never);

    expect(outcomes.filter((one) => one.kind === 'applied')).toHaveLength(many.length);
    expect(await held(connector)).toEqual([]);
  });

  it('rows that others took over under their own name are left to them', async () => {
    const connector = await armed();
    rewrite(form, VALUES, (row) => ({ ...row, owner: 'soc', ...('threat_key' in row ? { threat_key: 'soc' } : {}) }));

    expect(await held(connector)).toEqual([]);
    await connector.apply(removals(VALUES, ctx()), never);

    expect(standing(form)).toHaveLength(VALUES.length);
  });

  it('rows into which another value was put are about that which their key stands for', async () => {
    const connector = await armed();
    const [first, second] = VALUES;
    rewrite(form, [first!], (row) => ({ ...row, entry_key: second!.key }));

    expect((await held(connector)).map((one) => one.key).sort()).toEqual(keys);
  });

  it('one row with unexpected types ends neither listing nor removal, and is counted where nothing can be read', async () => {
    const warned: unknown[] = [];
    const log: Log = {
      error() {},
      info() {},
      debug() {},
      warn: (_, fields) => void warned.push(fields),
      child: () => log,
    };
    const connector = await rig.opened({ form, log });
    const cased = anEntry({ type: 'url', value: 'https://listed.example/MiXeD' });
    await connector.apply(upserts([...VALUES, cased], ctx()), never);
    const odd = { writer: 5, revision: { a: 1 }, valid_until: 'soon' };
    rewrite(form, VALUES, (row) => ({ ...row, ...odd }));
    // Only a digest of its exact spelling is left.
    rewrite(form, [cased], (row) => ({ ...row, entry_key: ['x'] }));

    const rows = await held(connector);

    expect(rows.map((one) => one.key).sort()).toEqual(keys);
    expect(rows[0]).toMatchObject({ writer: '', revision: 0 });
    expect(warned).toContainEqual({ rows: 1 });
    await connector.apply(removals([...VALUES, cased], ctx()), never);
    expect(standing(form)).toEqual([]);
  });
});

it('hits are told on a row that lost its owner column', async () => {
  const connector = await rig.opened({ form: 'threat_intel' });
  const [entry] = VALUES;
  await connector.apply(upserts([entry!], context(INSTANCE, 'threat_intel')), never);
  rewrite('threat_intel', [entry!], (row) => without(row, 'owner', 'entry_key'));
  const [row] = standing('threat_intel');
  const at = Date.now() / 1000;
  const fields = {
    index: 'threat_activity',
    threat_key: `entente:${INSTANCE}`,
    threat_collection_key: String(row?.['_key']),
  };
  rig.server.state.events.push({ time: at, indexed: at, fields });

  const hits = [];
  for await (const page of connector.hits!.read(undefined, never)) hits.push(...page.hits);

  expect(hits.map((one) => one.key)).toEqual([entry!.key]);
});

it('an unreadable marker or writer mark is written again, and is no failure of ours', async () => {
  const connector = await rig.opened();
  await connector.apply(upserts(addresses(1)), never);
  await connector.writer({ writer: 'w', boot: 'b', revision: 1, at: 1 }, never);
  for (const name of ['entente_ip', 'entente_control']) {
    for (const row of rig.server.state.collections.get(`entente/${name}`)!.documents.get('nobody')!.values())
      if (!('entry_key' in row)) Object.assign(row, { generation: 7, writer: null });
  }

  expect((await connector.containers(never)).map((one) => one.name)).not.toContain('entente_ip');
  expect(await connector.writer(undefined, never)).toBeUndefined();
  await connector.open(never);
  expect((await connector.containers(never)).map((one) => one.name)).toContain('entente_ip');
});
