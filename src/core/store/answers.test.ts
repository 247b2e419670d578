// How many answers a unit of work waits for. On a database server each is a journey, so that a unit may ask for nothing
// row by row: the bound is the same for however many objects.
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { aPage, aSiem, DAY, indicators, ipv4, NOW, Rig, versionAt } from '../../../test/builders/store.ts';
import {
  addressAt,
  aHit,
  anIndicator,
  aSiem as aSiemOfSightings,
  aStore,
  aStoreOf,
  RELEASE,
  TEN,
} from '../../../test/builders/sightings.ts';
import { entryKey } from '../model/observable.ts';
import type { Sighting } from '../model/sighting.ts';
import { SightingsReader } from './read/sightings.ts';
import { StoreReader } from './read/status.ts';
import { SqliteDatabase } from './sqlite/database.ts';

const MOST = 60;
const COUNT = 1000;

/** Counts from before a store is opened: statements are prepared there. */
function answers(): { of(work: () => unknown): number } {
  let asked = 0;
  const { prototype } = SqliteDatabase;
  const counting =
    <A extends unknown[], R>(work: (...given: A) => R) =>
    (...given: A): R => {
      asked++;
      return work(...given);
    };
  for (const name of ['get', 'all', 'iterate', 'insertNew', 'byKeys', 'listsByKeys'] as const) {
    const original = prototype[name] as (...given: unknown[]) => unknown;
    vi.spyOn(prototype, name).mockImplementation(function (this: SqliteDatabase, ...given: unknown[]) {
      asked++;
      return original.apply(this, given);
    } as never);
  }
  // By their names, as whole functions of whatever object.
  const whole = prototype as unknown as Record<'statement' | 'lists', (...given: unknown[]) => unknown>;
  const [statement, lists] = [whole.statement, whole.lists];
  vi.spyOn(prototype, 'statement').mockImplementation(function (this: SqliteDatabase, sql: string) {
    const made = statement.call(this, sql) as ReturnType<SqliteDatabase['statement']>;
    // What is only written asks for no answer.
    const plain = /^\s*(SELECT|WITH)/.test(sql) || /RETURNING/.test(sql);
    return plain ? { ...made, get: counting(made.get), all: counting(made.all) } : made;
  } as never);
  vi.spyOn(prototype, 'lists').mockImplementation(function (this: SqliteDatabase, sql: string) {
    return counting(lists.call(this, sql) as ReturnType<SqliteDatabase['lists']>);
  });
  onTestFinished(() => {
    vi.restoreAllMocks();
  });
  return {
    of: (work) => {
      asked = 0;
      work();
      return asked;
    },
  };
}

const two = () => new Rig({ siems: [aSiem(), aSiem({ name: 'other' })] });
const later = { version: versionAt(NOW), confidence: 7 };
/** A hundred values that ten objects each name. */
const merged = (given: object = {}) =>
  indicators(0, COUNT, given).map((one, i) => ({ ...one, observables: [ipv4(`198.51.100.${i % 100}`)] }));

/** A name for each of a thousand indicators, and what says so. */
const names = Array.from({ length: COUNT }, (_, i) => ({
  kind: 'name' as const,
  type: 'malware',
  objectId: `malware--${i}`,
  name: `Threat ${i}`,
  version: versionAt(NOW),
}));
const relations = names.map(({ objectId }, i) => ({
  kind: 'relationship' as const,
  objectId: `relationship--${i}`,
  version: versionAt(NOW),
  relation: 'indicates',
  source: `indicator--${i}`,
  target: objectId,
  revoked: false,
}));

