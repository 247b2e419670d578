// The record for those who check it and those who ask what was armed when: over a read-only connection of its own, like
// status.ts. `new RecordReader(spec)`, then `at(observable, time)`.
import type { RecordBody, RecordRow } from '../../audit/record.ts';
import type { PlacedNote, StoredRecord } from '../../audit/verify.ts';
import { digest48 } from '../../model/digest.ts';
import type { Json } from '../../model/json.ts';
import { type Observable, OBSERVABLE_TYPES } from '../../model/observable.ts';
import { atOnce } from '../../runtime/in-turns.ts';
import { AUDIT_KEY, AUDIT_ORIGIN } from '../record/checkpoints.ts';
import { ANY_NUMBER, type Between, type Compared, comparison, type Most } from './record-between.ts';
import { PRUNED } from '../record/retention.ts';
import { HEAD } from '../record/head.ts';
import { PRESENT } from '../rows/rows.ts';
import type { Database } from '../sql/port.ts';
import type { StoreSpec } from '../spec/spec.ts';
import { openReading } from '../state/open.ts';

const PAGE = 500;

/** How it stood in one SIEM at a moment, by the record alone. */
export interface StoodAt {
  readonly siem: string;
  readonly state: 'armed' | 'not_armed' | 'unknown';
  /** null: before the record began. */
  readonly since: string | null;
  /** When that ended; null: it goes on. */
  readonly until: string | null;
  /** By whose word it was armed, or why it is not. */
  readonly reason: string | null;
  readonly object: string | null;
  readonly marking: string | null;
  /** What held it at that moment. */
  readonly held: string | null;
  /** The record that says so. */
  readonly record: number | null;
}

/** What a person did about it until then. */
interface PersonsAct {
  readonly record: number;
  readonly at: string;
  readonly action: string;
  readonly by: string;
  readonly detail: { readonly [name: string]: Json };
}

export interface ValueAt {
  readonly siems: readonly StoodAt[];
  readonly acts: readonly PersonsAct[];
  /** Why nobody can tell; null: the record can. */
  readonly untold: string | null;
}

interface Event {
  readonly seq: number;
  readonly at: string;
  readonly row: RecordRow;
}

export class RecordReader {
  readonly #db: Database;
  readonly #level: 'values' | 'counts' | 'off';

  constructor(spec: Pick<StoreSpec, 'path' | 'audit'>) {
    this.#db = openReading(spec.path, { cacheMb: 4 });
    this.#level = spec.audit?.level ?? 'values';
  }

  get origin(): string | undefined {
    return this.#meta(AUDIT_ORIGIN);
  }

  get key(): string | undefined {
    return this.#meta(AUDIT_KEY);
  }

  get prunedBelow(): number {
    return Number(this.#meta(PRUNED) ?? 0);
  }

  /** Where the state says that its record ends. */
  get end(): { readonly size: number; readonly last: string | null } {
    const head = this.#meta(HEAD);
    return head === undefined ? { size: 0, last: null } : (JSON.parse(head) as { size: number; last: string | null });
  }

  /** In order, some at a time. */
  *records(from = 0, to = Number.MAX_SAFE_INTEGER): Generator<StoredRecord, void, undefined> {
    for (let next = from; ; ) {
      const page = this.#db.all<StoredRecord>(
        'SELECT seq, body, lines FROM audit_record WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ?',
        next,
        to,
        PAGE,
      );
      yield* page;
      if (page.length < PAGE) return;
      next = page.at(-1)!.seq + 1;
    }
  }

  /** The first record that was written at that time or later. */
  firstSince(time: number): number {
    return (
      this.#db.get<{ seq: number | null }>('SELECT min(seq) AS seq FROM audit_record WHERE at >= ?', time)?.seq ??
      this.end.size
    );
  }

  checkpoints(): PlacedNote[] {
    return this.#db
      .all<{ size: number; note: string }>('SELECT size, note FROM audit_checkpoint ORDER BY size')
      .map(({ note }) => ({ place: 'this state', note }));
  }

  newest(): { readonly size: number; readonly at: number; readonly note: string } | undefined {
    return this.#db.get('SELECT size, at, note FROM audit_checkpoint ORDER BY size DESC LIMIT 1');
  }

  /** Was it armed then, where, since when, by whose word. */
  at(observable: Observable, time: number, siems: readonly string[]): ValueAt {
    return atOnce(this.atInSteps(observable, time, siems));
  }

