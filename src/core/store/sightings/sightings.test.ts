import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  addressAt,
  aHit,
  anIndicator,
  aSiem,
  aStore,
  aStoreOf,
  minutes,
  objectIdAt,
  RELEASE,
  TEN,
  type TestStore,
} from '../../../../test/builders/sightings.ts';
import { asSchema } from '../../../../test/builders/older-state.ts';
import { statePlaces } from '../../../../test/builders/states.ts';
import { entryKey } from '../../model/observable.ts';

import type { ReleaseSpec } from '../spec/spec.ts';
import { RecordReader } from '../read/record.ts';
import { SightingsReader } from '../read/sightings.ts';
import { nameOf } from '../state/open.ts';

const NOW = minutes(30);
const take = ({ store }: TestStore, now = NOW, exchange = 'partner') => store.takeSightings(exchange, 100, now);
const reading = <T>(test: TestStore, ask: (reader: SightingsReader) => T): T => {
  const reader = new SightingsReader(test.spec);
  try {
    return ask(reader);
  } finally {
    reader.close();
  }
};
const decideSighting = (
  { store }: TestStore,
  id: number,
  decision: 'approve' | 'reject',
  set: string,
  by: string,
  reason: string,
  now: number,
) => store.decide({ holds: [], sightings: [{ id, set }] }, decision, by, reason, now);
const sendAll = (test: TestStore, now = NOW) => {
  const sent = take(test, now);
  test.store.settleSightings(
    'partner',
    sent.map(({ uuid }) => ({ uuid, kind: 'sent' })),
    now,
  );
  return sent;
};

describe('a hit is told only to those whose claim armed the entry when it happened', () => {
  const two = () =>
    aStore({ release: { reporting: ['partner', 'other'], rules: [{ to: '*', tlp: ['green'], action: 'share' }] } });
  const same = { tlp: 'green' as const, observables: [addressAt(1)] };
  const publish = (test: TestStore, exchange: string, at: number, given: Parameters<typeof anIndicator>[1] = {}) =>
    test.store.commitPages(
      exchange,
      [
        {
          scope: 'c',
          objects: [anIndicator(exchange === 'partner' ? 1 : 2, { ...same, ...given })],
          refusals: [],
          cursor: null,
        },
      ],
      at,
    );
  const counts = (test: TestStore, at: number) =>
    ['partner', 'other'].map((to) => take(test, at, to).map((one) => one.count));

  it('and not to one whose claim came later, within the same window too', () => {
    using test = two();
    publish(test, 'partner', minutes(0));
    test.store.commitHits('one', [aHit(1)], 'x', minutes(12));
    publish(test, 'other', minutes(20));
    const later = { first: minutes(25), last: minutes(25), dedupe: 'later' };
    // Read late: it happened before the other claim came.
    const late = { first: minutes(15), last: minutes(15), dedupe: 'late' };
    test.store.commitHits('one', [aHit(1, later), aHit(1, late)], 'y', NOW);

    expect(counts(test, NOW)).toEqual([[3], [1]]);
  });

  it('also where it happened before anybody vouched, as seen by a rule that looks back', () => {
    using test = two();
    publish(test, 'partner', minutes(20));
    publish(test, 'other', minutes(25));
    test.store.commitHits('one', [aHit(1, { first: minutes(10), last: minutes(10) })], 'x', NOW);

    expect(counts(test, NOW)).toEqual([[1], []]);
  });

  it('and not to one whose claim was refused, not valid yet, over or gone then', () => {
    const cases: readonly [string, (test: TestStore) => void][] = [
      [
        'refused',
        (test) => {
          publish(test, 'other', minutes(0), { tlp: 'red' });
          publish(test, 'other', minutes(20), { version: '2026-01-02T00:00:00.000000000Z' });
        },
      ],
      ['not valid yet', (test) => publish(test, 'other', minutes(0), { validFrom: minutes(20) })],
      ['over', (test) => publish(test, 'other', minutes(0), { validUntil: minutes(5) })],
      [
        'kept out by a marking that was explained later',
        (test) => {
          publish(test, 'other', minutes(0), { openMarkings: ['marking-definition--late'] });
          const explains = { kind: 'marking', objectId: 'marking-definition--late', statement: 'for members' } as const;
          test.store.commitPages(
            'other',
            [{ scope: 'c', objects: [explains], refusals: [], cursor: null }],
            minutes(20),
          );
        },
      ],
      [
        'gone',
        (test) => {
          publish(test, 'other', minutes(0));
          const run = test.store.beginListing('other', minutes(5));
          test.store.listingPart('other', run, 'c', [], true, minutes(5));
          test.store.endListing('other', run, true, minutes(5));
          for (let more = true; more; ) ({ more } = test.store.tick(minutes(6), false));
          publish(test, 'other', minutes(20));
        },
      ],
    ];
    for (const [name, act] of cases) {
      using test = two();
      publish(test, 'partner', minutes(0));
      act(test);
      test.store.commitHits('one', [aHit(1)], 'x', NOW);

      expect([name, counts(test, NOW)]).toEqual([name, [[1], []]]);
    }
  });

  it('and to one whose claim ended between the hit and its reading', () => {
    using test = two();
    publish(test, 'partner', minutes(0), { validUntil: minutes(15) });
    test.store.commitHits('one', [aHit(1)], 'x', NOW);

    expect(counts(test, NOW)).toEqual([[1], []]);
  });
});