describe('a commit of a thousand objects waits for few answers', () => {
  it('where all are new, in a first sync and after it', () => {
    const asked = answers();
    const rig = two();

    expect(asked.of(() => rig.commit(indicators(0, COUNT)))).toBeLessThanOrEqual(MOST);
    rig.store.pollCompleted('partner', NOW);
    expect(asked.of(() => rig.commit(indicators(COUNT, 2 * COUNT)))).toBeLessThanOrEqual(MOST);
    expect(rig.rows()).toHaveLength(2 * COUNT);
  });

  it('where they are unchanged, changed and withdrawn', () => {
    const asked = answers();
    const rig = two();
    rig.commit(indicators(0, COUNT));
    rig.store.pollCompleted('partner', NOW);

    expect(asked.of(() => rig.commit(indicators(0, COUNT)))).toBeLessThanOrEqual(MOST);
    expect(asked.of(() => rig.commit(indicators(0, COUNT, later)))).toBeLessThanOrEqual(MOST);
    const moved = indicators(0, COUNT, { version: versionAt(NOW + 1) }).map((one) => ({
      ...one,
      observables: [ipv4(one.observables[0]!.value.replace('198.18', '198.19'))],
    }));
    expect(asked.of(() => rig.commit(moved))).toBeLessThanOrEqual(MOST);
    const gone = indicators(0, COUNT, { revoked: true, version: versionAt(NOW + 2) });
    expect(asked.of(() => rig.commit(gone))).toBeLessThanOrEqual(MOST);
    expect(rig.rows()).toEqual([]);
  });

  it('where many name the same values', () => {
    const asked = answers();
    const rig = two();

    expect(asked.of(() => rig.commit(merged()))).toBeLessThanOrEqual(MOST);
    rig.store.pollCompleted('partner', NOW);
    expect(asked.of(() => rig.commit(merged(later)))).toBeLessThanOrEqual(MOST);
    expect(rig.rows()).toHaveLength(100);
  });

  it('where they stand under markings of their own, or could not be read', () => {
    const asked = answers();
    const rig = two();
    const marked = indicators(0, COUNT).map((one, i) => ({ ...one, openMarkings: [`marking-definition--${i}`] }));
    const refusals = indicators(0, COUNT).map(({ objectId }) => ({ objectId, reason: 'nothing to read' }));

    expect(asked.of(() => rig.commit(marked))).toBeLessThanOrEqual(MOST);
    expect(asked.of(() => rig.commit([], NOW, 'partner', { refusals }))).toBeLessThanOrEqual(MOST);
  });
  it('where names and relationships explain what is known', () => {
    const asked = answers();
    const rig = two();
    rig.commit(indicators(0, COUNT));

    expect(asked.of(() => rig.commit(relations))).toBeLessThanOrEqual(MOST);
    expect(asked.of(() => rig.commit(names))).toBeLessThanOrEqual(MOST);
    expect(asked.of(() => rig.commit([...names, ...relations]))).toBeLessThanOrEqual(MOST);
  });

  it('where they come in as many pages', () => {
    const asked = answers();
    const rig = two();
    const pages = indicators(0, COUNT).map((one, i) => aPage([one], { cursor: i }));

    expect(asked.of(() => rig.store.commitPages('partner', pages, NOW))).toBeLessThanOrEqual(MOST);
  });

  it('nor does a listing that lacks them, or a marking that explains them, ask for each', () => {
    const asked = answers();
    const rig = new Rig();
    rig.commit(indicators(0, COUNT, { openMarkings: ['marking-definition--1'] }));
    const definition = { kind: 'marking' as const, objectId: 'marking-definition--1', tlp: 'green' as const };

    expect(asked.of(() => rig.commit([definition]))).toBeLessThanOrEqual(MOST);
    expect(rig.deliver()).toHaveLength(COUNT);
    const run = rig.store.beginListing('partner', NOW);
    rig.store.listingPart('partner', run, 'collection-1', [], true, NOW);
    expect(asked.of(() => rig.store.endListing('partner', run, true, NOW))).toBeLessThanOrEqual(MOST);
  });
});

describe('nor does what explains a thousand objects, each of them by another one, once they are in', () => {
  /** The commit, and each step of what it leaves. */
  const each = (asked: ReturnType<typeof answers>, rig: Rig, objects: Parameters<Rig['commit']>[0]) => {
    expect(asked.of(() => rig.commit(objects))).toBeLessThanOrEqual(MOST);
    for (let more = true; more; )
      expect(asked.of(() => ({ more } = rig.store.tick(NOW, false)))).toBeLessThanOrEqual(MOST);
  };

  /** A commit begins some hundred of what it leaves, and steps do the rest. */
  const inSteps = () => new Rig({ watch: () => 0 });

  it('as a marking definition', () => {
    const asked = answers();
    const rig = inSteps();
    rig.commit(indicators(0, COUNT).map((one, i) => ({ ...one, openMarkings: [`marking-definition--${i}`] })));

    const definition = { kind: 'marking' as const, tlp: 'green' as const };
    each(
      asked,
      rig,
      names.map((_, i) => ({ ...definition, objectId: `marking-definition--${i}` })),
    );
    expect(rig.deliver()).toHaveLength(COUNT);
  });

  it('as a name', () => {
    const asked = answers();
    const rig = inSteps();
    rig.commit([...indicators(0, COUNT), ...relations]);
    rig.deliver();

    each(asked, rig, names);
    expect(rig.deliver()).toHaveLength(COUNT);
  });
});

