// Hits are noted, and told of, in sets: however they are divided, the same comes of them.
import { expect, it } from 'vitest';
import {
  addressAt,
  aHit,
  anIndicator,
  aStore,
  minutes,
  TEN,
  type TestStore,
} from '../../../../test/builders/sightings.ts';
import type { Hit } from '../../model/sighting.ts';
import { openReading } from '../state/open.ts';
import { byStarts, MOST_STARTS, startsOf } from './windows.ts';

const NOW = minutes(59);
const HOUR = 3_600_000;

const rows = ({ spec }: TestStore, select: string): string[] => {
  const db = openReading(spec.path);
  try {
    return db
      .all(select)
      .map((row) => JSON.stringify(row))
      .sort();
  } finally {
    db.close();
  }
};

it('comes to the same in one unit as in many: repeated, growing, in several windows and under younger claims', () => {
  // Drawn once from a fixed sequence, so that every run sees the same hits.
  let state = 7;
  const draw = (most: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % most;
  };
  const hits = Array.from({ length: 400 }, (): Hit => {
    const last = NOW - draw(5 * HOUR);
    const verdict = draw(4) === 0 ? 'false_positive' : 'seen';
    return aHit(draw(6), { first: last - draw(HOUR), last, count: 1 + draw(5), verdict, dedupe: `alert ${draw(120)}` });
  });
  const outcome = (size: number): string[] => {
    using test = aStore();
    const values = (n: number) => ({ tlp: 'green' as const, observables: [addressAt(n % 6), addressAt((n + 1) % 6)] });
    test.publish(
      Array.from({ length: 9 }, (_, n) => anIndicator(n, { ...values(n), validFrom: TEN - (n % 4) * HOUR })),
    );
    let fresh = 0;
    for (let from = 0; from < hits.length; from += size)
      fresh += test.store.commitHits('one', hits.slice(from, from + size), from, NOW).fresh;
    return [
      String(fresh),
      ...rows(test, 'SELECT entry_id, start, verdict, siem_id, part, first, last, n FROM hit'),
      ...rows(test, 'SELECT hash, day, n FROM hit_seen'),
      ...rows(
        test,
        'SELECT object_id, start, kind, uuid, state, first, last, n, modified, latest, rule, due FROM outbox',
      ),
      ...rows(test, "SELECT name, n FROM tally WHERE owner = 'sightings'"),
    ];
  };

  const one = outcome(1);
  expect(one.length).toBeGreaterThan(100);
  expect(outcome(7)).toEqual(one);
  expect(outcome(hits.length)).toEqual(one);
});

it.each([
  ['before', [5, 0]],
  ['behind', [0, 5]],
])('goes on with what very many objects name, also %s a value that none names any more', (_, seen) => {
  using test = aStore();
  const many = Array.from({ length: 600 }, (__, n) =>
    anIndicator(100 + n, { tlp: 'green', observables: [addressAt(0)] }),
  );
  test.publish([...many, anIndicator(5)]);
  const moved = { tlp: 'green' as const, version: '2026-01-02T00:00:00.000000000Z', observables: [addressAt(6)] };
  test.publish([anIndicator(5, moved)]);

  test.store.commitHits(
    'one',
    seen.map((n) => aHit(n)),
    'x',
    NOW,
  );
  const told = () => rows(test, 'SELECT object_id FROM outbox').length;
  expect(told()).toBe(500);
  test.store.tick(NOW, false);
  expect(told()).toBe(600);
});

it('names no more windows in a part than a look-up does, and no more of what they cost than is said', () => {
  const windows = Array.from({ length: 3 * MOST_STARTS }, (_, i) => ({ start: Math.floor(i / 2), cost: i % 5 }));

  const parts = [...byStarts(windows, ({ cost }) => cost, 20)];
  expect(parts.flat()).toEqual(windows);
  expect(parts.every((part) => part.reduce((sum, { cost }) => sum + cost, 0) <= 20)).toBe(true);
  expect([...byStarts(windows)].map((part) => new Set(part.map(({ start }) => start)).size)).toEqual([64, 32]);
  expect([...byStarts([{ start: 1, cost: 9 }, ...windows.slice(0, 1)], ({ cost }) => cost, 5)]).toHaveLength(2);
  expect(new Set(startsOf(windows.slice(0, 6)))).toEqual(new Set([0, 1, 2]));
});
