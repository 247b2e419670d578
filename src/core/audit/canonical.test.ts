import { expect, it } from 'vitest';
import fc from '../../../test/property.ts';
import type { Json } from '../model/json.ts';
import { canonical } from './canonical.ts';

it('writes the example of RFC 8785 as the RFC does (§3.2.3)', () => {
  const value = {
    numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
    string: '€$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
    literals: [null, true, false],
  };

  expect(canonical(value)).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
});

it('sorts members by their UTF-16 units (§3.2.3)', () => {
  const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };

  expect(canonical(value)).toBe('{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}');
});

it('refuses what has no bytes of its own', () => {
  expect(() => canonical('\ud800')).toThrow('surrogate');
  expect(() => canonical({ '\udc00': 1 })).toThrow('surrogate');
  expect(() => canonical(Number.NaN)).toThrow('JSON');
});

it('is the same text for the same value, in whatever order its members were written', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const once = canonical(value as Json);
      const again = JSON.parse(once) as Json;

      expect(canonical(again)).toBe(once);
      expect(canonical(turned(again))).toBe(once);
    }),
  );
});

function turned(value: Json): Json {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(turned);
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, one]) => [name, turned(one as Json)]),
  );
}
