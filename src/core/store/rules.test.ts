// Rules of the ledger that are easily lost: each of these fails when its line is taken out of the code.
import { describe, expect, it } from 'vitest';
import {
  anExchange,
  anIndicator,
  aSiem,
  DAY,
  HOUR,
  indicators,
  ipv4,
  MINUTE,
  NOW,
  Rig,
  versionAt,
} from '../../../test/builders/store.ts';
import { CAUSE, PRESENT, STATE } from './rows/rows.ts';

const ID = 'indicator--1';
const revoked = (objectId = ID, at = NOW) => anIndicator({ objectId, revoked: true, version: versionAt(at) });
const changed = (confidence: number, at = NOW) => anIndicator({ objectId: ID, version: versionAt(at), confidence });
const plain = { product: { versioned: false } };

describe('what became of a change', () => {
  it('is unknown where nobody says it: the row may be there and is read back', () => {
    const rig = new Rig(plain);
    rig.commit(indicators(0, 2));

    rig.store.settle(rig.take()!.id, [{ kind: 'applied' }], NOW);

    expect(rig.rows()).toMatchObject([
      { state: STATE.settled, present: PRESENT.yes },
      { state: STATE.uncertain, present: PRESENT.maybe },
    ]);
  });

  it('that failed and heals leaves the row as it was before: there, under its old revision', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);
    rig.deliver();
    const before = rig.row()!;
    rig.commit([changed(50)]);

    rig.store.settle(rig.take()!.id, [{ kind: 'retry', retryAt: NOW + MINUTE }], NOW);

    expect(rig.row()).toMatchObject({
      state: STATE.upsert,
      present: PRESENT.yes,
      rev: before.rev,
      next_at: NOW + MINUTE,
    });
    expect([rig.take(NOW + MINUTE - 1), rig.take(NOW + MINUTE)?.changes.length]).toEqual([undefined, 1]);
  });

  it('that failed and heals leaves a first write absent', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);

    rig.store.settle(rig.take()!.id, [{ kind: 'retry', retryAt: NOW + MINUTE }], NOW);

    expect(rig.row()).toMatchObject({ present: PRESENT.no });
  });

  it('that something newer superseded may be there, and goes at once under a higher revision', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);
    const higher = (NOW + DAY) * 1000;

    rig.store.settle(rig.take()!.id, [{ kind: 'superseded', revision: higher }], NOW);

    expect(rig.row()).toMatchObject({ state: STATE.upsert, present: PRESENT.maybe, next_at: null });
    expect(rig.take()?.changes[0]?.revision).toBeGreaterThan(higher);
  });

  it('nobody knows is neither sent nor read back before its time', () => {
    const rig = new Rig(plain);
    rig.commit([anIndicator({ objectId: ID })]);

    rig.store.settle(rig.take()!.id, [{ kind: 'unknown', retryAt: NOW + MINUTE }], NOW);

    expect(rig.take(NOW + HOUR)).toBeUndefined();
    expect(rig.store.uncertain('siem', 10, NOW + MINUTE - 1).entryIds).toEqual([]);
    expect(rig.store.uncertain('siem', 10, NOW + MINUTE).entryIds).toHaveLength(1);
  });
});

describe('a row in flight that stands in the SIEM', () => {
  it.each([
    ['where revisions decide', {}, STATE.upsert],
    ['where they do not', plain, STATE.uncertain],
  ])('may or may not be there after a crash, %s', (_where, given, state) => {
    const rig = new Rig(given);
    rig.commit([anIndicator({ objectId: ID })]);
    rig.deliver();
    rig.commit([changed(50)]);
    rig.take();

    rig.restart();

    expect(rig.row()).toMatchObject({ state, present: PRESENT.maybe });
  });

  it('is not called delivered when its batch is settled as a whole and it was overtaken', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);
    rig.deliver();
    rig.commit([changed(50)]);
    const batch = rig.take()!;
    rig.commit([changed(60, NOW + MINUTE)], NOW + MINUTE);

    rig.store.settleAll(batch.id, NOW + MINUTE);

    expect(rig.row()).toMatchObject({ state: STATE.upsert, rev: batch.changes[0]!.revision });
    expect(rig.read((reader) => reader.siems()[0])).toMatchObject({ delivered: 0, pending: 1 });
    expect(rig.deliver(NOW + MINUTE)).toHaveLength(1);
  });
});