describe('a sighting of an object that the partner withdrew meanwhile', () => {
  it.each(['revoked', 'vanished'] as const)('stays here, and says why: %s', (how) => {
    using test = aStore({ release: { delayMinutes: 5 } });
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    if (how === 'revoked') test.publish([anIndicator(1, { revoked: true })]);
    else {
      const run = test.store.beginListing('partner', NOW);
      test.store.listingPart('partner', run, 'c', [], true, NOW);
      test.store.endListing('partner', run, true, NOW);
      for (let more = true; more; ) ({ more } = test.store.tick(NOW, false));
    }

    expect(take(test, minutes(36))).toEqual([]);
    expect(reading(test, (reader) => reader.counts())).toMatchObject({ queued: 0, denied: 1, sent: 0 });
    // Hits on it that come later make no new one.
    test.store.commitHits(
      'one',
      [aHit(1, { first: minutes(70), last: minutes(70), dedupe: 'next' })],
      'y',
      minutes(90),
    );
    expect(take(test, minutes(99))).toEqual([]);
  });
});

describe('the times of a sighting', () => {
  it('are those of its hits, the first no earlier than its window', () => {
    using test = aStore({ release: { precisionMinutes: 1 } });
    test.publish([anIndicator(1)]);
    const seen = [
      aHit(1, { first: minutes(-30), last: minutes(12), dedupe: 'a' }),
      aHit(1, { first: minutes(7), last: minutes(9), dedupe: 'b' }),
    ];
    test.store.commitHits('one', seen, 'x', NOW);

    expect(take(test)).toMatchObject([{ firstSeen: TEN, lastSeen: minutes(12), count: 2 }]);
  });

  it('keep the earliest and the latest, in whatever order hits are read', () => {
    using test = aStore({ release: { precisionMinutes: 1 } });
    test.publish([anIndicator(1)]);
    for (const [n, minute] of [20, 8, 15].entries())
      test.store.commitHits(
        'one',
        [aHit(1, { first: minutes(minute), last: minutes(minute), dedupe: `${n}` })],
        'x',
        NOW,
      );

    expect(take(test)).toMatchObject([{ firstSeen: minutes(8), lastSeen: minutes(20), count: 3 }]);
  });

  it('belong to the window of the last moment, to the millisecond', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    const at = [minutes(60) - 1, minutes(60)];
    test.store.commitHits(
      'one',
      at.map((time, n) => aHit(1, { first: time, last: time, dedupe: `${n}` })),
      'x',
      minutes(90),
    );

    expect(take(test, minutes(90)).map(({ created, count }) => [created, count])).toEqual([
      [TEN, 1],
      [minutes(60), 1],
    ]);
  });
});

