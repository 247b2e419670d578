import fc from '../../../test/property.ts';
import { describe, expect, it } from 'vitest';
import { aClaim } from '../../../test/builders/claim.ts';
import { TLP_LEVELS, tlpRank } from '../model/marking.ts';
import { additionBrake, removalBrake } from './brakes.ts';
import { expiryOf, explainExpiry, latestExpiryOf, lifeFrom } from './expiry.ts';
import { judge, type IntakeRules, unmarkedTlp } from './intake.ts';

const NOW = Date.UTC(2026, 0, 10);
const DAY = 86_400_000;
const VALUE = { type: 'ipv4-addr', value: '192.0.2.1' } as const;
const rules = (fields: Partial<IntakeRules> = {}): IntakeRules => ({
  siem: 'elastic-hq',
  clearance: 'amber',
  unmarked: 'amber',
  minConfidence: 0,
  unknownConfidence: 'accept',
  ...fields,
});

describe('judge', () => {
  it.each([
    ['a plain claim', aClaim({ tlp: 'green' }), rules()],
    ['an unmarked claim under a default that fits', aClaim(), rules()],
    ['PAP:RED on premises', aClaim({ pap: 'red' }), rules({ hosting: 'on_premises' })],
    ['PAP:GREEN in a cloud', aClaim({ pap: 'green' }), rules({ hosting: 'cloud' })],
    ['no PAP on premises', aClaim(), rules({ hosting: 'on_premises' })],
    ['PAP:AMBER in a cloud by contract', aClaim({ pap: 'amber' }), rules({ hosting: 'cloud', highestPap: 'amber' })],
    ['no PAP in a cloud where that counts as PAP:GREEN', aClaim(), rules({ hosting: 'cloud', withoutPap: 'green' })],
    ['a confidence at the limit', aClaim({ confidence: 50 }), rules({ minConfidence: 50 })],
    ['no confidence where that is accepted', aClaim(), rules({ minConfidence: 50 })],
    [
      'a classification up to the ceiling',
      aClaim({ unexplained: 'marking-definition--1, which says NATO RESTRICTED' }),
      rules({ maxClassification: 'restricted' }),
    ],
    ['a word that only looks like one', aClaim({ facts: { labels: ['exercised', 'secret'] } }), rules()],
  ])('accepts %s', (_what, claim, given) => {
    expect(judge(VALUE, claim, given)).toEqual({ kind: 'accept' });
  });

  it.each([
    ['refuse', 'benign', 'the partner marks it benign', aClaim({ benign: true }), rules()],
    [
      'refuse',
      'tlp_above_clearance',
      "TLP:RED is above this SIEM's clearance TLP:AMBER",
      aClaim({ tlp: 'red' }),
      rules(),
    ],
    [
      'refuse',
      'tlp_above_clearance',
      "TLP:AMBER+STRICT is above this SIEM's clearance TLP:AMBER",
      aClaim({ tlp: 'amber+strict' }),
      rules(),
    ],
    [
      'refuse',
      'tlp_above_clearance',
      "no TLP is stated, which counts as TLP:AMBER and is above this SIEM's clearance TLP:GREEN",
      aClaim(),
      rules({ clearance: 'green' }),
    ],
    [
      'refuse',
      'unmarked',
      'no TLP is stated, and unmarked objects are refused',
      aClaim(),
      rules({ unmarked: 'refuse' }),
    ],
    [
      'refuse',
      'pap_above_ceiling',
      'PAP:RED may not be written into a SIEM hosted in a cloud',
      aClaim({ pap: 'red' }),
      rules({ hosting: 'cloud' }),
    ],
    [
      'refuse',
      'pap_above_ceiling',
      'PAP:AMBER may not be written into a SIEM hosted in a cloud',
      aClaim({ pap: 'amber' }),
      rules({ hosting: 'cloud' }),
    ],
    [
      'refuse',
      'pap_above_ceiling',
      'no PAP is stated, which counts as PAP:AMBER and may not be written into a SIEM hosted in a cloud',
      aClaim(),
      rules({ hosting: 'cloud' }),
    ],
    [
      'refuse',
      'pap_above_ceiling',
      "PAP:AMBER is above this SIEM's highest PAP, PAP:GREEN",
      aClaim({ pap: 'amber' }),
      rules({ hosting: 'on_premises', highestPap: 'green' }),
    ],
    [
      'refuse',
      'pap_above_ceiling',
      "no PAP is stated, which counts as PAP:RED and is above this SIEM's highest PAP, PAP:AMBER",
      aClaim(),
      rules({ hosting: 'cloud', highestPap: 'amber', withoutPap: 'red' }),
    ],
    [
      'refuse',
      'confidence_too_low',
      'confidence 20 is below 50',
      aClaim({ confidence: 20 }),
      rules({ minConfidence: 50 }),
    ],
    [
      'hold',
      'marking_unexplained',
      'refers to marking-definition--1, which nobody explained',
      aClaim({ tlp: 'red', unexplained: 'marking-definition--1, which nobody explained' }),
      rules({ clearance: 'red' }),
    ],
    [
      'hold',
      'marking_unexplained',
      'refers to a marking that cannot be read, and no confidence is stated',
      aClaim({ unexplained: 'a marking that cannot be read' }),
      rules({ clearance: 'clear', unknownConfidence: 'hold' }),
    ],
    [
      'refuse',
      'classified',
      'it is classified secret, above restricted',
      aClaim({ facts: { statements: ['nato:classification="NS"'] } }),
      rules({ maxClassification: 'restricted' }),
    ],
    [
      'refuse',
      'classified',
      'it is classified restricted, above unclassified',
      aClaim({ unexplained: 'marking-definition--1, which says RESTREINT UE/EU RESTRICTED' }),
      rules({ maxClassification: 'unclassified' }),
    ],
    [
      'hold',
      'marking_unexplained',
      'refers to marking-definition--1, which nobody explained',
      aClaim({ facts: { labels: ['EU-R'] }, unexplained: 'marking-definition--1, which nobody explained' }),
      rules({ maxClassification: 'secret' }),
    ],
    ['refuse', 'exercise', 'it is data of an exercise', aClaim({ facts: { labels: ['Exercise'] } }), rules()],
    [
      'refuse',
      'exercise',
      'it is data of an exercise',
      aClaim({ facts: { labels: ['exercise:locked-shields="2026"'] } }),
      rules(),
    ],
    ['hold', 'confidence_unknown', 'no confidence is stated', aClaim(), rules({ unknownConfidence: 'hold' })],
    ['refuse', 'confidence_unknown', 'no confidence is stated', aClaim(), rules({ unknownConfidence: 'refuse' })],
  ])('%s with %s: %s', (kind, code, reason, claim, given) => {
    expect(judge(VALUE, claim, given)).toEqual({ kind, code, reason });
  });

  it.each([
    ['tlp_above_clearance', "TLP:RED is above this SIEM's clearance TLP:AMBER", { tlp: 'red' }, {}],
    ['pap_above_ceiling', 'PAP:RED may not be written into', { pap: 'red' }, { hosting: 'cloud' }],
    ['confidence_too_low', 'confidence 20 is below 50', { confidence: 20 }, { minConfidence: 50 }],
    ['confidence_unknown', 'no confidence is stated', {}, { unknownConfidence: 'refuse' }],
  ] as const)('asks nobody about a marking where %s refuses it anyway', (code, reason, claim, given) => {
    const unexplained = 'marking-definition--1, which nobody explained';

    const decision = judge(VALUE, aClaim({ ...claim, unexplained }), rules(given));
    expect(decision).toMatchObject({ kind: 'refuse', code, reason: expect.stringContaining(reason) as string });
  });

  it.each([
    ['ipv4-addr', '192.0.0.0/16', true],
    ['ipv4-addr', '192.0.0.0/15', false],
    ['ipv6-addr', '2001:db8::/32', true],
    ['ipv6-addr', '2001:d80::/28', false],
    ['url', 'http://bad.example/8', true],
  ] as const)('of %s %s, where no wider network than /16 and /32 is armed: %s', (type, value, accepted) => {
    const decision = judge({ type, value }, aClaim(), rules({ widestNetwork: { ipv4: 16, ipv6: 32 } }));

    expect(decision).toMatchObject(accepted ? { kind: 'accept' } : { kind: 'refuse', code: 'network_too_wide' });
  });

  it('reads the facts of a claim only where its text may hold such words', () => {
    const claim = { ...aClaim({ tlp: 'green' }), factsText: '{"name":"x"}' };
    Object.defineProperty(claim, 'facts', { get: () => expect.fail('they were parsed') });

    expect(judge(VALUE, claim, rules({ maxClassification: 'unclassified' }))).toEqual({ kind: 'accept' });
  });

  it('accepts no level above the clearance and each up to it', () => {
    const level = fc.constantFrom(...TLP_LEVELS);

    fc.assert(
      fc.property(level, level, (tlp, clearance) => {
        const { kind } = judge(VALUE, aClaim({ tlp }), rules({ clearance }));
        expect(kind === 'accept').toBe(tlpRank(tlp) <= tlpRank(clearance));
      }),
    );
  });
});

