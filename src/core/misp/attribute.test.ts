import { describe, expect, it } from 'vitest';
import type { IncomingIndicator, IndicatorFacts } from '../model/entry.ts';
import { attributesOf } from './event.ts';
import { readAttribute } from './attribute.ts';
import { type EventHead, type ObjectHead, readEventHead } from './head.ts';

const ID = '9f1d4a52-6f0c-4a53-9f3f-5b2d0c1a0e01';
const ORG = '9f1d4a52-6f0c-4a53-9f3f-5b2d0c1a0eff';
const EDITED = 1_767_225_600;
const EDITED_MS = EDITED * 1000;
const DAY = 86_400_000;

const anAttribute = (more: object = {}) => ({
  uuid: ID,
  type: 'ip-dst',
  category: 'Network activity',
  value: '198.51.100.7',
  to_ids: true,
  timestamp: String(EDITED),
  ...more,
});

function anEvent(more: object = {}): EventHead {
  const head = readEventHead({
    uuid: '9f1d4a52-6f0c-4a53-9f3f-5b2d0c1a0e00',
    info: 'A campaign',
    timestamp: String(EDITED),
    Orgc: { uuid: ORG, name: 'CERT' },
    ...more,
  });
  if ('refusal' in head) throw new Error(head.refusal.reason);
  return head;
}

const anObject = (more: Partial<ObjectHead> = {}): ObjectHead => ({
  name: 'file',
  deleted: false,
  timestamp: EDITED,
  comment: undefined,
  terms: [],
  ...more,
});

function read(attribute: object, event = anEvent(), object?: ObjectHead, readAt?: number): IncomingIndicator {
  const one = readAttribute(anAttribute(attribute), event, object, readAt === undefined ? {} : { readAt });
  if (!('indicator' in one)) throw new Error(JSON.stringify(one));
  return one.indicator;
}
const factsOf = (one: IncomingIndicator) => JSON.parse(one.facts) as IndicatorFacts;
const valuesOf = (one: IncomingIndicator) => one.observables.map(({ type, value }) => `${type} ${value}`);

const MD5 = 'D41D8CD98F00B204E9800998ECF8427A';
const SHA1 = 'a'.repeat(40);
const SHA256 = 'b'.repeat(64);

describe('types that are armed', () => {
  it.each<[string, string, string[]]>([
    ['ip-src', '198.51.100.7', ['ipv4-addr 198.51.100.7']],
    ['ip-dst', '198.51.100.0/24', ['ipv4-addr 198.51.100.0/24']],
    ['ip-dst', '198.51.100.7/32', ['ipv4-addr 198.51.100.7']],
    ['ip-dst', '2001:DB8:0::1', ['ipv6-addr 2001:db8::1']],
    ['ip-dst|port', '198.51.100.7|443', ['ipv4-addr 198.51.100.7']],
    ['ip-dst|port', '198.51.100.7:443', ['ipv4-addr 198.51.100.7']],
    ['ip-src|port', '2001:db8::1|443', ['ipv6-addr 2001:db8::1']],
    ['domain', 'Evil.Example.', ['domain-name evil.example']],
    ['domain', '.evil.example', ['domain-name evil.example']],
    ['hostname', 'háčkyčárky.cz', ['domain-name xn--hkyrky-ptac70bc.cz']],
    ['hostname|port', 'c2.evil.example|8443', ['domain-name c2.evil.example']],
    ['domain|ip', 'evil.example|198.51.100.7', ['domain-name evil.example', 'ipv4-addr 198.51.100.7']],
    ['url', 'http://Evil.example/A?b=c', ['url http://evil.example/A?b=c']],
    ['uri', 'https://evil.example/x', ['url https://evil.example/x']],
    ['email-src', 'Bad@Evil.example', ['email-addr bad@evil.example']],
    ['email', 'bad@evil.example', ['email-addr bad@evil.example']],
    ['md5', MD5, [`file:hashes.MD5 ${MD5.toLowerCase()}`]],
    ['sha1', SHA1, [`file:hashes.'SHA-1' ${SHA1}`]],
    ['sha256', SHA256, [`file:hashes.'SHA-256' ${SHA256}`]],
    ['sha512', 'c'.repeat(128), [`file:hashes.'SHA-512' ${'c'.repeat(128)}`]],
    ['filename|md5', `a|${MD5}`, [`file:hashes.MD5 ${MD5.toLowerCase()}`]],
    ['filename|sha1', `a b.exe|${SHA1}`, [`file:hashes.'SHA-1' ${SHA1}`]],
    ['filename|sha256', `x.doc|${SHA256}`, [`file:hashes.'SHA-256' ${SHA256}`]],
    ['malware-sample', `x.zip|${MD5}`, [`file:hashes.MD5 ${MD5.toLowerCase()}`]],
    ['domain', ' evil.example\r\n', ['domain-name evil.example']],
  ])('%s %s', (type, value, expected) => {
    const one = read({ type, value });

    expect(one.refusal).toBeUndefined();
    expect(valuesOf(one)).toEqual(expected);
  });

  it('believes a pair less where one half alone is watched', () => {
    const event = anEvent({ Tag: [{ name: 'misp:confidence-level="completely-confident"' }] });

    expect(read({ type: 'ip-dst|port', value: '198.51.100.7|443' }, event).confidence).toBe(75);
    expect(read({ type: 'domain|ip', value: 'evil.example|198.51.100.7' }, event).confidence).toBe(75);
    expect(read({ type: 'filename|md5', value: `a|${MD5}` }, event).confidence).toBe(100);
    expect(read({ type: 'ip-dst|port', value: '198.51.100.7|443' }).confidence).toBeUndefined();
  });
});

