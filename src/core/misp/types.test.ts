// The table of types that every MISP server shares, row by row: what each is armed as, or why it never is. A type that no
// row names is unknown, so that a new one is a decision and no accident.
import { describe, expect, it } from 'vitest';
import { expiryOf } from '../policy/expiry.ts';
import { readAttribute } from './attribute.ts';
import { type EventHead, readEventHead } from './head.ts';
import { readTags } from './tags.ts';

const ID = '9f1d4a52-6f0c-4a53-9f3f-5b2d0c1a0e01';
const EDITED = 1_767_225_600;
const DAY = 86_400_000;
const EVENT = readEventHead({
  uuid: ID,
  timestamp: EDITED,
  Tag: [{ name: 'misp:confidence-level="completely-confident"' }],
}) as EventHead;

function read(type: string, value: string, more: object = {}) {
  const one = readAttribute({ uuid: ID, type, value, to_ids: true, timestamp: EDITED, ...more }, EVENT);
  if (!('indicator' in one)) throw new Error(JSON.stringify(one));
  return one.indicator;
}

const IP = '203.0.113.7';
const NAME = 'evil.example';
const hex = (digits: number) => 'a1'.repeat(digits / 2);
const MD5 = hex(32);
const SHA1 = hex(40);
const SHA256 = hex(64);

/** Type, value, what is watched, and what is left of a confidence of 100. */
const ARMED: readonly (readonly [types: string, value: string, watched: readonly string[], confidence: number])[] = [
  ['ip-src ip-dst', IP, [`ipv4-addr ${IP}`], 100],
  ['ip-src ip-dst', '203.0.113.0/24', ['ipv4-addr 203.0.113.0/24'], 100],
  ['ip-src ip-dst', '2001:db8::7', ['ipv6-addr 2001:db8::7'], 100],
  // The address alone is more than the pair.
  ['ip-src|port ip-dst|port', `${IP}|443`, [`ipv4-addr ${IP}`], 75],
  ['domain hostname', NAME, [`domain-name ${NAME}`], 100],
  ['domain|ip', `${NAME}|${IP}`, [`domain-name ${NAME}`, `ipv4-addr ${IP}`], 75],
  ['hostname|port', `${NAME}|443`, [`domain-name ${NAME}`], 100],
  ['url uri', `http://${NAME}/a`, [`url http://${NAME}/a`], 100],
  ['md5', MD5, [`file:hashes.MD5 ${MD5}`], 100],
  ['sha1', SHA1, [`file:hashes.'SHA-1' ${SHA1}`], 100],
  ['sha256', SHA256, [`file:hashes.'SHA-256' ${SHA256}`], 100],
  ['sha512', hex(128), [`file:hashes.'SHA-512' ${hex(128)}`], 100],
  ['filename|md5 malware-sample', `a.exe|${MD5}`, [`file:hashes.MD5 ${MD5}`], 100],
  ['filename|sha1', `a.exe|${SHA1}`, [`file:hashes.'SHA-1' ${SHA1}`], 100],
  ['filename|sha256', `a.exe|${SHA256}`, [`file:hashes.'SHA-256' ${SHA256}`], 100],
  ['email email-src', `bad@${NAME}`, [`email-addr bad@${NAME}`], 100],
];

const PEOPLE = 'data of victims or persons';
const LIKENESS = 'a hash of likeness, not of one file';
const HOST = 'a trace on a host that no watchlist holds';
const PRINT = 'a fingerprint that no watchlist holds';
const TEXT = 'a text of mail or web that no watchlist holds';
const NOTHING = 'a type that names no value for a watchlist';
const RULE = 'a rule, not a value';

