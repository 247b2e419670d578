import { describe, expect, it } from 'vitest';
import { DECAYED, type IncomingIndicator } from '../model/entry.ts';
import { OLDEST_VERSION } from '../model/timestamp.ts';
import { type Known, type KnownScore, type Stated, steadied, takeIn, tightened } from './take-in.ts';

const [OLD, SAME, NEW] = ['2026-01-01', '2026-01-02', '2026-01-03'];

const known: Known = {
  state: 'published',
  version: SAME,
  digest: 1,
  validity: { from: 10, until: 100 },
  outdated: false,
};

const arriving = (given: Partial<IncomingIndicator>): IncomingIndicator => ({
  kind: 'indicator',
  objectId: 'indicator--1',
  version: SAME,
  revoked: false,
  validFrom: 10,
  validUntil: 100,
  observables: [],
  facts: '{}',
  digest: 1,
  ...given,
});

describe('a version that arrives', () => {
  it.each([
    ['the same again', known, {}, { kind: 'unchanged' }],
    ['an older one', known, { version: OLD }, { kind: 'outdated' }],
    ['a newer one', known, { version: NEW }, { kind: 'replaced', byUs: false, cause: 'none', left: 'withdrawn' }],
    ['a newer one that ends sooner', known, { version: NEW, validUntil: 99 }, { kind: 'replaced', cause: 'withdrawn' }],
    ['a newer one that begins later', known, { version: NEW, validFrom: 11 }, { kind: 'replaced', cause: 'withdrawn' }],
    ['a newer one that is benign', known, { version: NEW, benign: true }, { kind: 'replaced', cause: 'withdrawn' }],
    ['other content in the same version', known, { digest: 2 }, { kind: 'conflicting', cause: 'none' }],
    ['less in the same version', known, { digest: 2, validUntil: 50 }, { kind: 'conflicting', cause: 'withdrawn' }],
    [
      'the same, read by newer rules of ours',
      { ...known, outdated: true },
      {},
      { kind: 'replaced', byUs: true, cause: 'none', left: 'policy' },
    ],
  ] as const)('%s', (_what, before, given, expected) => {
    expect(takeIn(before, arriving(given))).toMatchObject(expected);
  });

  it('takes away from what is known where it is harmless and states no version of its own', () => {
    const harmless = arriving({ version: OLDEST_VERSION, benign: true, digest: 2 });

    expect(takeIn(known, harmless)).toEqual({ kind: 'conflicting', cause: 'withdrawn' });
    expect(takeIn({ ...known, outdated: true }, harmless)).toEqual({ kind: 'conflicting', cause: 'withdrawn' });
    expect(takeIn(known, { ...harmless, benign: false })).toEqual({ kind: 'outdated' });
  });

  it('ends the object where it is revoked, as of the newest version that is known', () => {
    expect(takeIn(known, arriving({ revoked: true, version: OLD }))).toMatchObject({ kind: 'ended', version: SAME });
    expect(takeIn(known, arriving({ revoked: true, version: NEW }))).toMatchObject({ kind: 'ended', version: NEW });
  });

  it('never brings back what was revoked', () => {
    const tombstone: Known = { ...known, state: 'revoked' };

    expect(takeIn(tombstone, arriving({ version: NEW }))).toEqual({ kind: 'outdated' });
    expect(takeIn(tombstone, arriving({ version: NEW, revoked: true }))).toEqual({ kind: 'unchanged' });
    expect(takeIn(tombstone, arriving({ version: NEW, revoked: true, digest: 9 }))).toEqual({ kind: 'repeated' });
  });

  it('brings back what had vanished, and never more of it than was known', () => {
    const vanished: Known = { ...known, state: 'vanished' };

    expect(takeIn(vanished, arriving({}))).toEqual({ kind: 'returned', tighten: false, cause: 'none' });
    expect(takeIn(vanished, arriving({ digest: 2 }))).toEqual({ kind: 'returned', tighten: true, cause: 'none' });
    expect(takeIn(vanished, arriving({ version: OLD }))).toEqual({ kind: 'outdated' });
    expect(takeIn(vanished, arriving({ version: NEW }))).toMatchObject({ kind: 'replaced' });
  });
});

describe('a score that is computed anew at each reading', () => {
  const EDIT = '2026-01-02T00:00:00';
  const score: KnownScore = { ...known, version: `${EDIT}.000000001Z`, confidence: 50, refusal: undefined };
  const over: KnownScore = { ...score, refusal: DECAYED };
  const read = (given: Partial<IncomingIndicator>) =>
    arriving({ version: `${EDIT}.000000002Z`, scored: true, confidence: 50, ...given });
  const decayed = { refusal: DECAYED, digest: 9 };

  it.each<[string, KnownScore, Partial<IncomingIndicator>]>([
    ['one that hardly moved', score, { confidence: 46 }],
    ['nor up', score, { confidence: 54 }],
    ['over as before', over, { ...decayed, digest: 1, confidence: 46 }],
    ['back from its end by less than a step', over, { confidence: 54, digest: 2 }],
  ])('is no news: %s', (_what, before, given) => {
    expect(steadied(before, read(given))).toBeUndefined();
  });

  it.each<[string, KnownScore, Partial<IncomingIndicator>]>([
    ['a step down', score, { confidence: 45 }],
    ['a step up', score, { confidence: 55 }],
    ['over, however little it moved', score, { ...decayed, confidence: 49 }],
    ['back from its end by a step', over, { confidence: 55, digest: 2 }],
    ['a new edit', score, { version: '2026-01-02T00:00:01.000000000Z', confidence: 51 }],
    ['after another', { ...score, confidence: undefined }, { confidence: 51 }],
    ['of one that had vanished', { ...score, state: 'vanished' }, { confidence: 51 }],
    ['of one that was read by older rules of ours', { ...score, outdated: true }, { confidence: 51 }],
    ['a confidence that somebody states', score, { scored: false, confidence: 51 }],
  ])('counts as it is: %s', (_what, before, given) => {
    const incoming = read(given);

    expect(steadied(before, incoming)).toBe(incoming);
  });

  it('stays what it was where something else is new', () => {
    expect(steadied(score, read({ confidence: 47, digest: 2 }))).toEqual(read({ confidence: 50, digest: 2 }));
  });
});

describe('a second content of one version', () => {
  const stated: Stated = {
    until: 100,
    tlp: 'green',
    pap: undefined,
    refs: ['a'],
    benign: false,
    facts: '{"name":"n"}',
  };

  it.each([
    ['an earlier end', { validUntil: 50 }, { until: 50 }],
    ['no later end', { validUntil: 200 }, { until: 100 }],
    ['a stricter marking', { tlp: 'amber' }, { tlp: 'amber' }],
    ['no weaker one', { tlp: 'clear' }, { tlp: 'green' }],
    ['a PAP', { pap: 'red' }, { pap: 'red' }],
    ['a reference more', { openMarkings: ['b', 'a'] }, { refs: ['a', 'b'] }],
    ['that it is benign', { benign: true }, { benign: true }],
    ['a level in its labels', { facts: '{"tlpLabel":"red"}' }, { facts: '{"name":"n","tlpLabel":"red"}' }],
    ['nothing else', { confidence: 99, facts: '{"name":"other"}' }, { facts: '{"name":"n"}' }],
  ] as const)('may state %s', (_what, given, expected) => {
    expect(tightened(stated, arriving(given))).toMatchObject(expected);
  });

  it('may state an end where there was none', () => {
    expect(tightened({ ...stated, until: undefined }, arriving({ validUntil: 7 })).until).toBe(7);
  });
});
