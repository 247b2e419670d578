// What holds for hits and sightings as a whole: how long they are kept, how fast they are made, why, and nothing else.
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { asSchema } from '../../../../test/builders/older-state.ts';
import {
  addressAt,
  aHit,
  anIndicator,
  aSiem,
  aStore,
  aStoreOf,
  NOW,
  objectIdAt,
  reading,
  RELEASE,
  sendAll,
  take,
  TEN,
} from '../../../../test/builders/sightings.ts';
import { statePlaces } from '../../../../test/builders/states.ts';
import { nameOf } from '../state/open.ts';

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
