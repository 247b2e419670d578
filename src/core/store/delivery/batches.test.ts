import { describe, expect, it } from 'vitest';
import {
  anIndicator,
  aSiem,
  DAY,
  HOUR,
  indicators,
  ipv4,
  LIMITS,
  MINUTE,
  NOW,
  Rig,
  versionAt,
} from '../../../../test/builders/store.ts';
import { PRESENT, STATE } from '../rows/rows.ts';

const ID = 'indicator--1';
const revoked = anIndicator({ objectId: ID, version: versionAt(NOW - HOUR), revoked: true });

describe('a batch', () => {
  it('puts its intent on disk before anything is sent', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);

    rig.take();

    expect(rig.row()).toMatchObject({ state: STATE.flight, present: PRESENT.maybe });
  });

  it('takes removals first', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 2));
    rig.deliver();
    rig.commit([...indicators(1, 2, { revoked: true, version: versionAt(NOW) }), ...indicators(5, 6)]);

    expect(rig.take()?.changes.map(({ op }) => op)).toEqual(['remove']);
  });

  it('ends at its limits of rows and bytes and goes on with the next', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 10));
    const sizes: number[] = [];

    sizes.push(rig.take(NOW, 'siem', { maxItems: 4, maxBytes: 1_000_000 })!.changes.length);
    sizes.push(rig.take(NOW, 'siem', { maxItems: 500, maxBytes: 1 })!.changes.length);
    sizes.push(rig.take()!.changes.length);

    expect(sizes).toEqual([4, 1, 5]);
  });

  it('does not send a row again while it is in flight', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);
    rig.take();
    rig.commit([revoked]);

    expect(rig.take()).toBeUndefined();
  });

  it('parks what the mapping refuses and sends the neighbours', () => {
    const rig = new Rig({
      encoder: {
        encode: (entry) =>
          entry.value === '198.18.0.1' ? { refused: 'not expressible' } : { slot: entry.key, body: '{}\n' },
      },
    });
    rig.commit(indicators(0, 3));

    expect(rig.deliver()).toEqual(['upsert 198.18.0.0', 'upsert 198.18.0.2']);
    expect(rig.read((reader) => reader.parked(10))).toMatchObject([{ value: '198.18.0.1', reason: 'not expressible' }]);
  });

  it('counts max_entries for each container by itself', () => {
    const rig = new Rig({ siems: [aSiem({ maxEntries: 2 })], product: { containerPerType: true } });
    const domains = [1, 2].map((n) =>
      anIndicator({ objectId: `indicator--d${n}`, observables: [{ type: 'domain-name', value: `n${n}.example` }] }),
    );
    rig.commit([...indicators(0, 3), ...domains]);

    expect(rig.deliver()).toHaveLength(4);
    expect(rig.read((reader) => reader.parked(10))).toHaveLength(1);
  });

  it('parks what is beyond max_entries and writes it once there is room', () => {
    const rig = new Rig({ siems: [aSiem({ maxEntries: 2 })] });
    rig.commit(indicators(0, 3));
    expect(rig.deliver()).toHaveLength(2);

    rig.commit(indicators(0, 1, { revoked: true, version: versionAt(NOW) }));

    expect(rig.deliver()).toEqual(['remove 198.18.0.0', 'upsert 198.18.0.2']);
  });
});