it('nor does taking work out ask for what explains each of its claims', () => {
  const asked = answers();
  const rig = two();
  rig.commit([...names, ...relations, ...indicators(0, COUNT)]);

  expect(asked.of(() => expect(rig.take()!.changes).toHaveLength(500))).toBeLessThanOrEqual(MOST);
});

it('nor does it ask who shares the slot of each, where the product folds them', () => {
  const asked = answers();
  const rig = new Rig({
    product: { versioned: false, foldsSlots: true },
    siems: [aSiem({ brake: { removal: { share: 1, atLeast: COUNT, windowHours: 24 } } })],
  });
  const urls = indicators(0, 200).map((one, i) => ({
    ...one,
    observables: [{ type: 'url', value: `http://a.example/${i < 100 ? 'X' : 'x'}${i % 100}` } as const],
  }));
  const few = (op: 'upsert' | 'remove', n: number) => {
    let batch: ReturnType<Rig['take']>;
    expect(asked.of(() => (batch = rig.take()))).toBeLessThanOrEqual(MOST);
    expect(batch!.changes.map((one) => one.op)).toEqual(Array(n).fill(op));
    rig.store.settle(
      batch!.id,
      batch!.changes.map(() => ({ kind: 'applied' })),
      NOW,
    );
  };

  rig.commit([...urls, ...indicators(200, 500)]);
  few('upsert', 500);
  // Those whose slot is their own.
  rig.commit(indicators(200, 500, { revoked: true, version: versionAt(NOW) }));
  few('remove', 300);
});