describe('what is never armed', () => {
  it.each<[string, string, string]>([
    ['email-dst', 'victim@ministry.example', 'data of victims or persons'],
    ['target-email', 'victim@ministry.example', 'data of victims or persons'],
    ['whois-registrant-email', 'a@b.example', 'data of victims or persons'],
    ['eppn', 'a@b.example', 'data of victims or persons'],
    ['text', '198.51.100.7', 'a type that names no value for a watchlist'],
    ['comment', 'see http://evil.example', 'a type that names no value for a watchlist'],
    ['link', 'http://news.example/', 'a type that names no value for a watchlist'],
    ['AS', '64496', 'a type that names no value for a watchlist'],
    ['ssdeep', '3:abc:def', 'a hash of likeness, not of one file'],
    ['imphash', MD5, 'a hash of likeness, not of one file'],
    ['filename|ssdeep', 'a|3:abc:def', 'a hash of likeness, not of one file'],
    ['sha384', 'a'.repeat(96), 'a hash that no watchlist holds'],
    ['filename', 'invoice.doc', 'a file name alone'],
    ['named pipe', '\\pipe\\x', 'a trace on a host that no watchlist holds'],
    ['mutex', 'x', 'a trace on a host that no watchlist holds'],
    ['jarm', 'a'.repeat(62), 'a fingerprint that no watchlist holds'],
    ['user-agent', 'Mozilla', 'a text of mail or web that no watchlist holds'],
    ['yara', 'rule x {}', 'a rule, not a value'],
    ['brand-new-type', 'x', 'unknown attribute type'],
    ['IP-DST', '198.51.100.7', 'unknown attribute type'],
  ])('%s, whatever to_ids says', (type, value, reason) => {
    const one = read({ type, value, to_ids: true });

    expect(one.observables).toEqual([]);
    expect(one.refusal).toBe(reason);
  });

  it.each<[string, unknown, string]>([
    ['ip-dst', 'hxxp://evil[.]example', 'defanged value'],
    ['domain', 'evil[.]example', 'defanged value'],
    ['url', 'hxxps://evil.example/', 'defanged value'],
    ['url', 'evil.example/path', 'URL without scheme and host'],
    ['uri', '/gate.php', 'URL without scheme and host'],
    ['md5', 'evil.example', 'hash of the wrong length'],
    ['sha256', 'z'.repeat(64), 'hash with other than hex digits'],
    ['domain', 'evil.example\nother.example', 'not a domain name'],
    ['url', 'http://evil.example/\nx', 'URL with control or broken characters'],
    ['ip-dst|port', '198.51.100.7|443|tcp', 'not exactly two halves parted by |'],
    ['ip-dst|port', '198.51.100.7', 'not exactly two halves parted by |'],
    ['ip-dst|port', '2001:db8::1:443', 'not exactly two halves parted by |'],
    ['domain|ip', 'evil.example|nonsense', 'not an IPv4 address'],
    ['filename|md5', `${MD5}`, 'not exactly two halves parted by |'],
    ['ip-dst', '', 'value is missing'],
    ['ip-dst', null, 'value is missing'],
    ['ip-dst', ['198.51.100.7'], 'value is missing'],
    ['ip-dst', '0.0.0.0/0', 'network too wide'],
  ])('%s %j, with the reason', (type, value, reason) => {
    expect(read({ type, value })).toMatchObject({ observables: [], refusal: reason });
  });

  it.each([false, '0', 0, null, undefined])('an attribute without to_ids: %j', (to_ids) => {
    expect(read({ to_ids })).toMatchObject({ observables: [], refusal: 'not flagged for detection' });
  });

  it.each([true, '1', 1, 'true'])('to_ids is set as %j', (to_ids) => {
    expect(read({ to_ids }).observables).toHaveLength(1);
  });

  it('what is neither', () => {
    expect(read({ to_ids: 'maybe' }).refusal).toBe('to_ids is neither true nor false');
  });

  it.each(['victim', 'person', 'Victim'])('anything in an object %s, and its value is not kept', (name) => {
    const head = readEventHead({ uuid: ID, timestamp: 1 });
    const raw = {
      Object: [{ name, Attribute: [anAttribute({ type: 'domain', value: 'ministry.example', comment: 'Ms X' })] }],
    };
    const [one] = [...attributesOf(raw, head as EventHead)];

    expect(one).toMatchObject({ indicator: { observables: [], refusal: 'data of victims or persons' } });
    expect(JSON.stringify(one)).not.toMatch(/ministry|Ms X/);
  });

  it('anything but hashes in an object whose name nobody said', () => {
    expect(read({}, anEvent(), anObject({ name: undefined })).refusal).toBe('in an object that is not named');
    expect(read({ type: 'md5', value: MD5 }, anEvent(), anObject({ name: undefined })).observables).toHaveLength(1);
    expect(read({}, anEvent(), anObject({ name: 'ip-port' })).observables).toHaveLength(1);
  });

  it('data of an exercise, whatever level the tag stands on', () => {
    const tag = { Tag: [{ name: 'exercise:locked-shields="2026"' }] };

    expect(read({}, anEvent(tag)).refusal).toBe('data of an exercise');
    expect(read(tag).refusal).toBe('data of an exercise');
  });

  it('keeps what was refused findable, with value and case', () => {
    const one = read({ type: 'domain', value: 'evil[.]example' });

    expect(factsOf(one)).toMatchObject({ pattern: 'domain = evil[.]example' });
    expect(one.named).toEqual(read({ type: 'domain', value: 'evil.example', to_ids: false }).named);
  });
});

