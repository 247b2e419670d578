// What happened, for people: polls, deliveries, holds, decisions, outages, one row each, and one row for what goes on.
// The record (records.ts) is what proves it; this is what one reads.
import type { Json } from '../../model/json.ts';
import type { Database } from '../sql/port.ts';

/**
 * `poll`: an exchange was read to its end; those that brought nothing are one row. `delivery`: what came to stand in a SIEM
 * or went. `hold`, `decision` (what a person did), `configuration`, `sighting` (what was told), `outage` (a peer failed),
 * `record` (the record's own affairs: its key, a state that was put back).
 */
export const HISTORY_KINDS = [
  'poll',
  'delivery',
  'hold',
  'decision',
  'configuration',
  'sighting',
  'outage',
  'record',
] as const;
export type HistoryKind = (typeof HISTORY_KINDS)[number];

/** What the subject is. */
export type HistoryRole = 'exchange' | 'siem' | 'person' | 'entente';

export type Counts = Readonly<Record<string, number>>;

export interface Happening {
  readonly kind: HistoryKind;
  readonly role: HistoryRole;
  /** Its name. */
  readonly subject: string;
  readonly counts: Counts;
  readonly detail: { readonly [name: string]: Json };
  /** The record that proves it, the first of them. */
  readonly seq?: number;
}

export interface HistoryRow {
  readonly id: number;
  readonly kind: HistoryKind;
  readonly role: HistoryRole;
  readonly subject: string;
  readonly at: number;
  readonly until: number | null;
  readonly counts: string;
  readonly detail: string;
  readonly seq: number | null;
}

/** What goes on within that time is one row. */
const TOGETHER_MS = 10 * 60_000;
/** And no row goes on for longer. */
const LONGEST_MS = 86_400_000;

export class History {
  readonly #db: Database;
  readonly #newId: () => number;

  constructor(db: Database, newId: () => number) {
    this.#db = db;
    this.#newId = newId;
  }

  /** A poll that is under way brought something. */
  polling(exchange: string, counts: Counts, now: number): void {
    if (!hasNews(counts)) return;
    const last = this.#last('poll', 'exchange', exchange);
    if (last !== undefined && last.until === null) this.#update(last, plus(last.counts, counts), null);
    else this.#insert({ kind: 'poll', role: 'exchange', subject: exchange, counts, detail: {} }, now, null);
  }

  polled(exchange: string, now: number): void {
    const last = this.#last('poll', 'exchange', exchange);
    const goesOn = last !== undefined && (last.until === null || (!hasNews(last.counts) && now - last.at < LONGEST_MS));
    const counts = { polls: 1 };
    if (goesOn) this.#update(last, plus(last.counts, counts), now);
    else this.#insert({ kind: 'poll', role: 'exchange', subject: exchange, counts, detail: {} }, now, now);
  }

  failed(role: 'exchange' | 'siem', name: string, reason: string, now: number): void {
    const last = this.#last('outage', role, name);
    const open = last !== undefined && last.until === null;
    // What it fails of may change while it fails.
    if (open) this.#db.run('UPDATE history SET detail = ? WHERE id = ?', JSON.stringify({ reason }), last.id);
    else this.#insert({ kind: 'outage', role, subject: name, counts: {}, detail: { reason } }, now, null);
  }

  recovered(role: 'exchange' | 'siem', name: string, now: number): void {
    this.#db.run(
      "UPDATE history SET until = ? WHERE kind = 'outage' AND role = ? AND subject = ? AND until IS NULL",
      now,
      role,
      name,
    );
  }

  /** `together`: goes on where the last one of its kind and subject was a moment ago. */
  add(one: Happening, now: number, together: boolean): void {
    const last = together ? this.#last(one.kind, one.role, one.subject) : undefined;
    const goesOn = last?.until !== undefined && last.until !== null && now - last.until < TOGETHER_MS;
    if (goesOn && now - last!.at < LONGEST_MS) this.#update(last!, plus(last!.counts, one.counts), now);
    else this.#insert(one, now, now);
  }

  prune(before: number, most: number): number {
    return this.#db.changes(
      'DELETE FROM history WHERE id IN (SELECT id FROM history WHERE at < ? AND until IS NOT NULL ORDER BY at LIMIT ?)',
      before,
      most,
    );
  }

  #last(kind: HistoryKind, role: HistoryRole, subject: string) {
    return read(
      this.#db.get<HistoryRow>(
        'SELECT * FROM history WHERE kind = ? AND role = ? AND subject = ? ORDER BY id DESC LIMIT 1',
        kind,
        role,
        subject,
      ),
    );
  }

  #insert({ kind, role, subject, counts, detail, seq }: Happening, at: number, until: number | null): void {
    this.#db.run(
      'INSERT INTO history (id, kind, role, subject, at, until, counts, detail, seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      this.#newId(),
      kind,
      role,
      subject,
      at,
      until,
      JSON.stringify(plus({}, counts)),
      JSON.stringify(detail),
      seq ?? null,
    );
  }

  #update({ id }: Pick<HistoryRow, 'id'>, counts: Counts, until: number | null): void {
    this.#db.run('UPDATE history SET counts = ?, until = ? WHERE id = ?', JSON.stringify(counts), until, id);
  }
}

function read(row: HistoryRow | undefined) {
  // Written above.
  return row === undefined ? undefined : { ...row, counts: JSON.parse(row.counts) as Counts };
}

function plus(a: Counts, b: Counts): Counts {
  const sum: Record<string, number> = { ...a };
  for (const [name, n] of Object.entries(b)) if (n !== 0) sum[name] = (sum[name] ?? 0) + n;
  return sum;
}

const hasNews = ({ new: fresh = 0, changed = 0, revoked = 0, refused = 0 }: Counts): boolean =>
  fresh + changed + revoked + refused > 0;
