// What stands in a SIEM under our mark: found by an audit, after an adoption, by a late look.
import { describe, expect, it } from 'vitest';
import type { OwnedEntry } from '../../contracts/siem-connector.ts';
import { entryKey } from '../../model/observable.ts';
import {
  anExchange,
  anIndicator,
  aSiem,
  DAY,
  type Given,
  HOUR,
  ipv4,
  NOW,
  Rig,
  versionAt,
} from '../../../../test/builders/store.ts';

const ID = 'indicator--1';
const VALUE = '192.0.2.1';
const STRAY = '192.0.2.200';
const SECOND = 1000;
const plain = { product: { versioned: false } };

const owned = (value: string, revision: number, given: Partial<OwnedEntry> = {}): OwnedEntry => ({
  key: entryKey('ipv4-addr', value),
  slot: `ipv4-addr|${value}`,
  writer: 'w',
  revision,
  ...given,
});

function audit(rig: Rig, found: readonly OwnedEntry[], repair = true, now = NOW) {
  rig.store.beginComparison('siem', repair, now);
  rig.store.comparePart('siem', found, now);
  return rig.store.endComparison('siem', now);
}

/** One entry that stands in the SIEM. */
function standing(given: Given = {}): Rig {
  const rig = new Rig(given);
  rig.commit([anIndicator({ objectId: ID })]);
  rig.deliver();
  return rig;
}

/** A row whose call was lost: it was read back and found absent, and may land late. */
function doubtful(given: Given = plain): Rig {
  const rig = new Rig(given);
  rig.commit([anIndicator({ objectId: ID })]);
  rig.store.settle(rig.take()!.id, [{ kind: 'unknown', retryAt: NOW }], NOW);
  return rig;
}
const readBack = (rig: Rig, found: readonly OwnedEntry[] = []) =>
  rig.store.resolve('siem', rig.store.uncertain('siem', 10, NOW).entryIds, found, NOW);

describe('an audit', () => {
  it('leaves a row alone that a task is about to write, whatever stands there still', () => {
    const rig = standing();
    const { rev } = rig.row()!;
    rig.commit([anIndicator({ objectId: ID, version: versionAt(NOW), confidence: 50 })]);
    rig.store.settle(rig.take()!.id, [{ kind: 'accepted', receipt: 'task 1' }], NOW);

    expect(audit(rig, [owned(VALUE, rev)]).counts).toEqual({ missing: 0, stale: 0, orphaned: 0 });

    expect([rig.take(), rig.store.receipts('siem')]).toEqual([undefined, ['task 1']]);
    const key = entryKey('ipv4-addr', VALUE);
    rig.store.settleReceipt('siem', 'task 1', [{ key, settlement: { kind: 'applied' } }], NOW);
    expect(rig.deliver()).toEqual([]);
  });

  it.each(['nothing of it', 'what stood there', 'another revision'] as const)(
    'leaves a row alone that is being sent: %s is listed',
    (what) => {
      const rig = standing();
      const { rev } = rig.row()!;
      rig.commit([anIndicator({ objectId: ID, version: versionAt(NOW), confidence: 50 })]);
      const batch = rig.take()!;

      const listed = {
        'nothing of it': [],
        'what stood there': [owned(VALUE, rev)],
        'another revision': [owned(VALUE, 7)],
      };
      const found = listed[what];
      expect(audit(rig, found).counts).toEqual({ missing: 0, stale: 0, orphaned: 0 });

      expect(rig.take()).toBeUndefined();

      rig.store.settleAll(batch.id, NOW);
      expect(rig.deliver()).toEqual([]);
    },
  );

  it('raises our revisions above any that it finds under our mark', () => {
    const rig = new Rig();
    const high = (NOW + 400 * DAY) * 1000;

    audit(rig, [owned(STRAY, high)]);

    rig.commit([anIndicator({ objectId: ID })]);
    expect(rig.take()!.changes[0]!.revision).toBeGreaterThan(high);
  });

  it('calls what stands before its time an orphan: it is known and not wanted', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID, validFrom: NOW + HOUR })]);

    expect(audit(rig, [owned(VALUE, 7)], false).counts).toEqual({ missing: 0, stale: 0, orphaned: 1 });
  });
});

