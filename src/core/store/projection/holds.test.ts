// A hold is a property of a row: no crash, no receipt, no lost container and no clever validity gets around it.
import { describe, expect, it } from 'vitest';
import {
  anExchange,
  anIndicator,
  aSiem,
  DAY,
  type Given,
  HOUR,
  indicators,
  ipv4,
  MINUTE,
  NOW,
  Rig,
  versionAt,
} from '../../../../test/builders/store.ts';
import { asSchema } from '../../../../test/builders/older-state.ts';
import { statePlaces } from '../../../../test/builders/states.ts';
import type { IncomingIndicator } from '../../model/entry.ts';
import type { Tlp } from '../../model/marking.ts';
import { entryKey } from '../../model/observable.ts';
import { STATE } from '../rows/rows.ts';

const STRICT = { removal: { share: 0.2, atLeast: 3, windowHours: 24 } };
const ALL = 20;
const RED = 'marking-definition--11111111-1111-4111-8111-111111111111';

function armed(given: Given = {}, facts: Parameters<typeof indicators>[2] = {}): Rig {
  const rig = new Rig({ siems: [aSiem({ brake: STRICT })], ...given });
  rig.commit(indicators(0, ALL, facts));
  rig.store.pollCompleted('partner', NOW);
  rig.deliver();
  return rig;
}
const withdraw = (from: number, to: number, now = NOW) =>
  indicators(from, to, { revoked: true, version: versionAt(now) });
const held = (rig: Rig) => rig.read((reader) => reader.held());
const decide = (rig: Rig, decision: 'approve' | 'reject', now = NOW) => {
  const [hold] = held(rig);
  return rig.decideHold(hold!.id, decision, hold!.set, 'ana', 'phoned', now);
};
const states = (rig: Rig) => [...new Set(rig.rows().map((row) => row.state))];
/** Counts by tally against counts by row. */
const tallied = (rig: Rig) => {
  const [siem] = rig.read((reader) => reader.siems());
  const rows = rig.rows();
  expect(siem).toMatchObject({
    wanted: rows.filter((row) => row.wanted === 1).length,
    pending: rows.filter((row) => ![STATE.settled, STATE.parked, STATE.held].includes(row.state as 0)).length,
  });
};

describe('a held row', () => {
  for (const versioned of [true, false])
    it(`that had been in flight when the process died stays held (versions: ${versioned})`, () => {
      const rig = armed({ product: { versioned } });
      rig.commit(indicators(0, ALL, { version: versionAt(NOW - HOUR) }));
      rig.take();
      rig.commit(withdraw(0, ALL));
      expect(held(rig)).toMatchObject([{ count: ALL }]);

      rig.restart();
      rig.tick(NOW);
      const { entryIds } = rig.store.uncertain('siem', 100, NOW + HOUR);
      const there = rig.rows().map((row) => ({
        key: entryKey('ipv4-addr', row.value),
        slot: row.value,
        writer: 'x',
        revision: row.rev,
      }));
      rig.store.resolve('siem', entryIds, there, NOW + HOUR);

      expect([rig.take(), held(rig)]).toMatchObject([undefined, [{ count: ALL }]]);
      expect(states(rig)).toEqual([STATE.held]);
      tallied(rig);
    });

  it('whose first write had been in flight stays held as well', () => {
    const rig = armed();
    rig.commit(indicators(100, 100 + ALL));
    rig.take();
    rig.commit(withdraw(100, 100 + ALL));
    rig.restart();

    expect([rig.take(), held(rig)]).toMatchObject([undefined, [{ count: ALL }]]);
  });

  it('waits for the receipt of its call and rests in the hold, whatever the receipt says', () => {
    const rig = armed();
    rig.commit(indicators(0, ALL, { version: versionAt(NOW - HOUR) }));
    const batch = rig.take()!;
    rig.store.settle(
      batch.id,
      batch.changes.map(() => ({ kind: 'accepted', receipt: 'r1' })),
      NOW,
    );
    rig.commit(withdraw(0, ALL));
    rig.restart();
    rig.store.settleReceipt(
      'siem',
      'r1',
      batch.changes.map((change, i) => ({
        key: change.key,
        settlement: i % 2 === 0 ? { kind: 'applied' } : { kind: 'retry', retryAt: NOW },
      })),
      NOW,
    );

    expect([rig.take(NOW + HOUR), states(rig)]).toEqual([undefined, [STATE.held]]);
  });

  it('of a first write that failed is over: nothing stands there that could be kept', () => {
    const rig = armed();
    rig.commit(indicators(100, 110));
    const batch = rig.take()!;
    rig.commit(withdraw(100, 110));
    rig.store.settle(
      batch.id,
      batch.changes.map(() => ({ kind: 'retry', retryAt: NOW })),
      NOW,
    );

    expect([rig.take(), held(rig)]).toEqual([undefined, []]);
    rig.tick(NOW);
    expect(rig.rows()).toHaveLength(ALL);
  });

  it.skipIf(statePlaces.onServer)(
    'is told of a state of the version before, also where its hold was lost sight of',
    () => {
      const rig = armed();
      rig.commit(withdraw(0, 10));
      const [before] = held(rig);
      rig.close();
      const entries = rig.ask<{ hold: number; entry_id: number }>(
        'SELECT hold, entry_id FROM projection WHERE hold > 0',
      );
      // The hold lists them, and some of them were on their way out all the same.
      asSchema(rig.path, 2, (old) => {
        for (const one of entries)
          old.run('INSERT INTO hold_entry (hold_id, entry_id) VALUES (?, ?)', one.hold, one.entry_id);
        old.exec('UPDATE projection SET state = 2 WHERE state = 7 AND entry_id < 4');
      });

      rig.restart();

      expect(held(rig)).toMatchObject([{ id: before!.id, count: 10, set: before!.set }]);
      expect(rig.take()).toBeUndefined();
      decide(rig, 'approve');
      expect(rig.deliver()).toHaveLength(10);
      tallied(rig);
    },
  );
});