describe('a slot that two keys share', () => {
  const upper = { type: 'url', value: 'http://a.example/X' } as const;
  const lower = { type: 'url', value: 'http://a.example/x' } as const;
  const folding = { product: { versioned: false, foldsSlots: true } };
  const both = [
    anIndicator({ objectId: ID, observables: [upper] }),
    anIndicator({ objectId: 'indicator--2', observables: [lower] }),
  ];

  it.each([
    ['accepted', { kind: 'accepted', receipt: 'task 1' } as const],
    ['uncertain', { kind: 'unknown', retryAt: NOW } as const],
  ])('takes no other call while one on it is %s', (_what, settlement) => {
    const rig = new Rig(folding);
    rig.commit([both[0]!]);
    rig.store.settle(rig.take()!.id, [settlement], NOW);
    rig.commit([both[1]!]);

    expect(rig.take()).toBeUndefined();
    expect(rig.take(NOW + HOUR)).toBeUndefined();
  });

  it('leaves its heir to be written again, though the call on it is not over', () => {
    const rig = new Rig(folding);
    rig.commit(both);
    rig.deliver();
    rig.commit([{ ...both[1]!, version: versionAt(NOW), confidence: 50 }]);
    rig.store.settle(rig.take()!.id, [{ kind: 'accepted', receipt: 'task 1' }], NOW);
    rig.commit([revoked()]);
    // The removal is the other's affair: what stands there is the heir's now.
    expect(rig.take()).toBeUndefined();

    expect(rig.row(upper.value)).toMatchObject({ state: STATE.settled, present: PRESENT.no });
    expect(rig.row(lower.value)).toMatchObject({ state: STATE.accepted, present: PRESENT.maybe });
    const key = 'url|http://a.example/x';
    rig.store.settleReceipt('siem', 'task 1', [{ key, settlement: { kind: 'applied' } }], NOW);
    expect(rig.deliver()).toEqual([`upsert ${lower.value}`]);
  });
});

describe('what was adopted', () => {
  const owned = (n: number, until?: number) =>
    Array.from({ length: n }, (_, i) => ({
      key: `ipv4-addr|198.18.1.${i}` as never,
      slot: `ipv4-addr|198.18.1.${i}`,
      writer: 'w',
      revision: 1,
      ...(until === undefined ? {} : { until }),
    }));

  function adopt(rig: Rig, rows: ReturnType<typeof owned>, at: number): void {
    rig.store.adopted('siem', 0, at);
    rig.store.beginComparison('siem', true, at);
    rig.store.comparePart('siem', rows, at);
    while (rig.store.endComparison('siem', at).more);
  }

  it('is not released while the last poll of any partner ended before', () => {
    const rig = new Rig({
      exchanges: [anExchange(), anExchange({ name: 'other' })],
      siems: [aSiem({ listensTo: ['partner', 'other'] })],
    });
    rig.store.pollCompleted('partner', NOW);
    adopt(rig, owned(1), NOW + 1);
    rig.store.pollCompleted('other', NOW + 2);
    expect(rig.deliver(NOW + 2)).toEqual([]);

    rig.store.pollCompleted('partner', NOW + 3);
    expect(rig.deliver(NOW + 3)).toHaveLength(1);
  });

  it('and expired meanwhile goes outside the brake', () => {
    const rig = new Rig();
    adopt(rig, owned(150, NOW + HOUR), NOW);

    rig.store.pollCompleted('partner', NOW + 2 * HOUR);

    expect(rig.deliver(NOW + 2 * HOUR)).toHaveLength(150);
  });

  it('raises the revisions of what comes after, however far ahead it stands', () => {
    const rig = new Rig();
    const ahead = (NOW + 400 * DAY) * 1000;
    rig.store.adopted('siem', ahead, NOW);

    rig.commit([anIndicator({ objectId: ID })]);

    expect(rig.take()?.changes[0]?.revision).toBeGreaterThan(ahead);
  });
});

describe('a row that is written while an audit runs', () => {
  it('is neither missing nor stale, whatever the listing shows of it', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 2));
    rig.deliver();
    const old = rig.rows()[1]!.rev;
    rig.store.beginComparison('siem', true, NOW);
    rig.commit(indicators(0, 3, { version: versionAt(NOW), confidence: 50 }), NOW + 1);
    rig.deliver(NOW + 1);

    // The first two pages of the listing were made before, and the third value came after its page.
    const value = rig.rows()[1]!.value;
    const seen = { key: `ipv4-addr|${value}` as never, slot: `ipv4-addr|${value}`, writer: 'w', revision: old };
    rig.store.comparePart('siem', [seen], NOW + 1);
    const report = rig.store.endComparison('siem', NOW + 1);

    expect(report.counts).toEqual({ missing: 0, stale: 0, orphaned: 0 });
    expect(rig.deliver(NOW + 1)).toEqual([]);
  });
});