describe('what was adopted', () => {
  it('still waits for the partners when it is found again in another revision', () => {
    const rig = new Rig();
    audit(rig, [owned(STRAY, 7)]);

    audit(rig, [owned(STRAY, 9)]);

    expect(rig.deliver()).toEqual([]);
    rig.store.pollCompleted('partner', NOW + 1);
    expect(rig.deliver(NOW + 1)).toEqual([`remove ${STRAY}`]);
  });

  it('waits for no partner that the SIEM does not listen to', () => {
    const rig = new Rig({ exchanges: [anExchange(), anExchange({ name: 'other' })] });
    audit(rig, [owned(STRAY, 7)]);
    expect(rig.store.siemFacts('siem').adopting).toBe(true);
    // Told to people as waiting, though for no person.
    expect(rig.read((reader) => [reader.siems()[0]!.held, reader.held()])).toEqual([1, []]);

    rig.store.pollCompleted('partner', NOW + 1);

    expect(rig.deliver(NOW + 1)).toEqual([`remove ${STRAY}`]);
    expect(rig.store.siemFacts('siem').adopting).toBe(false);
  });

  it('waits for them also where it expired and is named by what the SIEM may not hold', () => {
    const rig = new Rig();
    audit(rig, [owned(STRAY, 7, { until: NOW + HOUR })]);

    rig.commit([anIndicator({ objectId: ID, tlp: 'red', observables: [ipv4(STRAY)] })], NOW + DAY);

    expect(rig.deliver(NOW + DAY)).toEqual([]);
    rig.store.pollCompleted('partner', NOW + DAY);
    expect(rig.deliver(NOW + DAY)).toEqual([`remove ${STRAY}`]);
  });

  it('goes at once when a person suppresses it', () => {
    const rig = new Rig();
    audit(rig, [owned(STRAY, 7)]);

    rig.store.suppress([ipv4(STRAY)], NOW + DAY, 'noise', 'op', NOW);

    expect(rig.deliver()).toEqual([`remove ${STRAY}`]);
  });

  it('and is held by the brake stays held, though no claim describes it when the rules change', () => {
    const rig = new Rig();
    const found = Array.from({ length: 150 }, (_, i) => owned(`198.18.1.${i}`, 7));
    audit(rig, found);
    rig.store.pollCompleted('partner', NOW + 1);
    const held = () => rig.read((reader) => reader.held());
    expect(held()).toMatchObject([{ kind: 'removal', count: 150 }]);

    rig.restart({ siems: [aSiem({ fingerprint: 'b' })] });
    rig.tick(NOW + 1);

    expect([rig.deliver(NOW + 1), held()]).toMatchObject([[], [{ count: 150 }]]);
  });
});

describe('a late look', () => {
  it('waits until no other call on the value is under way', () => {
    const rig = doubtful();
    const due = () => rig.store.doubtful('siem', 10, NOW + 30 * SECOND).slots;
    expect(due()).toEqual([]);

    readBack(rig);

    expect(due()).toEqual([`ipv4-addr|${VALUE}`]);
  });

  it.each([
    ['shows nothing', []],
    ['shows what was there before', [owned(VALUE, 7)]],
  ])('changes nothing of a row that is being sent again: it %s', (_what, found) => {
    const rig = doubtful();
    readBack(rig);
    const { observables } = rig.store.doubtful('siem', 10, NOW + 30 * SECOND);
    const batch = rig.take(NOW + 30 * SECOND)!;

    expect(rig.store.lookedAt('siem', observables, found, NOW + 30 * SECOND)).toBe(0);

    expect(rig.take(NOW + 30 * SECOND)).toBeUndefined();
    rig.store.settleAll(batch.id, NOW + 30 * SECOND);
    expect(rig.deliver(NOW + 30 * SECOND)).toEqual([]);
  });

  it('raises our revisions above what a late call left', () => {
    const rig = doubtful();
    readBack(rig);
    rig.deliver();
    const high = (NOW + 400 * DAY) * 1000;

    rig.store.lookedAt('siem', [ipv4(VALUE)], [owned(VALUE, high)], NOW + 30 * SECOND);

    expect(rig.take(NOW + 30 * SECOND)!.changes[0]!.revision).toBeGreaterThan(high);
  });

  it('does not call a key lost whose slot another of ours holds', () => {
    // Neither is spelled as the slot is.
    const [upper, lower] = ['http://a.example/Xy', 'http://a.example/xY'] as const;
    const rig = new Rig({ product: { versioned: false, foldsSlots: true } });
    const url = (value: string) => ({ type: 'url', value }) as const;
    rig.commit([
      anIndicator({ objectId: ID, observables: [url(upper)] }),
      anIndicator({ objectId: 'indicator--2', observables: [url(lower)] }),
    ]);
    rig.deliver();
    const { rev } = rig.row(lower)!;
    const shown = { ...owned('', rev), key: entryKey('url', lower), slot: 'url|http://a.example/xy' };

    expect(rig.store.lookedAt('siem', [url(upper)], [shown], NOW + 30 * SECOND)).toBe(0);

    expect(rig.deliver(NOW + 30 * SECOND)).toEqual([]);
  });

  it('has written again what a late removal took away', () => {
    const rig = standing();

    expect(rig.store.lookedAt('siem', [ipv4(VALUE)], [], NOW + 30 * SECOND)).toBe(1);

    expect(rig.deliver(NOW + 30 * SECOND)).toEqual([`upsert ${VALUE}`]);
  });
});
