import { describe, expect, it } from 'vitest';
import type { OwnedEntry } from '../../contracts/siem-connector.ts';
import { entryKey } from '../../model/observable.ts';
import { anIndicator, aSiem, DAY, HOUR, indicators, NOW, Rig, versionAt } from '../../../../test/builders/store.ts';
import { PRESENT, STATE } from '../rows/rows.ts';

const owned = (value: string, revision: number, given: Partial<OwnedEntry> = {}): OwnedEntry => ({
  key: entryKey('ipv4-addr', value),
  slot: `ipv4-addr|${value}`,
  writer: 'w',
  revision,
  until: NOW + 5 * DAY,
  ...given,
});

function audit(rig: Rig, found: readonly OwnedEntry[], repair: boolean, now = NOW) {
  rig.store.beginComparison('siem', repair, now);
  rig.store.comparePart('siem', found, now);
  return rig.store.endComparison('siem', now);
}

describe('an audit', () => {
  it('tells missing, stale and orphaned entries and changes nothing unless asked to', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 3));
    rig.deliver();
    const { rev } = rig.row('198.18.0.0')!;

    const report = audit(rig, [owned('198.18.0.0', rev), owned('198.18.0.1', 7), owned('192.0.2.200', 7)], false);

    expect(report).toMatchObject({
      counts: { missing: 1, stale: 1, orphaned: 1 },
      missing: ['ipv4-addr|198.18.0.2'],
      stale: ['ipv4-addr|198.18.0.1'],
      orphaned: ['ipv4-addr|192.0.2.200'],
    });
    expect(rig.deliver()).toEqual([]);
  });

  it('that repairs writes what is missing or stale, and lets an orphan go once every partner was polled', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 3));
    rig.deliver();
    const { rev } = rig.row('198.18.0.0')!;

    audit(rig, [owned('198.18.0.0', rev), owned('198.18.0.1', 7), owned('192.0.2.200', 7)], true);

    expect(rig.deliver()).toEqual(['upsert 198.18.0.1', 'upsert 198.18.0.2']);
    rig.store.pollCompleted('partner', NOW + 1);
    expect(rig.deliver()).toEqual(['remove 192.0.2.200']);
  });

  it('does not call missing what never was said to be there', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 1));
    rig.deliver(NOW, 'siem', () => ({ kind: 'unknown', retryAt: NOW + HOUR }));
    rig.deliver(NOW + HOUR, 'siem', () => ({ kind: 'park', reason: 'refused' }));

    expect(rig.row('198.18.0.0')).toMatchObject({ state: STATE.parked, present: PRESENT.maybe });
    expect(audit(rig, [], false, NOW + HOUR).counts).toMatchObject({ missing: 0 });
  });

  it('leaves rows in flight alone', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 1));
    const batch = rig.take()!;

    audit(rig, [], true);

    expect(rig.row('198.18.0.0')?.state).toBe(STATE.flight);
    rig.store.settleAll(batch.id, NOW);
    expect(rig.deliver()).toEqual([]);
  });

  it('misses no key whose slot is taken by another one of ours', () => {
    const rig = new Rig({ product: { versioned: false, foldsSlots: true } });
    const url = (value: string) => ({ type: 'url', value }) as const;
    rig.commit([
      anIndicator({ objectId: 'indicator--1', observables: [url('http://a.example/X')] }),
      anIndicator({ objectId: 'indicator--2', observables: [url('http://a.example/x')] }),
    ]);
    rig.deliver();
    const row = rig.row('http://a.example/x')!;

    const report = audit(
      rig,
      [{ key: entryKey('url', row.value), slot: `url|${row.value}`, writer: 'w', revision: row.rev }],
      true,
    );

    expect(report.counts).toEqual({ missing: 0, stale: 0, orphaned: 0 });
    expect(rig.deliver()).toEqual([]);
  });
});

