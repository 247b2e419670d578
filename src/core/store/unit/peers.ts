// What is kept of each exchange and SIEM as a whole: where reading goes on, what was negotiated, and whether it went well,
// for `status` without a daemon.
import type { Failure } from '../../model/failure.ts';
import type { Json } from '../../model/json.ts';
import type { ExchangeState, SiemState, StoreContext } from './context.ts';

/** Where reading goes on; undefined: from the start. */
export function cursorOf({ db }: StoreContext, { id }: ExchangeState): Json | undefined {
  const row = db.get<{ cursor: string | null }>('SELECT cursor FROM exchange WHERE id = ?', id);
  return row === undefined || row.cursor === null ? undefined : (JSON.parse(row.cursor) as Json);
}

/** With the pages before it. `fresh`: they said something new. */
export function keepCursor(
  { db }: StoreContext,
  { id }: ExchangeState,
  cursor: Json,
  fresh: boolean,
  now: number,
): void {
  db.run(
    `UPDATE exchange SET cursor = ?${fresh ? ', last_new = ?' : ''} WHERE id = ?`,
    ...(fresh ? [JSON.stringify(cursor), now, id] : [JSON.stringify(cursor), id]),
  );
}

/** The poll reached the end of what is published. */
export function keepPolled({ db }: StoreContext, { id }: ExchangeState, now: number): void {
  db.run(
    'UPDATE exchange SET poll_completed = ?, last_success = ?, failing_since = NULL, failure = NULL WHERE id = ?',
    now,
    now,
    id,
  );
}

/** It went well, or failed. */
export function keepOutcome(
  { db, history }: StoreContext,
  role: 'exchange' | 'siem',
  { id, spec: { name } }: ExchangeState | SiemState,
  failure: Failure | undefined,
  now: number,
): void {
  if (failure === undefined) {
    db.run(`UPDATE ${role} SET last_success = ?, failing_since = NULL, failure = NULL WHERE id = ?`, now, id);
    history.recovered(role, name, now);
    return;
  }
  db.run(
    `UPDATE ${role} SET last_failure = ?, failing_since = coalesce(failing_since, ?), failure = ? WHERE id = ?`,
    now,
    now,
    // What the peer asked for is not kept: a time of its own making has no place here.
    JSON.stringify({ kind: failure.kind, message: failure.message }),
    id,
  );
  history.failed(role, name, failure.message, now);
}

/** Beside its rows. */
export interface SiemFacts {
  readonly facts: Json;
  readonly containers: Readonly<Record<string, string>>;
  readonly adopting: boolean;
  /** When everything there was last compared and put right. */
  readonly repairedAt: number | undefined;
  /** When that is to be done once more, after something was taken over. */
  readonly listAgain: number | undefined;
  /** What the mark that was written last says may have been written. */
  readonly marked: number | undefined;
}

/** What is known of a SIEM. */
export function factsOf({ db }: StoreContext, { id }: SiemState): SiemFacts {
  const row = db.get<{
    facts: string;
    containers: string;
    adopted_at: number | null;
    repaired_at: number | null;
    list_again: number | null;
    marked: number | null;
  }>('SELECT facts, containers, adopted_at, repaired_at, list_again, marked FROM siem WHERE id = ?', id)!;
  return {
    facts: JSON.parse(row.facts) as Json,
    containers: JSON.parse(row.containers) as Record<string, string>,
    adopting: row.adopted_at !== null,
    repairedAt: row.repaired_at ?? undefined,
    listAgain: row.list_again ?? undefined,
    marked: row.marked ?? undefined,
  };
}