describe('a result', () => {
  it('of an upsert that a revocation overtook leads to the removal, also by the short way and at two SIEMs', () => {
    const rig = new Rig({ siems: [aSiem({ name: 'one' }), aSiem({ name: 'two' })] });
    rig.commit([anIndicator({ objectId: ID })]);
    const one = rig.take(NOW, 'one')!;
    const two = rig.take(NOW, 'two')!;
    rig.commit([revoked]);

    rig.store.settleAll(one.id, NOW);
    rig.store.settleAll(two.id, NOW);

    expect(rig.deliver(NOW, 'one')).toEqual(['remove 192.0.2.1']);
    expect(rig.deliver(NOW, 'two')).toEqual(['remove 192.0.2.1']);
  });

  it('nobody knows leaves a row that is removed all the same', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);
    const batch = rig.take()!;
    rig.commit([revoked]);

    rig.store.settle(batch.id, [{ kind: 'unknown', retryAt: NOW + MINUTE }], NOW);

    expect(rig.deliver()).toEqual(['remove 192.0.2.1']);
  });

  it('that a time is named for waits for it', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);
    rig.store.settle(rig.take()!.id, [{ kind: 'retry', retryAt: NOW + MINUTE }], NOW);

    expect(rig.take(NOW + MINUTE - 1)).toBeUndefined();
    expect(rig.store.nextWork('siem', NOW)).toBe(NOW + MINUTE);
    expect(rig.deliver(NOW + MINUTE)).toEqual(['upsert 192.0.2.1']);
  });

  it('that a higher revision stands there raises every later revision above it', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);
    const high = (NOW + DAY) * 1000;
    rig.store.settle(rig.take()!.id, [{ kind: 'superseded', revision: high }], NOW);

    expect(rig.take()!.changes[0]!.revision).toBeGreaterThan(high);
  });

  it('that refuses for good parks the row until something changes', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);
    rig.deliver(NOW, 'siem', () => ({ kind: 'park', reason: 'too long' }));
    expect(rig.take(NOW + DAY)).toBeUndefined();

    rig.commit([anIndicator({ objectId: ID, version: versionAt(NOW), confidence: 7 })]);

    expect(rig.deliver()).toEqual(['upsert 192.0.2.1']);
  });

  it('keeps the reason of a parked row when a refresh is due', () => {
    const rig = new Rig({ siems: [aSiem({ refreshAfterDays: 10 })] });
    rig.commit([anIndicator({ objectId: ID })]);
    rig.deliver();
    rig.commit([anIndicator({ objectId: ID, version: versionAt(NOW), confidence: 7 })]);
    rig.deliver(NOW, 'siem', () => ({ kind: 'park', reason: 'too long' }));

    rig.tick(NOW + 11 * DAY);

    expect(rig.row()).toMatchObject({ state: STATE.parked, reason: 'too long' });
  });

  it('that never came is not lost with the batch', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 2));

    rig.store.settle(rig.take()!.id, [{ kind: 'applied' }], NOW);

    expect(rig.row('198.18.0.0')?.state).toBe(STATE.settled);
    expect(rig.row('198.18.0.1')).toMatchObject({ state: STATE.upsert, present: PRESENT.maybe });
  });
});

describe('the bytes of a batch', () => {
  it('are used again for the next one, whatever was looked for in between', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 2));
    const first = rig.take()!;
    const { buffer } = first.bytes;
    rig.store.settleAll(first.id, NOW, buffer);
    expect(rig.take()).toBeUndefined();

    rig.commit(indicators(2, 4));

    expect(rig.take()!.bytes.buffer).toBe(buffer);
  });
});

describe('after a crash', () => {
  it('sends what was in flight again where revisions decide', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);
    rig.take();

    rig.restart();

    expect(rig.deliver()).toEqual(['upsert 192.0.2.1']);
  });

  it('reads back first where they do not', () => {
    const rig = new Rig({ product: { versioned: false } });
    rig.commit([anIndicator({ objectId: ID })]);
    const sent = rig.take()!.changes[0]!;
    rig.restart();

    expect(rig.take()).toBeUndefined();
    expect(rig.store.uncertain('siem', 10, NOW).slots).toEqual([]);
    const { slots, entryIds } = rig.store.uncertain('siem', 10, NOW + 1_000);
    rig.store.resolve('siem', entryIds, [{ ...sent, slot: slots[0]!, writer: 'w' }], NOW);

    expect(rig.row()).toMatchObject({ state: STATE.settled, present: PRESENT.yes });
  });

  it('still knows the receipt of a task', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);
    rig.store.settle(rig.take()!.id, [{ kind: 'accepted', receipt: 'task 7' }], NOW);

    rig.restart();

    expect(rig.store.receipts('siem')).toEqual(['task 7']);
    rig.store.settleReceipt('siem', 'task 7', [{ key: 'ipv4-addr|192.0.2.1', settlement: { kind: 'applied' } }], NOW);
    expect(rig.row()?.state).toBe(STATE.settled);
  });
});

