import fc from '../../../test/property.ts';
import { describe, expect, it } from 'vitest';
import {
  displaces,
  firm,
  isFirm,
  movesOf,
  nextMove,
  placeOf,
  placesOf,
  roomOf,
  type Seat,
  type Worth,
} from './capacity.ts';

const NOW = Date.UTC(2026, 0, 10);
const DAY = 86_400_000;
const worth = (confidence: number | undefined, daysOld = 0): Worth => ({ confidence, modified: NOW - daysOld * DAY });
const place = (confidence: number | undefined, daysOld = 0) => placeOf(3, worth(confidence, daysOld));

describe('a place', () => {
  it('sorts by confidence, then by recency, and never out of its container', () => {
    const best = [place(100), place(51, 300), place(50), place(50, 1), place(0), place(undefined), place(undefined, 9)];

    expect([...best].sort((a, b) => b - a)).toEqual(best);
    const [first, last] = placesOf(3);
    for (const one of [...best, firm(best[0]!)]) {
      expect([one >= first, one <= last, roomOf(one)]).toEqual([true, true, 3]);
    }
  });

  it('is one for any confidence and any time, whatever a partner states', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 8 }), fc.double(), fc.double(), (room, confidence, modified) => {
        const worthOf = { confidence: Number.isNaN(confidence) ? undefined : confidence, modified };
        const one = placeOf(room, { ...worthOf, modified: Number.isNaN(modified) ? 0 : modified });
        expect([Number.isSafeInteger(one), roomOf(one), isFirm(one)]).toEqual([true, room, false]);
      }),
    );
  });
});

describe('what waits takes the place of what stands there', () => {
  it.each([
    [true, 'where it is ten points surer', place(60, 90), place(50)],
    [false, 'not where it is nine points surer', place(59), place(50)],
    [true, 'where it is as sure and a week newer', place(50), place(50, 7)],
    [true, 'where it is little surer and a week newer', place(51), place(50, 7)],
    [false, 'not where it is as sure and six days newer', place(50), place(50, 6)],
    [false, 'not where it is newer and less sure', place(49), place(50, 300)],
    [true, 'where it is sure and the other states nothing', place(20), place(undefined)],
    [false, 'not where a person is asked whether that goes', place(100), firm(place(0))],
  ])('%s: %s', (expected, _what, waiting, seated) => {
    expect(displaces(waiting, seated, true)).toBe(expected);
  });

  it('and of what is not written yet where it is better at all', () => {
    expect(displaces(place(51), place(50), false)).toBe(true);
    expect(displaces(place(50), place(50), false)).toBe(false);
    expect(displaces(place(100), firm(place(0)), false)).toBe(false);
  });
});

it('takes a place only where it is better, so that nobody moves twice', () => {
  const any = fc.tuple(fc.option(fc.nat(100), { nil: undefined }), fc.nat(40));
  fc.assert(
    fc.property(any, any, fc.boolean(), (one, other, stands) => {
      const [waiting, seated] = [place(...one), place(...other)];
      if (displaces(waiting, seated, stands)) expect(waiting).toBeGreaterThan(seated);
    }),
  );
});

/** A watchlist as the rule sees it; of equals the first is better. */
class Watchlist {
  readonly entries: { place: number; seated: boolean; stands: boolean }[] = [];
  moves = 0;

  add(one: number): void {
    this.entries.push({ place: one, seated: false, stands: false });
  }

  settle(most: number): void {
    for (;;) {
      const seated = this.entries.filter((one) => one.seated);
      const waiting = this.entries.filter((one) => !one.seated);
      const best = waiting.reduce<(typeof waiting)[0] | undefined>(
        (a, b) => (a && a.place >= b.place ? a : b),
        undefined,
      );
      const worst = seated.reduce<(typeof seated)[0] | undefined>(
        (a, b) => (a && a.place < b.place ? a : b),
        undefined,
      );
      const move = nextMove({ most, seated: seated.length, best: best?.place, worst });
      if (move === undefined) return;
      this.moves++;
      if (this.moves > 10_000) throw new Error('it has no end');
      if (move !== 'out') best!.seated = true;
      if (move !== 'in') worst!.seated = false;
    }
  }

  deliver(): void {
    for (const one of this.entries) one.stands = one.seated;
  }
}

