// The store alone takes indicators in, on this thread, and says how long each part took: `pace.ts WHAT FOLDER COUNT SIEMS
// [POSTGRES-URL SCHEMA]`. `grow`: in parts of a tenth each; `again`: all of it, and then the same once more; `crowd`, `versions`, `markings`:
// as many ordinary ones, and then objects that all name one value, versions of one malware that as many name, or objects under a
// marking each that nobody explained, and then the explanations.
import { join } from 'node:path';
import type { IncomingIndicator, IncomingObject } from '../../src/core/model/entry.ts';
import { readObject } from '../../src/core/stix/objects.ts';
import { StoreReader } from '../../src/core/store/read/status.ts';
import type { StatePlace } from '../../src/core/store/sql/place.ts';
import { openStore, type Store } from '../../src/core/store/store.ts';
import { feed } from '../../src/simulators/feed.ts';
import { anIndicator, aPage, aSiem, specOf, versionAt } from '../../test/builders/store.ts';
import { memorySiem } from '../../test/contract/memory-siem.ts';
import { placeOn, serverOf } from '../../test/peers/postgres.ts';
import { say, stopwatch } from './open.ts';

const [what = 'again', folder = '.', many = '100000', siems = '1', url, schema = 'bench'] = process.argv.slice(2);
const MANY = Number(many);
const NOW = Date.now();
const DAY = 86_400_000;
const PAGE = 5000;
const PARTS = 10;
const WARM = 5000;

const place: StatePlace = url === undefined ? join(folder, 'pace.db') : placeOn(serverOf(url), schema);
const names = ['siem', 'second', 'third'].slice(0, Number(siems));
const spec = specOf(place, { siems: names.map((name) => aSiem({ name })) });
const store = openStore(spec, new Map([['memory', memorySiem().definition]]));

/** Parsed before the clock runs, some thousands at a time. */
function* pages(objects: Iterable<IncomingObject>): Generator<IncomingObject[]> {
  let page: IncomingObject[] = [];
  for (const one of objects) {
    if (page.push(one) < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

function* published(): Generator<IncomingObject> {
  for (const raw of feed({ count: MANY, start: NOW - DAY, irregular: 0 })) {
    // As the servers of the other rows hold it.
    if (raw.type === 'relationship') continue;
    const read = readObject(raw);
    if ('object' in read && read.object !== undefined) yield read.object;
  }
}

/** Sweeps that it leaves are part of the work. */
function takeIn(into: Store, objects: Iterable<IncomingObject>, each: (ms: number, cpuMs: number, n: number) => void) {
  for (const page of pages(objects)) {
    const stop = stopwatch();
    into.commitPages('partner', [aPage(page)], NOW);
    while (into.tick(NOW, false).more);
    const { ms, cpuMs } = stop();
    each(ms, cpuMs, page.length);
  }
}

function total(objects: Iterable<IncomingObject>): { ms: number; cpuMs: number } {
  const sum = { ms: 0, cpuMs: 0 };
  takeIn(store, objects, (ms, cpuMs) => {
    sum.ms += ms;
    sum.cpuMs += cpuMs;
  });
  return sum;
}

const some = (one: (n: number) => IncomingObject, many = MANY): IncomingObject[] =>
  Array.from({ length: many }, (_, n) => one(n));

/** Live, as far as its marking goes. */
const named = (id: string, host: string, given: Partial<IncomingIndicator> = {}): IncomingIndicator =>
  anIndicator({
    objectId: `indicator--${id}`,
    version: versionAt(NOW - DAY),
    validFrom: NOW - DAY,
    observables: [{ type: 'url', value: `http://${host}/` }],
    ...given,
  });

const indicates = (n: number): IncomingObject => ({
  kind: 'relationship',
  objectId: `relationship--${n}`,
  version: versionAt(NOW - DAY),
  revoked: false,
  relation: 'indicates',
  source: `indicator--of-it-${n}`,
  target: 'malware--1',
});

/** Each version calls it otherwise. */
const malware = (n: number): IncomingObject => ({
  kind: 'name',
  objectId: 'malware--1',
  version: versionAt(NOW - DAY + n),
  type: 'malware',
  name: `Heron ${n}`,
});

/** What was measured counts only where it came to what it should: so many rows that the SIEM shall hold. */
function compare(ordinary: { cpuMs: number }, other: { cpuMs: number }, rows: number): void {
  const reader = new StoreReader(spec);
  const siem = reader.siems()[0]!;
  reader.close();
  const free = siem.wanted - siem.held;
  if (free !== WARM + rows) throw new Error(`${free} rows are wanted and not held, not ${WARM + rows}`);
  said = { ordinaryMs: ordinary.cpuMs, otherMs: other.cpuMs };
}

let said: Record<string, number> = {};
store.tick(NOW, false);
// What is to be compiled is no part of what an ordinary one costs.
if (['crowd', 'versions', 'markings'].includes(what)) total(some((n) => named(`w-${n}`, `w${n}.example`), WARM));
if (what === 'grow') {
  const parts = Array.from({ length: PARTS }, () => 0);
  let seen = 0;
  takeIn(store, published(), (_, cpuMs, n) => {
    const part = Math.min(PARTS - 1, Math.floor(seen / (MANY / PARTS)));
    parts[part] = parts[part]! + cpuMs;
    seen += n;
  });
  said = Object.fromEntries(parts.map((cpuMs, i) => [`part${i + 1}`, cpuMs]));
} else if (what === 'crowd') {
  const each = (n: number, value: string) => named(`${value}-${n}`, value);
  const ordinary = total(some((n) => each(n, `a${n}.example`)));
  const crowd = total(some((n) => each(n, 'one.example')));
  compare(ordinary, crowd, MANY + 1);
} else if (what === 'versions') {
  total(some((n) => named(`of-it-${n}`, `b${n}.example`)));
  total(some((n) => indicates(n)));
  const ordinary = total(some((n) => named(`${n}`, `a${n}.example`)));
  compare(ordinary, total(some((n) => malware(n))), 2 * MANY);
} else if (what === 'markings') {
  const ordinary = total(some((n) => named(`${n}`, `a${n}.example`)));
  const open = total(some((n) => named(`open-${n}`, `b${n}.example`, { openMarkings: [`marking-definition--${n}`] })));
  compare(ordinary, open, MANY);
  const explained = total(some((n) => ({ kind: 'marking', objectId: `marking-definition--${n}`, tlp: 'green' })));
  compare(ordinary, explained, 2 * MANY);
  said = { ...said, otherMs: open.cpuMs, laterMs: explained.cpuMs };
} else {
  const first = total(published());
  const again = total(published());
  said = { firstMs: first.ms, firstCpuMs: first.cpuMs, againMs: again.ms, againCpuMs: again.cpuMs };
}
say(said);
store.close();