describe('hits', () => {
  it('on one STIX id of two exchanges become two sightings, each under the marking of its own', () => {
    using test = aStore({
      release: {
        reporting: ['partner', 'other'],
        rules: [{ to: '*', from: ['partner', 'other'], tlp: ['green', 'amber'], action: 'share' }],
      },
    });
    test.publish([anIndicator(1, { tlp: 'green' })]);
    test.publish([anIndicator(1, { tlp: 'amber' })], 'other');
    test.store.commitHits('one', [aHit(1)], 'x', NOW);

    const told = ['partner', 'other'].map((to) => take(test, NOW, to));

    expect(told.map((all) => all.map(({ tlp }) => tlp).sort())).toEqual([
      ['amber', 'green'],
      ['amber', 'green'],
    ]);
    const [green, amber] = ['green', 'amber'].map((tlp) => told.flat().filter((one) => one.tlp === tlp));
    expect(new Set(green!.map(({ uuid }) => uuid)).size).toBe(1);
    expect(new Set([...green!, ...amber!].map(({ uuid }) => uuid)).size).toBe(2);
  });

  it('become one sighting per object and window, with the largest count of the SIEMs', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits(
      'one',
      [aHit(1, { dedupe: 'a' }), aHit(1, { dedupe: 'b' }), aHit(1, { dedupe: 'c' })],
      'x',
      NOW,
    );
    test.store.commitHits('two', [aHit(1, { dedupe: 'a' }), aHit(1, { dedupe: 'b' })], 'y', NOW);

    const sightings = take(test);

    expect(sightings).toHaveLength(1);
    expect(sightings[0]).toMatchObject({
      objectId: objectIdAt(1),
      count: 3,
      firstSeen: TEN,
      lastSeen: TEN,
      created: TEN,
      tlp: 'green',
    });
    expect(test.store.hitCursor('one')).toBe('x');
  });

  it('count once, however often they are read', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);

    const first = test.store.commitHits('one', [aHit(1), aHit(1)], 'x', NOW);
    const again = test.reopen().commitHits('one', [aHit(1)], 'x', NOW);

    expect([first.fresh, first.known, again.known]).toEqual([1, 1, 1]);
    expect(take(test)[0]?.count).toBe(1);
  });

  it('count what an alert stands for on top of what it stood for before', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1, { count: 4 })], 'x', NOW);
    test.store.commitHits('one', [aHit(1, { count: 9 })], 'x', NOW);

    expect(take(test)[0]?.count).toBe(9);
  });

  it('are told to every object behind the value, each to its own originator', () => {
    using test = aStore({ release: { reporting: ['partner', 'other'] } });
    test.publish([anIndicator(1), anIndicator(2, { tlp: 'green', observables: [addressAt(1)] })]);
    test.publish([anIndicator(3, { tlp: 'clear', observables: [addressAt(1)] })], 'other');
    test.store.commitHits('one', [aHit(1)], 'x', NOW);

    expect(
      take(test)
        .map((one) => one.objectId)
        .sort(),
    ).toEqual([objectIdAt(1), objectIdAt(2)]);
    expect(take(test, NOW, 'other').map((one) => one.objectId)).toEqual([objectIdAt(3)]);
  });

  it('in a SIEM that may not hold the object say nothing of it', () => {
    const sharing: Partial<ReleaseSpec> = { rules: [{ to: '*', tlp: ['green', 'red'], action: 'share' }] };
    using test = aStore({ release: sharing });
    test.publish([anIndicator(1, { tlp: 'red' }), anIndicator(2, { tlp: 'green', observables: [addressAt(1)] })]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);

    expect(take(test).map((one) => one.objectId)).toEqual([objectIdAt(2)]);
  });

  it('are told at the configured precision in every time, where the window is finer', () => {
    const day = 86_400_000;
    using test = aStore({ release: { windowMinutes: 5, precisionMinutes: 1440 } });
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);

    const [one] = take(test);
    const midnight = Math.floor(TEN / day) * day;
    expect(one).toMatchObject({ created: midnight, firstSeen: midnight, lastSeen: midnight });
    expect(Math.floor((one?.modified ?? 0) / 1000 / 60_000)).toBe(midnight / 60_000);
  });

  it('on a value that no partner ever sent, and on one that was revoked, come to nothing', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.publish([anIndicator(1, { revoked: true, version: '2026-01-02T00:00:00.000000000Z' })]);

    const report = test.store.commitHits('one', [aHit(1), aHit(77)], 'x', NOW);

    expect(report).toEqual({ fresh: 1, known: 0, ignored: 1 });
    expect(take(test)).toEqual([]);
  });

  it('of a clock a day ahead count as of now, and of a day behind in their own window', () => {
    using test = aStore();
    test.publish([anIndicator(1), anIndicator(2)]);
    const ahead = { first: minutes(1450), last: minutes(1450) };
    const behind = { first: minutes(-1430), last: minutes(-1430) };
    test.store.commitHits('one', [aHit(1, ahead), aHit(2, behind)], 'x', NOW);

    expect(new Set(take(test).map((one) => one.created))).toEqual(new Set([TEN, TEN - 86_400_000]));
  });

  it('older than what is kept, and on our own canaries, are no news', () => {
    using test = aStore({ release: { ignore: [aHit(2).key] } });
    test.publish([anIndicator(1), anIndicator(2)]);
    const old = { first: TEN - 40 * 86_400_000, last: TEN - 40 * 86_400_000 };

    expect(test.store.commitHits('one', [aHit(1, old), aHit(2)], 'x', NOW).ignored).toBe(2);
    expect(take(test)).toEqual([]);
  });
});