describe('tombstones and broken attributes', () => {
  it.each([true, '1', 1])('an attribute deleted as %j is gone', (deleted) => {
    expect(readAttribute(anAttribute({ deleted }), anEvent())).toEqual({ deleted: ID });
  });

  it('so is one of an object that is deleted while it is not', () => {
    expect(readAttribute(anAttribute(), anEvent(), anObject({ deleted: true }))).toEqual({ deleted: ID });
  });

  it('is neither taken nor gone where its object says neither', () => {
    const [one] = attributesOf(
      { Object: [{ name: 'file', deleted: 'perhaps', Attribute: [anAttribute()] }] },
      anEvent(),
    );

    expect(one).toEqual({ refusal: { objectId: ID, reason: 'deleted is neither true nor false' } });
  });

  it.each<[object, string]>([
    [{ uuid: undefined }, 'attribute without a readable uuid'],
    [{ uuid: '7' }, 'attribute without a readable uuid'],
    [{ deleted: 'perhaps' }, 'deleted is neither true nor false'],
  ])('%j: %s', (more, reason) => {
    expect(readAttribute(anAttribute(more), anEvent())).toMatchObject({ refusal: { reason } });
  });

  it.each([undefined, null, '', 0, '0'])(
    'takes the time of the event where the attribute has none: %j',
    (timestamp) => {
      expect(read({ timestamp }).version.slice(0, 19)).toBe('2026-01-01T00:00:00');
      expect(readAttribute(anAttribute({ timestamp: 'soon' }), anEvent({ timestamp: undefined }))).toMatchObject({
        refusal: { reason: 'timestamp is missing or no time' },
      });
    },
  );

  it('has one name whatever the case of its uuid', () => {
    expect(read({ uuid: ID.toUpperCase() }).objectId).toBe(ID);
  });
});

