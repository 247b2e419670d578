// The store on a thread of its own: SQLite never holds the event loop. One message, one unit of work, one answer,
// in the order they were asked.
import type { MessagePort, Worker } from 'node:worker_threads';
import { ConnectorError, type FailureKind } from '../model/failure.ts';
import { systemClock } from '../runtime/clock.ts';
import { openStore, type Store } from './store.ts';
import type { SiemEncoder } from '../contracts/siem-connector.ts';
import type { StoreSpec } from './spec/spec.ts';
import type { BuiltBatch } from './delivery/batch-builder.ts';
import type { TakenBatch } from './delivery/batches.ts';
import { nameOf } from './state/open.ts';
import { StateFailure, stateFailure } from './sql/state-failure.ts';
import { type PackedBatch, packBatch, unpackBatch } from './ingest/wire.ts';

/** The same units, asked from another thread. */
export type RemoteStore = {
  readonly [M in keyof Store]: Store[M] extends (...args: infer A) => infer R ? (...args: A) => Promise<Far<R>> : never;
} & { terminate(): Promise<void> };

/** A batch comes with its changes still packed. */
type Far<R> = R extends BuiltBatch ? TakenBatch : R;

interface Call {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** What the store says without being asked: why nothing goes on just now, or that it does again; what a server refused. */
type News = { readonly away: string | undefined } | { readonly statement: string; readonly reason: string };

interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: {
    readonly message: string;
    readonly stack?: string;
    readonly kind?: FailureKind;
    /** The state file itself failed. */
    readonly state?: true;
  };
}

/** Heap of the store's thread; SQLite's own cache is outside of it. */
export const STORE_LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 };

/** The worker's side: opens the store and answers calls until `close`. */
export function serveStore(port: MessagePort, encoders: ReadonlyMap<string, SiemEncoder>): void {
  let store: Store | undefined;
  let path = '';
  port.on('message', (call: Call) => {
    const reply: { id: number; value?: unknown; error?: NonNullable<Reply['error']> } = { id: call.id };
    const transfer: ArrayBuffer[] = [];
    try {
      if (call.method === 'open') {
        const spec = call.args[0] as StoreSpec;
        path = nameOf(spec.path);
        const onAway = (away: string | undefined) => port.postMessage({ away } satisfies News);
        const onFault = (statement: string, reason: string) => port.postMessage({ statement, reason } satisfies News);
        store = openStore(spec, encoders, { onAway, onFault, watch: () => systemClock.monotonic() });
      } else {
        if (store === undefined) throw new Error('the store is not open');
        // Only names of RemoteStore are sent; the proxy below is their single source.
        const method = store[call.method as keyof Store] as (...args: readonly unknown[]) => unknown;
        reply.value = method.apply(store, [...call.args]);
        if (call.method === 'takeBatch' && reply.value !== undefined) {
          const batch = packBatch(reply.value as BuiltBatch);
          transfer.push(batch.bytes.buffer, batch.ends.buffer);
          reply.value = batch;
        }
      }
    } catch (thrown) {
      const state = stateFailure(thrown, path);
      const error = state ?? thrown;
      reply.error = {
        message: error instanceof Error ? error.message : String(error),
        ...(state === undefined ? {} : { state: true as const }),
        ...(error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {}),
        ...(error instanceof ConnectorError ? { kind: error.kind } : {}),
      };
    }
    port.postMessage(reply, transfer);
    if (call.method === 'close') port.close();
  });
}

/** The daemon's side. */
export async function openRemote(
  worker: Worker,
  spec: StoreSpec,
  onBroken: (error: StateFailure) => void = () => {},
  onAway: (reason: string | undefined) => void = () => {},
  onFault: (statement: string, reason: string) => void = () => {},
): Promise<RemoteStore> {
  const waiting = new Map<
    number,
    { method: string; resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  let lastId = 0;
  let dead: Error | undefined;
  const fail = (error: Error) => {
    dead ??= error;
    for (const one of waiting.values()) one.reject(dead);
    waiting.clear();
  };
  worker.on('message', (reply: Reply | News) => {
    if ('away' in reply) {
      onAway(reply.away);
      return;
    }
    if ('statement' in reply) {
      onFault(reply.statement, reply.reason);
      return;
    }
    const one = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (one === undefined) return;
    if (reply.error === undefined) {
      const batch = one.method === 'takeBatch' && reply.value !== undefined;
      one.resolve(batch ? unpackBatch(reply.value as PackedBatch) : reply.value);
      return;
    }
    const error = rebuilt(reply.error);
    if (error instanceof StateFailure) onBroken(error);
    one.reject(error);
  });
  worker.on('error', fail);
  worker.on('exit', (code) => fail(new Error(`the store's thread ended (${code})`)));
  const call = (method: string, args: readonly unknown[]): Promise<unknown> => {
    if (dead !== undefined) return Promise.reject(dead);
    const id = ++lastId;
    return new Promise((resolve, reject) => {
      waiting.set(id, { method, resolve, reject });
      worker.postMessage({ id, method, args } satisfies Call, given(method, args));
    });
  };
  await call('open', [spec]);
  return new Proxy({} as RemoteStore, {
    get: (_target, name) => {
      if (name === 'then' || typeof name === 'symbol') return undefined;
      if (name === 'terminate') return () => worker.terminate();
      return (...args: unknown[]) => call(name, args);
    },
  });
}

/** Memory that goes over without a copy, and is this thread's no more. */
function given(method: string, args: readonly unknown[]): ArrayBuffer[] {
  // Everything in a settled batch was applied, so nothing reads its bytes any more; one that failed may be on the wire.
  if (method === 'settleAll' && args[2] instanceof ArrayBuffer) return [args[2]];
  return [];
}

function rebuilt(error: NonNullable<Reply['error']>): Error {
  if (error.state === true) return new StateFailure(error.message);
  const made = error.kind === undefined ? new Error(error.message) : new ConnectorError(error.kind, error.message);
  if (error.stack !== undefined) made.stack = error.stack;
  return made;
}

/** A store in this thread, asked as from another one: for tests and simulation. `store` may be another one after a crash. */
export function onThisThread(store: () => Store): RemoteStore {
  return new Proxy({} as RemoteStore, {
    get: (_target, name) => {
      if (name === 'then' || typeof name === 'symbol') return undefined;
      if (name === 'terminate') return async () => {};
      return async (...args: unknown[]) =>
        (store()[name as keyof Store] as (...given: unknown[]) => unknown).apply(store(), args);
    },
  });
}

export function localStore(spec: StoreSpec, encoders: ReadonlyMap<string, SiemEncoder>): RemoteStore {
  const store = openStore(spec, encoders);
  return onThisThread(() => store);
}