describe('our own ground', () => {
  const own = { networks: [`${addressAt(2).value}/32`], domains: [] };

  it('is no news, whatever a partner publishes', () => {
    using test = aStore({ release: { own } });
    const inside = { type: 'ipv4-addr', value: '10.0.0.5' } as const;
    test.publish([anIndicator(1), anIndicator(2), anIndicator(3, { observables: [inside] })]);
    const hit = { ...aHit(3), key: entryKey(inside.type, inside.value) };

    expect(test.store.commitHits('one', [aHit(1), aHit(2), hit], 'x', NOW).ignored).toBe(2);
    expect(take(test).map((one) => one.objectId)).toEqual([objectIdAt(1)]);
  });

  it('is judged again at the moment of sending', () => {
    using test = aStore();
    test.publish([anIndicator(1), anIndicator(2)]);
    test.store.commitHits('one', [aHit(1), aHit(2)], 'x', NOW);
    test.store.close();
    test.store = aStoreOf({ ...test.spec, release: { ...RELEASE, own } });

    expect(take(test).map((one) => one.objectId)).toEqual([objectIdAt(1)]);
    expect(reading(test, (reader) => reader.releases(addressAt(2)))[0]).toMatchObject({
      state: 'denied',
      reason: expect.stringContaining('our own ground') as string,
    });
  });
});