describe('nor does taking work out ask row by row, whatever becomes of the rows', () => {
  it('where the product takes none of them', () => {
    const asked = answers();
    const rig = new Rig({ encoder: { encode: () => ({ refused: 'longer than the product takes' }) } });
    rig.commit(indicators(0, COUNT));

    expect(asked.of(() => expect(rig.take()).toBeUndefined())).toBeLessThanOrEqual(MOST);
    expect(rig.rows().filter(({ reason }) => reason !== null)).toHaveLength(COUNT);
  });

  describe('where two of them share a slot', () => {
    const folding = { product: { versioned: false, foldsSlots: true } };
    const brake = (atLeast: number) => ({ removal: { share: 0.1, atLeast, windowHours: 24 } });
    const spelled = (letter: 'X' | 'x', from = 0, to = 500, given: object = {}) =>
      indicators(from, to, given).map((one, i) => ({
        ...one,
        objectId: `${one.objectId} ${letter}`,
        observables: [{ type: 'url', value: `http://a.example/${letter}${from + i}` } as const],
      }));
    const revoked = { revoked: true, version: versionAt(NOW) };
    const ops = (batch: ReturnType<Rig['take']>) => batch?.changes.map(({ op }) => op);

    it('and a call on the slot is under way', () => {
      const asked = answers();
      const rig = new Rig(folding);
      rig.commit(spelled('X'));
      expect(ops(rig.take())).toHaveLength(500);
      rig.commit(spelled('x'));

      expect(asked.of(() => expect(rig.take()).toBeUndefined())).toBeLessThanOrEqual(MOST);
      expect(rig.rows().filter((one) => one.next_at !== null)).toHaveLength(500);
    });

    it('and one, or the other with it, is removed', () => {
      const asked = answers();
      const rig = new Rig({ ...folding, siems: [aSiem({ brake: brake(2 * COUNT) })] });
      rig.commit([...spelled('X'), ...spelled('x')]);
      rig.deliver();

      rig.commit(spelled('X', 0, 250, revoked));
      // The others are written again.
      let batch: ReturnType<Rig['take']>;
      expect(asked.of(() => (batch = rig.take()))).toBeLessThanOrEqual(MOST);
      expect(ops(batch)).toEqual(Array(250).fill('upsert'));
      rig.store.settleAll(batch!.id, NOW);
      rig.commit([...spelled('X', 250, 500, revoked), ...spelled('x', 250, 500, revoked)]);
      expect(asked.of(() => (batch = rig.take()))).toBeLessThanOrEqual(MOST);
      expect(ops(batch)).toEqual(Array(500).fill('remove'));
    });

    it('and a hold keeps the other', () => {
      const asked = answers();
      const rig = new Rig({ ...folding, siems: [aSiem({ brake: brake(1) })] });
      rig.commit(spelled('x'));
      rig.deliver();
      rig.commit(spelled('x', 0, 500, revoked));
      expect(rig.read((reader) => reader.held())).toMatchObject([{ kind: 'removal', count: 500 }]);
      rig.restart({ siems: [aSiem({ brake: brake(2 * COUNT) })] });
      // Written over what is kept.
      rig.commit(spelled('X'));
      rig.deliver();
      rig.commit(spelled('X', 0, 500, revoked));

      let batch: ReturnType<Rig['take']>;
      expect(asked.of(() => (batch = rig.take()))).toBeLessThanOrEqual(MOST);
      expect(ops(batch)).toEqual(Array(500).fill('upsert'));
    });
  });

  it('where hits renew them', () => {
    const asked = answers();
    const siem = aSiem();
    const rules = siem.rules['partner']!;
    const renewed = { ...rules, lifetime: { ...rules.lifetime, renewOnHit: true } };
    const rig = new Rig({ siems: [{ ...siem, rules: { partner: renewed } }] });
    rig.commit(indicators(0, COUNT));

    expect(asked.of(() => expect(rig.take()!.changes).toHaveLength(500))).toBeLessThanOrEqual(MOST);
  });

  it('where a hold keeps them, and the SIEM lost them', () => {
    const asked = answers();
    const rig = new Rig({ siems: [aSiem({ brake: { removal: { share: 0.1, atLeast: 1, windowHours: 24 } } })] });
    rig.store.containers('siem', { memory: '1' }, NOW);
    rig.commit([...names, ...relations, ...indicators(0, COUNT)]);
    rig.deliver();
    rig.commit(indicators(0, COUNT, { revoked: true, version: versionAt(NOW) }));
    expect(rig.read((reader) => reader.held())).toMatchObject([{ kind: 'removal', count: COUNT }]);

    expect(
      asked.of(() => expect(rig.store.containers('siem', { memory: '2' }, NOW)).toMatchObject({ rows: COUNT })),
    ).toBeLessThanOrEqual(MOST);
    let batch: ReturnType<Rig['take']>;
    expect(asked.of(() => (batch = rig.take()))).toBeLessThanOrEqual(MOST);
    expect(batch!.changes).toHaveLength(500);
    rig.store.settleAll(batch!.id, NOW);
    rig.deliver();
    rig.store.beginComparison('siem', true, NOW);
    expect(asked.of(() => expect(rig.store.endComparison('siem', NOW).counts.missing).toBe(0))).toBeLessThanOrEqual(
      MOST,
    );
    expect(rig.rows().filter((one) => one.present === 0)).toHaveLength(COUNT);
  });
});

it('a full watchlist changes its entries in few answers, whatever has to move', () => {
  const limited = (maxEntries: number) => aSiem({ maxEntries });
  const asked = answers();
  const rig = new Rig({ siems: [limited(500)] });
  rig.commit(indicators(0, 500, { confidence: 20 }));
  rig.deliver();

  // All of them give way to better ones; then room comes, and goes again.
  expect(asked.of(() => rig.commit(indicators(500, COUNT, { confidence: 90 })))).toBeLessThanOrEqual(MOST);
  const wanted = () => rig.rows().filter((one) => one.wanted === 1).length;
  expect(wanted()).toBe(500);
  rig.deliver();
  rig.restart({ siems: [limited(900)] });
  expect(asked.of(() => rig.tick(NOW))).toBeLessThanOrEqual(MOST);
  expect(wanted()).toBe(900);
  rig.restart({ siems: [limited(600)] });
  expect(asked.of(() => rig.tick(NOW))).toBeLessThanOrEqual(MOST);
  expect(wanted()).toBe(600);
});