  /** The same, a record at a time: each may be of thousands of values. */
  *atInSteps(observable: Observable, time: number, siems: readonly string[]): Generator<undefined, ValueAt> {
    const moment = new Date(time).toISOString();
    const first = this.#db.get<{ at: number }>('SELECT at FROM audit_record ORDER BY seq LIMIT 1')?.at;
    const events = yield* this.#eventsOf(observable);
    const names = [...new Set([...siems, ...events.flatMap(({ row }) => (isPresence(row) ? [row.siem!] : []))])];
    const began = first === undefined || time < first;
    const pruned = this.#prunedUntil();
    const untold = began
      ? `the record begins ${first === undefined ? 'with the first run' : `at ${new Date(first).toISOString()}`}`
      : this.#level !== 'values'
        ? 'audit.level is counts, so that no values are told'
        : pruned !== undefined && time <= pruned
          ? `values were pruned up to ${new Date(pruned).toISOString()}`
          : null;
    return {
      siems: names.map((siem) => stoodAt(siem, events, moment, untold, this.#stands(observable, siem))),
      acts: events.flatMap(({ seq, at, row }) => (at <= moment && row.siem === null ? [this.#act(seq)] : [])),
      untold,
    };
  }

  /** What became of each value between two moments, by SIEM; of what was pruned, or never told, there are counts alone. */
  between(from: number, to: number): readonly Between[] {
    const found = atOnce(this.compared(from, to));
    return found.told === 'all' ? found.siems : [];
  }

  /** The same in steps, as far as it is asked for. */
  compared(from: number, to: number, most: Most = ANY_NUMBER): Generator<undefined, Compared> {
    return comparison(this.#db, from, to, most);
  }

  *#eventsOf({ type, value }: Observable): Generator<undefined, Event[]> {
    const number = OBSERVABLE_TYPES.indexOf(type);
    const ids = this.#db
      .all<{ id: number }>(
        'SELECT id FROM entry WHERE type = ? AND value = ? UNION SELECT entry_id AS id FROM audit_forgotten WHERE digest = ? AND type = ? AND value = ?',
        number,
        value,
        digest48(`${number} ${value}`),
        number,
        value,
      )
      .map(({ id }) => id);
    const events: Event[] = [];
    for (const id of ids)
      for (const { seq } of this.#db.all<{ seq: number }>('SELECT seq FROM audit_entry WHERE entry_id = ?', id)) {
        events.push(...this.#eventsIn(seq, id));
        yield;
      }
    return events.sort((a, b) => a.seq - b.seq);
  }

  #eventsIn(seq: number, entryId: number): Event[] {
    const found = this.#db.get<{ at: number; lines: string; entries: string }>(
      'SELECT at, lines, entries FROM audit_record WHERE seq = ? AND lines IS NOT NULL',
      seq,
    );
    if (found === undefined) return [];
    const rows = found.lines.split('\n');
    return found.entries.split(' ').flatMap((entry, i): Event[] => {
      if (Number(entry) !== entryId) return [];
      // Written by records.ts.
      return [{ seq, at: new Date(found.at).toISOString(), row: JSON.parse(rows[i] ?? '{}') as RecordRow }];
    });
  }

  #act(seq: number): PersonsAct {
    const { body } = this.#db.get<{ body: string }>('SELECT body FROM audit_record WHERE seq = ?', seq)!;
    const { at, action, actor: by, detail = {} } = JSON.parse(body) as RecordBody;
    return { record: seq, at, action, by, detail };
  }

  /** Of the last record that tells no values any more. */
  #prunedUntil(): number | undefined {
    const below = this.prunedBelow;
    return below === 0
      ? undefined
      : this.#db.get<{ at: number }>('SELECT at FROM audit_record WHERE seq = ?', below - 1)?.at;
  }

  #stands({ type, value }: Observable, siem: string): boolean {
    return (
      this.#db.get(
        `SELECT 1 AS one FROM entry e JOIN projection p ON p.entry_id = e.id JOIN siem s ON s.id = p.siem_id
         WHERE e.type = ? AND e.value = ? AND s.name = ? AND p.present = ${PRESENT.yes}`,
        OBSERVABLE_TYPES.indexOf(type),
        value,
        siem,
      ) !== undefined
    );
  }

  #meta(name: string): string | undefined {
    return this.#db.get<{ value: string }>('SELECT value FROM meta WHERE name = ?', name)?.value;
  }

  close(): void {
    this.#db.close();
  }
}

const arms = ({ op }: RecordRow): boolean => op === 'arm' || op === 'change';
const isPresence = (row: RecordRow): boolean => row.siem !== null && (arms(row) || row.op === 'disarm');

function stoodAt(
  siem: string,
  all: readonly Event[],
  moment: string,
  untold: string | null,
  standsNow: boolean,
): StoodAt {
  const events = all.filter(({ row }) => row.siem === siem);
  const presence = events.filter(({ row }) => isPresence(row));
  const before = presence.filter(({ at }) => at <= moment);
  const after = presence.filter(({ at }) => at > moment);
  const last = before.at(-1);
  const holds = events.filter(({ at, row }) => at <= moment && (row.op === 'hold' || row.op === 'unhold')).at(-1);
  const held = holds?.row.op === 'hold' ? holds.row.reason : null;
  const nothing = {
    siem,
    since: null,
    until: null,
    reason: null,
    object: null,
    marking: null,
    held,
    record: null,
  } as const;
  if (last === undefined) {
    // It changed or went without having come: it stood there before anybody wrote that down.
    const next = after[0];
    const stood = next === undefined ? standsNow : !arms(next.row) || next.row.op === 'change';
    const until = after.find(({ row }) => row.op === 'disarm')?.at ?? null;
    if (stood) return { ...nothing, state: 'armed', until, reason: 'since before the record began' };
    return { ...nothing, state: untold === null ? 'not_armed' : 'unknown', until: next?.at ?? null, reason: untold };
  }
  const { reason, object, marking } = last.row;
  const said = { siem, reason, object, marking, held, record: last.seq };
  if (!arms(last.row)) {
    return { ...said, state: 'not_armed', since: last.at, until: after.find(({ row }) => arms(row))?.at ?? null };
  }
  const gone = before.findLastIndex(({ row }) => row.op === 'disarm');
  const until = after.find(({ row }) => row.op === 'disarm')?.at ?? null;
  return { ...said, state: 'armed', since: before[gone + 1]!.at, until };
}
