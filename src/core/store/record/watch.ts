// Whether the end of the record is still what was written: looked at when the daemon starts and before each checkpoint, over
// the records since the last look alone, so that it costs next to nothing. `audit verify` goes through all of it.
import { parseCheckpoint, textOf } from '../../audit/note.ts';
import { recordHash } from '../../audit/record.ts';
import { Frontier } from '../../audit/tree.ts';
import type { RecordKept } from './records.ts';

/** What was found last; kept in the state for whoever shows it. */
export interface RecordCheck {
  readonly at: number;
  /** Records there were. */
  readonly size: number;
  /** The first of them that was looked at. */
  readonly from: number;
  readonly sound: boolean;
  /** What is wrong, the first of it. */
  readonly says: string | null;
}

export const CHECKED = 'audit_checked';
const PAGE = 1000;

interface Signed {
  readonly size: number;
  /** Undefined where the note is none. */
  readonly root: string | undefined;
}

export class RecordWatch {
  readonly #store: RecordKept;
  /** The tree up to where it was looked at and found sound. */
  #known: Frontier | undefined;

  constructor(store: RecordKept) {
    this.#store = store;
  }

  /** Inside a unit, before it writes. */
  check(now: number): RecordCheck {
    const { records } = this.#store;
    const before = checkedOf(this.#store.meta(CHECKED));
    const signed = this.#signed();
    // What was found broken is looked at again, however often it starts.
    const from = Math.min(
      before?.sound === false ? before.from : records.size,
      this.#known?.size ?? signed?.size ?? 0,
      records.size,
    );
    const says = this.#trouble(from, signed) ?? null;
    if (says === null) this.#known = records.frontier();
    const found: RecordCheck = { at: now, size: records.size, from, sound: says === null, says };
    this.#store.setMeta(CHECKED, JSON.stringify(found));
    return found;
  }

  #signed(): Signed | undefined {
    const row = this.#store.db.get<{ size: number; note: string }>(
      'SELECT size, note FROM audit_checkpoint ORDER BY size DESC LIMIT 1',
    );
    if (row === undefined) return undefined;
    const read = parseCheckpoint(textOf(row.note));
    return { size: row.size, root: read?.size === row.size ? read.root : undefined };
  }

  #trouble(from: number, signed: Signed | undefined): string | undefined {
    const { size } = this.#store.records;
    if (signed !== undefined && signed.root === undefined)
      return `the checkpoint over ${signed.size} records cannot be read: it was changed`;
    if (signed !== undefined && signed.size > size)
      return `${signed.size} records were signed, and this state counts ${size}`;
    return this.#chain(from, signed);
  }

  /** Each record hangs on the one before, the last one is the one that was written last, and the tree is the one that was signed. */
  #chain(from: number, signed: Signed | undefined): string | undefined {
    const { db, records } = this.#store;
    const tree = this.#known?.size === from ? new Frontier(from, this.#known.roots) : undefined;
    const differs = (root: string) =>
      signed?.root !== root && `the first ${signed?.size} records are not what was signed`;
    let next = Math.max(0, from - 1);
    let last: string | null | undefined = next === 0 ? null : undefined;
    for (;;) {
      const page = db.all<{ seq: number; body: string }>(
        'SELECT seq, body FROM audit_record WHERE seq >= ? ORDER BY seq LIMIT ?',
        next,
        PAGE,
      );
      for (const { seq, body } of page) {
        if (seq >= records.size) return `record ${seq} was put in behind the last one`;
        if (seq !== next) return `record ${next} is missing`;
        const prev = prevOf(body);
        if (prev === undefined) return `record ${seq} is no record: its text was changed`;
        if (last !== undefined && prev !== last)
          return `record ${Math.max(0, seq - 1)} is not the one that record ${seq} follows`;
        const hash = recordHash(body);
        last = hash.toString('hex');
        next = seq + 1;
        if (seq < from || tree === undefined) continue;
        tree.append(hash);
        const wrong = tree.size === signed?.size && differs(tree.root().toString('base64'));
        if (wrong !== false) return wrong;
      }
      if (page.length < PAGE) break;
    }
    if (next < records.size) return `record ${next} and what follows it are missing at the end`;
    if (records.size > 0 && last !== records.last)
      return `record ${records.size - 1}, the last one, is not the one that was written last`;
    if (tree !== undefined && tree.root().toString('base64') !== records.root())
      return `the records from ${from} on are not those that were written`;
    return (signed?.size === records.size && differs(records.root())) || undefined;
  }
}

/** As it was kept; undefined: it never was looked at. */
export const checkedOf = (kept: string | undefined): RecordCheck | undefined =>
  kept === undefined ? undefined : (JSON.parse(kept) as RecordCheck);

/** Undefined where it is no record. */
function prevOf(body: string): unknown {
  try {
    return (JSON.parse(body) as { prev?: unknown } | null)?.prev;
  } catch {
    return undefined;
  }
}