it('neither does any other unit ask row by row: settling, expiry, changed rules', () => {
  const asked = answers();
  const rig = two();
  rig.commit(indicators(0, 500));
  const batch = rig.take()!;
  expect(batch.changes).toHaveLength(500);
  const mixed = batch.changes.map((_, i) =>
    i % 2 === 0 ? ({ kind: 'applied' } as const) : ({ kind: 'retry', retryAt: NOW } as const),
  );

  expect(asked.of(() => rig.store.settle(batch.id, mixed, NOW))).toBeLessThanOrEqual(MOST);
  expect(asked.of(() => rig.store.tick(NOW + 200 * DAY, false))).toBeLessThanOrEqual(MOST);

  const other = two();
  other.commit(indicators(0, 500));
  other.restart({ siems: [aSiem({ fingerprint: 'b', clearance: 'green' }), aSiem({ name: 'other' })] });
  expect(asked.of(() => other.store.tick(NOW, false))).toBeLessThanOrEqual(MOST);
});

describe('what looks at a SIEM asks for few answers, too', () => {
  const owned = (value: string, slot: string, revision: number) => ({
    key: entryKey('ipv4-addr', value),
    slot,
    writer: 'w',
    revision,
  });

  it.each([false, true])('an audit that takes over what nobody knew, slots shared: %s', (foldsSlots) => {
    const asked = answers();
    const rig = new Rig({ product: { foldsSlots } });
    rig.commit(indicators(0, COUNT));
    rig.deliver();
    const known = rig.rows().map(({ value, rev }) => owned(value, `ipv4-addr|${value}`, rev - 1));
    const others = known.map((one, i) => owned(`203.0.113.${i % 250}`, `another ${i}`, one.revision));
    rig.store.beginComparison('siem', true, NOW);

    expect(asked.of(() => rig.store.comparePart('siem', [...known, ...others], NOW))).toBeLessThanOrEqual(MOST);
    expect(asked.of(() => rig.store.endComparison('siem', NOW))).toBeLessThanOrEqual(MOST);
    expect(rig.rows()).toHaveLength(COUNT + 250);
  });

  it('reading back calls whose end nobody knows', () => {
    const asked = answers();
    const rig = new Rig({ product: { versioned: false } });
    rig.commit(indicators(0, 500));
    const batch = rig.take()!;
    const lost = batch.changes.map(() => ({ kind: 'unknown', retryAt: NOW }) as const);
    rig.store.settle(batch.id, lost, NOW);
    const { entryIds } = rig.store.uncertain('siem', COUNT, NOW);
    expect(entryIds).toHaveLength(500);

    expect(asked.of(() => rig.store.resolve('siem', entryIds, [], NOW))).toBeLessThanOrEqual(MOST);
  });

  it.each([true, false])('looking again at what calls that were lost may have left, found there: %s', (there) => {
    const asked = answers();
    const rig = new Rig({ product: { versioned: false } });
    rig.commit(indicators(0, 500));
    const batch = rig.take()!;
    const lost = batch.changes.map(() => ({ kind: 'unknown', retryAt: NOW }) as const);
    rig.store.settle(batch.id, lost, NOW);
    const { entryIds } = rig.store.uncertain('siem', COUNT, NOW);
    const found = batch.changes.map(({ key, slot, revision }) => ({ key, slot, writer: 'w', revision }));
    rig.store.resolve('siem', entryIds, there ? [] : found, NOW);
    const later = NOW + 60_000;
    const { observables } = rig.store.doubtful('siem', COUNT, later);
    expect(observables).toHaveLength(500);

    let changed = 0;
    expect(
      asked.of(() => (changed = rig.store.lookedAt('siem', observables, there ? found : [], later))),
    ).toBeLessThanOrEqual(MOST);
    expect(changed).toBe(500);
  });

  it('taking it over, whatever people took off', () => {
    const asked = answers();
    const rig = new Rig();
    const off = indicators(0, COUNT).flatMap(({ observables }) => observables);
    rig.store.suppress(off, NOW + DAY, 'noise', 'op', NOW);

    expect(asked.of(() => rig.store.adopted('siem', 0, NOW, true))).toBeLessThanOrEqual(MOST);
    expect(rig.rows().filter((one) => one.present === 2)).toHaveLength(COUNT);
  });
});

