// What the connector needs of either API: the sets, the rows in them, and single changes. `collections.ts` speaks
// the current API, `classic.ts` the one of consoles before 7.4.3.
import type { Batch } from '../../../core/contracts/batch.ts';
import type { Change, Outcome, WriterMark } from '../../../core/contracts/siem-connector.ts';
import type { SetKind } from './sets.ts';

export interface HeldSet {
  readonly kind: SetKind;
  readonly name: string;
  /** Id in the collections API; 0 in the classic one, which goes by name. */
  readonly id: number;
  readonly identity: string;
  readonly count: number;
  readonly element: string;
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
  /** Throws a config failure when the token may not write. Changes nothing. */
  mayWrite(signal: AbortSignal): Promise<void>;
  apply(batch: Batch, sets: HeldSets, signal: AbortSignal): Promise<readonly Outcome[]>;
  settle?(receipt: string, sets: HeldSets, signal: AbortSignal): Promise<readonly Outcome[] | 'pending'>;
  /** Rows of one set, page by page; only ours, or only the others. */
  rows(set: HeldSet, whose: 'ours' | 'others', signal: AbortSignal): AsyncIterable<readonly HeldRow[]>;
  /** Our rows with these stored values. */
  rowsOf(set: HeldSet, stored: readonly string[], signal: AbortSignal): Promise<readonly HeldRow[]>;
  countOthers(sets: readonly HeldSet[], signal: AbortSignal): Promise<number>;
  readMark(control: HeldSet, signal: AbortSignal): Promise<WriterMark | undefined>;
  writeMark(control: HeldSet, mark: WriterMark, signal: AbortSignal): Promise<void>;
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

/** Somebody else put this value there. It is theirs: we neither mark nor remove it. */
export function heldByOther(change: Change, source: string): Outcome {
  if (change.op === 'remove') return { key: change.key, kind: 'applied' };
  return {
    key: change.key,
    kind: 'failed',
    failure: {
      kind: 'permanent',
      code: 'value_held_by_other',
      message: `the set already holds this value from "${source.slice(0, 80)}", and a set holds a value once; that entry is left alone`,
    },
  };
}