describe('the outbox', () => {
  it('makes a newer version of the same sighting when hits come later, and none when nothing changes', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    const [first] = sendAll(test);
    test.store.commitHits('two', [aHit(1)], 'x', NOW);
    const between = take(test);
    test.store.commitHits('one', [aHit(1, { dedupe: 'later' })], 'x', NOW);

    const [second] = take(test);

    expect(between).toEqual([]);
    expect(second?.uuid).toBe(first?.uuid);
    expect(second?.count).toBe(2);
    expect(second?.modified).toBeGreaterThan(first?.modified ?? 0);
  });

  it('sends what came while a version was on its way', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    const [first] = take(test);
    test.store.commitHits('one', [aHit(1, { dedupe: 'meanwhile' })], 'x', NOW);
    const meanwhile = take(test);
    test.store.settleSightings('partner', [{ uuid: first!.uuid, kind: 'sent' }], NOW);

    expect(meanwhile).toEqual([]);
    expect(take(test)[0]?.count).toBe(2);
  });

  it('is recorded as told once, also where its end is reported again', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    const [one] = sendAll(test);

    for (const kind of ['sent', 'sent'] as const)
      test.store.settleSightings('partner', [{ uuid: one!.uuid, kind }], NOW + 1);

    const record = new RecordReader(test.spec);
    const told = [...record.records()].filter(({ body }) => body.includes('"tell"'));
    record.close();
    expect(told).toHaveLength(1);
  });

  it('sends again, to the byte, what was on its way at a crash', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    const before = take(test);
    test.reopen();

    // It may have arrived, which is said.
    expect(take(test)).toEqual(before.map((one) => ({ ...one, attempt: 1 })));
  });

  it('keeps a receipt over a crash and asks no second time before it is settled', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    const [one] = take(test);
    test.store.settleSightings('partner', [{ uuid: one!.uuid, kind: 'accepted', receipt: 'r1' }], NOW);
    test.reopen();

    expect(take(test)).toEqual([]);
    expect(test.store.sendReceipts('partner')).toMatchObject([
      { receipt: 'r1', posted: [{ uuid: one!.uuid, modified: one!.modified }] },
    ]);
  });

  it('waits as long as the failure asks', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    const [one] = take(test);
    test.store.settleSightings('partner', [{ uuid: one!.uuid, kind: 'again', at: NOW + 5000 }], NOW);

    expect([take(test, NOW + 4999).length, test.store.nextSending('partner'), take(test, NOW + 5000).length]).toEqual([
      0,
      NOW + 5000,
      1,
    ]);
  });

  it('waits for the delay of the rule', () => {
    using test = aStore({ release: { rules: [{ to: '*', tlp: ['green'], delayMinutes: 15, action: 'share' }] } });
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);

    expect([take(test, NOW).length, take(test, NOW + 15 * 60_000).length]).toEqual([0, 1]);
  });

  it('waits for the delay that the rules ask at the moment of sending', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    test.store.close();
    const rules = [{ to: '*', tlp: ['green'], delayMinutes: 60, action: 'share' }] as const;
    test.store = aStoreOf({ ...test.spec, release: { ...RELEASE, rules } });

    expect([take(test, NOW).length, test.store.nextSending('partner')]).toEqual([0, NOW + 3_600_000]);
    expect(take(test, NOW + 3_600_000)).toHaveLength(1);
  });

  it('draws a jitter that the id of the sighting does not tell, and that a restart does not draw again', () => {
    const rules = [{ to: '*', tlp: ['green'], jitterMinutes: 60, action: 'share' }] as const;
    const dueOf = (again = false) => {
      using test = aStore({ release: { rules } });
      test.publish([anIndicator(1)]);
      test.store.commitHits('one', [aHit(1)], 'x', NOW);
      if (again) test.reopen();
      expect(take(test, NOW)).toEqual([]);
      const due = test.store.nextSending('partner');
      expect(due).toBe(test.reopen().nextSending('partner'));
      return due;
    };

    expect(dueOf()).not.toBe(dueOf(true));
  });

  it('judges again at the moment of sending: a marking that turned strict meanwhile keeps it here', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    test.publish([anIndicator(1, { tlp: 'red', version: '2026-01-02T00:00:00.000000000Z' })]);

    expect(take(test)).toEqual([]);
    const [release] = reading(test, (reader) => reader.releases(addressAt(1)));
    expect(release).toMatchObject({ state: 'denied', rule: null });
    expect(release?.reason).toContain('TLP:RED');
  });

  it('lets the object decide, not what another partner says of the same value', () => {
    using test = aStore({ release: { reporting: ['partner', 'other'] } });
    test.publish([anIndicator(1, { tlp: 'amber' })]);
    test.publish([anIndicator(2, { tlp: 'clear', observables: [addressAt(1)] })], 'other');
    test.store.commitHits('one', [aHit(1)], 'x', NOW);

    expect(take(test)[0]?.tlp).toBe('amber');
  });

  it('lets another partner know only where a rule names the origin', () => {
    const rules = [{ to: 'other', from: ['partner'], tlp: ['green'], action: 'share' }] as const;
    using test = aStore({ release: { rules, reporting: ['partner', 'other'] } });
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);

    expect([take(test).length, take(test, NOW, 'other').length]).toEqual([0, 1]);
  });

  it('denies an object under terms of use that no rule names', () => {
    const marking = 'marking-definition--11111111-1111-4111-8111-111111111111';
    const rules = [{ to: '*', statements: ['for members'], action: 'share' }] as const;
    using test = aStore({ release: { rules } });
    test.publish([
      { kind: 'marking', objectId: marking, statement: 'for nobody' },
      anIndicator(1, { tlp: 'green', openMarkings: [marking] }),
      anIndicator(2),
    ]);
    test.store.commitHits('one', [aHit(1), aHit(2)], 'x', NOW);

    expect(take(test).map((one) => one.objectId)).toEqual([objectIdAt(2)]);
  });

  it('judges again at the moment of sending: a value that became a canary of ours keeps it here', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    test.store.close();
    const spec = { ...test.spec, release: { ...RELEASE, ignore: [aHit(1).key] } };
    test.store = aStoreOf(spec);

    expect(take(test)).toEqual([]);
    expect(reading(test, (reader) => reader.releases(addressAt(1)))[0]).toMatchObject({
      state: 'denied',
      reason: expect.stringContaining('canaries of ours') as string,
    });
  });

  it('does not count hits on a value that became a canary of ours towards an object of several values', () => {
    using test = aStore();
    test.publish([anIndicator(1, { tlp: 'green', observables: [addressAt(1), addressAt(2)] })]);
    test.store.commitHits('one', [aHit(1, { count: 7 })], 'x', NOW);
    test.store.close();
    test.store = aStoreOf({ ...test.spec, release: { ...RELEASE, ignore: [aHit(1).key] } });

    expect(take(test)).toEqual([]);
    expect(reading(test, (reader) => reader.releases(addressAt(1)))[0]?.reason).toContain('canaries of ours');
    const next = { first: minutes(70), last: minutes(70) };
    test.store.commitHits('one', [aHit(2, next), aHit(1, { ...next, dedupe: 'c' })], 'x', minutes(75));
    expect(take(test, minutes(75)).map((one) => [one.created, one.count])).toEqual([[minutes(60), 1]]);
  });

  it('counts no hits of the same window on a value that became a canary of ours', () => {
    using test = aStore();
    test.publish([anIndicator(1, { tlp: 'green', observables: [addressAt(1), addressAt(2)] })]);
    test.store.commitHits('one', [aHit(1, { count: 7 })], 'x', NOW);
    test.store.close();
    test.store = aStoreOf({ ...test.spec, release: { ...RELEASE, ignore: [aHit(1).key] } });

    test.store.commitHits('one', [aHit(2, { count: 9, last: minutes(20) })], 'x', NOW);

    expect(reading(test, (reader) => reader.releases(addressAt(2)))).toMatchObject([{ count: 9 }]);
  });

  describe('of an exchange whose name was given to another place', () => {
    const elsewhere = (test: TestStore) => {
      test.store.close();
      const exchanges = test.spec.exchanges.map((one) => (one.name === 'partner' ? { ...one, fingerprint: 'g' } : one));
      test.store = aStoreOf({ ...test.spec, exchanges });
    };

    it('holds what was decided for the old one, and what is found on its objects', () => {
      using test = aStore();
      test.publish([anIndicator(1), anIndicator(2)]);
      test.store.commitHits('one', [aHit(1)], 'x', NOW);
      elsewhere(test);
      test.store.commitHits('one', [aHit(2)], 'x', NOW);

      expect(take(test)).toEqual([]);
      const held = reading(test, (reader) => [...reader.held()]);
      expect(held.map((one) => one.reason)).toEqual(Array(2).fill(expect.stringContaining('configured anew')));
    });

    it('tells of objects that it shows as well', () => {
      using test = aStore();
      test.publish([anIndicator(1)]);
      elsewhere(test);
      test.publish([anIndicator(1)]);
      test.store.commitHits('one', [aHit(1)], 'x', NOW);

      expect(take(test)).toHaveLength(1);
    });

    it('holds what came from others and was decided for the old one', () => {
      const rules = [{ to: 'partner', from: ['other'], tlp: ['green'], action: 'share' }] as const;
      using test = aStore({ release: { rules } });
      test.publish([anIndicator(1)], 'other');
      test.store.commitHits('one', [aHit(1)], 'x', NOW);
      elsewhere(test);

      expect(take(test)).toEqual([]);
      expect(reading(test, (reader) => [[...reader.held()].length, reader.counts()])).toMatchObject([
        1,
        { held: 1, queued: 0 },
      ]);
    });
  });

  it('never goes back to an older version when a SIEM leaves the configuration', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1, { count: 5 })], 'x', NOW);
    const [first] = sendAll(test);
    test.store.close();
    test.store = aStoreOf({ ...test.spec, siems: [aSiem('two')] });
    test.store.commitHits('two', [aHit(1)], 'x', NOW);

    expect([first?.count, take(test)]).toEqual([5, []]);
    expect(reading(test, (reader) => reader.releases(addressAt(1)))[0]).toMatchObject({ state: 'sent', count: 5 });
  });

  it('denies, with its own reason, what came from an exchange that is no longer configured', () => {
    using test = aStore({
      release: { reporting: ['other'], rules: [{ to: '*', from: ['partner'], tlp: ['green'], action: 'share' }] },
    });
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    test.store.close();
    const exchanges = test.spec.exchanges.filter((one) => one.name === 'other');
    test.store = aStoreOf({ ...test.spec, exchanges });

    expect(take(test, NOW, 'other')).toEqual([]);
    expect(reading(test, (reader) => reader.releases(addressAt(1)))[0]?.reason).toBe(
      'exchange partner is no longer configured',
    );
  });

  it('denies an object under a marking that nothing explains where a rule names terms of use', () => {
    const rules = [{ to: '*', tlp: ['red'], statements: ['for members'], action: 'share' }] as const;
    const cleared = aSiem('one');
    const rule = cleared.rules['partner']!;
    const partner = { ...rule, intake: { ...rule.intake, clearance: 'red' as const } };
    using test = aStore({ release: { rules }, siems: [{ ...cleared, rules: { partner } }] });
    const open = ['marking-definition--22222222-2222-4222-8222-222222222222'];
    test.publish([anIndicator(1, { tlp: 'red', openMarkings: open }), anIndicator(2, { tlp: 'red' })]);
    test.store.commitHits('one', [aHit(1), aHit(2)], 'x', NOW);

    expect(take(test).map((one) => one.objectId)).toEqual([objectIdAt(2)]);
  });

  it('keeps a refusal of the partner until a person asks to try again', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    const [one] = take(test);
    test.store.settleSightings('partner', [{ uuid: one!.uuid, kind: 'refused', reason: '422' }], NOW);

    expect(take(test)).toEqual([]);
    expect(reading(test, (reader) => reader.counts())).toEqual({
      hits: 1,
      held: 0,
      denied: 0,
      queued: 0,
      sent: 0,
      failed: 1,
    });
    expect(test.store.retrySightings(undefined, NOW)).toBe(1);
    expect(take(test)).toHaveLength(1);
  });
});