it('nor does counting hits, where no partner is told of them', () => {
  const asked = answers();
  const rig = two();
  rig.commit(indicators(0, COUNT));
  const hits = indicators(0, COUNT).map(({ observables }, i) => ({
    key: entryKey('ipv4-addr', observables[0]!.value),
    verdict: 'seen' as const,
    first: NOW,
    last: NOW,
    count: 1,
    dedupe: `alert ${i}`,
  }));

  expect(asked.of(() => expect(rig.store.commitHits('siem', hits, null, NOW).fresh).toBe(COUNT))).toBeLessThanOrEqual(
    MOST,
  );
});

describe('nor does noting hits of which partners are told', () => {
  const HOUR = 3_600_000;
  const hits = (count: number, dedupe: string, windows = 1) =>
    Array.from({ length: count }, (_, n) => {
      const at = TEN - (n % windows) * HOUR;
      return aHit(n, { first: at, last: at, dedupe: `${dedupe} ${n}` });
    });
  const objects = (given: object = {}) =>
    Array.from({ length: COUNT }, (_, n) => anIndicator(n, { tlp: 'green', ...given }));

  it.each([1, 40])('on a thousand values, in windows: %i', (windows) => {
    const asked = answers();
    using test = aStore();
    test.publish(objects());

    for (const dedupe of ['first', 'more'])
      expect(asked.of(() => test.store.commitHits('one', hits(COUNT, dedupe, windows), 'x', TEN))).toBeLessThanOrEqual(
        MOST,
      );
    expect(test.store.takeSightings('partner', 2 * COUNT, TEN)).toHaveLength(COUNT);
  });

  it('on values that many objects name, whoever is told of them', () => {
    const asked = answers();
    using test = aStore({
      release: {
        reporting: ['partner', 'other'],
        rules: [
          { to: 'partner', tlp: ['green'], action: 'share' },
          { to: 'other', from: ['partner'], tlp: ['green'], action: 'hold' },
        ],
      },
    });
    test.publish(objects().map((one, n) => ({ ...one, observables: [addressAt(n % 100)] })));

    for (const dedupe of ['first', 'more'])
      expect(asked.of(() => test.store.commitHits('one', hits(100, dedupe), 'x', TEN))).toBeLessThanOrEqual(MOST);
    expect(test.store.takeSightings('partner', 2 * COUNT, TEN)).toHaveLength(COUNT);
  });

  it('on values that a person let in', () => {
    const asked = answers();
    const rule = aSiemOfSightings('one').rules['partner']!;
    const strict = { ...rule, intake: { ...rule.intake, unknownConfidence: 'hold' as const } };
    using test = aStore({ siems: [aSiemOfSightings('one', { rules: { partner: strict } })] });
    test.publish(objects());
    const reader = new StoreReader(test.spec);
    const [hold] = reader.held();
    reader.close();
    test.store.decide({ holds: [{ id: hold!.id, set: hold!.set }], sightings: [] }, 'approve', 'ann', 'known', TEN);

    expect(asked.of(() => test.store.commitHits('one', hits(COUNT, 'first'), 'x', TEN))).toBeLessThanOrEqual(MOST);
    expect(test.store.takeSightings('partner', 2 * COUNT, TEN)).toHaveLength(COUNT);
  });
});

it('nor does telling partners of what was seen, once it is known what', () => {
  const asked = answers();
  using test = aStore();
  const marked = Array.from({ length: 300 }, (_, n) =>
    anIndicator(n, { tlp: 'green', openMarkings: [`marking-definition--${n}`, 'marking-definition--of-all'] }),
  );
  const terms = marked.map((_, n) => ({
    kind: 'marking' as const,
    objectId: `marking-definition--${n}`,
    tlp: 'green' as const,
  }));
  test.publish([...terms, ...marked, { ...terms[0]!, objectId: 'marking-definition--of-all' }]);
  test.store.commitHits(
    'one',
    marked.map((_, n) => aHit(n)),
    'x',
    TEN,
  );

  let due: Sighting[] = [];
  expect(asked.of(() => (due = test.store.takeSightings('partner', COUNT, TEN)))).toBeLessThanOrEqual(MOST);
  expect(due).toHaveLength(300);
  const ends = due.map(({ uuid }, n) =>
    n % 3 === 0 ? { uuid, kind: 'again' as const, at: TEN } : { uuid, kind: 'sent' as const },
  );
  expect(asked.of(() => test.store.settleSightings('partner', ends, TEN))).toBeLessThanOrEqual(MOST);
  expect(asked.of(() => (due = test.store.takeSightings('partner', COUNT, TEN)))).toBeLessThanOrEqual(MOST);
  expect(due).toHaveLength(100);
});

