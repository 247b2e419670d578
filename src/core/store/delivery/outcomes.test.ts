// What becomes of changes, tasks and shared slots, where it is easily taken for less than it is.
import { describe, expect, it } from 'vitest';
import {
  anIndicator,
  aSiem,
  DAY,
  HOUR,
  indicators,
  MINUTE,
  NOW,
  Rig,
  type Given,
  versionAt,
} from '../../../../test/builders/store.ts';
import { entryKey } from '../../model/observable.ts';
import { PRESENT, STATE } from '../rows/rows.ts';

const ID = 'indicator--1';
const VALUE = '192.0.2.1';
const plain = { product: { versioned: false } };
const STRICT = { removal: { share: 0.2, atLeast: 3, windowHours: 24 } };
const changed = (confidence: number) => anIndicator({ objectId: ID, version: versionAt(NOW), confidence });
const revoked = anIndicator({ objectId: ID, revoked: true, version: versionAt(NOW) });
const withdraw = (from: number, to: number) => indicators(from, to, { revoked: true, version: versionAt(NOW) });
const held = (rig: Rig) => rig.read((reader) => reader.held());
const parked = (rig: Rig) => rig.read((reader) => reader.parked(50));

/** One entry that stands in the SIEM. */
function standing(given: Given = {}, handle?: string): Rig {
  const rig = new Rig(given);
  rig.commit([anIndicator({ objectId: ID })]);
  rig.deliver(NOW, 'siem', () => ({ kind: 'applied', ...(handle === undefined ? {} : { handle }) }));
  return rig;
}

/** Twenty that stand, under a brake. */
function braked(given: Given = {}, facts: Parameters<typeof indicators>[2] = {}): Rig {
  const rig = new Rig({ siems: [aSiem({ brake: STRICT })], encoder: { container: () => 'watch' }, ...given });
  rig.commit(indicators(0, 20, facts));
  rig.store.pollCompleted('partner', NOW);
  rig.deliver();
  return rig;
}

function lose(rig: Rig): void {
  while (rig.store.containers('siem', { watch: 'made anew' }, NOW).more);
}

function missing(rig: Rig): number {
  rig.store.beginComparison('siem', false, NOW);
  return rig.store.endComparison('siem', NOW).counts.missing;
}

describe('a write over what stands there', () => {
  it('of which nobody knows what became leaves it in doubt: no audit misses it', () => {
    const rig = standing();
    expect(missing(rig)).toBe(1);
    rig.commit([changed(50)]);

    rig.store.settle(rig.take()!.id, [{ kind: 'unknown', retryAt: NOW + MINUTE }], NOW);

    expect(missing(rig)).toBe(0);
  });

  it('leaves it in doubt as long as its task runs, also where the task took the whole batch', () => {
    const rig = standing();
    rig.commit([changed(50)]);

    rig.store.settle(rig.take()!.id, [{ kind: 'accepted', receipt: 'task 1' }], NOW);

    expect(rig.row()).toMatchObject({ state: STATE.accepted, present: PRESENT.maybe });
  });

  it('keeps the handle under which it is removed', () => {
    const rig = standing({}, 'row 7');
    rig.commit([changed(50)]);
    rig.deliver();

    rig.commit([revoked]);

    expect(rig.take()!.changes).toMatchObject([{ op: 'remove', handle: 'row 7' }]);
  });

  it('that is refused for good, of what was overtaken, parks nothing: the newer content is tried', () => {
    const rig = standing();
    rig.commit([changed(50)]);
    const batch = rig.take()!;
    rig.commit([{ ...changed(60), version: versionAt(NOW + MINUTE) }]);

    rig.store.settle(batch.id, [{ kind: 'park', reason: 'too long' }], NOW);

    expect([parked(rig), rig.deliver()]).toEqual([[], [`upsert ${VALUE}`]]);
  });
});

