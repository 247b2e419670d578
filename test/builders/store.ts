// A store in a temporary folder with the in-memory SIEM's encoders, and pages with only the facts that matter.
import { rmSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import type { Page } from '../../src/core/contracts/exchange-connector.ts';
import type { SiemDefinition } from '../../src/core/contracts/siem-connector.ts';
import { digest48 } from '../../src/core/model/digest.ts';
import type { IncomingIndicator, IncomingObject } from '../../src/core/model/entry.ts';
import { OBSERVABLE_TYPES, type Observable } from '../../src/core/model/observable.ts';
import { type BrakeSettings, DEFAULT_BRAKES } from '../../src/core/policy/brakes.ts';
import type { BuiltBatch } from '../../src/core/store/delivery/batch-builder.ts';
import type { Settlement } from '../../src/core/store/delivery/settling.ts';
import type { ExchangeSpec, SiemSpec, StoreSpec } from '../../src/core/store/spec/spec.ts';
import { StoreReader } from '../../src/core/store/read/status.ts';
import type { StatePlace } from '../../src/core/store/sql/place.ts';
import { openBeside, openReading } from '../../src/core/store/state/open.ts';
import { openStore, type Store } from '../../src/core/store/store.ts';
import { memorySiem, type MemorySiemOptions } from '../contract/memory-siem.ts';
import { scratchFolder } from './scratch.ts';
import { statePlaces } from './states.ts';

export const NOW = Date.UTC(2026, 0, 10, 12);
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const ipv4 = (value: string): Observable => ({ type: 'ipv4-addr', value });

/** `modified` as text in the form that a claim keeps. */
export const versionAt = (ms: number): string => `${new Date(ms).toISOString().slice(0, -1)}000000Z`;

export function anIndicator(given: Partial<IncomingIndicator> & { readonly objectId: string }): IncomingIndicator {
  const content = {
    kind: 'indicator' as const,
    version: versionAt(NOW - DAY),
    revoked: false,
    validFrom: NOW - DAY,
    tlp: 'green' as const,
    observables: [ipv4('192.0.2.1')],
    facts: '{}',
    ...given,
  };
  return { ...content, digest: given.digest ?? digest48(JSON.stringify(content)) };
}

export function aPage(objects: readonly IncomingObject[], given: Partial<Page> = {}): Page {
  return { scope: 'collection-1', objects, refusals: [], cursor: 'somewhere', ...given };
}

export function anExchange(given: Partial<ExchangeSpec> = {}): ExchangeSpec {
  return {
    name: 'partner',
    type: 'taxii21',
    fingerprint: 'a',
    ...given,
  };
}

export function aSiem(
  given: Partial<SiemSpec> & {
    readonly listensTo?: readonly string[];
    readonly clearance?: 'green' | 'amber';
    readonly minConfidence?: number;
    /** Of every exchange it listens to. */
    readonly brake?: Partial<BrakeSettings>;
  } = {},
): SiemSpec {
  const { listensTo = ['partner'], clearance = 'amber', minConfidence = 0, brake, ...rest } = given;
  const name = given.name ?? 'siem';
  const rules = {
    intake: {
      siem: name,
      clearance,
      unmarked: 'amber' as const,
      minConfidence,
      unknownConfidence: 'accept' as const,
    },
    lifetime: { defaultDays: 90, byType: {}, maxDays: 730 },
  };
  return {
    name,
    type: 'memory',
    fingerprint: 'a',
    settings: null,
    rules: Object.fromEntries(listensTo.map((one) => [one, rules])),
    brakes: Object.fromEntries(listensTo.map((one) => [one, { ...DEFAULT_BRAKES, ...brake }])),
    observables: OBSERVABLE_TYPES,
    longestCallMs: 30_000,
    ...rest,
  };
}

export interface Given {
  readonly exchanges?: readonly ExchangeSpec[];
  readonly siems?: readonly SiemSpec[];
  readonly product?: MemorySiemOptions;
  readonly instance?: string;
  readonly audit?: StoreSpec['audit'];
  readonly release?: StoreSpec['release'];
  /** Milliseconds that only grow, for who is to look at how long steps take. */
  readonly watch?: () => number;
  /** Parts of the product's pure half to replace. */
  readonly encoder?: Partial<SiemDefinition>;
}

/** A row of the projection as tests speak of it. */
export interface Seen {
  readonly value: string;
  readonly wanted: number;
  readonly present: number;
  readonly state: number;
  readonly cause: number;
  readonly rev: number;
  readonly wanted_rev: number;
  readonly until: number | null;
  readonly due: number | null;
  readonly reason: string | null;
  readonly next_at: number | null;
}

export const LIMITS = { maxItems: 500, maxBytes: 1_000_000 };
/** More than any test needs: what is sent again and again for ever says so. */
const MOST_BATCHES = 2000;

export const specOf = (path: StatePlace, given: Given): StoreSpec => ({
  path,
  instance: given.instance ?? 'test-instance',
  exchanges: given.exchanges ?? [anExchange()],
  siems: given.siems ?? [aSiem()],
  ...(given.audit === undefined ? {} : { audit: given.audit }),
  ...(given.release === undefined ? {} : { release: given.release }),
});

/** The store under test with a second, reading connection beside it. */
export class Rig {
  store: Store;
  readonly place: StatePlace;
  #given: Given;
  readonly #encoders;
  #closed = false;

  constructor(given: Given = {}, folder = scratchFolder('entente-store-')) {
    this.#given = given;
    this.place = statePlaces.place(folder);
    this.#encoders = new Map([['memory', { ...memorySiem(given.product).definition, ...given.encoder }]]);
    this.store = this.#open();
    onTestFinished(() => {
      this.close();
      statePlaces.forget(this.place);
      rmSync(folder, { recursive: true, force: true });
    });
  }

  #open(): Store {
    const { watch } = this.#given;
    return openStore(this.spec, this.#encoders, watch === undefined ? {} : { watch });
  }

  get spec(): StoreSpec {
    return specOf(this.place, this.#given);
  }

  /** Of the state file, for tests that are about the file. */
  get path(): string {
    if (typeof this.place !== 'string') throw new Error('this test is about a state file');
    return this.place;
  }

  /** The process died and another one starts on the same file, perhaps with another configuration. */
  restart(changes: Given = {}): void {
    this.close();
    this.#given = { ...this.#given, ...changes };
    this.store = this.#open();
    this.#closed = false;
  }

  close(): void {
    if (!this.#closed) this.store.close();
    this.#closed = true;
  }

  commit(objects: readonly IncomingObject[], now = NOW, exchange = 'partner', page: Partial<Page> = {}) {
    return this.store.commitPages(exchange, [aPage(objects, page)], now);
  }

  take(now = NOW, siem = 'siem', limits = LIMITS): BuiltBatch | undefined {
    return this.store.takeBatch(siem, limits, now);
  }

  /** Takes and settles until nothing is due. Returns what was sent, as `op value`. */
  deliver(now = NOW, siem = 'siem', how: (key: string) => Settlement = () => ({ kind: 'applied' })): string[] {
    const sent: string[] = [];
    for (let batches = 0; ; batches++) {
      if (batches > MOST_BATCHES) throw new Error(`deliver has no end: ${sent.slice(-3).join(', ')} again and again`);
      const batch = this.take(now, siem);
      if (batch === undefined) return sent;
      for (const change of batch.changes) sent.push(`${change.op} ${change.key.slice(change.key.indexOf('|') + 1)}`);
      this.store.settle(
        batch.id,
        batch.changes.map((change) => how(change.key)),
        now,
      );
    }
  }

  /** One hold of those that wait, as a person decides it. */
  decideHold(id: number, decision: 'approve' | 'reject', set: string, by: string, reason: string, now: number) {
    return this.store.decide({ holds: [{ id, set }], sightings: [] }, decision, by, reason, now).holds[0]!;
  }

  tick(now: number): void {
    while (this.store.tick(now, false).more);
  }

  rows(siem = 'siem'): Seen[] {
    return this.ask<Seen>(
      `SELECT e.value, p.* FROM projection p JOIN entry e ON e.id = p.entry_id JOIN siem s ON s.id = p.siem_id
       WHERE s.name = '${siem}' ORDER BY e.id`,
    );
  }

  row(value = '192.0.2.1', siem = 'siem'): Seen | undefined {
    return this.rows(siem).find((one) => one.value === value);
  }

  ask<R>(sql: string): R[] {
    const db = openReading(this.place);
    try {
      // The tests name the columns they read.
      return db.all(sql) as R[];
    } finally {
      db.close();
    }
  }

  /** Puts a row right or wrong behind the store's back. */
  sql(text: string): void {
    const db = openBeside(this.place);
    try {
      db.exec(text);
    } finally {
      db.close();
    }
  }

  read<T>(look: (reader: StoreReader) => T): T {
    const reader = new StoreReader(this.spec);
    try {
      return look(reader);
    } finally {
      reader.close();
    }
  }
}

/** Many indicators of one exchange, each with an address of its own. */
export function indicators(from: number, to: number, given: Partial<IncomingIndicator> = {}): IncomingIndicator[] {
  const made: IncomingIndicator[] = [];
  for (let i = from; i < to; i++) {
    made.push(
      anIndicator({ objectId: `indicator--${i}`, observables: [ipv4(`198.18.${i >> 8}.${i & 255}`)], ...given }),
    );
  }
  return made;
}

/** A full listing that shows these ids in one scope and is complete for it. */
export function listingOf(
  rig: Rig,
  ids: readonly string[],
  withdraw = true,
  scope = 'collection-1',
): { vanished: number } {
  const run = rig.store.beginListing('partner', NOW);
  const present = ids.map((objectId) => ({ objectId }));
  rig.store.listingPart('partner', run, scope, present, true, NOW);
  for (;;) {
    const { vanished, more } = rig.store.endListing('partner', run, withdraw, NOW);
    if (!more) return { vanished };
  }
}
