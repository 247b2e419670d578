import fc from '../../../../test/property.ts';
import { describe, expect, it } from 'vitest';
import { microsOf, textOf, versionOf } from './time.ts';

describe('added times', () => {
  it.each([
    ['2026-01-05T10:00:00.000001Z', 1767607200000001n],
    ['2026-01-05T10:00:00Z', 1767607200000000n],
    ['2026-01-05T10:00:00.5+00:00', 1767607200500000n],
    ['2026-01-05T11:00:00.123456789+01:00', 1767607200123456n],
    ['1969-12-31T23:59:59.999999Z', -1n],
  ])('counts %s in microseconds', (text, micros) => {
    expect(microsOf(text)).toBe(micros);
  });

  it.each(['undefined', '', 'Mon Jan 05 2026 10:00:00 GMT+0000', '2026-13-01T00:00:00Z', '2026-01-05', undefined])(
    'does not take %s for a time',
    (text) => {
      expect(microsOf(text)).toBeUndefined();
    },
  );

  it('writes what it reads, for any microsecond', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -62135596800000000n, max: 253402300799999999n }), (micros) => {
        expect(textOf(micros)).toMatch(/\.\d{6}Z$/);
        expect(microsOf(textOf(micros))).toBe(micros);
      }),
    );
  });

  it.each([
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000000000Z'],
    ['2026-01-01T01:00:00.1234567+01:00', '2026-01-01T00:00:00.123456700Z'],
    ['soon', 'soon'],
  ])('writes the version %s as objects carry it', (given, version) => {
    expect(versionOf(given)).toBe(version);
  });
});
