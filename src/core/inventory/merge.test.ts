import fc from '../../../test/property.ts';
import { describe, expect, it } from 'vitest';
import { aClaim } from '../../../test/builders/claim.ts';
import type { Claim } from '../model/entry.ts';
import { type Admitted, condense, merge } from './merge.ts';

const NOW = 1000;
const IP = { type: 'ipv4-addr', value: '198.51.100.1' } as const;

const admitted = (until: number, fields: Partial<Claim> = {}, unmarked: Admitted['unmarked'] = 'amber'): Admitted => ({
  claim: aClaim({ validFrom: 0, ...fields }),
  until,
  unmarked,
});

describe('merge', () => {
  it('makes one claim the entry', () => {
    const one = admitted(2000, { confidence: 40, tlp: 'green', pap: 'amber' });

    expect(merge(IP, [one], NOW)).toMatchObject({
      entry: {
        ...IP,
        key: 'ipv4-addr|198.51.100.1',
        validFrom: 0,
        until: 2000,
        confidence: 40,
        tlp: 'green',
        pap: 'amber',
        claims: [one.claim],
      },
      nextChangeAt: 2000,
    });
  });

  it('takes latest expiry, strongest confidence, strictest marking and earliest start', () => {
    const old = admitted(3000, { objectId: 'a', version: '1', validFrom: 10, confidence: 10, tlp: 'amber' });
    const recent = admitted(2000, {
      objectId: 'b',
      version: '2',
      validFrom: 500,
      confidence: 90,
      tlp: 'green',
      pap: 'red',
    });

    expect(merge(IP, [old, recent], NOW)).toMatchObject({
      entry: {
        validFrom: 10,
        until: 3000,
        confidence: 90,
        tlp: 'amber',
        pap: 'red',
        claims: [recent.claim, old.claim],
      },
      nextChangeAt: 2000,
    });
  });

  it('counts a claim without marking as configured', () => {
    expect(merge(IP, [admitted(2000, { tlp: 'green' }), admitted(2000)], NOW).entry?.tlp).toBe('amber');
  });

  it('counts each claim without marking as its own exchange has it, in any order', () => {
    const lenient = admitted(2000, { exchange: 'a' }, 'clear');
    const strict = admitted(2000, { exchange: 'b' }, 'amber+strict');

    expect(merge(IP, [lenient], NOW).entry?.tlp).toBe('clear');
    expect(merge(IP, [lenient, strict], NOW).entry?.tlp).toBe('amber+strict');
    expect(merge(IP, [strict, lenient], NOW).entry?.tlp).toBe('amber+strict');
    expect(merge(IP, [lenient, admitted(2000, { tlp: 'green' }, 'red')], NOW).entry?.tlp).toBe('green');
  });

  it('takes the strictest PAP of several, whichever comes first', () => {
    const paps = (['amber', 'red', 'clear'] as const).map((pap) => admitted(2000, { pap, objectId: pap }));

    expect(merge(IP, paps, NOW).entry?.pap).toBe('red');
    expect(merge(IP, [...paps].reverse(), NOW).entry?.pap).toBe('red');
  });

  it('states no confidence where no claim does, and keeps a stated 0', () => {
    expect(merge(IP, [admitted(2000)], NOW).entry).not.toHaveProperty('confidence');
    expect(merge(IP, [admitted(2000), admitted(2000, { confidence: 0 })], NOW).entry?.confidence).toBe(0);
  });

  it('keeps the entry while one of two claims still vouches for it', () => {
    const { entry, nextChangeAt } = merge(IP, [admitted(900), admitted(2000)], NOW);

    expect(entry?.claims).toHaveLength(1);
    expect(nextChangeAt).toBe(2000);
  });

  it.each([
    ['without claims', [], undefined],
    ['when the only one has just ended', [admitted(NOW)], undefined],
    ['when the only one begins later', [admitted(2000, { validFrom: 1500 })], 1500],
    ['when one would end before it begins', [admitted(1200, { validFrom: 1500 })], undefined],
  ])('has no entry %s', (_what, claims, nextChangeAt) => {
    expect(merge(IP, claims, NOW)).toEqual(nextChangeAt === undefined ? { digest: 0 } : { nextChangeAt, digest: 0 });
  });

  it('changes when a later claim begins', () => {
    const { nextChangeAt } = merge(IP, [admitted(2000), admitted(3000, { validFrom: 1500 })], NOW);

    expect(nextChangeAt).toBe(1500);
  });

  it('has another digest when a SIEM would see a difference, and the same at another time', () => {
    const digest = (fields: Partial<Claim>, until = 2000, now = NOW) =>
      merge(IP, [admitted(until, fields)], now).digest;
    const variants: Partial<Claim>[] = [
      {},
      { exchange: 'other' },
      { confidence: 5 },
      { tlp: 'red' },
      { pap: 'red' },
      { digest: 2 },
    ];

    expect(new Set(variants.map((fields) => digest(fields))).size).toBe(variants.length);
    // Beside one as strict as any, so that the entry as a whole stays as it is.
    const strict = admitted(2000, { objectId: 'strict', tlp: 'red', pap: 'red' });
    const beside = (fields: Partial<Claim>) => merge(IP, [strict, admitted(2000, fields)], NOW).digest;
    expect(
      new Set([{}, { tlp: 'green' }, { pap: 'green' }].map((fields) => beside(fields as Partial<Claim>))).size,
    ).toBe(3);
    expect(digest({})).not.toBe(digest({}, 2001));
    expect(digest({}, 2000, NOW)).toBe(digest({}, 2000, NOW + 500));
  });

  it('comes to the same result in any order of claims, and changes exactly when it says', () => {
    const claim = fc.record({
      id: fc.nat(3),
      validFrom: fc.integer({ min: 0, max: 40 }),
      until: fc.integer({ min: 0, max: 40 }),
    });

    fc.assert(
      fc.property(
        fc.uniqueArray(claim, { selector: ({ id }) => id }),
        fc.integer({ min: 0, max: 40 }),
        (given, now) => {
          const claims = given.map(({ id, validFrom, until }) =>
            admitted(until, { objectId: `indicator--${id}`, validFrom }),
          );
          const at = merge(IP, claims, now);

          expect(merge(IP, [...claims].reverse(), now)).toEqual(at);
          const next = at.nextChangeAt ?? 100;
          expect(next).toBeGreaterThan(now);
          expect(merge(IP, claims, next - 1).digest).toBe(at.digest);
          if (at.nextChangeAt !== undefined) expect(merge(IP, claims, next)).not.toEqual(at);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('condensed claims', () => {
  const anyClaim = fc.record({
    validFrom: fc.integer({ min: 0, max: 2 * NOW }),
    confidence: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
    tlp: fc.constantFrom(undefined, 'clear' as const, 'green' as const, 'amber' as const, 'amber+strict' as const),
    pap: fc.constantFrom(undefined, 'clear' as const, 'green' as const, 'amber' as const),
    unmarked: fc.constantFrom('clear' as const, 'amber' as const, 'red' as const),
    version: fc.integer({ min: 0, max: 9 }).map(String),
  });
  const any = fc.array(fc.tuple(anyClaim, fc.integer({ min: 0, max: 4 * NOW })), { minLength: 1, maxLength: 30 });

  it('come to the same entry as all of them, part by part', () => {
    fc.assert(
      fc.property(any, fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 5 }), (given, part, keep) => {
        const all = given.map(([{ unmarked, ...fields }, until], i) =>
          admitted(until, { ...fields, objectId: `indicator--${i}` }, unmarked),
        );

        let few: Admitted[] = [];
        for (let at = 0; at < all.length; at += part) few = condense([...few, ...all.slice(at, at + part)], NOW, keep);

        const [whole, condensed] = [merge(IP, all, NOW), merge(IP, few, NOW)];
        const { claims: sources, ...entry } = condensed.entry ?? { claims: [] };
        const { claims, ...expected } = whole.entry ?? { claims: [] };
        expect([entry, condensed.nextChangeAt]).toEqual([expected, whole.nextChangeAt]);
        expect(sources.slice(0, keep)).toEqual(claims.slice(0, keep));
        expect(few.length).toBeLessThanOrEqual(Math.max(keep + 7, part));
      }),
    );
  });
});
