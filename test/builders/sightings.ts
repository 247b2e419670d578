// A store with one SIEM and one exchange that takes reports, and indicators in it, for tests of what is told back.
import { rmSync } from 'node:fs';
import type { IncomingObject } from '../../src/core/model/entry.ts';
import type { Tlp } from '../../src/core/model/marking.ts';
import { entryKey, OBSERVABLE_TYPES, type Observable } from '../../src/core/model/observable.ts';
import type { Hit } from '../../src/core/model/sighting.ts';
import type { SiemEncoder } from '../../src/core/contracts/siem-connector.ts';
import type { ReleaseSpec, SiemSpec, StoreSpec } from '../../src/core/store/spec/spec.ts';
import { silentLog } from '../../src/core/runtime/log.ts';
import { SightingsReader } from '../../src/core/store/read/sightings.ts';
import { onThisThread } from '../../src/core/store/remote.ts';
import { openStore, type Store } from '../../src/core/store/store.ts';
import { scratchFolder } from './scratch.ts';
import { statePlaces } from './states.ts';

export const TEN = Date.UTC(2026, 0, 5, 10);
export const minutes = (n: number) => TEN + n * 60_000;

export const RELEASE: ReleaseSpec = {
  rules: [{ to: '*', tlp: ['clear', 'green', 'amber'], action: 'share' }],
  reporting: ['partner'],
  windowMinutes: 60,
  precisionMinutes: 60,
  delayMinutes: 0,
  minCount: 1,
  holdHours: 72,
  ignore: [],
  hitsDays: 30,
  sightingsDays: 365,
};

const encoder: SiemEncoder = {
  type: 'list',
  versioned: true,
  foldsSlots: false,
  observables: OBSERVABLE_TYPES,
  container: () => 'list',
  slot: (type, value) => `${type}|${value}`,
  encode: (entry) => ({ slot: entry.key, body: '{}' }),
};

export const aSiem = (name: string, given: Partial<SiemSpec> = {}): SiemSpec => {
  const rule = {
    intake: { siem: name, clearance: 'amber', unmarked: 'amber', minConfidence: 0, unknownConfidence: 'accept' },
    lifetime: { defaultDays: 90, byType: {}, maxDays: 730 },
  } as const;
  return {
    name,
    type: 'list',
    fingerprint: 'f',
    settings: null,
    rules: { partner: rule, other: rule },
    brakes: { partner: OFF, other: OFF },
    observables: OBSERVABLE_TYPES,
    longestCallMs: 30_000,
    ...given,
  };
};

const OFF = { removal: { share: 1, atLeast: 1e9, windowHours: 24 }, addition: { factor: 10, atLeast: 1e9 } };

const anExchange = (name: string) => ({
  name,
  type: 'taxii21',
  fingerprint: 'f',
});

export const objectIdAt = (n: number) => `indicator--00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
export const addressAt = (n: number): Observable => ({ type: 'ipv4-addr', value: `198.51.${n >> 8}.${n & 255}` });

export function anIndicator(
  n: number,
  given: {
    tlp?: Tlp;
    observables?: readonly Observable[];
    revoked?: boolean;
    version?: string;
    openMarkings?: readonly string[];
    validFrom?: number;
    validUntil?: number;
  } = {
    tlp: 'green',
  },
): IncomingObject {
  return {
    kind: 'indicator',
    objectId: objectIdAt(n),
    version: '2026-01-01T00:00:00.000000000Z',
    revoked: false,
    validFrom: Date.UTC(2026, 0, 1),
    observables: [addressAt(n)],
    facts: '{}',
    digest: n,
    ...given,
  };
}

export const aHit = (n: number, given: Partial<Hit> = {}): Hit => ({
  key: entryKey(addressAt(n).type, addressAt(n).value),
  verdict: 'seen',
  first: minutes(10),
  last: minutes(10),
  count: 1,
  dedupe: `hit-${n}`,
  ...given,
});

export interface TestStore extends Disposable {
  readonly spec: StoreSpec;
  store: Store;
  /** As after a crash: nothing in memory survives. */
  reopen(): Store;
  publish(objects: readonly IncomingObject[], exchange?: string): void;
}

/** The same file under another configuration. */
export const aStoreOf = (spec: StoreSpec): Store => openStore(spec, new Map([['list', encoder]]));

export function aStore(given: { release?: Partial<ReleaseSpec>; siems?: readonly SiemSpec[] } = {}): TestStore {
  const folder = scratchFolder('entente-sightings-');
  const spec: StoreSpec = {
    path: statePlaces.place(folder),
    instance: 'soc-one',
    exchanges: [anExchange('partner'), anExchange('other')],
    siems: given.siems ?? [aSiem('one'), aSiem('two')],
    release: { ...RELEASE, ...given.release },
  };
  const open = () => openStore(spec, new Map([['list', encoder]]));
  const test: TestStore = {
    spec,
    store: open(),
    reopen() {
      test.store.close();
      test.store = open();
      return test.store;
    },
    publish(objects, exchange = 'partner') {
      test.store.commitPages(exchange, [{ scope: 'c', objects, refusals: [], cursor: null }], TEN);
    },
    [Symbol.dispose]() {
      test.store.close();
      statePlaces.forget(spec.path);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return test;
}

/** The middle of the first window. */
export const NOW = minutes(30);

/** What is to be sent, which is on its way from then on. */
export const take = ({ store }: TestStore, now = NOW, exchange = 'partner') => store.takeSightings(exchange, 100, now);

export function sendAll(test: TestStore, now = NOW) {
  const sent = take(test, now);
  test.store.settleSightings(
    'partner',
    sent.map(({ uuid }) => ({ uuid, kind: 'sent' })),
    now,
  );
  return sent;
}

export function reading<T>(test: TestStore, ask: (reader: SightingsReader) => T): T {
  const reader = new SightingsReader(test.spec);
  try {
    return ask(reader);
  } finally {
    reader.close();
  }
}

/** The store of a test as the loops of the way back ask it, at a time the test sets. */
export function loops(test: TestStore) {
  const clock = { now: NOW };
  const store = onThisThread(() => test.store);
  return { clock, common: { store, now: () => clock.now, log: silentLog, random: () => 1 } };
}
