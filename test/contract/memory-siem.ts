// A SIEM in memory that keeps the contract honestly: own mark, optional versions, optional folding of slots,
// optional receipts. The engine's tests run on it; `store.hook` lets them crash, delay or refuse at any step.
import { z } from 'zod';
import type { Batch } from '../../src/core/contracts/batch.ts';
import {
  type Change,
  type Container,
  defineSiem,
  type Outcome,
  type OwnedEntry,
  type SiemConnector,
  type SiemDefinition,
  type WriterMark,
} from '../../src/core/contracts/siem-connector.ts';
import { type ConnectorError, type Failure, permanent, retryable, toFailure } from '../../src/core/model/failure.ts';
import { type EntryKey, OBSERVABLE_TYPES, type ObservableType } from '../../src/core/model/observable.ts';

export interface MemorySiemOptions {
  readonly instance?: string;
  /** Refuses lower revisions, as Elastic does. Default true. */
  readonly versioned?: boolean;
  /** Rows are told apart without case, as QRadar's ALNIC does. Default false. */
  readonly foldsSlots?: boolean;
  /** Answers a receipt first, as QRadar's bulk tasks do. Default false. */
  readonly receipts?: boolean;
  readonly maxItems?: number;
  /** Default half a minute. */
  readonly longestCallMs?: number;
  /** Calls that one `apply` takes, as where types stand in containers of their own. Default one. */
  readonly callsPerApply?: number;
  /** The encoder speaks of one container per type; for tests of the store alone. Default one for all. */
  readonly containerPerType?: boolean;
}

export interface MemoryRow {
  readonly owner: string | undefined;
  readonly key: EntryKey;
  readonly slot: string;
  readonly writer: string;
  readonly revision: number;
  readonly until: number;
  /** What encode wrote of the entry, for tests that ask what an analyst would see. */
  readonly body: string;
}

export type MemoryCall = 'probe' | 'open' | 'containers' | 'writer' | 'apply' | 'settle' | 'list';

/** What the far side holds. It outlives connectors, as a product outlives our process. */
export class MemorySiemStore {
  readonly rows = new Map<string, MemoryRow>();
  /** Revisions of removed rows: a versioned product remembers them for a while. */
  readonly tombstones = new Map<string, number>();
  readonly receipts = new Map<string, Outcome[]>();
  /** Rows of analysts, by value. */
  readonly foreign = new Map<string, string>();
  mark: WriterMark | undefined;
  /** Of the container; 0 = there is none. */
  generation = 0;
  #generations = 0;
  /** Changes carried out since the start, to prove that nothing was written. */
  writes = 0;
  /** So many of the next calls of `apply` lose their answer, and have their effect when `land` is called. */
  losing = 0;
  readonly #late: (() => void)[] = [];
  /** Fails the n-th call of one `apply`, counted from 1; what went before it stands. */
  failCall: { readonly nth: number; readonly error: ConnectorError } | undefined;
  /** What the product says to a change instead of taking it. */
  refuse: ((change: Change) => Failure | undefined) | undefined;
  /** Called before and after the effect of every call. Throw to fail it, or wait to delay it. */
  hook: ((call: MemoryCall, when: 'before' | 'after', batch?: Batch) => void | Promise<void>) | undefined;

  lose(effect: () => void): void {
    this.#late.push(effect);
  }

  /** What was given up is carried out after all, in the order it was asked. */
  land(): void {
    for (const effect of this.#late.splice(0)) effect();
  }

  make(): void {
    if (this.generation === 0) this.generation = ++this.#generations;
  }

  /** What an administrator does who deletes the collection. */
  drop(): void {
    this.rows.clear();
    this.tombstones.clear();
    this.generation = 0;
  }
}

const MemoryConfig = z.strictObject({ type: z.literal('memory') });
type MemoryConfig = z.output<typeof MemoryConfig>;

const CONTAINER = 'memory';

export function memorySiem(options: MemorySiemOptions = {}): {
  readonly store: MemorySiemStore;
  readonly definition: SiemDefinition<MemoryConfig>;
  /** A connector on the store, as a restart would make another one. */
  readonly connect: () => SiemConnector;
} {
  const store = new MemorySiemStore();
  const owner = `entente:${options.instance ?? 'test-instance'}`;
  const connect = (): SiemConnector => new MemorySiemConnector(store, owner, options);
  const slot = (type: ObservableType, value: string): string =>
    options.foldsSlots === true ? `${type}|${value}`.toLowerCase() : `${type}|${value}`;
  const definition = defineSiem<MemoryConfig>({
    type: 'memory',
    config: MemoryConfig,
    observables: OBSERVABLE_TYPES,
    limits: { maxItems: options.maxItems ?? 500, maxBytes: 1_000_000, concurrency: 2 },
    longestCallMs: options.longestCallMs ?? 30_000,
    versioned: options.versioned ?? true,
    foldsSlots: options.foldsSlots ?? false,
    settings: () => null,
    places: () => [CONTAINER],
    container: (type) => (options.containerPerType === true ? type : CONTAINER),
    slot,
    encode: (entry, context) => ({
      slot: slot(entry.type, entry.value),
      body: `${JSON.stringify({
        owner: context.owner,
        writer: context.writer,
        until: entry.until,
        confidence: entry.confidence ?? null,
        tlp: entry.tlp,
        sources: entry.claims.map((claim) => `${claim.exchange}/${claim.objectId}`).sort(),
      })}\n`,
    }),
    create: async () => connect(),
  });
  return { store, definition, connect };
}

const Body = z.object({ owner: z.string(), writer: z.string(), until: z.number() });

class MemorySiemConnector implements SiemConnector {
  readonly #store: MemorySiemStore;
  readonly #owner: string;
  readonly #options: MemorySiemOptions;

