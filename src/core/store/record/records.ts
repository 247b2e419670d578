// The record of what was done, for those who must believe it: one for each unit of work that armed or disarmed something,
// held or let go, told a partner, or did what a person or a configuration asked. It is written last, in the unit's own
// transaction, so that nothing can be done without it. How it is hashed is told in core/audit.
import {
  bodyText,
  type RecordAction,
  type RecordBody,
  recordHash,
  type RecordRow,
  rowLine,
  type RowOp,
  rowsRoot,
} from '../../audit/record.ts';
import { Frontier, type Hash } from '../../audit/tree.ts';
import { voucherBit } from '../../ledger/admit.ts';
import { type Is, isKept, type Stand } from '../../ledger/stand.ts';
import type { Json } from '../../model/json.ts';
import { entryKey, OBSERVABLE_TYPES, type Observable, parseEntryKey } from '../../model/observable.ts';
import { randomHex } from '../../runtime/ids.ts';
import type { History } from './history.ts';
import { CAUSE, CAUSE_TEXT, type ObjectRow } from '../rows/rows.ts';
import type { AuditSpec } from '../spec/spec.ts';
import type { Database } from '../sql/port.ts';

/** Not of several instances yet. */
const TERM = 1;
const SALT_BYTES = 16;
export const ENTENTE = 'entente';
/** A person's own words, which stay in the record. */
const MOST_WORDS = 2000;

/** What a record is about beside the stands that changed in its unit. */
export interface Act {
  readonly action: RecordAction;
  readonly actor: string;
  readonly detail: { readonly [name: string]: Json };
  /** Of the unit's revision unless it says another. */
  readonly rows?: readonly (Omit<RecordRow, 'revision'> & { readonly revision?: number })[];
}

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

/** The marking of an object as its row has it (open-markings.ts). */
type MarkingOf = (row: Pick<ObjectRow, 'tlp' | 'open_markings' | 'facts'>) => string | undefined;

type Newest = Pick<ObjectRow, 'object_id' | 'tlp' | 'open_markings' | 'facts'> & { readonly entry_id: number };

const NEWEST = `SELECT c.entry_id, o.object_id, o.tlp, o.open_markings, o.facts FROM contribution c JOIN object o ON o.id = c.object_id
  WHERE c.entry_id IN ($keys) AND c.object_id = (SELECT max(d.object_id) FROM contribution d WHERE d.entry_id = c.entry_id)`;
/** Entries of one look-up. */
const LOOK_UP = 2000;

type Noted = RecordRow & { readonly entryId: number; readonly unseen: boolean };

/** Where the log ends: what the next record hangs on. */
interface Head {
  readonly size: number;
  readonly roots: readonly Hash[];
  readonly last: string | null;
}

interface StoredHead {
  readonly size: number;
  readonly roots: readonly string[];
  readonly last: string | null;
}

export const HEAD = 'audit_head';
export const POLICY_VERSION = 'audit_policy';

/** What those who keep the record work with, inside a unit. */
export interface RecordKept {
  readonly db: Database;
  readonly records: Records;
  meta(name: string): string | undefined;
  setMeta(name: string, value: string): void;
}

export class Records {
  readonly #db: Database;
  readonly #level: AuditSpec['level'];
  readonly #history: History;
  readonly #exchangeNames: ReadonlyMap<number, string>;
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
  readonly #vouched = new Map<number, string>();

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
    this.#exchangeNames = exchangeNames;
    this.#setMeta = meta.set;
    const kept = meta.get(HEAD);
    // Written below.
    this.#head = kept === undefined ? { size: 0, roots: [], last: null } : headOf(JSON.parse(kept) as StoredHead);
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
    const op = presenceOp(before, after, was);
    const [left, joined] = [before?.hold, after?.hold];
    if (op !== undefined) this.#note(siem, entry, op, after ?? before!, this.#why(op, before, after));
    if (left?.id === joined?.id) return;
    if (left !== undefined) this.#note(siem, entry, 'unhold', after ?? before!, `hold ${left.id} (${left.kind})`);
    if (joined !== undefined) this.#note(siem, entry, 'hold', after!, `hold ${joined.id} (${joined.kind})`);
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
        reason: this.#vouchedBy(vouchers),
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