describe('a held sighting', () => {
  const holding: Partial<ReleaseSpec> = { rules: [{ to: '*', tlp: ['green'], action: 'hold' }] };
  const held = (test: TestStore) => reading(test, (reader) => [...reader.held()]);
  const withOne = () => {
    const test = aStore({ release: holding });
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    return test;
  };

  it('leaves when a person approves it', () => {
    using test = withOne();
    const [one] = held(test);
    expect(take(test)).toEqual([]);
    const shown = reading(test, (reader) => reader.heldSighting(one!.id));

    decideSighting(test, 1, 'approve', one!.set, 'ann', 'known campaign', NOW);

    // With it goes where the object was shown, which no person decides by.
    expect(take(test)).toEqual([{ ...shown?.sighting, scope: 'c' }]);
  });

  it('leaves after the delay of its rule, however soon a person approves it', () => {
    using test = aStore({ release: { rules: [{ to: '*', tlp: ['green'], delayMinutes: 60, action: 'hold' }] } });
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    decideSighting(test, 1, 'approve', held(test)[0]!.set, 'ann', '', NOW + 60_000);

    expect([take(test, NOW + 60_000).length, take(test, NOW + 3_600_000).length]).toEqual([0, 1]);
  });

  it('is approved as it was shown: what came later is shown again', () => {
    using test = withOne();
    const [one] = held(test);
    test.store.commitHits('one', [aHit(1, { dedupe: 'more' })], 'x', NOW);

    expect(() => decideSighting(test, 1, 'approve', one!.set, 'ann', '', NOW)).toThrow(/changed since/);
    decideSighting(test, 1, 'approve', held(test)[0]!.set, 'ann', '', NOW);
    sendAll(test);
    test.store.commitHits('one', [aHit(1, { dedupe: 'yet more' })], 'x', NOW);
    expect(held(test)).toHaveLength(1);
  });

  it('stays here for good when a person rejects it', () => {
    using test = withOne();
    decideSighting(test, 1, 'reject', held(test)[0]!.set, 'ann', 'too telling', NOW);
    test.store.commitHits('one', [aHit(1, { dedupe: 'more' })], 'x', NOW);

    expect([take(test), held(test)]).toEqual([[], []]);
    expect(reading(test, (reader) => reader.releases(addressAt(1)))[0]).toMatchObject({
      state: 'denied',
      decided_by: 'ann',
    });
  });

  it('is not approved for other markings than were shown', () => {
    using test = aStore({ release: { rules: [{ to: '*', tlp: ['green', 'amber'], action: 'hold' }] } });
    test.publish([anIndicator(1, { tlp: 'amber' })]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    const [one] = held(test);
    const looser = anIndicator(1, { tlp: 'green', version: '2026-01-02T00:00:00.000000000Z' });

    test.publish([looser]);
    expect(() => decideSighting(test, 1, 'approve', one!.set, 'ann', '', NOW)).toThrow(/changed since/);
    decideSighting(test, 1, 'approve', held(test)[0]!.set, 'ann', '', NOW);
    test.publish([anIndicator(1, { tlp: 'amber', version: '2026-01-03T00:00:00.000000000Z' })]);

    expect([take(test), held(test).length]).toEqual([[], 1]);
  });

  it('is not approved for another form than was shown: identity, place or precision', () => {
    using test = withOne();
    decideSighting(test, 1, 'approve', held(test)[0]!.set, 'ann', '', NOW);
    test.store.close();
    const release = { ...test.spec.release!, forms: { partner: 'another identity' } };
    test.store = aStoreOf({ ...test.spec, release });

    expect([take(test), held(test).length]).toEqual([[], 1]);
  });

  it('is not approved after its time, though the loop that ends holds has not come by', () => {
    using test = withOne();
    const [one] = held(test);
    const late = NOW + 73 * 3_600_000;

    expect(() => decideSighting(test, 1, 'approve', one!.set, 'ann', '', late)).toThrow(/hold_hours/);
    expect(take(test, late)).toEqual([]);
  });

  it('that nobody decides on is denied when its time is up', () => {
    using test = withOne();
    test.store.retainSightings(NOW + 71 * 3_600_000);
    const before = held(test).length;
    test.store.retainSightings(NOW + 73 * 3_600_000);

    expect([before, held(test).length]).toEqual([1, 0]);
    expect(reading(test, (reader) => reader.counts())).toMatchObject({ held: 0, denied: 1 });
  });
});

describe('a false positive', () => {
  it('goes only where a rule lets verdicts go, and once', () => {
    const rules = [{ to: '*', tlp: ['green'], falsePositives: true, action: 'share' }] as const;
    using test = aStore({ release: { rules } });
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1, { verdict: 'false_positive' })], 'x', NOW);
    const sent = sendAll(test);
    test.store.commitHits('one', [aHit(1, { verdict: 'false_positive', dedupe: 'again' })], 'x', NOW);

    expect(sent.map((one) => one.kind)).toEqual(['false_positive']);
    expect(take(test)).toEqual([]);
  });

  it('is what a person says who suppresses a value as one', () => {
    const rules = [{ to: '*', tlp: ['green'], falsePositives: true, action: 'share' }] as const;
    using test = aStore({ release: { rules } });
    test.publish([anIndicator(1), anIndicator(2)]);
    test.store.suppress([addressAt(1)], minutes(120), 'our mail relay', 'ann', NOW, true);
    test.store.suppress([addressAt(2)], minutes(120), 'CANARY-maintenance', 'ann', NOW);

    expect(take(test).map((one) => [one.objectId, one.kind])).toEqual([[objectIdAt(1), 'false_positive']]);
    expect(reading(test, (reader) => reader.hits(addressAt(1)))).toMatchObject([
      { siem: 'by hand', verdict: 'false_positive', count: 1 },
    ]);
  });

  it('after the alert was counted leaves the count as told, and says so besides', () => {
    const rules = [{ to: '*', tlp: ['green'], falsePositives: true, action: 'share' }] as const;
    using test = aStore({ release: { rules } });
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    sendAll(test);
    test.store.commitHits('one', [aHit(1, { verdict: 'false_positive', dedupe: 'closed' })], 'x', NOW);

    expect(take(test).map((one) => one.kind)).toEqual(['false_positive']);
    expect(reading(test, (reader) => reader.releases(addressAt(1))).map((one) => [one.kind, one.state])).toEqual([
      ['seen', 'sent'],
      ['false_positive', 'sending'],
    ]);
  });

  it('stays here under a rule for sightings', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1, { verdict: 'false_positive' })], 'x', NOW);

    expect(take(test)).toEqual([]);
  });
});

