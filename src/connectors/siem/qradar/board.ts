// What the connector needs of either API: the sets, the rows in them, and single changes. `collections.ts` speaks
// the current API, `classic.ts` the one of consoles before 7.4.3.
import { Batch } from '../../../core/contracts/batch.ts';
import { ConnectorError, toFailure } from '../../../core/contracts/failure.ts';
import type { Change, Outcome, WriterMark } from '../../../core/contracts/siem-connector.ts';
import { withoutHidden } from '../../../core/model/text.ts';
import type { SetKind } from './sets.ts';

export interface HeldSet {
  readonly kind: SetKind;
  readonly name: string;
  /** Id in the collections API; 0 in the classic one, which goes by name. */
  readonly id: number;
  readonly identity: string;
  readonly count: number;
  readonly element: string;
  /** When entries leave by themselves. */
  readonly expires?: Expiry;
}

export interface Expiry {
  readonly days: number;
  /** Counted from the last time an entry was written; else from the first, so that no renewal helps. */
  readonly renewable: boolean;
}

export type HeldSets = ReadonlyMap<string, HeldSet>;

export interface HeldRow {
  readonly kind: SetKind;
  readonly id?: number;
  readonly value: string;
  readonly source: string | null;
  readonly notes: string | null;
}

export interface Board {
  sets(kinds: readonly SetKind[], signal: AbortSignal): Promise<HeldSets>;
  create(kind: SetKind, signal: AbortSignal): Promise<void>;
  /** Throws a config failure when the token may not write, or a method is refused on the way. Changes nothing. */
  mayWrite(signal: AbortSignal): Promise<void>;
  /** Tenant in which a set of this name is seen that is not ours; null for a shared one. */
  elsewhere?(name: string, signal: AbortSignal): Promise<number | null | undefined>;
  apply(batch: Batch, sets: HeldSets, signal: AbortSignal): Promise<readonly Outcome[]>;
  settle?(receipt: string, sets: HeldSets, signal: AbortSignal): Promise<readonly Outcome[] | 'pending'>;
  /** What no page of IBM tells of this console is found out on the control set, at the first open of a process. */
  learn?(control: HeldSet, signal: AbortSignal): Promise<void>;
  /** Our rows of one set, page by page. */
  rows(set: HeldSet, signal: AbortSignal): AsyncIterable<readonly HeldRow[]>;
  /** Waits until nothing that was sent of these values can still take effect. */
  settled?(set: HeldSet, stored: readonly string[], signal: AbortSignal): Promise<void>;
  /** Our rows with these stored values. */
  rowsOf(set: HeldSet, stored: readonly string[], signal: AbortSignal): Promise<readonly HeldRow[]>;
  countOthers(sets: readonly HeldSet[], signal: AbortSignal): Promise<number>;
  readMark(control: HeldSet, signal: AbortSignal): Promise<WriterMark | undefined>;
  writeMark(control: HeldSet, mark: WriterMark, signal: AbortSignal): Promise<void>;
  /** Whatever of ours stands in the control set. Returns how many rows. */
  dropControl(control: HeldSet, signal: AbortSignal): Promise<number>;
}

/** Runs at most `width` at a time. The first error ends it once those under way are done. */
export async function eachOf<T>(items: readonly T[], width: number, act: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  let stopped = false;
  const worker = async (): Promise<void> => {
    while (next < items.length && !stopped) {
      const item = items[next] as T; // next < length
      next += 1;
      try {
        await act(item);
      } catch (error) {
        stopped = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(width, items.length) }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/**
 * What is told of a batch of several calls when one of them failed. Calls before it had their effect, and that is not
 * forgotten: each change gets its own outcome. Where the failed call may have had an effect too although its kind says
 * that it had none, the whole is uncertain, and is read back.
 */
export function afterFailure(
  done: readonly Outcome[],
  failed: ReadonlyMap<Change, unknown>,
  unsent: readonly Change[],
): readonly Outcome[] {
  const errors = [...failed.values()];
  const [first] = errors;
  if (errors.some((error) => !(error instanceof ConnectorError))) throw first;
  const known = errors as ConnectorError[];
  const doubtful = known.find((error) => error.uncertain && error.kind !== 'retryable');
  const effects = done.some((one) => one.kind === 'applied' || one.kind === 'accepted');
  const worst = doubtful ?? known.find((error) => error.uncertain) ?? known[0]!;
  if (doubtful !== undefined || !effects) throw worst;
  const told = ({ key }: Change, error: unknown): Outcome => ({ key, kind: 'failed', failure: toFailure(error) });
  return [
    ...done,
    ...[...failed].map(([change, error]) => told(change, error)),
    ...unsent.map((one) => told(one, worst)),
  ];
}

/** Somebody else put this value there. It is theirs: we neither mark nor remove it. */
export function heldByOther(change: Change, source: string): Outcome {
  if (change.op === 'remove') return { key: change.key, kind: 'applied' };
  return {
    key: change.key,
    kind: 'failed',
    failure: {
      kind: 'permanent',
      code: 'value_held_by_other',
      message: `the set already holds this value from "${withoutHidden(source.slice(0, 80))}", and a set holds a value once; that entry is left alone`,
    },
  };
}

/** Some changes of a batch, with their frames. */
export function pick(batch: Batch, indices: readonly number[]): Batch {
  if (indices.length === batch.size) return batch;
  const frames = indices.map((i) => batch.frame(i));
  let end = 0;
  const ends = Uint32Array.from(frames, (frame) => (end += frame.length));
  return new Batch(
    indices.map((i) => batch.changes[i]!),
    Buffer.concat(frames),
    ends,
  );
}
