// What may leave, as rows: ledger/outbox.ts says what becomes of each.
import type { SendOutcome } from '../../contracts/exchange-connector.ts';
import { sightingUuid, type Totals } from '../../inventory/aggregate.ts';
import {
  decided,
  denied,
  outcomeOf,
  retried,
  type Ruling,
  type Sent,
  settled,
  taken,
  type Telling,
} from '../../ledger/outbox.ts';
import { SIGHTING_KINDS, type Sighting } from '../../model/sighting.ts';
import { OUTBOX, type OutboxRow, type OutboxState, sightingOf, tellingOf } from '../rows/outbox-rows.ts';
import type { Released, Releases } from '../rows/releases.ts';
import type { Values } from '../sql/port.ts';
import type { ExchangeState, StoreContext } from '../unit/context.ts';
import type { HeldSightings } from './held-sightings.ts';
import {
  type Change,
  countTold,
  NEW_COLUMNS,
  rowsOf,
  scopesOf,
  STEP,
  tellingKey,
  writeTelling,
  writeTellings,
} from './outbox-table.ts';
import { byStarts, IN_STARTS, startsOf } from './windows.ts';

const HOLDS_CANARIES = 'its count holds hits on our own ground or on canaries of ours (own, sightings.ignore_values)';

/** Values that one look-up names. */
const MOST_CANARIES = 5000;

/** What hits of a window come to for an object, and who may be told of it. */
export interface ToTell {
  readonly to: ExchangeState;
  readonly found: Released;
  readonly start: number;
  readonly kind: number;
  readonly totals: Totals;
  readonly latest: number;
}

/** How a send ended, with the time of the next attempt where there is one. */
export type SendSettlement =
  | Exclude<SendOutcome, { readonly kind: 'failed' | 'unseen' }>
  | { readonly uuid: string; readonly kind: 'again'; readonly at: number }
  | { readonly uuid: string; readonly kind: 'refused'; readonly reason: string };

const hitKey = (entryId: number, start: number, verdict: number): string => `${entryId} ${start} ${verdict}`;

export class Outbox {
  readonly #store: StoreContext;
  readonly #releases: Releases;
  readonly #held: HeldSightings;

  constructor(store: StoreContext, releases: Releases, held: HeldSightings) {
    this.#store = store;
    this.#releases = releases;
    this.#held = held;
    store.db.run(
      `UPDATE outbox SET state = ${OUTBOX.queued}, sending = NULL, attempt = attempt + 1 WHERE state = ${OUTBOX.sending}`,
    );
  }

