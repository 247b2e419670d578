// The history and the state of the record, for people: over a read-only connection of its own, like status.ts.
// For pages and commands: `new HistoryReader(spec)`, then `history({ before, limit, kinds })`, newest first, to be paged by
// the `id` of the last one shown, and `auditState()`.
import { parseCheckpoint, textOf } from '../../audit/note.ts';
import type { Json } from '../../model/json.ts';
import type { Counts, HistoryKind, HistoryRole, HistoryRow } from '../record/history.ts';
import { CHECKED, checkedOf } from '../record/watch.ts';
import type { Database } from '../sql/port.ts';
import type { StoreSpec } from '../spec/spec.ts';
import { iso } from './moments.ts';
import { openReading } from '../state/open.ts';

export { HISTORY_KINDS, type HistoryKind } from '../record/history.ts';

export interface HistoryEntry {
  /** Give it as `before` to read on. */
  readonly id: number;
  readonly kind: HistoryKind;
  /** What the subject is. */
  readonly role: HistoryRole;
  /** An exchange (poll, outage, sighting), a SIEM (delivery, hold, outage) or a person (decision). */
  readonly subject: string;
  /** RFC 3339. */
  readonly at: string;
  /** When it was over, or happened last; null: it goes on. */
  readonly until: string | null;
  /**
   * poll: polls, objects, new, changed, revoked, refused. delivery: arm, change, disarm. hold: hold, unhold.
   * sighting: told.
   */
  readonly counts: Counts;
  /** outage: reason. decision: action, reason and what it was about. configuration: policy_version and names. */
  readonly detail: { readonly [name: string]: Json };
  /** Of the record that proves it, the first of them; null where none does. */
  readonly seq: number | null;
}

export interface AuditState {
  /** Records. */
  readonly size: number;
  /** The last one that was signed. */
  readonly checkpoint: {
    readonly size: number;
    readonly at: string;
    readonly root: string;
    /** Name and text of the key that signed, to be given to who checks. */
    readonly key: string;
  } | null;
  /** Values of records before this one were pruned. */
  readonly prunedBelow: number;
  /** When the daemon looked last whether its end is what was written and signed (record/watch.ts); null: it never did. */
  readonly verified: {
    readonly at: string;
    readonly size: number;
    readonly sound: boolean;
    readonly says: string | null;
  } | null;
}

export interface HistoryQuery {
  readonly before?: number;
  readonly limit: number;
  readonly kinds?: readonly HistoryKind[];
  /** Epoch milliseconds. */
  readonly since?: number;
}

export class HistoryReader {
  readonly #db: Database;

  constructor(spec: Pick<StoreSpec, 'path'>) {
    this.#db = openReading(spec.path, { cacheMb: 1 });
  }

  history({ before, limit, kinds, since }: HistoryQuery): HistoryEntry[] {
    const of = kinds === undefined ? '' : ` AND kind IN (${kinds.map(() => '?').join(', ')})`;
    const from = since === undefined ? '' : ' AND (until IS NULL OR until >= ?)';
    return this.#db
      .all<HistoryRow>(
        `SELECT * FROM history WHERE id < ?${of}${from} ORDER BY id DESC LIMIT ?`,
        before ?? Number.MAX_SAFE_INTEGER,
        ...(kinds ?? []),
        ...(since === undefined ? [] : [since]),
        limit,
      )
      .map((row) => ({
        id: row.id,
        kind: row.kind,
        role: row.role,
        subject: row.subject,
        at: iso(row.at),
        until: row.until === null ? null : iso(row.until),
        // Written by history.ts.
        counts: JSON.parse(row.counts) as Counts,
        detail: JSON.parse(row.detail) as HistoryEntry['detail'],
        seq: row.seq,
      }));
  }

  auditState(): AuditState {
    const last = this.#db.get<{ seq: number }>('SELECT seq FROM audit_record ORDER BY seq DESC LIMIT 1');
    const signed = this.#db.get<{ size: number; at: number; note: string }>(
      'SELECT size, at, note FROM audit_checkpoint ORDER BY size DESC LIMIT 1',
    );
    const checked = checkedOf(this.#meta(CHECKED));
    return {
      size: last === undefined ? 0 : last.seq + 1,
      checkpoint:
        signed === undefined
          ? null
          : {
              size: signed.size,
              at: iso(signed.at),
              root: parseCheckpoint(textOf(signed.note))?.root ?? '',
              key: this.#meta('audit_key') ?? '',
            },
      prunedBelow: Number(this.#meta('audit_pruned') ?? 0),
      verified:
        checked === undefined
          ? null
          : { at: iso(checked.at), size: checked.size, sound: checked.sound, says: checked.says },
    };
  }

  #meta(name: string): string | undefined {
    return this.#db.get<{ value: string }>('SELECT value FROM meta WHERE name = ?', name)?.value;
  }

  close(): void {
    this.#db.close();
  }
}