/** `_` stands for a space. */
const NEVER: readonly (readonly [reason: string, types: string])[] = [
  // No product of ours has a watchlist for these two.
  ['a hash that no watchlist holds', 'sha224 sha384'],
  ['a file name alone', 'filename email-attachment'],
  [LIKENESS, 'imphash pehash authentihash telfhash ssdeep tlsh vhash cdhash'],
  [PEOPLE, 'email-dst eppn target-user target-email target-machine target-org target-location target-external'],
  [PEOPLE, 'whois-registrant-email whois-registrant-phone whois-registrant-name whois-registrant-org'],
  [TEXT, 'email-subject user-agent'],
  [HOST, 'mutex regkey regkey|value named_pipe windows-service-name pdb'],
  [PRINT, 'ja3-fingerprint-md5 jarm hassh-md5 hasshserver-md5'],
  [PRINT, 'x509-fingerprint-md5 x509-fingerprint-sha1 x509-fingerprint-sha256'],
  [
    NOTHING,
    'AS port mac-address cookie http-method link text comment vulnerability whois-registrar whois-creation-date',
  ],
  [RULE, 'snort yara sigma stix2-pattern pattern-in-file pattern-in-traffic pattern-in-memory'],
];

describe('each type of an attribute', () => {
  it.each(ARMED.flatMap(([types, ...row]) => types.split(' ').map((type) => [type, ...row] as const)))(
    'is armed: %s %s as %j',
    (type, value, watched, confidence) => {
      const one = read(type, value);

      expect(one.observables.map((of) => `${of.type} ${of.value}`)).toEqual(watched);
      expect([one.refusal, one.confidence]).toEqual([undefined, confidence]);
    },
  );

  it.each(
    NEVER.flatMap(([reason, types]) => types.split(' ').map((type) => [type.replace('_', ' '), reason] as const)),
  )('is never armed: %s, %s', (type, reason) => {
    // Values that would be armed at once under another type.
    for (const value of [IP, NAME, `http://${NAME}/`, MD5, `a|${SHA256}`]) {
      const one = read(type, value);
      expect([one.observables, one.refusal]).toEqual([[], reason]);
      // Of people nothing is kept.
      expect(JSON.stringify(one).includes(value)).toBe(reason !== PEOPLE);
    }
  });

  it.each(ARMED.flatMap(([types]) => types.split(' ')))('is armed only where to_ids asks for it: %s', (type) => {
    const [, value] = ARMED.find(([types]) => types.split(' ').includes(type))!;

    expect(read(type, value, { to_ids: false })).toMatchObject({
      observables: [],
      refusal: 'not flagged for detection',
    });
  });
});

/** What surrounds an attribute stands behind its second. */
const second = (ms: number): number => Math.floor(ms / 1000);

describe('how long an attribute lives', () => {
  const rules = {
    defaultDays: 90,
    byType: { 'ipv4-addr': 30, 'ipv6-addr': 31, 'domain-name': 60, url: 14, 'email-addr': 45, file: 365 },
    maxDays: 730,
  };

  it.each(ARMED.flatMap(([types, value]) => types.split(' ').map((type) => [type, value] as const)))(
    'goes by what it is armed as: %s %s',
    (type, value) => {
      const one = read(type, value);

      for (const { type: as } of one.observables) {
        const days = as.startsWith('file:') ? rules.byType.file : rules.byType[as as keyof typeof rules.byType];
        expect(second(expiryOf(one, rules, as))).toBe(EDITED + days * 86_400);
      }
    },
  );

  it.each([
    ['retention:1d', 1],
    ['retention:2d', 2],
    ['retention:7d', 7],
    ['retention:2w', 14],
    ['retention:1m', 30],
    ['retention:2m', 60],
    ['retention:3m', 90],
    ['retention:6m', 180],
    ['retention:1y', 365],
    ['retention:10y', 3650],
    ['Retention:7D', 7],
  ])('goes by its tag, which states an end: %s is %i days', (tag, days) => {
    const one = read('md5', MD5, { Tag: [{ name: tag }] });

    expect(readTags([tag]).retentionDays).toBe(days);
    expect(one.validUntil).toBe(EDITED * 1000 + days * DAY);
    // No longer than the configuration lets anything live.
    expect(second(expiryOf(one, rules, 'file:hashes.MD5'))).toBe(EDITED + Math.min(days, rules.maxDays) * 86_400);
  });

  it.each(['retention:', 'retention:soon', 'retention:7', 'retention:0x1d', 'retention:1d2'])(
    'is not changed by %s, which says nothing we know',
    (tag) => {
      expect(read('md5', MD5, { Tag: [{ name: tag }] }).validUntil).toBeUndefined();
    },
  );
});