describe('what must go', () => {
  it('is read back at once where a lost call may have written it, whatever time that call named', () => {
    const rig = new Rig(plain);
    rig.commit([anIndicator({ objectId: ID })]);
    const batch = rig.take()!;
    rig.commit([revoked]);

    rig.store.settle(batch.id, [{ kind: 'unknown', retryAt: NOW + HOUR }], NOW);

    expect(rig.store.uncertain('siem', 10, NOW).entryIds).toHaveLength(1);
    expect(rig.store.urgent('siem')).toBe(true);
  });

  it('is read back at once though it is withdrawn only while the time runs', () => {
    const rig = new Rig(plain);
    rig.commit([anIndicator({ objectId: ID })]);
    rig.store.settle(rig.take()!.id, [{ kind: 'unknown', retryAt: NOW + HOUR }], NOW);
    expect(rig.store.uncertain('siem', 10, NOW).entryIds).toHaveLength(0);

    rig.commit([revoked]);

    expect(rig.store.uncertain('siem', 10, NOW).entryIds).toHaveLength(1);
  });
});

describe('a hold', () => {
  it('is not settled away with a whole batch that wrote its rows anew', () => {
    const rig = braked({}, { validUntil: NOW + 5 * DAY });
    rig.commit(indicators(0, 10, { version: versionAt(NOW), validUntil: NOW + HOUR }));
    lose(rig);

    for (let batch = rig.take(); batch !== undefined; batch = rig.take()) rig.store.settleAll(batch.id, NOW);

    expect(held(rig)).toMatchObject([{ count: 10 }]);
    expect(rig.read((reader) => reader.siems()[0])).toMatchObject({ held: 10, pending: 0 });
  });

  it('is not settled away with a task that wrote its rows anew', () => {
    const rig = braked({}, { validUntil: NOW + 5 * DAY });
    rig.commit(indicators(0, 10, { version: versionAt(NOW), validUntil: NOW + HOUR }));
    lose(rig);
    const { id, changes } = rig.take()!;
    rig.store.settle(
      id,
      changes.map(() => ({ kind: 'accepted', receipt: 'task 1' })),
      NOW,
    );

    const applied = changes.map(({ key }) => ({ key, settlement: { kind: 'applied' } as const }));
    rig.store.settleReceipt('siem', 'task 1', applied, NOW);

    expect(rig.read((reader) => reader.siems()[0])).toMatchObject({ held: 10, pending: 0 });
  });

  it('over what the SIEM refuses to have written anew parks it, and asks for it no more', () => {
    const rig = braked();
    rig.commit(withdraw(0, 10));
    lose(rig);

    rig.deliver(NOW, 'siem', () => ({ kind: 'park', reason: 'refused' }));

    expect(parked(rig)).toHaveLength(20);
    expect(rig.take(NOW + HOUR)).toBeUndefined();
  });

  it('writes what it keeps anew with the expiry it had, not with the one that cut it short', () => {
    const rig = braked({}, { validUntil: NOW + 5 * DAY });
    rig.commit(indicators(0, 10, { version: versionAt(NOW), validUntil: NOW + HOUR }));
    lose(rig);

    const { bytes } = rig.take()!;

    const written = new TextDecoder().decode(bytes);
    expect(written.match(new RegExp(`"until":${NOW + 5 * DAY}`, 'g'))).toHaveLength(20);
  });

  it('keeps what never stood there no longer than until that is known', () => {
    const rig = braked(plain);
    rig.commit(indicators(100, 120));
    const { id, changes } = rig.take()!;
    rig.commit(withdraw(100, 120));
    rig.store.settle(
      id,
      changes.map(() => ({ kind: 'unknown', retryAt: NOW })),
      NOW,
    );
    expect(held(rig)).toMatchObject([{ count: 20 }]);

    rig.store.resolve('siem', rig.store.uncertain('siem', 50, NOW).entryIds, [], NOW);

    expect([rig.deliver(), held(rig)]).toEqual([[], []]);
  });

  it('writes anew what stood there and is found lost', () => {
    const rig = braked(plain);
    rig.commit(indicators(0, 10, { version: versionAt(NOW - HOUR) }));
    const { id, changes } = rig.take()!;
    rig.commit(withdraw(0, 10));
    rig.store.settle(
      id,
      changes.map(() => ({ kind: 'unknown', retryAt: NOW })),
      NOW,
    );

    rig.store.resolve('siem', rig.store.uncertain('siem', 50, NOW).entryIds, [], NOW);

    const sent = rig.deliver();
    expect([sent.length, new Set(sent.map((one) => one.split(' ')[0]))]).toEqual([10, new Set(['upsert'])]);
  });
});