describe('a brake', () => {
  it('is set for each SIEM by itself', () => {
    const lax = { removal: { share: 1, atLeast: 1000, windowHours: 24 } };
    const rig = armed({ siems: [aSiem({ brake: lax }), aSiem({ name: 'strict', brake: STRICT })] });
    rig.deliver(NOW, 'strict');

    rig.commit(withdraw(0, 10));

    expect([rig.deliver(NOW, 'siem').length, rig.deliver(NOW, 'strict').length]).toEqual([10, 0]);
    expect(held(rig)).toMatchObject([{ siem: 'strict', count: 10 }]);
  });

  it('does not hold the next single withdrawal after an approval, in the same window', () => {
    const rig = armed();
    rig.commit(withdraw(0, 10));
    decide(rig, 'approve');
    expect(rig.deliver()).toHaveLength(10);

    rig.commit(withdraw(10, 11, NOW + MINUTE), NOW + MINUTE);

    expect(rig.deliver(NOW + MINUTE)).toEqual(['remove 198.18.0.10']);
  });

  it('still holds the next one after a rejection, and a second mass withdrawal after an approval', () => {
    const rig = armed();
    rig.commit(withdraw(0, 6));
    decide(rig, 'reject');
    rig.commit(withdraw(6, 7));
    expect([rig.deliver(), held(rig)]).toMatchObject([[], [{ count: 1 }]]);
    decide(rig, 'approve');
    expect(rig.deliver()).toHaveLength(1);

    rig.commit(withdraw(7, 15));

    expect([rig.deliver(), held(rig)]).toMatchObject([[], [{ count: 8 }]]);
  });

  it('does not hold the next addition after an approval either', () => {
    const rig = armed({ siems: [aSiem({ brake: { addition: { factor: 10, atLeast: 20 } } })] });
    rig.commit(indicators(100, 160));
    decide(rig, 'approve');
    expect(rig.deliver()).toHaveLength(60);

    rig.commit(indicators(160, 161));

    expect(rig.deliver()).toHaveLength(1);
  });
});

