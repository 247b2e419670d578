// What hits come to: their sightings, counts and times, and those that are no news.
import { describe, expect, it } from 'vitest';
import {
  addressAt,
  aHit,
  anIndicator,
  aStore,
  aStoreOf,
  minutes,
  NOW,
  objectIdAt,
  reading,
  RELEASE,
  take,
  TEN,
} from '../../../../test/builders/sightings.ts';
import { entryKey } from '../../model/observable.ts';
import type { ReleaseSpec } from '../spec/spec.ts';

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

    // In which order they are due is drawn.
    const told = take(test, minutes(90)).map(({ created, count }): [number, number] => [created, count]);
    expect(told.toSorted(([a], [b]) => a - b)).toEqual([
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
