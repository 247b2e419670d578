import fc from '../../../test/property.ts';
import { describe, expect, it } from 'vitest';
import { uuidV5 } from '../model/digest.ts';
import { aggregate, type HitRow, sighting, sightingUuid, windowOf } from './aggregate.ts';

const HOUR = 3_600_000;
const GRID = { windowMs: HOUR, precisionMs: HOUR };
const FINE = { windowMs: HOUR, precisionMs: 60_000 };
const WINDOW = Date.UTC(2026, 0, 5, 10);
const at = (minute: number) => WINDOW + minute * 60_000;

const row = (siem: number, count: number, from: number, to = from): HitRow => ({
  siem,
  count,
  first: at(from),
  last: at(to),
});

describe('aggregate', () => {
  it('takes the largest count of the SIEMs, because the same log often stands in two', () => {
    expect(aggregate([row(1, 3, 5), row(2, 5, 6)], WINDOW, GRID)?.count).toBe(5);
  });

  it('adds the entries of one object within a SIEM', () => {
    expect(aggregate([row(1, 3, 5), row(1, 4, 6), row(2, 5, 6)], WINDOW, GRID)?.count).toBe(7);
  });

  it('cuts first and last seen to the precision, and shows nothing finer in modified', () => {
    const coarse = aggregate([row(1, 1, 17, 43)], WINDOW, GRID);
    const fine = aggregate([row(1, 1, 17.5, 43.5)], WINDOW, FINE);

    expect([coarse?.firstSeen, coarse?.lastSeen]).toEqual([WINDOW, WINDOW]);
    expect([fine?.firstSeen, fine?.lastSeen]).toEqual([at(17), at(43)]);
    expect(coarse).toEqual(aggregate([row(1, 1, 2, 58)], WINDOW, GRID));
  });

  it('stops at the largest count STIX knows', () => {
    expect(aggregate([row(1, 36_000_000_000, 0, 59)], WINDOW, GRID)?.count).toBe(999_999_999);
  });

  it('says nothing without hits', () => {
    expect(aggregate([], WINDOW, GRID)).toBeUndefined();
  });

  it('gives every later content a later version, and the same content the same, in whatever order hits come', () => {
    const hit = fc.record({
      siem: fc.integer({ min: 1, max: 3 }),
      minute: fc.double({ min: 0, max: 59.9, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(hit, { minLength: 1, maxLength: 30 }), (hits) => {
        const rows: HitRow[] = [];
        let before = aggregate([], WINDOW, FINE);
        for (const one of hits) {
          rows.push(row(one.siem, 1, one.minute));
          const now = aggregate(rows, WINDOW, FINE)!;
          const { modified: _, ...content } = now;
          const same =
            before !== undefined &&
            content.count === before.count &&
            content.firstSeen === before.firstSeen &&
            content.lastSeen === before.lastSeen;
          if (before !== undefined) {
            if (same) expect(now.modified).toBe(before.modified);
            else expect(now.modified).toBeGreaterThan(before.modified);
          }
          before = now;
        }
        expect(aggregate(rows.toReversed(), WINDOW, FINE)).toEqual(before);
      }),
      { numRuns: 200 },
    );
  });
});

describe('the id of a sighting', () => {
  it('is derived as RFC 9562 says', () => {
    // The vector of RFC 9562, appendix A.4.
    expect(uuidV5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com')).toBe(
      '2ed6657d-e927-568b-95e1-2665a8aea6a2',
    );
  });

  it('is the same for one instance, exchange, object, window and kind, and another for each other', () => {
    const id = sightingUuid('soc', 'partner', 'indicator--1', WINDOW, 'seen');

    expect(sightingUuid('soc', 'partner', 'indicator--1', WINDOW, 'seen')).toBe(id);
    expect(
      new Set([
        id,
        sightingUuid('soc2', 'partner', 'indicator--1', WINDOW, 'seen'),
        sightingUuid('soc', 'other', 'indicator--1', WINDOW, 'seen'),
        sightingUuid('soc', 'partner', 'indicator--2', WINDOW, 'seen'),
        sightingUuid('soc', 'partner', 'indicator--1', WINDOW + HOUR, 'seen'),
        sightingUuid('soc', 'partner', 'indicator--1', WINDOW, 'false_positive'),
      ]).size,
    ).toBe(6);
  });

  it('belongs to the window in which a hit falls', () => {
    expect([windowOf(at(0), GRID), windowOf(at(59.999), GRID), windowOf(at(60), GRID)]).toEqual([
      WINDOW,
      WINDOW,
      WINDOW + HOUR,
    ]);
  });
});

it('marks what is sighted without a level as TLP:RED', () => {
  const totals = aggregate([row(1, 1, 5)], WINDOW, GRID)!;

  expect(sighting('seen', 'uuid', 'indicator--1', WINDOW, GRID, totals, undefined).tlp).toBe('red');
});
