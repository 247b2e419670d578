// To whom a hit is told: to those whose claim armed the entry, as long as they stand by it.
import { describe, expect, it } from 'vitest';
import {
  addressAt,
  aHit,
  anIndicator,
  aStore,
  minutes,
  NOW,
  reading,
  take,
  type TestStore,
} from '../../../../test/builders/sightings.ts';

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