describe('a task whose changes were all applied', () => {
  it('settles its rows, and sends again the one whose wish changed while it ran', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 4));
    const { id, changes } = rig.take()!;
    rig.store.settle(
      id,
      changes.map(() => ({ kind: 'accepted', receipt: 'task 9' })),
      NOW,
    );
    rig.commit(indicators(2, 3, { revoked: true, version: versionAt(NOW) }));

    const applied = changes.map(({ key }) => ({ key, settlement: { kind: 'applied' } as const }));
    expect(rig.store.settleReceipt('siem', 'task 9', applied, NOW)).toMatchObject({ applied: 4, parked: 0 });

    expect(rig.rows().map((row) => row.state)).toEqual([STATE.settled, STATE.settled, STATE.remove, STATE.settled]);
    expect(rig.read((reader) => reader.siems()[0])).toMatchObject({ wanted: 3, delivered: 3, pending: 1 });
    expect(rig.deliver()).toEqual(['remove 198.18.0.2']);
    expect(rig.read((reader) => reader.siems()[0])).toMatchObject({ wanted: 3, delivered: 3, pending: 0 });
  });

  it('forgets the rows it removed, and keeps the one that is wanted again', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 4));
    rig.deliver();
    rig.commit(indicators(0, 3, { revoked: true, version: versionAt(NOW) }));
    const { id, changes } = rig.take()!;
    rig.store.settle(
      id,
      changes.map(() => ({ kind: 'accepted', receipt: 'task 9' })),
      NOW,
    );
    rig.commit([anIndicator({ objectId: 'indicator--other', observables: [ipv4('198.18.0.1')] })]);

    const applied = changes.map(({ key }) => ({ key, settlement: { kind: 'applied' } as const }));
    rig.store.settleReceipt('siem', 'task 9', applied, NOW);

    expect(rig.rows().map(({ value, state, present }) => [value, state, present])).toEqual([
      ['198.18.0.0', STATE.settled, PRESENT.no],
      ['198.18.0.1', STATE.upsert, PRESENT.no],
      ['198.18.0.2', STATE.settled, PRESENT.no],
      ['198.18.0.3', STATE.settled, PRESENT.yes],
    ]);
    expect(rig.read((reader) => reader.siems()[0])).toMatchObject({ wanted: 2, delivered: 1, pending: 1 });
    expect(rig.deliver()).toEqual(['upsert 198.18.0.1']);
    expect(rig.read((reader) => reader.siems()[0])).toMatchObject({ wanted: 2, delivered: 2, pending: 0 });
    rig.store.tick(NOW + 1000, false);
    expect(rig.rows().map(({ value }) => value)).toEqual(['198.18.0.1', '198.18.0.3']);
  });

  it('leaves a row that the result does not name to be read back', () => {
    const rig = new Rig({ product: { versioned: false } });
    rig.commit(indicators(0, 2));
    const { id, changes } = rig.take()!;
    rig.store.settle(
      id,
      changes.map(() => ({ kind: 'accepted', receipt: 'task 9' })),
      NOW,
    );

    rig.store.settleReceipt('siem', 'task 9', [{ key: changes[0]!.key, settlement: { kind: 'applied' } }], NOW);

    expect(rig.rows().map((row) => row.state)).toEqual([STATE.settled, STATE.uncertain]);
  });
});

describe('a task whose result is refused', () => {
  it('is tried again when it was a removal', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);
    rig.deliver();
    rig.commit([revoked]);
    rig.store.settle(rig.take()!.id, [{ kind: 'accepted', receipt: 'task 8' }], NOW);

    rig.store.settleReceipt(
      'siem',
      'task 8',
      [{ key: 'ipv4-addr|192.0.2.1', settlement: { kind: 'park', reason: 'no' } }],
      NOW,
    );

    expect(rig.take(NOW)).toBeUndefined();
    expect(rig.deliver(NOW + HOUR)).toEqual(['remove 192.0.2.1']);
  });
});

describe('limits', () => {
  it('never take more rows than asked for', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 30));

    expect(rig.take(NOW, 'siem', { ...LIMITS, maxItems: 7 })?.changes).toHaveLength(7);
  });
});