describe('moves as one set', () => {
  const better = (a: Seat, b: Seat): number => b.place - a.place || a.id - b.id;

  /** The same one by one, each of them looked for anew. */
  function oneByOne(most: number, seats: readonly Seat[], sits: ReadonlySet<number>, limit: number): Set<number> {
    const sitting = new Set(sits);
    for (let moves = 0; moves < limit; moves++) {
      const best = seats.filter((one) => !sitting.has(one.id)).sort(better)[0];
      const worst = seats
        .filter((one) => sitting.has(one.id))
        .sort(better)
        .at(-1);
      const move = nextMove({ most, seated: sitting.size, best: best?.place, worst });
      if (move === undefined) break;
      if (move !== 'in') sitting.delete(worst!.id);
      if (move !== 'out') sitting.add(best!.id);
    }
    return sitting;
  }

  it('end as one move after the other does, however few of the rows are looked at', () => {
    const seat = fc.record({
      worth: fc.tuple(fc.option(fc.nat(100), { nil: undefined }), fc.nat(40)),
      stands: fc.boolean(),
      sits: fc.boolean(),
      firm: fc.nat(9).map((n) => n === 0),
    });
    fc.assert(
      fc.property(
        fc.array(seat, { maxLength: 30 }),
        fc.nat(20),
        fc.integer({ min: 1, max: 40 }),
        (given, most, limit) => {
          const seats = given.map(({ worth: [confidence, days], stands, firm: kept }, id): Seat => {
            const at = place(confidence, days);
            return { id, place: kept ? firm(at) : at, stands };
          });
          const sits = new Set(given.flatMap(({ sits: one, firm: kept }, id) => (one || kept ? [id] : [])));
          const sorted = seats.toSorted(better);
          const waiting = sorted.filter((one) => !sits.has(one.id)).slice(0, limit + 1);
          const sitting = sorted
            .filter((one) => sits.has(one.id))
            .toReversed()
            .slice(0, limit + 1);

          const moves = movesOf({ most, seated: sits.size }, sitting, waiting, limit);

          const after = new Set(sits);
          for (const one of moves.out) expect(after.delete(one.id)).toBe(true);
          for (const one of moves.in) after.add(one.id);
          expect(after).toEqual(oneByOne(most, seats, sits, limit));
          expect(moves.count).toBeLessThanOrEqual(limit);
        },
      ),
    );
  });
});

describe('a watchlist', () => {
  const worths = fc.array(fc.tuple(fc.option(fc.nat(100), { nil: undefined }), fc.nat(400)), { maxLength: 40 });
  const most = fc.integer({ min: 1, max: 12 });

  it('holds exactly the best where nothing stands there yet', () => {
    fc.assert(
      fc.property(worths, most, (given, n) => {
        const list = new Watchlist();
        for (const [confidence, days] of given) {
          list.add(place(confidence, days));
          list.settle(n);
        }
        const sorted = given.map(([confidence, days]) => place(confidence, days)).sort((a, b) => b - a);
        const held = list.entries.filter((one) => one.seated).map((one) => one.place);
        expect(held.sort((a, b) => b - a)).toEqual(sorted.slice(0, n));
      }),
    );
  });

  it('is full while anything waits, never beyond, and is at rest after any arrivals and any other limit', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(worths, most), { maxLength: 6 }), (steps) => {
        const list = new Watchlist();
        for (const [given, n] of steps) {
          for (const [confidence, days] of given) list.add(place(confidence, days));
          list.settle(n);
          list.deliver();
          expect(list.entries.filter((one) => one.seated)).toHaveLength(Math.min(n, list.entries.length));
          const before = list.moves;
          list.settle(n);
          expect(list.moves).toBe(before);
        }
      }),
    );
  });

  it('does not flap where what is stated sways by less than it takes to displace', () => {
    const sway = fc.array(fc.tuple(fc.nat(19), fc.nat(9), fc.nat(6)), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(sway, (changes) => {
        const list = new Watchlist();
        for (let i = 0; i < 20; i++) list.add(place(50, 3));
        list.settle(10);
        list.deliver();
        const before = list.moves;
        for (const [which, points, days] of changes) {
          list.entries[which]!.place = place(50 + points, days);
          list.settle(10);
          list.deliver();
        }
        expect(list.moves).toBe(before);
      }),
    );
  });
});

it('has what states no confidence come behind all that do', () => {
  expect(placeOf(0, { confidence: undefined, modified: 9e12 })).toBeLessThan(
    placeOf(0, { confidence: 0, modified: 0 }),
  );
});

it('sends nothing out for a lower limit that a held removal keeps', () => {
  const worst = { place: firm(placeOf(0, { confidence: 1, modified: 0 })), stands: true };

  expect(nextMove({ most: 1, seated: 2, best: undefined, worst })).toBeUndefined();
});