describe('adopted entries', () => {
  it('stay until every exchange that the SIEM listens to completed a poll, whatever they expire', () => {
    const rig = new Rig();
    rig.store.adopted('siem', 0, NOW);
    audit(rig, [owned('192.0.2.200', 7, { until: NOW + HOUR }), owned('198.18.0.0', 7)], true);
    rig.store.adopted('siem', 0, NOW);

    rig.tick(NOW + DAY);
    expect(rig.deliver(NOW + DAY)).toEqual([]);
    rig.commit(indicators(0, 1, { version: versionAt(NOW) }), NOW + DAY);
    rig.store.pollCompleted('partner', NOW + DAY);

    expect(rig.deliver(NOW + DAY).sort()).toEqual(['remove 192.0.2.200', 'upsert 198.18.0.0']);
  });

  it('go under the brake, and then no later than their expiry', () => {
    const rig = new Rig();
    const found = Array.from({ length: 150 }, (_, i) => owned(`198.18.1.${i}`, 7));
    rig.store.adopted('siem', 0, NOW);
    audit(rig, found, true);
    rig.store.pollCompleted('partner', NOW + HOUR);
    expect(rig.deliver(NOW + HOUR)).toEqual([]);
    expect(rig.read((reader) => reader.held())).toMatchObject([{ kind: 'removal', count: 150 }]);

    rig.tick(NOW + 5 * DAY);

    expect(rig.deliver(NOW + 5 * DAY)).toHaveLength(150);
  });

  it('raise the floor of revisions', () => {
    const rig = new Rig();
    const high = (NOW + DAY) * 1000;
    rig.store.adopted('siem', high, NOW);
    rig.commit(indicators(0, 1));

    expect(rig.take()!.changes[0]!.revision).toBeGreaterThan(high);
  });
});

describe('a container', () => {
  it('that was made anew, or is another one now, gets its entries again', () => {
    const rig = new Rig();
    rig.store.containers('siem', { memory: '1' }, NOW);
    rig.commit(indicators(0, 3));
    rig.deliver();

    expect(rig.store.containers('siem', { memory: '1' }, NOW)).toEqual({ lost: [], rows: 0, more: false });
    expect(rig.store.containers('siem', { memory: '2' }, NOW)).toEqual({ lost: ['memory'], rows: 3, more: false });
    expect(rig.deliver()).toHaveLength(3);
  });

  it('is gone through in steps', () => {
    const rig = new Rig();
    rig.store.containers('siem', { memory: '1' }, NOW);
    rig.commit(indicators(0, 6000));
    rig.deliver();

    const steps = [rig.store.containers('siem', { memory: '2' }, NOW)];
    // One that dies in between goes on where it was.
    rig.restart();
    while (steps.at(-1)!.more) steps.push(rig.store.containers('siem', { memory: '2' }, NOW));

    expect(steps.map(({ rows }) => rows)).toEqual([2500, 2500, 1000]);
  });

  it('that was made anew while a task was under way is looked at again, whatever became of the rows', () => {
    const rig = new Rig({ product: { versioned: false } });
    rig.store.containers('siem', { memory: '1' }, NOW);
    rig.commit(indicators(0, 2));
    rig.deliver(NOW, 'siem', () => ({ kind: 'accepted', receipt: 'task-1' }));
    rig.commit(indicators(1, 2, { revoked: true, version: versionAt(NOW) }));

    rig.store.containers('siem', { memory: '2' }, NOW);
    rig.deliver();

    const { observables } = rig.store.doubtful('siem', 10, NOW + 10_000);
    expect(observables.map(({ value }) => value)).toEqual(['198.18.0.0', '198.18.0.1']);
  });

  it('whose name changed with the settings gets its entries too', () => {
    const rig = new Rig({
      encoder: { container: (_type, settings) => (typeof settings === 'string' ? settings : 'none') },
      siems: [aSiem({ settings: 'old' })],
    });
    rig.store.containers('siem', { old: '1' }, NOW);
    rig.commit(indicators(0, 3));
    rig.deliver();

    rig.restart({ siems: [aSiem({ settings: 'new' })] });
    rig.store.containers('siem', { new: '2' }, NOW);

    expect(rig.deliver()).toHaveLength(3);
  });
});

describe('what is found or missed', () => {
  it('late gets an id that no other entry is given', () => {
    const rig = new Rig();
    const late = owned('192.0.2.99', 7);

    rig.store.lookedAt('siem', [{ type: 'ipv4-addr', value: '192.0.2.99' }], [late], NOW);
    rig.commit(indicators(0, 1));

    expect(rig.rows().map(({ value }) => value)).toEqual(['192.0.2.99', '198.18.0.0']);
  });

  it('of a parked entry whose older version is lost leaves the reason, by which it is found', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 1));
    rig.deliver();
    rig.commit(indicators(0, 1, { version: versionAt(NOW), confidence: 5 }), NOW + 1);
    rig.deliver(NOW + 1, 'siem', () => ({ kind: 'park', reason: 'too strange' }));

    audit(rig, [], true, NOW + 2);

    expect(rig.read((reader) => reader.parked(9)).map(({ reason }) => reason)).toEqual(['too strange']);
  });
});