describe('a validity that is cut short is a withdrawal', () => {
  const later = NOW + 4000;
  const cuts: [string, object][] = [
    ['ended an hour ago', { validUntil: NOW - HOUR }],
    ['ends in four seconds', { validUntil: later }],
    ['ends tomorrow', { validUntil: NOW + DAY }],
    ['begins next year', { validFrom: NOW + 365 * DAY }],
    ['begins in four seconds and ends in five', { validFrom: later, validUntil: later + 1000 }],
  ];
  for (const [says, validity] of cuts)
    for (const same of [false, true]) {
      // The same version takes over what means less, and a later begin does not.
      if (same && 'validFrom' in validity) continue;
      for (const stated of [undefined, NOW + 30 * DAY])
        it(`${says}, ${same ? 'the same version' : 'a new version'}, ${stated === undefined ? 'open before' : 'stated before'}`, () => {
          const before = stated === undefined ? {} : { validUntil: stated };
          const rig = armed({}, before);
          const version = same ? {} : { version: versionAt(NOW) };

          rig.commit(indicators(0, ALL, { ...before, ...version, ...validity }));
          expect(rig.deliver()).toEqual([]);
          expect(held(rig)).toMatchObject([{ kind: 'removal', count: ALL }]);
          rig.tick(NOW + 2 * DAY);
          rig.restart();
          rig.tick(NOW + 2 * DAY);

          expect(rig.deliver(NOW + 2 * DAY)).toEqual([]);
          expect(held(rig)).toMatchObject([{ count: ALL }]);
          tallied(rig);
          decide(rig, 'approve', NOW + 2 * DAY);
          expect(rig.deliver(NOW + 2 * DAY)).toHaveLength(ALL);
          expect(rig.rows().some((row) => row.present !== 0 && row.wanted === 0)).toBe(false);
        });
    }

  it('goes at the expiry that was stated before, if nobody decides', () => {
    const rig = armed({}, { validUntil: NOW + 2 * DAY });
    rig.commit(indicators(0, ALL, { version: versionAt(NOW), validUntil: NOW + MINUTE }));
    rig.tick(NOW + HOUR);
    expect(rig.deliver(NOW + HOUR)).toEqual([]);

    rig.tick(NOW + 2 * DAY);

    expect(rig.deliver(NOW + 2 * DAY)).toHaveLength(ALL);
    expect(held(rig)).toEqual([]);
  });

  it('is released when the partner states the old validity again, and not by another short one', () => {
    const rig = armed({}, { validUntil: NOW + 30 * DAY });
    rig.commit(indicators(0, ALL, { version: versionAt(NOW), validUntil: NOW + MINUTE }));
    rig.tick(NOW + HOUR);
    rig.commit(indicators(0, ALL, { version: versionAt(NOW + HOUR), validUntil: NOW + 2 * HOUR }), NOW + HOUR);
    expect(held(rig)).toMatchObject([{ count: ALL }]);

    rig.commit(indicators(0, ALL, { version: versionAt(NOW + 2 * HOUR), validUntil: NOW + 30 * DAY }), NOW + 2 * HOUR);

    expect(held(rig)).toEqual([]);
    expect(rig.deliver(NOW + 2 * HOUR).every((one) => one.startsWith('upsert'))).toBe(true);
  });

  it('counts nothing where less than the brake is cut, and where it is made longer', () => {
    const rig = armed({}, { validUntil: NOW + 30 * DAY });

    rig.commit(indicators(0, 4, { version: versionAt(NOW), validUntil: NOW + MINUTE }));
    rig.commit(indicators(4, ALL, { version: versionAt(NOW), validUntil: NOW + 60 * DAY, validFrom: NOW }));
    rig.deliver();
    rig.tick(NOW + HOUR);

    expect([held(rig), rig.deliver(NOW + HOUR).length]).toEqual([[], 4]);
  });
});