describe('a slot that two keys share', () => {
  const upper = { type: 'url', value: 'http://a.example/X' } as const;
  const lower = { type: 'url', value: 'http://a.example/x' } as const;

  /** Of two keys in one slot a hold keeps the lower one, and a person takes the upper one off. */
  function inherited(product: object): Rig {
    const rig = new Rig({ product: { foldsSlots: true, ...product }, siems: [aSiem({ brake: STRICT })] });
    const shared = [
      anIndicator({ objectId: 'indicator--upper', observables: [upper] }),
      anIndicator({ objectId: 'indicator--lower', observables: [lower] }),
    ];
    rig.commit([...indicators(0, 20), ...shared]);
    rig.store.pollCompleted('partner', NOW);
    rig.deliver();
    rig.commit([...withdraw(0, 10), { ...shared[1]!, revoked: true, version: versionAt(NOW) }]);
    expect([held(rig), rig.deliver()]).toMatchObject([[{ count: 11 }], []]);
    rig.store.suppress([upper], NOW + DAY, 'noise', 'op', NOW);
    return rig;
  }
  const written = [`upsert ${lower.value}`];

  it('passes to the key that a hold keeps, which is written again', () => {
    const rig = inherited({ versioned: false });

    // Also where a recomputation has not come to it yet, which judges it anew in between.
    expect(rig.deliver()).toEqual(written);
    expect([rig.deliver(), held(rig)]).toMatchObject([[], [{ count: 11 }]]);
  });

  it.each([
    ['where revisions decide', true],
    ['where they do not', false],
  ])('is written again for the key that a hold keeps after a crash, %s', (_where, versioned) => {
    const rig = inherited({ versioned });
    rig.take();
    rig.restart();
    const { entryIds, slots } = rig.store.uncertain('siem', 10, NOW + MINUTE);
    const other = { key: entryKey('url', upper.value), slot: slots[0] ?? '', writer: 'w', revision: 1 };
    rig.store.resolve('siem', entryIds, [other], NOW + MINUTE);

    expect(rig.deliver(NOW + MINUTE)).toEqual(written);
  });

  it.each([
    ['was left undone', { versioned: false }, { kind: 'retry', retryAt: NOW }],
    ['was lost, where revisions decide', { versioned: true }, { kind: 'unknown', retryAt: NOW }],
    ['was lost, and the slot shows the other', { versioned: false }, { kind: 'unknown', retryAt: NOW }],
  ] as const)('is written again for the key that a hold keeps when that %s', (_what, product, settlement) => {
    const rig = inherited(product);
    const { id, changes } = rig.take()!;
    expect(changes).toMatchObject([{ op: 'upsert', slot: 'url|http://a.example/x' }]);
    rig.store.settle(id, [settlement], NOW);

    const { entryIds, slots } = rig.store.uncertain('siem', 10, NOW);
    const other = { key: entryKey('url', upper.value), slot: slots[0] ?? '', writer: 'w', revision: 1 };
    rig.store.resolve('siem', entryIds, [other], NOW);

    expect(rig.deliver()).toEqual(written);
  });
});

describe('a watchlist that is full', () => {
  it('still takes updates of what stands there', () => {
    const rig = new Rig({ siems: [aSiem({ maxEntries: 2 })] });
    rig.commit(indicators(0, 2));
    rig.deliver();

    rig.commit(indicators(0, 1, { version: versionAt(NOW), confidence: 50 }));

    expect([rig.deliver(), parked(rig)]).toEqual([['upsert 198.18.0.0'], []]);
  });

  it('does not try again what waits for room because the product changed', () => {
    const rig = new Rig({ siems: [aSiem({ maxEntries: 2 })] });
    rig.commit(indicators(0, 3));
    rig.deliver();

    rig.store.opened('siem', { version: 9 }, NOW);

    expect([parked(rig).length, rig.store.nextWork('siem', NOW)]).toEqual([1, undefined]);
  });
});