describe('versions', () => {
  it('grow with an edit of the attribute, else with an edit of the event', () => {
    const first = read({});
    const retagged = read({}, anEvent({ timestamp: EDITED + 10, Tag: [{ name: 'tlp:green' }] }));
    const edited = read({ timestamp: EDITED + 1 }, anEvent({ timestamp: EDITED + 5 }));

    expect([edited, first, retagged].map((one) => one.version).sort()).toEqual(
      [first, retagged, edited].map((one) => one.version),
    );
    expect(retagged.digest).not.toBe(first.digest);
  });

  it('leave the content what it was where the event says nothing new of it', () => {
    expect(read({}, anEvent({ timestamp: EDITED + 10 })).digest).toBe(read({}).digest);
  });

  it('count lifetimes from the attribute, however late its event was edited', () => {
    expect(read({}, anEvent({ timestamp: EDITED + 1_000_000 })).version.slice(0, 19)).toBe('2026-01-01T00:00:00');
  });
});

describe('times', () => {
  it('begins with first_seen and lives from last_seen', () => {
    const one = read({ first_seen: '2025-12-01T00:00:00.000000+00:00', last_seen: '2026-01-03T01:00:00.000000+01:00' });

    expect(one.validFrom).toBe(Date.parse('2025-12-01T00:00:00Z'));
    expect(one.lifeFrom).toBe(Date.parse('2026-01-03T00:00:00Z'));
    expect(one.validUntil).toBeUndefined();
  });

  it('lives from its edit where it was seen before that', () => {
    expect(read({ last_seen: '2025-12-01T00:00:00Z' }).lifeFrom).toBeUndefined();
    expect(read({}).validFrom).toBe(EDITED_MS);
  });

  it('keeps out what states a time that cannot be read', () => {
    expect(read({ first_seen: 'yesterday' }).refusal).toBe('first_seen is no time');
    expect(read({ last_seen: 7 }).refusal).toBe('last_seen is no time');
  });

  it('ends with a retention, counted from when it was edited or seen last', () => {
    expect(read({ Tag: [{ name: 'retention:7d' }] }).validUntil).toBe(EDITED_MS + 7 * DAY);
    expect(read({ last_seen: '2026-01-03T00:00:00Z', Tag: [{ name: 'retention:7d' }] }).validUntil).toBe(
      EDITED_MS + 9 * DAY,
    );
  });

  it('ends when its originator says so by a sighting of type 2, and nobody else', () => {
    const by = (org: string) => ({ type: '2', date_sighting: String(EDITED + 5), Organisation: { uuid: org } });

    expect(read({ Sighting: [by(ORG)] }).validUntil).toBe(EDITED_MS + 5000);
    expect(read({ Sighting: [by(ID), { ...by(ORG), type: '0' }] }).validUntil).toBeUndefined();
  });

  it('is harmless when its originator says so by a sighting of type 1 since its last edit, and nobody else', () => {
    const by = (org: string, at: number) => ({
      type: '1',
      date_sighting: String(EDITED + at),
      Organisation: { uuid: org },
    });

    expect(read({ Sighting: [by(ORG, 5)] }).benign).toBe(true);
    expect(read({ Sighting: [by(ID, 5), { ...by(ORG, 5), type: '0' }, by(ORG, -5)] }).benign).toBeUndefined();
  });
});

