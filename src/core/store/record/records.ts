// The record of what was done, for those who must believe it: one for each unit of work that armed or disarmed something,
// held or let go, told a partner, or did what a person or a configuration asked. It is written last, in the unit's own
// transaction, so that nothing can be done without it. How it is hashed is told in core/audit.
import { bodyText, type RecordAction, type RecordBody, recordHash, rowsRoot } from '../../audit/record.ts';
import { Frontier } from '../../audit/tree.ts';
import type { Is, Stand } from '../../ledger/stand.ts';
import { entryKey, type Observable } from '../../model/observable.ts';
import type { AuditSpec } from '../spec/spec.ts';
import type { Database } from '../sql/port.ts';
import { type Act, ENTENTE } from './acts.ts';
import { changesOf, Vouchers } from './changes.ts';
import { happeningsOf } from './happenings.ts';
import { grown, HEAD, type Head, headOf, headText } from './head.ts';
import type { History } from './history.ts';
import { entryIdOf, linesOf, type MarkingOf, type Noted, placeEntries } from './lines.ts';

/** Not of several instances yet. */
const TERM = 1;
/** Under which rules the last records were written, in `meta`. */
export const POLICY_VERSION = 'audit_policy';

/** An entry that came to stand there by a whole batch, as the batch knew it. */
export interface Sent {
  readonly entryId: number;
  readonly before: Is;
  readonly sent: number;
  readonly key: string;
  readonly vouchers: number;
  readonly object: string | null;
  readonly marking: string | null;
}

/** What those who keep the record work with, inside a unit. */
export interface RecordKept {
  readonly db: Database;
  readonly records: Records;
  meta(name: string): string | undefined;
  setMeta(name: string, value: string): void;
}

/** What the running unit notes, until it is written with it. */
export class Records {
  readonly #db: Database;
  readonly #level: AuditSpec['level'];
  readonly #history: History;
  readonly #vouchers: Vouchers;
  readonly #setMeta: (name: string, value: string) => void;
  #head: Head;
  #next: Head | undefined;
  #noted: Noted[] = [];
  #acts: Act[] = [];
  /** Of a configuration that is new: goes with the first unit that is kept. */
  #configured: { readonly version: string; readonly detail: Act['detail'] } | undefined;
  #opened = false;
  #markingOf: MarkingOf = () => undefined;
  #policyVersion = '';

  constructor(
    db: Database,
    level: AuditSpec['level'],
    history: History,
    exchangeNames: ReadonlyMap<number, string>,
    meta: { readonly get: (name: string) => string | undefined; readonly set: (name: string, value: string) => void },
  ) {
    this.#db = db;
    this.#level = level;
    this.#history = history;
    this.#vouchers = new Vouchers(exchangeNames);
    this.#setMeta = meta.set;
    this.#head = headOf(meta.get(HEAD));
  }

  get size(): number {
    return this.#head.size;
  }

  /** Hash of the last record, in hex. */
  get last(): string | null {
    return this.#head.last;
  }

