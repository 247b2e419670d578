// A batch over several collections is several calls: what the first ones did is told whatever becomes of a later one.
import { describe, expect, it } from 'vitest';
import { anEntry } from '../../../../test/builders/entry.ts';
import {
  addresses,
  delivered,
  errorOf,
  held,
  never,
  removals,
  SplunkRig,
  upserts,
} from '../../../../test/builders/splunk-rig.ts';
import { joinBatches } from '../../../../test/contract/batches.ts';
import type { Outcome } from '../../../core/contracts/siem-connector.ts';
import type { Fault } from '../../../simulators/server.ts';

const rig = new SplunkRig();
const PAGE = { headers: { 'content-type': 'text/html' }, body: '<html><body>Request Rejected</body></html>' };
const OURS = { body: '{"messages":[{"type":"ERROR","text":"in the words of Splunk"}]}' };

const byKey = (outcomes: readonly Outcome[]) => new Map(outcomes.map((one) => [one.key, one]));
const urls = (count: number) =>
  Array.from({ length: count }, (_, i) => anEntry({ type: 'url', value: `https://listed.example/${i}` }));

it('a row that the answer does not name was not saved, and is sent again', async () => {
  const connector = await rig.opened();
  const batch = upserts(addresses(2));
  const body = JSON.stringify([batch.changes[0]!.slot]);
  rig.server.setFaults([{ match: 'batch_save', action: 'status', status: 200, body }]);

  expect(await connector.apply(batch, never)).toMatchObject([
    { key: batch.changes[0]!.key, kind: 'applied' },
    { key: batch.changes[1]!.key, kind: 'failed', failure: { kind: 'retryable' } },
  ]);
});

describe('a later call of one batch', () => {
  it.each([
    ['401', { action: 'status', status: 401, ...OURS }, 'config'],
    ['403', { action: 'status', status: 403, ...OURS }, 'config'],
    ['404', { action: 'status', status: 404, ...OURS }, 'config'],
    ['405 and a web page', { action: 'status', status: 405, ...PAGE }, 'config'],
    ['503', { action: 'status', status: 503, ...OURS }, 'retryable'],
    ['a lost answer', { action: 'reset-after' }, 'retryable'],
    // Nobody knows what a login page stands for, so the ledger has to look.
    ['a login page', { action: 'html' }, 'retryable'],
  ] as const)('that gets %s does not make the first one forgotten', async (_, fault: Fault, kind) => {
    const connector = await rig.opened();
    const [first, second, third] = [addresses(2), urls(2), [anEntry({ type: 'email-addr', value: 'a@mail.example' })]];
    rig.server.setFaults([{ match: 'POST /servicesNS/nobody/entente/storage/collections/data/entente_url', ...fault }]);

    const outcomes = byKey(await connector.apply(upserts([...first, ...second, ...third]), never));

    for (const { key } of first) expect(outcomes.get(key)).toMatchObject({ kind: 'applied' });
    for (const { key } of second) expect(outcomes.get(key)).toMatchObject({ kind: 'failed', failure: { kind } });
    for (const { key } of third) expect(outcomes.get(key)).toMatchObject({ kind: 'failed' });
    expect((await held(connector)).map((one) => one.key)).toEqual(
      expect.arrayContaining(first.map((entry) => entry.key)),
    );
  });

  it('of removals does not make the first ones forgotten', async () => {
    const connector = await rig.opened();
    const entries = [...addresses(3), ...urls(3)];
    await connector.apply(upserts(entries), never);
    rig.server.setFaults([{ match: 'DELETE', skip: 1, action: 'status', status: 403, ...OURS }]);

    const outcomes = byKey(await connector.apply(removals(entries), never));

    const left = new Set((await held(connector)).map((one) => one.key));
    expect(left.size).toBe(3);
    for (const { key } of entries) {
      expect(outcomes.get(key)).toMatchObject(left.has(key) ? { failure: { kind: 'config' } } : { kind: 'applied' });
    }
  });

  it('that refuses one of several rows for good is divided the next time, and the calls behind it are made', async () => {
    const connector = await rig.opened();
    const bad = anEntry({ type: 'url', value: 'https://listed.example/?file=../etc/passwd' });
    const [good, mail] = [urls(2), anEntry({ type: 'email-addr', value: 'a@mail.example' })];
    rig.server.setFaults([{ match: 'POST', holds: 'etc/passwd', action: 'status', status: 403, ...PAGE }]);

    const first = byKey(await connector.apply(upserts([...addresses(2), good[0]!, bad, good[1]!, mail]), never));
    for (const { key } of [...addresses(2), mail]) expect(first.get(key)).toMatchObject({ kind: 'applied' });
    for (const { key } of [...good, bad]) expect(first.get(key)).toMatchObject({ failure: { kind: 'retryable' } });

    const second = await delivered(connector, upserts([...addresses(2), good[0]!, bad, good[1]!]));
    for (const { key } of good) expect(second.get(key)).toBe('applied');
    expect(second.get(bad.key)).toMatch(/^parked: .*refused by something in between \(403, a web page\)/);
  });

  it('at which Splunk fails goes first the next time, so that the engine can divide it', async () => {
    const connector = await rig.opened();
    const bad = anEntry({ type: 'url', value: 'https://listed.example/breaks' });
    const batch = () => upserts([...addresses(2), ...urls(2), bad]);
    rig.server.setFaults([{ match: 'POST', holds: '/breaks', action: 'status', status: 500, ...OURS }]);

    const first = byKey(await connector.apply(batch(), never));
    for (const { key } of addresses(2)) expect(first.get(key)).toMatchObject({ kind: 'applied' });

    expect(await errorOf(connector.apply(batch(), never))).toMatchObject({ kind: 'retryable', status: 500 });
  });

  it('that is the first to fail still fails the whole batch, as before', async () => {
    const connector = await rig.opened();
    rig.server.setFaults([{ match: 'batch_save', action: 'status', status: 403, ...OURS }]);

    const error = await errorOf(connector.apply(joinBatches(upserts(addresses(1)), removals(urls(1))), never));

    expect(error).toMatchObject({ kind: 'config', uncertain: false });
    expect(error.message).toContain('in the words of Splunk');
  });
});