  #note(
    siem: string,
    entry: Pick<Observable, 'type'> & { readonly id: number; readonly value?: string },
    op: RowOp,
    { wanted, present }: Stand,
    reason: string,
  ): void {
    const value = entry.value ?? this.#valueOf(entry.id);
    const revision = op === 'arm' || op === 'change' ? present.revision : wanted.revision;
    const key = entryKey(entry.type, value);
    this.#noted.push({ siem, op, key, revision, reason, object: null, marking: null, entryId: entry.id, unseen: true });
  }

  #entryOf(key: string): number {
    const observable = parseEntryKey(key);
    if (observable === undefined) return 0;
    const { type, value } = observable;
    const number = OBSERVABLE_TYPES.indexOf(type);
    return this.#db.get<{ id: number }>('SELECT id FROM entry WHERE type = ? AND value = ?', number, value)?.id ?? 0;
  }

  #valueOf(id: number): string {
    return this.#db.get<{ value: string }>('SELECT value FROM entry WHERE id = ?', id)?.value ?? '';
  }

  #why(op: RowOp, before: Stand | undefined, after: Stand | undefined): string {
    if (op === 'disarm') {
      const { wanted, call } = before!;
      if (!wanted.is && !isKept(before!)) return this.#cause(before!);
      return call === undefined ? 'lost in the SIEM' : 'it went before it was wanted again';
    }
    const { wanted } = after!;
    if (wanted.is || isKept(after!)) return this.#vouchedBy(wanted.vouchers);
    return wanted.cause === 'adopted' || wanted.cause === 'late'
      ? CAUSE_TEXT[CAUSE[wanted.cause]]
      : `stands there and is to go: ${this.#cause(after!)}`;
  }

  #cause({ wanted }: Stand): string {
    const text = CAUSE_TEXT[CAUSE[wanted.cause]];
    const names = wanted.cause === 'withdrawn' || wanted.cause === 'unlisted' ? this.#names(wanted.vouchers) : '';
    return names === '' ? text : `${text} (${names})`;
  }

  #vouchedBy(vouchers: number): string {
    let text = this.#vouched.get(vouchers);
    if (text === undefined) {
      text = `vouched for by ${this.#names(vouchers)}`;
      this.#vouched.set(vouchers, text);
    }
    return text;
  }

  #names(vouchers: number): string {
    return [...this.#exchangeNames]
      .flatMap(([id, name]) => ((vouchers & voucherBit(id)) === 0 ? [] : [name]))
      .join(', ');
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
    this.#setMeta(HEAD, JSON.stringify(storedHead(head)));
    this.#next = head;
  }

  #append(head: Head, act: Act, noted: readonly Noted[], now: number, unit: number): Head {
    const rows = (act.rows ?? []).map((row) => ({
      ...row,
      revision: row.revision ?? unit,
      entryId: row.key === null ? 0 : this.#entryOf(row.key),
      unseen: false,
    }));
    const all: readonly Noted[] = rows.length === 0 ? noted : [...rows, ...noted];
    const person = act.actor !== ENTENTE;
    const lines = this.#level === 'values' || person || act.action === 'gap' ? this.#linesOf(all) : undefined;
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
    if (keeps) this.#place(all, head.size);
    const hash = recordHash(text);
    const frontier = new Frontier(head.size, head.roots);
    frontier.append(hash);
    this.#tell(act, body, now);
    return { size: frontier.size, roots: frontier.roots, last: hash.toString('hex') };
  }

  #linesOf(rows: readonly Noted[]): string[] {
    // One draw for all of them.
    const salts = rows.length === 0 ? '' : randomHex(SALT_BYTES * rows.length);
    const newest = this.#newestOf(rows);
    return rows.map((row, i) =>
      rowLine(
        row.unseen ? this.#seen(row, newest.get(row.entryId)) : row,
        salts.slice(2 * SALT_BYTES * i, 2 * SALT_BYTES * (i + 1)),
      ),
    );
  }

  /** The newest object that names each of those that nothing was known of when they were noted. */
  #newestOf(rows: readonly Noted[]): ReadonlyMap<number, Newest> {
    const ids = [...new Set(rows.flatMap((row) => (row.unseen ? [row.entryId] : [])))];
    const found = new Map<number, Newest>();
    for (let at = 0; at < ids.length; at += LOOK_UP)
      for (const one of this.#db.byKeys<Newest>(NEWEST, ids.slice(at, at + LOOK_UP))) found.set(one.entry_id, one);
    return found;
  }

  /** With the newest object that names it, withdrawn or not. */
  #seen(row: Noted, found: Newest | undefined): RecordRow {
    if (found === undefined) return row;
    return { ...row, object: found.object_id, marking: row.marking ?? this.#markingOf(found) ?? null };
  }

  /** By entry, so that what became of one is found among all the others. */
  #place(rows: readonly Noted[], seq: number): void {
    const placed = new Set<number>();
    for (const { entryId } of rows) if (entryId !== 0) placed.add(entryId);
    this.#db.insertRows(
      'audit_entry',
      ['entry_id', 'seq'],
      [...placed].map((id) => [id, seq]),
    );
  }

  #tell({ action, actor, detail }: Act, { counts, seq, policy_version }: RecordBody, now: number): void {
    const history = this.#history;
    if (action === 'configuration') {
      const said = { policy_version, ...detail };
      history.add(
        { kind: 'configuration', role: 'entente', subject: ENTENTE, counts: {}, detail: said, seq },
        now,
        false,
      );
    } else if (action === 'key' || action === 'gap') {
      const said = { action, ...detail };
      history.add({ kind: 'record', role: 'entente', subject: ENTENTE, counts: {}, detail: said, seq }, now, false);
    } else if (actor !== ENTENTE) {
      const all: Record<string, number> = {};
      for (const ops of Object.values(counts)) for (const [op, n] of Object.entries(ops)) all[op] = (all[op] ?? 0) + n;
      const said = { action, ...detail };
      history.add({ kind: 'decision', role: 'person', subject: actor, counts: all, detail: said, seq }, now, false);
    }
    for (const [subject, { arm = 0, change = 0, disarm = 0, hold = 0, unhold = 0, tell = 0 }] of Object.entries(
      counts,
    )) {
      const siem = { role: 'siem', subject, detail: {}, seq } as const;
      if (arm + change + disarm > 0)
        history.add({ ...siem, kind: 'delivery', counts: { arm, change, disarm } }, now, true);
      if (hold + unhold > 0) history.add({ ...siem, kind: 'hold', counts: { hold, unhold } }, now, true);
      if (tell > 0) history.add({ ...siem, role: 'exchange', kind: 'sighting', counts: { told: tell } }, now, true);
    }
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

/** What changed in what is known to stand there. `maybe` is neither. */
function presenceOp(before: Stand | undefined, after: Stand | undefined, was: Is): RowOp | undefined {
  const is = after?.present.is ?? 'no';
  const stood = before?.present;
  if (is === 'yes' && (stood?.is !== 'yes' || was !== 'yes' || stood.revision !== after!.present.revision))
    return was === 'yes' ? 'change' : 'arm';
  // What only may have stood there, and never was known to, is no loss.
  const known = was === 'yes' || (was === 'maybe' && stood !== undefined && stood.revision !== 0);
  // Looked for and found under another key's words, which fill the same row: from here it only may stand there.
  const lost = is === 'maybe' && after!.present.revision === 0;
  return known && (is === 'no' || lost) ? 'disarm' : undefined;
}

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

const headOf = ({ size, roots, last }: StoredHead): Head => ({
  size,
  roots: roots.map((one) => Buffer.from(one, 'hex')),
  last,
});

const storedHead = ({ size, roots, last }: Head): StoredHead => ({
  size,
  roots: roots.map((one) => one.toString('hex')),
  last,
});

/** A person's own words, as the record keeps them. */
export const words = (text: string): string => text.toWellFormed().slice(0, MOST_WORDS);