it('what our own mapping refuses is not tried again with what the SIEM refused', () => {
  const rig = new Rig({ encoder: { encode: () => ({ refused: 'not expressible' }) } });
  rig.commit(indicators(0, 1));
  rig.deliver();
  expect(parked(rig)).toHaveLength(1);

  rig.store.retryRefused('siem', 'by the SIEM', NOW);

  expect([parked(rig).length, rig.store.nextWork('siem', NOW)]).toEqual([1, undefined]);
});

it('a sound row that is sent along has a revision above the one that stands there', () => {
  const rig = standing();
  const { rev } = rig.row()!;

  expect(rig.store.sendAgain('siem', NOW)).toBe(true);

  expect(rig.take()!.changes[0]!.revision).toBeGreaterThan(rev);
});

it('a claim that begins in this very moment is planned before it is sent', () => {
  const rig = new Rig();
  rig.commit([anIndicator({ objectId: ID }), anIndicator({ objectId: 'indicator--2', validFrom: NOW + HOUR })]);
  const { wanted_rev: planned } = rig.row()!;

  expect(rig.take(NOW + HOUR)!.changes[0]!.revision).toBeGreaterThan(planned);
});

it('a row in flight is left to its call when its container is lost', () => {
  const rig = new Rig();
  rig.store.containers('siem', { memory: '1' }, NOW);
  rig.commit([anIndicator({ objectId: ID })]);
  const batch = rig.take()!;

  expect(rig.store.containers('siem', { memory: '2' }, NOW)).toMatchObject({ rows: 0 });

  expect(rig.take()).toBeUndefined();
  rig.store.settleAll(batch.id, NOW);
  expect(rig.deliver()).toEqual([]);
});

it('what a task may still write into a container that is made anew is looked at', () => {
  const rig = new Rig(plain);
  rig.store.containers('siem', { memory: '1' }, NOW);
  rig.commit([anIndicator({ objectId: ID })]);
  rig.store.settle(rig.take()!.id, [{ kind: 'accepted', receipt: 'task 1' }], NOW);

  rig.store.containers('siem', { memory: '2' }, NOW);

  expect(rig.store.doubtful('siem', 10, NOW + MINUTE).slots).toEqual([`ipv4-addr|${VALUE}`]);
  expect(rig.deliver()).toEqual([`upsert ${VALUE}`]);
});

it('a row of a lost container has no handle any more', () => {
  const rig = standing({}, 'row 7');
  rig.store.containers('siem', { memory: '1' }, NOW);
  rig.deliver();

  rig.commit([revoked]);

  expect(rig.take()!.changes).toEqual([
    { op: 'remove', key: entryKey('ipv4-addr', VALUE), slot: `ipv4-addr|${VALUE}`, revision: expect.any(Number) },
  ]);
});

it('a lost container takes only its own entries along', () => {
  const rig = new Rig({ product: { containerPerType: true } });
  rig.store.containers('siem', { 'ipv4-addr': '1', 'domain-name': '1' }, NOW);
  rig.commit([
    ...indicators(0, 2),
    anIndicator({ objectId: 'indicator--name', observables: [{ type: 'domain-name', value: 'a.example' }] }),
  ]);
  rig.deliver();

  rig.store.containers('siem', { 'ipv4-addr': '1', 'domain-name': '2' }, NOW);

  expect(rig.deliver()).toEqual(['upsert a.example']);
});

it('what was refused stays parked when its container is lost', () => {
  const rig = standing({ encoder: { container: () => 'watch' } });
  rig.commit([changed(50)]);
  rig.deliver(NOW, 'siem', () => ({ kind: 'park', reason: 'too long' }));

  lose(rig);

  expect([parked(rig), rig.take()]).toMatchObject([[{ value: VALUE }], undefined]);
});
