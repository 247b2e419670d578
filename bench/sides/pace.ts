// The store alone takes indicators in, on this thread, and says how long each part took: `pace.ts WHAT FOLDER COUNT SIEMS
// [POSTGRES-URL SCHEMA]`. `grow`: in parts of a tenth each; `again`: all of it, and then the same once more; `crowd`: as many
// ordinary ones, and then objects that all name one value.
import { join } from 'node:path';
import type { IncomingObject } from '../../src/core/model/entry.ts';
import { readObject } from '../../src/core/stix/objects.ts';
import type { StatePlace } from '../../src/core/store/sql/place.ts';
import { openStore, type Store } from '../../src/core/store/store.ts';
import { feed } from '../../src/simulators/feed.ts';
import { anIndicator, aPage, aSiem, specOf } from '../../test/builders/store.ts';
import { memorySiem } from '../../test/contract/memory-siem.ts';
import { placeOn, serverOf } from '../../test/peers/postgres.ts';
import { say, stopwatch } from './open.ts';

const [what = 'again', folder = '.', many = '100000', siems = '1', url, schema = 'bench'] = process.argv.slice(2);
const MANY = Number(many);
const NOW = Date.now();
const PAGE = 5000;
const PARTS = 10;

const place: StatePlace = url === undefined ? join(folder, 'pace.db') : placeOn(serverOf(url), schema);
const names = ['siem', 'second', 'third'].slice(0, Number(siems));
const store = openStore(
  specOf(place, { siems: names.map((name) => aSiem({ name })) }),
  new Map([['memory', memorySiem().definition]]),
);

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
  for (const raw of feed({ count: MANY, start: NOW - 86_400_000, irregular: 0 })) {
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

store.tick(NOW, false);
if (what === 'grow') {
  const parts = Array.from({ length: PARTS }, () => 0);
  let seen = 0;
  takeIn(store, published(), (_, cpuMs, n) => {
    const part = Math.min(PARTS - 1, Math.floor(seen / (MANY / PARTS)));
    parts[part] = parts[part]! + cpuMs;
    seen += n;
  });
  say(Object.fromEntries(parts.map((cpuMs, i) => [`part${i + 1}`, cpuMs])));
} else if (what === 'crowd') {
  const each = (n: number, value: string) =>
    anIndicator({ objectId: `indicator--${value}-${n}`, observables: [{ type: 'url', value: `http://${value}/` }] });
  const ordinary = total(Array.from({ length: MANY }, (_, n) => each(n, `a${n}.example`)));
  const crowd = total(Array.from({ length: MANY }, (_, n) => each(n, 'one.example')));
  say({ ordinaryMs: ordinary.cpuMs, crowdMs: crowd.cpuMs });
} else {
  const first = total(published());
  const again = total(published());
  say({ firstMs: first.ms, firstCpuMs: first.cpuMs, againMs: again.ms, againCpuMs: again.cpuMs });
}
store.close();