it.each([
  ['clear', 'amber'],
  ['red', 'red'],
] as const)('a label that spells TLP:%s has what is unmarked count as %s: it never opens', (tlpLabel, counts) => {
  expect(unmarkedTlp(aClaim({ facts: { tlpLabel } }), 'amber')).toBe(counts);
});

describe('expiry', () => {
  const lifetimes = { defaultDays: 90, byType: { 'ipv4-addr': 30, file: 365 }, maxDays: 730 };

  it.each([
    ['valid_until where one is stated', { validUntil: NOW }, 'ipv4-addr', NOW, 'valid_until 2026-01-10T00:00:00Z'],
    [
      'the lifetime of its type from modified',
      { version: '2026-01-08T00:00:00.000000000Z' },
      'ipv4-addr',
      Date.UTC(2026, 1, 7),
      'no valid_until: modified 2026-01-08T00:00:00Z + 30 days for ipv4-addr = 2026-02-07T00:00:00Z',
    ],
    [
      'the lifetime from valid_from where that is later',
      { validFrom: Date.UTC(2026, 2, 1) },
      'domain-name',
      Date.UTC(2026, 4, 30),
      'no valid_until: valid_from 2026-03-01T00:00:00Z + 90 days for domain-name = 2026-05-30T00:00:00Z',
    ],
    [
      'the lifetime of files for a hash',
      { validFrom: Date.UTC(2026, 2, 1) },
      'file:hashes.MD5',
      Date.UTC(2027, 2, 1),
      'no valid_until: valid_from 2026-03-01T00:00:00Z + 365 days for file = 2027-03-01T00:00:00Z',
    ],
    [
      'no more than the longest life',
      { validFrom: Date.UTC(2026, 2, 1), validUntil: 253402300799999 },
      'ipv4-addr',
      Date.UTC(2026, 2, 1) + 730 * DAY,
      'valid_until 9999-12-31T23:59:59.999Z, capped at valid_from 2026-03-01T00:00:00Z + max 730 days = 2028-02-29T00:00:00Z',
    ],
  ] as const)('gives %s', (_what, fields, type, until, line) => {
    expect(expiryOf(aClaim(fields), lifetimes, type)).toBe(until);
    expect(explainExpiry(aClaim(fields), lifetimes, type)).toBe(line);
  });

  it('counts from its receipt where its own times lay ahead then, and never from a later reading', () => {
    const ahead = aClaim({ version: '2083-03-16T00:00:00.000000000Z', lifeFrom: NOW });

    expect(expiryOf(ahead, lifetimes, 'ipv4-addr')).toBe(NOW + 30 * DAY);
    expect(explainExpiry(ahead, lifetimes, 'ipv4-addr')).toBe(
      'no valid_until: first received 2026-01-10T00:00:00Z + 30 days for ipv4-addr = 2026-02-09T00:00:00Z',
    );
    expect(expiryOf({ ...ahead, validUntil: Date.UTC(2084, 0) }, lifetimes, 'url')).toBe(NOW + 730 * DAY);
    expect(lifeFrom({ version: '2083-03-16T00:00:00.000000000Z', validFrom: 0 }, NOW)).toBe(NOW);
    expect(lifeFrom({ version: '2026-01-08T00:00:00.000000000Z', validFrom: NOW + DAY }, NOW)).toBe(NOW);
    expect(lifeFrom({ version: '2026-01-08T00:00:00.000000000Z', validFrom: 0 }, NOW)).toBe(Date.UTC(2026, 0, 8));
  });

  it('counts from where the partner says that it was seen last', () => {
    const seen = { version: '2026-01-02T00:00:00.000000000Z', validFrom: 0, lifeFrom: Date.UTC(2026, 0, 8) };

    expect(lifeFrom(seen, NOW)).toBe(Date.UTC(2026, 0, 8));
    expect(lifeFrom({ ...seen, lifeFrom: NOW + DAY }, NOW)).toBe(NOW);
    expect(explainExpiry(aClaim(seen), lifetimes, 'ipv4-addr')).toContain('last seen 2026-01-08T00:00:00Z + 30 days');
  });

  it.each([
    ['respect', Date.UTC(2036, 0, 5, 10), 'valid_until 2036-01-05T10:00:00Z'],
    [
      'cap',
      Date.UTC(2028, 0, 5, 10),
      'valid_until 2036-01-05T10:00:00Z, capped at valid_from 2026-01-05T10:00:00Z + max 730 days = 2028-01-05T10:00:00Z',
    ],
    [
      'replace',
      Date.UTC(2026, 1, 4, 10),
      'valid_until 2036-01-05T10:00:00Z replaced: valid_from 2026-01-05T10:00:00Z + 30 days for ipv4-addr = 2026-02-04T10:00:00Z',
    ],
  ] as const)('%s: what the partner states', (validUntil, until, line) => {
    const claim = aClaim({ validUntil: Date.UTC(2036, 0, 5, 10) });

    expect(expiryOf(claim, { ...lifetimes, validUntil }, 'ipv4-addr')).toBe(until);
    expect(explainExpiry(claim, { ...lifetimes, validUntil }, 'ipv4-addr')).toBe(line);
  });

  it('begins a lifetime anew at a hit, never what the partner states, and never beyond the longest life', () => {
    const renewing = { ...lifetimes, maxDays: 60, renewOnHit: true };
    const hit = Date.UTC(2026, 0, 20);

    expect(expiryOf(aClaim(), renewing, 'ipv4-addr', hit)).toBe(hit + 30 * DAY);
    expect(explainExpiry(aClaim(), renewing, 'ipv4-addr', hit)).toBe(
      'no valid_until: hit here 2026-01-20T00:00:00Z + 30 days for ipv4-addr = 2026-02-19T00:00:00Z',
    );
    expect(expiryOf(aClaim(), renewing, 'ipv4-addr', Date.UTC(2025, 0))).toBe(Date.UTC(2026, 1, 4, 10));
    expect(expiryOf(aClaim(), renewing, 'ipv4-addr', Date.UTC(2026, 2, 1))).toBe(Date.UTC(2026, 2, 6, 10));
    expect(explainExpiry(aClaim(), renewing, 'ipv4-addr', Date.UTC(2026, 2, 1))).toMatch(
      /capped at max 60 days = 2026-03-06T10/,
    );
    expect(expiryOf(aClaim({ validUntil: NOW }), renewing, 'ipv4-addr', hit)).toBe(NOW);
    expect(expiryOf(aClaim(), lifetimes, 'ipv4-addr', hit)).toBe(Date.UTC(2026, 1, 4, 10));
  });

  it('has its latest end where the longest lifetime of any type ends', () => {
    const claim = aClaim({ validFrom: NOW });

    expect(latestExpiryOf(claim, lifetimes)).toBe(NOW + 365 * DAY);
    expect(latestExpiryOf(claim, { ...lifetimes, defaultDays: 400 })).toBe(NOW + 400 * DAY);
  });

  it('caps a lifetime, too, and says so', () => {
    const short = { ...lifetimes, maxDays: 10 };

    expect(expiryOf(aClaim(), short, 'url')).toBe(Date.UTC(2026, 0, 15, 10));
    expect(explainExpiry(aClaim(), short, 'url')).toBe(
      'no valid_until: valid_from 2026-01-05T10:00:00Z + 90 days for url, capped at max 10 days = 2026-01-15T10:00:00Z',
    );
  });
});

describe('removalBrake', () => {
  const brake = (withdrawnInWindow: number, armed: number) =>
    removalBrake({ withdrawnInWindow, armed, share: 0.2, atLeast: 100 });

  it.each([
    [99, 99, 'pass'],
    [100, 100, 'hold'],
    [100, 500, 'pass'],
    [101, 500, 'hold'],
    [5000, 1_000_000, 'pass'],
    [0, 0, 'pass'],
  ])('%i of %i: %s', (withdrawn, armed, verdict) => {
    expect(brake(withdrawn, armed)).toBe(verdict);
  });
});

describe('additionBrake', () => {
  const brake = (addedInWindow: number, usual: number, firstSync = false) =>
    additionBrake({ addedInWindow, usual, factor: 10, atLeast: 10_000, firstSync });

  it.each([
    [9_999, 1, 'pass'],
    [10_000, 1_000, 'pass'],
    [10_001, 1_000, 'hold'],
    [10_000, 0, 'hold'],
  ])('%i where %i are usual: %s', (added, usual, verdict) => {
    expect(brake(added, usual)).toBe(verdict);
  });

  it('never holds the first sync', () => {
    expect(brake(1_000_000, 0, true)).toBe('pass');
  });
});