describe('markings, terms and confidence', () => {
  it('come from all levels', () => {
    const event = anEvent({ Tag: [{ name: 'tlp:green' }, { name: 'PAP:AMBER' }] });

    expect(read({ Tag: [{ name: 'TLP:AMBER' }] }, event)).toMatchObject({ tlp: 'amber', pap: 'amber' });
    expect(read({ Tag: [{ name: 'tlp:mauve' }] }, event).openMarkings).toEqual(['unreadable label']);
  });

  it.each([
    ['inherited, though the event was read without it', { Tag: [{ name: 'tlp:red', inherited: 1 }] }, {}],
    ['under its link to the attribute', { AttributeTag: [{ tag_id: '7', Tag: { name: 'tlp:red' } }] }, {}],
    ['under its link to the event', {}, { EventTag: [{ tag_id: '7', Tag: { name: 'tlp:red' } }] }],
  ])('holds by a tag that stands elsewhere: %s', (_where, attribute, event) => {
    expect(read({ ...attribute }, anEvent({ Tag: [{ name: 'tlp:green' }], ...event })).tlp).toBe('red');
  });

  it('are the same whether the tags of the event stand on it or on the attribute, as inherited', () => {
    const inherited = { Tag: [{ name: 'tlp:green', inherited: 1 }] };

    expect(read(inherited, anEvent({ Tag: [{ name: 'tlp:green' }] })).digest).toBe(
      read({}, anEvent({ Tag: [{ name: 'tlp:green' }] })).digest,
    );
  });

  it('names all terms, and says where there are more than are kept, so that no rule takes the rest for none', () => {
    const terms = (count: number) => Array.from({ length: count }, (_one, n) => `iep2-policy:a${n}="may"`);
    const statementsOf = (count: number) =>
      factsOf(read({}, anEvent({ Tag: terms(count).map((name) => ({ name })) }))).statements;

    expect(statementsOf(20)).toEqual(terms(20));
    expect(statementsOf(200)).toEqual([...terms(64), 'unreadable']);
  });

  it('names the sharing group, which a release rule has to name then', () => {
    const group = { name: 'Blue', releasability: 'REL TO BEL, NLD' };

    expect(factsOf(read({}, anEvent({ distribution: '4', SharingGroup: group }))).statements).toEqual([
      'sharing group: Blue',
      'releasable to: REL TO BEL, NLD',
    ]);
    expect(factsOf(read({ distribution: 4, sharing_group_id: '7' })).statements).toEqual(['sharing group: number 7']);
    expect(factsOf(read({ distribution: '5', sharing_group_id: '0' })).statements).toBeUndefined();
  });

  it('takes the best decay score, and refuses only what all models call over', () => {
    const score = (n: number, decayed: boolean) => ({ score: n, base_score: 80, decayed, DecayingModel: { id: 1 } });

    const one = read({ decay_score: [score(63.9, false), score(20, true)] });
    expect(one).toMatchObject({ confidence: 63, scored: true });
    // It changes by itself: another score is no other content.
    expect(one.digest).toBe(read({ decay_score: [score(40, false)] }).digest);
    expect(one.digest).toBe(read({}).digest);
    expect(read({}).scored).toBeUndefined();
    expect(read({ decay_score: [score(3, true), score(0, true)] }).refusal).toBe("over by the partner's decay model");
    const later = read({ decay_score: [score(40, false)] }, anEvent(), undefined, EDITED + 86_400);
    expect(
      later.version > read({ decay_score: [score(63.9, false)] }, anEvent(), undefined, EDITED + 100).version,
    ).toBe(true);
  });

  it('tells the analyst event, comment, tags, author, and lists on which the partner itself finds the value', () => {
    const one = read({ comment: 'C2\nof X', warnings: [{ warninglist_name: 'List of CDN' }], Tag: [{ name: 'c2' }] });

    expect(factsOf(one)).toEqual({
      name: 'A campaign',
      description: 'C2 of X',
      types: ['Network activity', 'ip-dst'],
      labels: ['c2', 'warninglist: List of CDN'],
      createdBy: `identity--${ORG}`,
    });
  });
});
