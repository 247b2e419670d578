// Which claims one SIEM may hold, and what they come to, in tables.
import { describe, expect, it } from 'vitest';
import { aClaim } from '../../../test/builders/claim.ts';
import type { Observable } from '../model/observable.ts';
import {
  admit,
  type Circumstances,
  decideClaim,
  type Listener,
  noneYet,
  type NumberedClaim,
  voucherBit,
} from './admit.ts';

const NOW = Date.UTC(2026, 0, 10, 12);
const DAY = 86_400_000;
const address: Observable = { type: 'ipv4-addr', value: '192.0.2.1' };

const rules = {
  intake: { siem: 'siem', clearance: 'amber', unmarked: 'green', minConfidence: 0, unknownConfidence: 'accept' },
  lifetime: { defaultDays: 90, byType: {}, maxDays: 730 },
} as const;
const siem: Listener = { name: 'siem', observables: ['ipv4-addr'], rules: { partner: rules } };
const circumstances: Circumstances = { now: NOW, isActive: () => true, lastHit: () => undefined, most: 500 };

const claim = (given: Partial<NumberedClaim> = {}): NumberedClaim => ({
  ...aClaim({ tlp: 'green', factsText: '{}', ...given }),
  exchangeId: given.exchangeId ?? 1,
});

function admitted(claims: readonly NumberedClaim[], by: Listener = siem, given: Partial<Circumstances> = {}) {
  const into = noneYet<NumberedClaim>();
  admit(into, by, address, claims, { ...circumstances, ...given });
  return into;
}

const withIntake = (given: object): Listener => ({
  ...siem,
  rules: { partner: { ...rules, intake: { ...rules.intake, ...given } } },
});

describe('a claim is refused', () => {
  it.each([
    ['by a SIEM that does not listen to its exchange', 'not_listened_to', siem, { exchange: 'other' }, true],
    ['of an exchange that left', 'exchange_removed', siem, {}, false],
    [
      'of a type that the SIEM does not take',
      'observable_not_taken',
      { ...siem, observables: ['domain-name' as const] },
      {},
      true,
    ],
    ['above the clearance', 'tlp_above_clearance', siem, { tlp: 'red' as const }, true],
    ['that calls it harmless', 'benign', siem, { benign: true }, true],
  ])('%s', (_what, code, by, given, active) => {
    expect(decideClaim(by, address, claim(given), active)).toMatchObject({ kind: 'refuse', code });

    const come = admitted([claim(given)], by, { isActive: () => active });
    expect(come).toMatchObject({ admitted: [], pending: [], refused: true, vouchers: 0 });
    expect(come.left).toBe(active ? undefined : 1);
  });
});

describe('who vouches', () => {
  it.each([
    ['each whose claim counts now', [{}, { exchangeId: 2 }], voucherBit(1) | voucherBit(2)],
    ['nobody whose claim is still to begin', [{ validFrom: NOW + 1 }], 0],
    ['nobody whose claim is over', [{ validUntil: NOW }], 0],
    ['until the last moment', [{ validUntil: NOW + 1 }], voucherBit(1)],
    ['none of those that are refused', [{}, { exchangeId: 2, tlp: 'red' as const }], voucherBit(1)],
  ])('%s', (_what, given, vouchers) => {
    expect(admitted(given.map(claim)).vouchers).toBe(vouchers);
  });

  it('shares a bit with one of 31 exchanges further on', () => {
    expect(voucherBit(32)).toBe(voucherBit(1));
  });
});

describe('a claim counts', () => {
  it('as its exchange has it where it states no level, and as the strictest where those are refused', () => {
    const unmarked = (by: Listener, given: object = {}) =>
      admitted([claim({ tlp: undefined, ...given })], by).admitted[0]?.unmarked;

    expect(unmarked(siem)).toBe('green');
    expect(unmarked(withIntake({ unmarked: 'amber' }))).toBe('amber');
    expect(unmarked(withIntake({ unmarked: 'refuse', clearance: 'red' }), { tlp: 'green' })).toBe('red');
  });

  it('from its last hit, where a hit renews', () => {
    const renewing: Listener = {
      ...siem,
      rules: { partner: { ...rules, lifetime: { ...rules.lifetime, renewOnHit: true } } },
    };
    const until = (by: Listener) => admitted([claim()], by, { lastHit: () => NOW }).admitted[0]!.until;

    expect(until(renewing)).toBe(NOW + 90 * DAY);
    expect(until(siem)).toBeLessThan(NOW + 90 * DAY);
  });
});

describe('what policy holds is kept apart, with what a person is asked', () => {
  it('that states no confidence', () => {
    const come = admitted(
      [claim({ confidence: undefined }), claim({ confidence: 50 })],
      withIntake({ unknownConfidence: 'hold' }),
    );

    expect(come.admitted).toHaveLength(1);
    expect(come.pending).toMatchObject([{ asks: { exchangeId: 1, reason: expect.stringContaining('confidence') } }]);
  });

  it('under a marking that nobody explained, as the strictest', () => {
    const come = admitted([claim({ unexplained: 'marking-definition--1, which nobody explained' })]);

    expect(come.pending).toMatchObject([{ atLeast: 'red', asks: { reason: expect.stringContaining('marking') } }]);
    expect(come.vouchers).toBe(0);
  });
});

it('of very many claims in parts it keeps those that the result depends on', () => {
  const into = noneYet<NumberedClaim>();
  const part = (from: number) =>
    Array.from({ length: 20 }, (_, i) => claim({ objectId: `indicator--${from + i}`, confidence: from + i }));
  for (const from of [0, 20, 40]) admit(into, siem, address, part(from), { ...circumstances, most: 10 });

  expect(into.admitted.length).toBeLessThanOrEqual(17);
  expect(Math.max(...into.admitted.map((one) => one.claim.confidence!))).toBe(59);
});

it('is renewed by a hit only where policy says so', () => {
  const hit = { lastHit: () => NOW + DAY };
  const renewing: Listener = {
    ...siem,
    rules: { partner: { ...rules, lifetime: { ...rules.lifetime, renewOnHit: true } } },
  };
  const [unmoved, renewed] = [siem, renewing].map((by) => admitted([claim()], by, hit).admitted[0]!.until);

  expect(unmoved).toBe(admitted([claim()]).admitted[0]!.until);
  expect(renewed).toBeGreaterThan(unmoved!);
});