describe('retention', () => {
  it('forgets hits and sightings after their days', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    sendAll(test);
    test.store.retainSightings(NOW + 31 * 86_400_000);
    expect(reading(test, (reader) => [reader.hits(addressAt(1)).length, reader.releases(addressAt(1)).length])).toEqual(
      [0, 1],
    );
    test.store.retainSightings(NOW + 366 * 86_400_000);

    expect(reading(test, (reader) => reader.releases(addressAt(1)))).toEqual([]);
    expect(reading(test, (reader) => reader.counts().sent)).toBe(0);
  });
});

it('makes one sighting of ten thousand hits on one value within a second', () => {
  using test = aStore();
  test.publish([anIndicator(1)]);
  const flood = Array.from({ length: 10_000 }, (_, n) =>
    aHit(1, { dedupe: `f${n}`, first: TEN + (n % 1000), last: TEN + (n % 1000) }),
  );
  for (let at = 0; at < flood.length; at += 1000) test.store.commitHits('one', flood.slice(at, at + 1000), at, NOW);

  expect(take(test).map((one) => one.count)).toEqual([10_000]);
});

it('tells why: hits per SIEM and what became of them, by which rule', () => {
  using test = aStore();
  test.publish([anIndicator(1)]);
  test.store.commitHits('one', [aHit(1, { count: 3 })], 'x', NOW);
  sendAll(test);

  expect(reading(test, (reader) => reader.hits(addressAt(1)))).toEqual([
    { siem: 'one', verdict: 'seen', count: 3, first: '2026-01-05T10:10:00.000Z', last: '2026-01-05T10:10:00.000Z' },
  ]);
  expect(reading(test, (reader) => reader.releases(addressAt(1)))).toMatchObject([
    { exchange: 'partner', state: 'sent', rule: 1, count: 3, sent_at: '2026-01-05T10:30:00.000Z' },
  ]);
});