  constructor(store: MemorySiemStore, owner: string, options: MemorySiemOptions) {
    this.#store = store;
    this.#owner = owner;
    this.#options = options;
  }

  async probe(signal: AbortSignal) {
    try {
      return await this.#call('probe', signal, () => ({ ok: true, message: 'In-memory SIEM.' }));
    } catch (error) {
      return { ok: false, message: String(error) };
    }
  }

  async open(signal: AbortSignal) {
    return this.#call('open', signal, () => {
      this.#store.make();
      return { facts: null, containers: this.#containers() };
    });
  }

  async containers(signal: AbortSignal) {
    return this.#call('containers', signal, () => this.#containers());
  }

  async writer(mine: WriterMark | undefined, signal: AbortSignal) {
    return this.#call('writer', signal, () => {
      const before = this.#store.mark;
      if (mine !== undefined) this.#store.mark = mine;
      return before;
    });
  }

  async apply(batch: Batch, signal: AbortSignal): Promise<readonly Outcome[]> {
    const act = (): readonly Outcome[] => {
      const outcomes = this.#inCalls(batch);
      if (this.#options.receipts !== true) return outcomes;
      const receipt = `receipt-${this.#store.receipts.size + 1}`;
      this.#store.receipts.set(receipt, outcomes);
      return batch.changes.map((change) => ({ key: change.key, kind: 'accepted', receipt }));
    };
    return this.#call('apply', signal, act, batch);
  }

  /** Call after call. One that fails for certain leaves the others their outcomes; any other fails for all of them. */
  #inCalls(batch: Batch): Outcome[] {
    const calls = this.#options.callsPerApply ?? 1;
    const size = Math.ceil(batch.size / calls);
    const { failCall } = this.#store;
    const outcomes: Outcome[] = [];
    for (let nth = 1; nth <= calls; nth++) {
      const part = batch.slice((nth - 1) * size, Math.min(batch.size, nth * size));
      if (failCall?.nth === nth && part.size > 0) {
        const { error } = failCall;
        if (outcomes.length === 0 || error.uncertain) throw error;
        const rest = batch.changes.slice((nth - 1) * size);
        return [...outcomes, ...rest.map(({ key }) => ({ key, kind: 'failed' as const, failure: toFailure(error) }))];
      }
      const run = () => part.changes.map((_, i) => this.#change(part, i));
      if (this.#store.losing > 0) {
        this.#store.losing -= 1;
        this.#store.lose(run);
        throw retryable('In-memory SIEM: 504');
      }
      outcomes.push(...run());
    }
    return outcomes;
  }

  async settle(receipt: string, signal: AbortSignal): Promise<readonly Outcome[] | 'pending'> {
    return this.#call('settle', signal, () => {
      const outcomes = this.#store.receipts.get(receipt);
      if (outcomes === undefined) throw permanent(`In-memory SIEM knows no receipt ${receipt}`);
      return outcomes;
    });
  }

  async *list(filter: { readonly slots?: readonly string[] }, signal: AbortSignal) {
    const wanted = filter.slots === undefined ? undefined : new Set(filter.slots);
    const rows = await this.#call('list', signal, () =>
      [...this.#store.rows.values()].filter(
        (row) => row.owner === this.#owner && (wanted === undefined || wanted.has(row.slot)),
      ),
    );
    for (let at = 0; at < rows.length; at += 5000) {
      yield rows
        .slice(at, at + 5000)
        .map(({ key, slot, writer, revision, until }): OwnedEntry => ({ key, slot, writer, revision, until }));
    }
  }

  async foreign(): Promise<number> {
    return this.#store.foreign.size;
  }

  async close(): Promise<void> {}

  #containers(): Container[] {
    return this.#store.generation === 0 ? [] : [{ name: CONTAINER, identity: String(this.#store.generation) }];
  }

  #change(batch: Batch, i: number): Outcome {
    const change = batch.changes[i]!;
    const { key, slot, revision } = change;
    const refused = this.#store.refuse?.(change);
    if (refused !== undefined) return { key, kind: 'failed', failure: refused };
    const held = this.#store.rows.get(slot)?.revision ?? this.#store.tombstones.get(slot);
    if ((this.#options.versioned ?? true) && held !== undefined && held >= revision) {
      return held === revision ? { key, kind: 'applied' } : { key, kind: 'superseded', revision: held };
    }
    if (change.op === 'remove') {
      if (this.#store.rows.delete(slot)) this.#store.writes += 1;
      this.#store.tombstones.set(slot, revision);
      return { key, kind: 'applied' };
    }
    const body = batch.frame(i).toString('utf8');
    const read = Body.safeParse(parsed(body));
    if (!read.success) {
      return { key, kind: 'failed', failure: { kind: 'permanent', message: 'In-memory SIEM cannot read the body' } };
    }
    this.#store.make();
    this.#store.rows.set(slot, { ...read.data, key, slot, revision, body });
    this.#store.tombstones.delete(slot);
    this.#store.writes += 1;
    return { key, kind: 'applied' };
  }

  /** One call with its hooks around the effect; an aborted signal stops it before anything happens. */
  async #call<T>(call: MemoryCall, signal: AbortSignal, effect: () => T, batch?: Batch): Promise<T> {
    signal.throwIfAborted();
    await this.#store.hook?.(call, 'before', batch);
    signal.throwIfAborted();
    const result = effect();
    await this.#store.hook?.(call, 'after', batch);
    return result;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