it('nor does looking whether hits on values that became canaries are told with them', () => {
  const asked = answers();
  using test = aStore();
  const HOUR = 3_600_000;
  // Each names a value of its own, and one besides that is a canary later.
  const canary = (n: number) => addressAt(n + COUNT);
  test.publish(
    Array.from({ length: 300 }, (_, n) => anIndicator(n, { tlp: 'green', observables: [addressAt(n), canary(n)] })),
  );
  const hits = Array.from({ length: 300 }, (_, n) => {
    const at = TEN - (n % 100) * HOUR;
    return aHit(n % 3 === 0 ? n + COUNT : n, { first: at, last: at });
  });
  test.store.commitHits('one', hits, 'x', TEN);
  test.store.close();
  const ignore = Array.from({ length: 300 }, (_, n) => entryKey(canary(n).type, canary(n).value));
  test.store = aStoreOf({ ...test.spec, release: { ...RELEASE, ignore } });

  let due: Sighting[] = [];
  expect(asked.of(() => (due = test.store.takeSightings('partner', COUNT, TEN)))).toBeLessThanOrEqual(MOST);
  expect(due).toHaveLength(200);
});

it('nor does a person who decides on many sightings at once', () => {
  const asked = answers();
  using test = aStore({ release: { rules: [{ to: '*', tlp: ['green'], action: 'hold' }] } });
  test.publish(Array.from({ length: 300 }, (_, n) => anIndicator(n)));
  test.store.commitHits(
    'one',
    Array.from({ length: 300 }, (_, n) => aHit(n)),
    'x',
    TEN,
  );
  const reader = new SightingsReader(test.spec);
  const sightings = [...reader.held()].map(({ id, set }) => ({ id: Number(id.slice(1)), set }));
  reader.close();
  expect(sightings).toHaveLength(300);

  for (const [some, word] of [[sightings.slice(0, 200), 'approve'] as const, [sightings.slice(200), 'reject'] as const])
    expect(
      asked.of(() => test.store.decide({ holds: [], sightings: some }, word, 'ann', 'known', TEN)),
    ).toBeLessThanOrEqual(MOST);
  expect(test.store.takeSightings('partner', COUNT, TEN)).toHaveLength(200);
});

it('nor does going once through what older rules read', () => {
  const asked = answers();
  const rig = new Rig();
  const url = (value: string) => ({ type: 'url', value }) as const;
  const old = indicators(0, COUNT).map((one, i) => ({
    ...one,
    observables: [url(`http://h${i}.example`), url(`http://same${i % 10}.example:80/`)],
    openMarkings: [`marking-definition--${i}`],
  }));
  const terms = old.map((_, i) => ({
    kind: 'marking' as const,
    objectId: `marking-definition--${i}`,
    tlp: 'green' as const,
  }));
  rig.commit([...terms, ...old]);
  rig.sql('UPDATE object SET life_from = NULL');
  rig.sql(`INSERT INTO sweep (kind, owner, subject, position, argument, done, since, turn)
    VALUES ('respelled', 0, '', '', 'null', 0, 0, 1)`);

  let more = true;
  for (let step = 0; more; step++) {
    expect(step).toBeLessThan(5);
    expect(asked.of(() => ({ more } = rig.store.tick(NOW, false)))).toBeLessThanOrEqual(MOST);
  }
  const armed = rig.rows().filter((row) => row.wanted === 1);
  expect([armed.length, armed.every(({ value }) => /^http:..[^:]+[/]$/.test(value))]).toEqual([COUNT + 10, true]);
});

it('nor does forgetting what is long over', () => {
  const asked = answers();
  const rig = new Rig();
  rig.commit(indicators(0, COUNT, { validUntil: NOW + DAY }));
  const later = NOW + 200 * DAY;
  rig.tick(later);

  let more = true;
  for (let step = 0; more; step++) {
    expect(step).toBeLessThan(20);
    expect(asked.of(() => ({ more } = rig.store.retain(90, later)))).toBeLessThanOrEqual(MOST);
  }
  expect(rig.ask('SELECT id FROM entry')).toEqual([]);
});