  frontier(): Frontier {
    return new Frontier(this.#head.size, this.#head.roots);
  }

  /** Base64, as a checkpoint has it. */
  root(): string {
    return this.frontier().root().toString('base64');
  }

  /** Under which rules and settings all that follows is done. */
  configure(version: string, known: string | undefined, detail: Act['detail']): void {
    this.#policyVersion = version;
    if (version !== known) this.#configured = { version, detail };
  }

  /** From here on units know what time it is. */
  opened(markingOf: MarkingOf): void {
    this.#markingOf = markingOf;
    this.#opened = true;
  }

  /** A stand changed. `was`: what stood there before the call that is settled now. */
  stood(
    siem: string,
    entry: Pick<Observable, 'type'> & { readonly id: number; readonly value?: string },
    before: Stand | undefined,
    after: Stand | undefined,
    was: Is = before?.present.is ?? 'no',
  ): void {
    if (this.#level === 'off') return;
    for (const { op, revision, reason } of changesOf(before, after, was, this.#vouchers)) {
      const key = entryKey(entry.type, entry.value ?? this.#valueOf(entry.id));
      const row = { siem, op, key, revision, reason, object: null, marking: null };
      this.#noted.push({ ...row, entryId: entry.id, unseen: true });
    }
  }

  /** A batch was applied as it was sent. */
  sent(siem: string, rows: readonly Sent[]): void {
    if (this.#level === 'off') return;
    for (const { entryId, before, sent, key, vouchers, object, marking } of rows)
      this.#noted.push({
        siem,
        op: before === 'yes' ? 'change' : 'arm',
        key,
        revision: sent,
        reason: this.#vouchers.by(vouchers),
        object,
        marking,
        entryId,
        unseen: object === null,
      });
  }

  /** What a person did, or what is no matter of one entry. */
  act(act: Act): void {
    if (this.#level !== 'off') this.#acts.push(act);
  }

  /** A sighting left. */
  told(exchange: string, object: string, marking: string | null, revision: number, reason: string): void {
    if (this.#level === 'off') return;
    const row = { op: 'tell', key: null, object, marking, revision, reason } as const;
    this.#noted.push({ ...row, siem: exchange, entryId: 0, unseen: false });
  }

  #valueOf(id: number): string {
    return this.#db.get<{ value: string }>('SELECT value FROM entry WHERE id = ?', id)?.value ?? '';
  }

  /** The last statements of a unit, inside its transaction. */
  write(now: number, unit: number): void {
    if (this.#level === 'off') return;
    let head = this.#head;
    if (this.#configured !== undefined && this.#opened) {
      const { version, detail } = this.#configured;
      head = this.#append(head, { action: 'configuration', actor: ENTENTE, detail }, [], now, unit);
      this.#setMeta(POLICY_VERSION, version);
    }
    // What a person asked for and what came of it in the same unit are one record.
    const [act, ...others] = this.#acts;
    if (act !== undefined || this.#noted.length > 0)
      head = this.#append(
        head,
        act ?? { action: actionOf(this.#noted), actor: ENTENTE, detail: {} },
        this.#noted,
        now,
        unit,
      );
    for (const one of others) head = this.#append(head, one, [], now, unit);
    if (head === this.#head) return;
    this.#setMeta(HEAD, headText(head));
    this.#next = head;
  }

  #append(head: Head, act: Act, noted: readonly Noted[], now: number, unit: number): Head {
    const rows = (act.rows ?? []).map((row) => ({
      ...row,
      revision: row.revision ?? unit,
      entryId: row.key === null ? 0 : entryIdOf(this.#db, row.key),
      unseen: false,
    }));
    const all: readonly Noted[] = rows.length === 0 ? noted : [...rows, ...noted];
    const person = act.actor !== ENTENTE;
    const lines =
      this.#level === 'values' || person || act.action === 'gap' ? linesOf(this.#db, all, this.#markingOf) : undefined;
    const counts = countsOf(all);
    const body: RecordBody = {
      seq: head.size,
      prev: head.last,
      at: new Date(now).toISOString(),
      unit,
      term: TERM,
      actor: act.actor.toWellFormed().slice(0, 200),
      action: act.action,
      policy_version: this.#policyVersion,
      counts,
      rows_root: lines === undefined || lines.length === 0 ? null : rowsRoot(lines),
      ...(Object.keys(act.detail).length === 0 ? {} : { detail: act.detail }),
    };
    const text = bodyText(body);
    const keeps = lines !== undefined && lines.length > 0;
    this.#db.run(
      'INSERT INTO audit_record (seq, at, action, body, lines, entries) VALUES (?, ?, ?, ?, ?, ?)',
      head.size,
      now,
      act.action,
      text,
      keeps ? lines.join('\n') : null,
      keeps ? all.map((one) => one.entryId).join(' ') : null,
    );
    if (keeps) placeEntries(this.#db, all, head.size);
    for (const { one, together } of happeningsOf(act, body)) this.#history.add(one, now, together);
    return grown(head, recordHash(text));
  }

  /** The unit is kept. */
  committed(): void {
    if (this.#next !== undefined) {
      this.#head = this.#next;
      if (this.#opened) this.#configured = undefined;
    }
    this.forget();
  }

  /** The unit failed, and did nothing. */
  forget(): void {
    this.#next = undefined;
    if (this.#noted.length > 0) this.#noted = [];
    if (this.#acts.length > 0) this.#acts = [];
  }
}

/** By what came of it, the weightiest first. */
const actionOf = (noted: readonly Noted[]): RecordAction => {
  const ops = new Set(noted.map((one) => one.op));
  if (ops.has('arm') || ops.has('change') || ops.has('disarm')) return 'deliver';
  return ops.has('tell') ? 'tell' : 'hold';
};

/** Whatever is no affair of one SIEM or exchange stands under our own name. */
function countsOf(rows: readonly Noted[]): RecordBody['counts'] {
  const counts: Record<string, Record<string, number>> = {};
  for (const { siem, op } of rows) {
    const subject = siem ?? ENTENTE;
    const of = counts[subject] ?? {};
    of[op] = (of[op] ?? 0) + 1;
    counts[subject] = of;
  }
  return counts;
}
