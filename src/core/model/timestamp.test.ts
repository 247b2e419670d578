import fc from '../../../test/property.ts';
import { describe, expect, it } from 'vitest';
import { isoTime, isOddlySpelled, parseTimestamp } from './timestamp.ts';

describe('parseTimestamp', () => {
  it.each([
    ['2026-01-05T10:00:00Z', '2026-01-05T10:00:00.000000000Z', Date.UTC(2026, 0, 5, 10)],
    ['2026-01-05T10:00:00.1Z', '2026-01-05T10:00:00.100000000Z', Date.UTC(2026, 0, 5, 10) + 100],
    ['2026-01-05T10:00:00.123456Z', '2026-01-05T10:00:00.123456000Z', Date.UTC(2026, 0, 5, 10) + 123],
    ['2026-01-05T10:00:00.1239999Z', '2026-01-05T10:00:00.123999900Z', Date.UTC(2026, 0, 5, 10) + 123],
    ['2026-01-05T10:00:00.1234567899Z', '2026-01-05T10:00:00.123456789Z', Date.UTC(2026, 0, 5, 10) + 123],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999000000Z', 253402300799999],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000000000Z', Date.UTC(2024, 1, 29)],
    ['1969-12-31T23:59:59.5Z', '1969-12-31T23:59:59.500000000Z', -500],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000000000Z', -62135596800000],
  ])('reads %s', (text, version, ms) => {
    expect(parseTimestamp(text)).toEqual({ version, ms });
  });

  it('takes a leap second as the instant at which the next day begins', () => {
    expect(parseTimestamp('2016-12-31T23:59:60.7Z')).toEqual({
      version: '2016-12-31T23:59:60.700000000Z',
      ms: Date.UTC(2017, 0, 1),
    });
  });

  it.each([
    ['2026-01-05T10:00:00+00:00', '2026-01-05T10:00:00.000000000Z'],
    ['2026-01-05T10:00:00.123456-00:00', '2026-01-05T10:00:00.123456000Z'],
    ['2026-01-05T01:30:00.5+02:00', '2026-01-04T23:30:00.500000000Z'],
    ['2026-01-05T22:00:00-0530', '2026-01-06T03:30:00.000000000Z'],
    ['2026-01-05t10:00:00.25z', '2026-01-05T10:00:00.250000000Z'],
    ['2026-01-05 10:00:00Z', '2026-01-05T10:00:00.000000000Z'],
  ])('reads %s as the instant it names, and knows that it is oddly spelled', (text, version) => {
    expect(parseTimestamp(text)).toEqual({ version, ms: Math.floor(Date.parse(version)) });
    expect([isOddlySpelled(text), isOddlySpelled(version), isOddlySpelled('nonsense')]).toEqual([true, false, false]);
  });

  it('calls oddly spelled what can be read and is not spelled as STIX asks, and nothing else', () => {
    const two = (most: number) => fc.integer({ min: 0, max: most }).map((n) => String(n).padStart(2, '0'));
    const texts = fc
      .tuple(
        fc.constantFrom('2026', '1999', '20x6', '0000'),
        two(13),
        two(32),
        fc.constantFrom('T', 't', ' ', '_'),
        two(24),
        two(60),
        two(61),
        fc.constantFrom('', '.', '.5', '.123456', '.x'),
        fc.constantFrom('Z', 'z', '+02:00', '-0530', ''),
      )
      .map(
        ([year, month, day, t, hour, minute, second, fraction, z]) =>
          `${year}-${month}-${day}${t}${hour}:${minute}:${second}${fraction}${z}`,
      );

    fc.assert(
      fc.property(texts, (text) => {
        const asStixAsks = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text);
        expect(isOddlySpelled(text)).toBe(parseTimestamp(text) !== undefined && !asStixAsks);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-05T24:00:00Z',
    '2026-01-05T10:60:00Z',
    '2026-01-05T10:00:60Z',
    '2026-01-05T10:00:61Z',
    '2026-01-05T10:00:00.Z',
    '2026-01-05T10:00:00.1x3Z',
    '2026-01-05T10:00:00',
    '2026-01-05T10:00:00+24:00',
    '2026-01-05T10:00:00+01:60',
    '2026-01-05T10:00:00+1:00',
    '2026-02-30T10:00:00+01:00',
    '0000-01-01T00:00:00+01:00',
    '2026-01-05T10:00:00 UTC',
    '2026-1-5T10:00:00Z',
    '2026-01-05T1a:00:00Z',
    '+2026-01-05T10:00:00Z',
    `2026-01-05T10:00:00.${'1'.repeat(80)}Z`,
    '',
    'Z',
    undefined,
    1767607200000,
  ])('refuses %s', (text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  });

  it('agrees with Date on every instant that Date can write, and orders by text', () => {
    const instant = fc.integer({ min: -62135596800000, max: 253402300799999 });

    fc.assert(
      fc.property(instant, instant, (a, b) => {
        const [first, second] = [
          parseTimestamp(new Date(a).toISOString())!,
          parseTimestamp(new Date(b).toISOString())!,
        ];
        expect(first.ms).toBe(a);
        expect(first.version < second.version).toBe(a < b);
      }),
    );
  });

  it('never throws, and accepts its own version text unchanged', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const read = parseTimestamp(text);
        if (read !== undefined) expect(parseTimestamp(read.version)).toEqual(read);
      }),
    );
  });
});

describe('isoTime', () => {
  it('writes what Date writes', () => {
    const edges = [0, -1, 86_400_000 - 1, 86_400_000, 8.64e15, -8.64e15, 253_402_300_799_999, 253_402_300_800_000];
    const spread = Array.from({ length: 3000 }, (_, i) => Math.floor((i - 1500) * 1_234_567_891.7));
    for (const ms of [...edges, ...spread]) expect(isoTime(ms)).toBe(new Date(ms).toISOString());
  });

  it('refuses what is no time, as Date does', () => {
    expect(() => isoTime(Number.NaN)).toThrow(RangeError);
    expect(() => isoTime(8.64e15 + 1)).toThrow(RangeError);
  });
});