describe('suppressions', () => {
  it('of one value: the longer counts, in whichever order they were made', () => {
    for (const hours of [
      [1, 3],
      [3, 1],
    ]) {
      const rig = new Rig();
      rig.commit([anIndicator({ objectId: ID })]);
      rig.deliver();
      for (const one of hours) rig.store.suppress([ipv4('192.0.2.1')], NOW + one * HOUR, 'noise', 'op', NOW);
      expect(rig.deliver()).toEqual(['remove 192.0.2.1']);

      rig.tick(NOW + 2 * HOUR);
      expect(rig.deliver(NOW + 2 * HOUR)).toEqual([]);
      rig.tick(NOW + 3 * HOUR);
      expect(rig.deliver(NOW + 3 * HOUR)).toEqual(['upsert 192.0.2.1']);
    }
  });

  it('that end later than the claim bring nothing back', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID, validUntil: NOW + HOUR })]);
    rig.deliver();
    rig.store.suppress([ipv4('192.0.2.1')], NOW + 2 * HOUR, 'noise', 'op', NOW);
    rig.deliver();

    for (const at of [NOW + HOUR, NOW + 2 * HOUR, NOW + 3 * HOUR]) {
      rig.tick(at);
      expect(rig.deliver(at)).toEqual([]);
    }
    expect(rig.rows()).toEqual([]);
  });
});

describe('an entry that is withdrawn', () => {
  it('keeps its vouchers until it is gone', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);
    rig.deliver();
    const [before] = rig.ask<{ vouchers: number }>('SELECT vouchers FROM projection');
    expect(before!.vouchers).not.toBe(0);

    rig.commit([revoked()]);

    expect(rig.ask('SELECT vouchers FROM projection')).toEqual([before]);
  });

  it('in the moment at which it expires has expired, and no brake holds it', () => {
    const rig = new Rig();
    const until = NOW + HOUR;
    rig.commit(indicators(0, 150, { validUntil: until }));
    rig.store.pollCompleted('partner', NOW);
    rig.deliver();

    rig.commit(indicators(0, 150, { revoked: true, version: versionAt(until) }), until);

    expect(rig.rows()[0]).toMatchObject({ cause: CAUSE.expired, state: STATE.remove });
    expect(rig.deliver(until)).toHaveLength(150);
  });
});

describe('a unit that failed', () => {
  it('leaves tallies, revisions and the floor as they were', () => {
    const rig = new Rig({ exchanges: [anExchange()], siems: [aSiem()] });
    rig.commit(indicators(0, 2));
    const status = () => rig.read((reader) => [reader.siems()[0], reader.exchanges()[0]]);
    const [before, known] = [status(), rig.store.identity()];

    const broken = anIndicator({ objectId: 'indicator--broken', facts: null as never });
    expect(() => rig.commit([...indicators(2, 5), broken])).toThrow(/NOT NULL|not-null/);
    expect(() => rig.store.adopted('no-such-siem', (NOW + 400 * DAY) * 1000, NOW)).toThrow(/no SIEM/);

    expect(rig.store.identity()).toEqual(known);
    rig.commit(indicators(2, 3));
    expect(rig.store.identity().revision).toBeLessThan((NOW + DAY) * 1000);
    expect(status()).toMatchObject([{ wanted: before[0]!['wanted' as never] + 1, pending: 3 }, { indicators: 3 }]);
  });
});

it('a unit that fails leaves every count as it was', () => {
  let broken = true;
  const encode = ({ key }: { readonly key: string }) => {
    if (key.endsWith('.0.0')) return { refused: 'not expressible' };
    if (broken) throw new Error('a bug of the mapping');
    return { slot: key, body: '{}\n' };
  };
  const rig = new Rig({ encoder: { encode } });
  rig.commit(indicators(0, 2));

  expect(() => rig.take()).toThrow('a bug of the mapping');
  broken = false;
  rig.deliver();

  expect(rig.read((reader) => reader.siems()[0])).toMatchObject({ parked: 1, delivered: 1, pending: 0 });
});