it('keeps cursor, hits and sightings together: a failure in between leaves none of them', () => {
  using test = aStore({ siems: [aSiem('one')] });
  test.publish([anIndicator(1)]);
  const poisoned = aHit(1, { dedupe: 'b' });
  Object.defineProperty(poisoned, 'key', {
    get: () => {
      throw new Error('cut off here');
    },
  });

  expect(() => test.store.commitHits('one', [aHit(1), poisoned], 'x', NOW)).toThrow('cut off here');
  expect(test.store.hitCursor('one')).toBeUndefined();
  expect(take(test)).toEqual([]);
  expect(test.store.commitHits('one', [aHit(1)], 'x', NOW).fresh).toBe(1);
});

it.skipIf(statePlaces.onServer)(
  'takes over a state from before there were sightings, and tells what is found from then on',
  () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.close();
    asSchema(nameOf(test.spec.path), 1);

    test.store = aStoreOf(test.spec);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);

    expect(take(test)).toMatchObject([{ objectId: objectIdAt(1), count: 1 }]);
    expect(existsSync(`${nameOf(test.spec.path)}.schema-1.bak`)).toBe(true);
  },
);

it.skipIf(statePlaces.onServer)('writes nothing of a hit but entry, SIEM, time, count and digest', () => {
  using test = aStore({ release: RELEASE });
  test.publish([anIndicator(1)]);
  const stuffed = Object.assign(aHit(1), { host: 'CANARY-host', user: 'CANARY-user', message: 'CANARY-line' });
  test.store.commitHits('one', [stuffed], 'x', NOW);

  expect(JSON.stringify(take(test))).not.toContain('CANARY');
  // A copy by the store itself holds all that is in file and journal.
  const copy = `${nameOf(test.spec.path)}.copy`;
  test.store.backup(copy);
  const bytes = readFileSync(copy);
  expect([bytes.includes(addressAt(1).value), bytes.includes('CANARY')]).toEqual([true, false]);
});