  /** Hits made or changed what is to be told about objects: of each once for a window, to each exchange. */
  put(tellings: readonly ToTell[], now: number): void {
    const known = rowsOf(this.#store.db, tellings);
    const fresh: Values[] = [];
    const grown: Values[] = [];
    const changes: Change[] = [];
    for (const one of tellings) {
      const row = known.get(tellingKey(one.to.id, one.found.rowId, one.start, one.kind));
      if (row === undefined) fresh.push(this.#first(one, now));
      // A SIEM that left the configuration, or may no longer hold the object, takes its count along: what was known
      // stays known, and a version never goes back.
      else if (one.totals.modified > row.modified) {
        const { to, found, totals, latest } = one;
        if (row.state === OUTBOX.held) this.#held.remember(row, found);
        grown.push([totals.firstSeen, totals.lastSeen, totals.count, totals.modified, latest, row.id]);
        const next = { ...row, n: totals.count, modified: totals.modified, latest };
        const telling = tellingOf(next);
        changes.push({ row, before: telling, after: decided(telling, this.#ruling(next, to, found, now), now) });
      }
    }
    this.#store.db.insertRows('outbox', NEW_COLUMNS, fresh);
    this.#store.db.updateRows('outbox', ['id'], ['first', 'last', 'n', 'modified', 'latest'], grown);
    writeTellings(this.#store, changes);
  }

  /** Nobody saw it before, so nobody approved it. */
  #first({ to, found, start, kind, totals, latest }: ToTell, now: number): Values {
    const kindName = SIGHTING_KINDS[kind]!;
    const uuid = sightingUuid(this.#store.spec.instance, found.from, found.objectId, start, kindName);
    const decision = this.#releases.judge(to.spec.name, found, kindName, totals.count, latest, now);
    const nobody = { rejected: false, approved: undefined };
    const state = OUTBOX[outcomeOf(nobody, { decision, shown: 0, delayMs: 0 })];
    countTold(this.#store, state, 1);
    return [
      this.#store.ids.take('outbox'),
      to.id,
      found.rowId,
      start,
      kind,
      uuid,
      state,
      totals.firstSeen,
      totals.lastSeen,
      totals.count,
      totals.modified,
      latest,
      decision.rule ?? null,
      decision.reason,
      now,
      now + this.#delay(decision, uuid),
    ];
  }

  /** What the rules say of the row as it stands now. */
  #decideAs(telling: Telling, row: OutboxRow, to: ExchangeState, found: Released, now: number): void {
    writeTelling(this.#store, row, telling, decided(telling, this.#ruling(row, to, found, now), now));
  }

  #ruling(row: OutboxRow, to: ExchangeState, found: Released | undefined, now: number): Ruling {
    const decision = this.#releases.judge(to.spec.name, found, SIGHTING_KINDS[row.kind]!, row.n, row.latest, now);
    return {
      decision,
      shown: found === undefined ? undefined : this.#releases.shown(to.spec.name, row.modified, found),
      delayMs: this.#delay(decision, row.uuid),
    };
  }

  #delay(decision: Ruling['decision'], uuid: string): number {
    return this.#releases.delay(decision, uuid, this.#store.writer);
  }

  /** What is due, each judged again by the object and the rules of this moment. */
  take(to: ExchangeState, limit: number, now: number): Sighting[] {
    const { db } = this.#store;
    const rows = db.all<OutboxRow>(
      `SELECT * FROM outbox INDEXED BY outbox_due WHERE exchange_id = ? AND state = ${OUTBOX.queued} AND due <= ? ORDER BY due LIMIT ?`,
      to.id,
      now,
      limit,
    );
    const objects = this.#releases.objects(rows.map((row) => row.object_id));
    const scopes = scopesOf(db, [...objects.keys()]);
    const judged = rows.map((row) => {
      const found = objects.get(row.object_id);
      return { row, found, before: tellingOf(row), ruling: this.#ruling(row, to, found, now) };
    });
    const leaving = judged.filter(({ before, ruling }) => outcomeOf(before, ruling) === 'queued');
    const holdCanaries = this.#withCanaries(leaving);
    const changes = judged.map(({ row, found, before, ruling }) => {
      const after = holdCanaries.has(row) ? denied(before, HOLDS_CANARIES, now) : taken(before, ruling, now);
      return { row, found, before, after };
    });
    writeTellings(this.#store, changes);
    return changes.flatMap(({ row, found, after }) => {
      if (after.state !== 'sending' || found === undefined) return [];
      const scope = scopes.get(row.object_id);
      const due = { ...sightingOf(row, found, this.#releases.spec), ...(scope === undefined ? {} : { scope }) };
      return [row.attempt === 0 ? due : { ...due, attempt: row.attempt }];
    });
  }

  /** Those of them whose hits on one of their values were counted before that value became a canary. */
  #withCanaries(leaving: readonly { readonly row: OutboxRow; readonly found: Released | undefined }[]): Set<OutboxRow> {
    const asked = leaving.flatMap(({ row, found }) =>
      (found?.canaries ?? []).map((entryId) => ({ row, entryId, start: row.start, verdict: row.kind })),
    );
    const hit = new Set<string>();
    for (const part of byStarts(asked, () => 1, MOST_CANARIES))
      for (const seen of this.#store.db.byKeys<{ entry_id: number; start: number; verdict: number }>(
        `SELECT DISTINCT entry_id, start, verdict FROM hit WHERE start ${IN_STARTS} AND entry_id IN ($keys)`,
        [...new Set(part.map((one) => one.entryId))],
        ...startsOf(part),
      ))
        hit.add(hitKey(seen.entry_id, seen.start, seen.verdict));
    return new Set(asked.filter((one) => hit.has(hitKey(one.entryId, one.start, one.verdict))).map(({ row }) => row));
  }

  settle(to: ExchangeState, settlements: readonly SendSettlement[], now: number): void {
    const sql = 'SELECT * FROM outbox WHERE exchange_id = ? AND uuid IN ($keys)';
    const load = (uuids: readonly string[]) => this.#store.db.byKeys<OutboxRow>(sql, uuids, to.id);
    const rows = new Map(load(settlements.map((one) => one.uuid)).map((row) => [row.uuid, row]));
    const told = settlements.flatMap((one) => (one.kind === 'sent' ? (rows.get(one.uuid)?.object_id ?? []) : []));
    const objects = this.#releases.objects(told);
    const done = new Set<string>();
    for (const one of settlements) {
      // Named twice it is not any more what it was.
      const row = done.has(one.uuid) ? load([one.uuid])[0] : rows.get(one.uuid);
      if (row === undefined) continue;
      done.add(one.uuid);
      const telling = tellingOf(row);
      const next = settled(telling, one satisfies Sent, now);
      // It is not on its way.
      if (next === telling) continue;
      writeTelling(this.#store, row, telling, next);
      const found = next.state === 'sent' ? objects.get(row.object_id) : undefined;
      if (next.state === 'sent') this.#record(to, row, found, next);
      // Hits that came while it was on its way.
      if (found !== undefined && next.sent !== row.modified) this.#decideAs(next, row, to, found, now);
    }
  }

  #record(to: ExchangeState, row: OutboxRow, found: Released | undefined, { rule, approved }: Telling): void {
    const word = approved === undefined ? `release rule ${rule ?? '?'}` : 'approved by a person';
    const says = `${SIGHTING_KINDS[row.kind]}, counted ${row.n}: ${word}`;
    this.#store.records.told(to.spec.name, found?.objectId ?? row.uuid, found?.tlp ?? null, row.modified, says);
  }

  /** Refused ones go to work again, all or one; returns how many. They are judged again before they leave. */
  retryFailed(only: number | undefined, now: number): number {
    const rows = this.#store.db.all<OutboxRow>(
      `SELECT * FROM outbox WHERE state = ${OUTBOX.failed}${only === undefined ? '' : ' AND id = ?'}`,
      ...(only === undefined ? [] : [only]),
    );
    writeTellings(
      this.#store,
      rows.map((row) => {
        const before = tellingOf(row);
        return { row, before, after: retried(before, now) };
      }),
    );
    return rows.length;
  }

  retain(before: number): number {
    const rows = this.#store.db.all<{ id: number; state: OutboxState }>(
      `SELECT id, state FROM outbox WHERE state IN (${OUTBOX.denied}, ${OUTBOX.sent}, ${OUTBOX.failed}) AND start < ? LIMIT ${STEP}`,
      before,
    );
    const ids = rows.map(({ id }) => [id]);
    this.#store.db.deleteRows('outbox', ['id'], ids);
    this.#store.db.deleteRows('outbox_past', ['outbox_id'], ids);
    for (const { state } of rows) countTold(this.#store, state, -1);
    return rows.length;
  }
}