describe('what a hold keeps', () => {
  const lost = (rig: Rig) => {
    while (rig.store.containers('siem', { watch: 'made anew' }, NOW).more);
  };

  for (const decided of ['open', 'reject'] as const)
    it(`is written anew into a container that was made anew (${decided})`, () => {
      const rig = armed({ encoder: { container: () => 'watch' } });
      rig.commit(withdraw(0, 10));
      if (decided === 'reject') decide(rig, 'reject');

      lost(rig);
      const sent = rig.deliver();

      expect(sent).toHaveLength(ALL);
      expect(sent.every((one) => one.startsWith('upsert'))).toBe(true);
      expect([rig.take(), states(rig).toSorted((a, b) => a - b)]).toEqual([undefined, [STATE.settled, STATE.held]]);
      tallied(rig);
      if (decided === 'open') {
        decide(rig, 'approve');
        expect(rig.deliver()).toHaveLength(10);
      }
    });

  it('goes, once approved, under a later revision than it was written anew', () => {
    const rig = armed({ encoder: { container: () => 'watch' } });
    rig.commit(withdraw(0, 10));
    lost(rig);
    rig.deliver();
    const kept = Math.max(...rig.rows().map((row) => row.rev));

    decide(rig, 'approve');

    // Under the same one a product with versions would take the removal for done.
    expect(Math.min(...rig.take()!.changes.map(({ revision }) => revision))).toBeGreaterThan(kept);
  });

  it('that was cut short gets its new expiry once approved, though it was written anew', () => {
    const rig = armed({ encoder: { container: () => 'watch' } }, { validUntil: NOW + 5 * DAY });
    rig.commit(indicators(0, 10, { version: versionAt(NOW), validUntil: NOW + HOUR }));
    lost(rig);
    expect(rig.deliver()).toHaveLength(ALL);

    decide(rig, 'approve');

    expect(rig.deliver()).toHaveLength(10);
  });

  it('goes at its expiry though it was written anew', () => {
    const rig = armed({ encoder: { container: () => 'watch' } }, { validUntil: NOW + DAY });
    rig.commit(withdraw(0, 10));
    decide(rig, 'reject');
    lost(rig);
    rig.deliver();

    rig.tick(NOW + DAY);

    expect(rig.deliver(NOW + DAY)).toHaveLength(ALL);
    expect(rig.rows()).toEqual([]);
  });

  it('is never above the clearance: what policy forbids goes at once', () => {
    const rig = armed({}, { tlp: 'amber' });
    rig.commit(withdraw(0, 10));
    expect(rig.deliver()).toEqual([]);

    rig.restart({ siems: [aSiem({ brake: STRICT, clearance: 'green', fingerprint: 'b' })] });
    rig.tick(NOW);

    expect(rig.deliver()).toHaveLength(ALL);
    expect(held(rig)).toEqual([]);
  });

  it.each<[string, ...Partial<IncomingIndicator>[]]>([
    ['marked red and cut short', { tlp: 'red', validUntil: NOW + HOUR }],
    ['marked red and called harmless', { tlp: 'red', benign: true }],
    ['marked red and of a later validity', { tlp: 'red', validFrom: NOW + DAY }],
    ['marked red and revoked', { tlp: 'red', revoked: true }],
    ['of a label red and revoked', { facts: '{"tlpLabel":"red"}', revoked: true }],
    ['revoked, and then marked red', { revoked: true }, { revoked: true, tlp: 'red' }],
    ['revoked, and then of a marking that says red', { revoked: true }, { revoked: true, openMarkings: [RED] }],
  ])('keeps nothing that its partner puts above the clearance: %s', (_what, ...versions) => {
    const rig = armed({}, { validUntil: NOW + 30 * DAY });
    rig.commit([{ kind: 'marking', objectId: RED, tlp: 'red' }]);
    rig.tick(NOW);
    for (const [i, given] of versions.entries())
      rig.commit(indicators(0, 10, { version: versionAt(NOW + i * MINUTE), ...given }), NOW + i * MINUTE);

    expect(rig.deliver(NOW + 2 * MINUTE).filter((one) => one.startsWith('remove'))).toHaveLength(10);
    expect(held(rig)).toEqual([]);
  });

  it('keeps nothing that its marking comes to mean later', () => {
    const rig = armed({}, { openMarkings: [RED] });
    const mark = (tlp: Tlp, now: number) => rig.commit([{ kind: 'marking', objectId: RED, tlp }], now);
    mark('green', NOW);
    rig.tick(NOW);
    expect(rig.deliver()).toHaveLength(ALL);
    rig.commit(withdraw(0, 10));
    expect([rig.deliver(), held(rig)]).toMatchObject([[], [{ count: 10 }]]);

    mark('red', NOW + MINUTE);
    rig.tick(NOW + MINUTE);

    expect(rig.deliver(NOW + MINUTE).filter((one) => one.startsWith('remove'))).toHaveLength(ALL);
    expect(held(rig)).toEqual([]);
  });
});

it('an approval of many goes to work in steps, also over a restart', { timeout: 60_000 }, () => {
  const rig = new Rig({ siems: [aSiem({ brake: STRICT })] });
  rig.commit(indicators(0, 5000));
  rig.store.pollCompleted('partner', NOW);
  rig.deliver();
  rig.commit(withdraw(0, 5000));
  decide(rig, 'approve');
  expect(rig.rows().filter((row) => row.state === STATE.remove)).toHaveLength(2500);

  rig.restart();
  rig.tick(NOW);

  expect(rig.deliver()).toHaveLength(5000);
  tallied(rig);
});

it('remembers what was shown: fewer, and others, are told from more', () => {
  const rig = armed({ exchanges: [anExchange()] });
  rig.commit(withdraw(0, 10));
  const [shown] = held(rig);
  const approve = () => rig.decideHold(shown!.id, 'approve', shown!.set, 'ana', 'seen', NOW);
  rig.commit([anIndicator({ objectId: 'indicator--new', observables: [ipv4('198.18.0.2')] })]);
  expect(approve).toThrow(/covered 10 entries then and covers 9 now, 1 fewer/);
  rig.commit(withdraw(12, 13, NOW + MINUTE), NOW + MINUTE);
  expect(approve).toThrow(/covered 10 entries then and covers 10 now, as many, but others/);
  expect(() => rig.decideHold(shown!.id, 'approve', '00000000', 'ana', 'seen', NOW)).toThrow(
    /is not the set with the code 00000000: it covers 10 entries now/,
  );
  expect(held(rig)).toHaveLength(1);
});
