// What may leave, as rows: ledger/outbox.ts says what becomes of each.
import type { SendOutcome } from '../../contracts/exchange-connector.ts';
import { ConnectorError } from '../../model/failure.ts';
import { type Posted, SIGHTING_KINDS, type Sighting } from '../../model/sighting.ts';
import { cut, sightingUuid, type Totals } from '../../inventory/aggregate.ts';
import {
  answered,
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
import type { ExchangeState, StoreContext } from '../unit/context.ts';
import {
  COLUMNS,
  OUTBOX,
  type OutboxRow,
  type OutboxState,
  sightingOf,
  tellingOf,
  valuesOf,
} from '../rows/outbox-rows.ts';
import { type Released, type Releases, sightingCode } from '../rows/releases.ts';

/** Names that status counts by. */
const COUNTED = ['queued', 'held', 'denied', 'queued', 'queued', 'sent', 'failed'] as const;
const STEP = 2000;
const HOLDS_CANARIES = 'its count holds hits on our own ground or on canaries of ours (own, sightings.ignore_values)';
/** Earlier states of a held sighting that are remembered. */
const MOST_PAST = 50;

/** How a send ended, with the time of the next attempt where there is one. */
export type SendSettlement =
  | Exclude<SendOutcome, { readonly kind: 'failed' | 'unseen' }>
  | { readonly uuid: string; readonly kind: 'again'; readonly at: number }
  | { readonly uuid: string; readonly kind: 'refused'; readonly reason: string };

export class Outbox {
  readonly #store: StoreContext;
  readonly #releases: Releases;

  constructor(store: StoreContext, releases: Releases) {
    this.#store = store;
    this.#releases = releases;
    store.db.run(
      `UPDATE outbox SET state = ${OUTBOX.queued}, sending = NULL, attempt = attempt + 1 WHERE state = ${OUTBOX.sending}`,
    );
  }

  /** Hits made or changed what is to be told about an object. */
  put(
    to: ExchangeState,
    found: Released,
    start: number,
    kind: number,
    totals: Totals,
    latest: number,
    now: number,
  ): void {
    const { db } = this.#store;
    const row = db.get<OutboxRow>(
      'SELECT * FROM outbox WHERE exchange_id = ? AND object_id = ? AND start = ? AND kind = ?',
      to.id,
      found.rowId,
      start,
      kind,
    );
    if (row !== undefined) {
      // A SIEM that left the configuration, or may no longer hold the object, takes its count along: what was known
      // stays known, and a version never goes back.
      if (totals.modified <= row.modified) return;
      if (row.state === OUTBOX.held) this.#remember(row, found);
      db.run(
        'UPDATE outbox SET first = ?, last = ?, n = ?, modified = ?, latest = ? WHERE id = ?',
        totals.firstSeen,
        totals.lastSeen,
        totals.count,
        totals.modified,
        latest,
        row.id,
      );
      this.#decide({ ...row, n: totals.count, modified: totals.modified, latest }, to, found, now);
      return;
    }
    const kindName = SIGHTING_KINDS[kind]!;
    const uuid = sightingUuid(this.#store.spec.instance, found.from, found.objectId, start, kindName);
    const decision = this.#releases.judge(to.spec.name, found, kindName, totals.count, latest, now);
    // Nobody saw it before, so nobody approved it.
    const nobody = { rejected: false, approved: undefined };
    const state = OUTBOX[outcomeOf(nobody, { decision, shown: 0, delayMs: 0 })];
    db.run(
      `INSERT INTO outbox (id, exchange_id, object_id, start, kind, uuid, state, first, last, n, modified, latest, rule, reason, since, due)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
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
    );
    this.#store.count('sightings', COUNTED[state], 1);
  }

  /** What the rules say of the row as it stands now. */
  #decide(row: OutboxRow, to: ExchangeState, found: Released, now: number): void {
    this.#decideAs(tellingOf(row), row, to, found, now);
  }

  #decideAs(telling: Telling, row: OutboxRow, to: ExchangeState, found: Released, now: number): void {
    this.#write(row, telling, decided(telling, this.#ruling(row, to, found, now), now));
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

  /** The counts of `status` follow from what changes. */
  #write({ id }: Pick<OutboxRow, 'id'>, before: Telling, after: Telling): void {
    if (before === after) return;
    this.#store.db.updateRows('outbox', ['id'], COLUMNS, [[...valuesOf(after), id]]);
    this.#store.count('sightings', COUNTED[OUTBOX[before.state]], -1);
    this.#store.count('sightings', COUNTED[OUTBOX[after.state]], 1);
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
    return rows.flatMap((row) => {
      const found = this.#releases.object(row.object_id);
      const telling = tellingOf(row);
      const ruling = this.#ruling(row, to, found, now);
      const canaries =
        outcomeOf(telling, ruling) === 'queued' && found !== undefined && this.#holdsCanaries(row, found);
      const next = canaries ? denied(telling, HOLDS_CANARIES, now) : taken(telling, ruling, now);
      this.#write(row, telling, next);
      if (next.state !== 'sending' || found === undefined) return [];
      const scope = this.#scopeOf(row.object_id);
      const due = { ...sightingOf(row, found, this.#releases.spec), ...(scope === undefined ? {} : { scope }) };
      return [row.attempt === 0 ? due : { ...due, attempt: row.attempt }];
    });
  }

  /** Where the object was shown last. */
  #scopeOf(object: number): string | undefined {
    return this.#store.db.get<{ name: string }>(
      'SELECT s.name FROM presence p JOIN scope s ON s.id = p.scope_id WHERE p.object_id = ? ORDER BY p.listing DESC LIMIT 1',
      object,
    )?.name;
  }

  /** Hits on one of its values were counted before that value became a canary. */
  #holdsCanaries(row: OutboxRow, { canaries }: Released): boolean {
    return canaries.some(
      (entry) =>
        this.#store.db.get(
          'SELECT 1 FROM hit WHERE entry_id = ? AND start = ? AND verdict = ? LIMIT 1',
          entry,
          row.start,
          row.kind,
        ) !== undefined,
    );
  }

  settle(to: ExchangeState, settlements: readonly SendSettlement[], now: number): void {
    const { db } = this.#store;
    for (const one of settlements) {
      const row = db.get<OutboxRow>('SELECT * FROM outbox WHERE exchange_id = ? AND uuid = ?', to.id, one.uuid);
      if (row === undefined) continue;
      const telling = tellingOf(row);
      const next = settled(telling, one satisfies Sent, now);
      // It is not on its way.
      if (next === telling) continue;
      this.#write(row, telling, next);
      const found = next.state === 'sent' ? this.#releases.object(row.object_id) : undefined;
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

  receipts(to: ExchangeState): string[] {
    return this.#store.db
      .all<{ receipt: string }>(
        `SELECT DISTINCT receipt FROM outbox WHERE exchange_id = ? AND receipt IS NOT NULL AND state = ${OUTBOX.pending}`,
        to.id,
      )
      .map((row) => row.receipt);
  }

  /** What the receipt stands for, in the versions that were sent. */
  postedUnder(to: ExchangeState, receipt: string): Posted[] {
    const precisionMs = this.#releases.spec.precisionMinutes * 60_000;
    return this.#store.db
      .all<OutboxRow>('SELECT * FROM outbox WHERE exchange_id = ? AND receipt = ?', to.id, receipt)
      .map(({ uuid, kind, start, sending, modified, attempt }) => ({
        uuid,
        kind: SIGHTING_KINDS[kind]!,
        created: cut(start, { precisionMs }),
        modified: sending ?? modified,
        attempt,
      }));
  }

  nextDue(to: ExchangeState): number | undefined {
    return (
      this.#store.db.get<{ due: number | null }>(
        `SELECT min(due) AS due FROM outbox INDEXED BY outbox_due WHERE exchange_id = ? AND state = ${OUTBOX.queued}`,
        to.id,
      )?.due ?? undefined
    );
  }

  /** `code` stands for what the person saw, markings included: an approval covers exactly that. */
  decideHeld(
    id: number,
    decision: 'approve' | 'reject',
    code: string,
    by: string,
    reason: string,
    now: number,
  ): OutboxRow {
    const row = this.#store.db.get<OutboxRow>('SELECT * FROM outbox WHERE id = ?', id);
    if (row === undefined || row.state !== OUTBOX.held)
      throw new ConnectorError('permanent', `no sighting is held under s${id}; see entente held list`);
    // The loop that ends holds may not have come by: an approval must not outrun it.
    if (now - row.since > this.#releases.spec.holdHours * 3_600_000)
      throw new ConnectorError(
        'permanent',
        `s${id} waited longer than sightings.hold_hours and counts as denied; nothing was done`,
      );
    const found = this.#releases.object(row.object_id);
    const shown = this.#shown(row, found);
    if (sightingCode(this.#store.writer, id, shown) !== code.toLowerCase())
      throw new ConnectorError('permanent', this.#changed(row, code.toLowerCase()));
    if (found === undefined && decision === 'approve')
      throw new ConnectorError('permanent', `the object that s${id} tells of is forgotten: it can only be rejected`);
    const telling = tellingOf(row);
    this.#write(row, telling, answered(telling, decision, shown, now));
    this.#store.db.run('UPDATE outbox SET decided_by = ?, decision_reason = ? WHERE id = ?', by, reason, id);
    this.#store.db.run('DELETE FROM outbox_past WHERE outbox_id = ?', id);
    return row;
  }

  /** Without its object it can only be rejected, which nothing else is shown for. */
  #shown(row: OutboxRow, found: Released | undefined): number {
    const to = this.#store.exchangeNames.get(row.exchange_id) ?? '';
    return this.#releases.shown(to, row.modified, found ?? { statements: [] });
  }

  /** More came to a sighting that a person may just be looking at. */
  #remember(row: OutboxRow, found: Released): void {
    const { db, writer } = this.#store;
    db.run(
      'INSERT INTO outbox_past (outbox_id, code, n) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      row.id,
      sightingCode(writer, row.id, this.#shown(row, found)),
      row.n,
    );
    db.run(
      `DELETE FROM outbox_past WHERE outbox_id = ? AND n <= (SELECT n FROM outbox_past WHERE outbox_id = ? ORDER BY n DESC LIMIT 1 OFFSET ${MOST_PAST})`,
      row.id,
      row.id,
    );
  }

  #changed(row: OutboxRow, code: string): string {
    const then = this.#store.db.get<{ n: number }>(
      'SELECT n FROM outbox_past WHERE outbox_id = ? AND code = ?',
      row.id,
      code,
    );
    const what =
      then === undefined
        ? `what it says, its markings or the form in which it leaves are not those of the code ${code}; it counts ${row.n} now`
        : `it counted ${then.n} then and counts ${row.n} now`;
    return `the held sighting s${row.id} has changed since it was shown: ${what}; nothing was done; look again: entente held show s${row.id}`;
  }

  /** Held for too long becomes denied, so that the queue cannot rot. */
  expireHeld(before: number, now: number): number {
    const rows = this.#store.db.all<OutboxRow>(
      `SELECT * FROM outbox WHERE state = ${OUTBOX.held} AND since < ? LIMIT ${STEP}`,
      before,
    );
    for (const row of rows) {
      const telling = tellingOf(row);
      this.#write(row, telling, denied(telling, 'held, and nobody approved it in time', now, telling.rule));
    }
    return rows.length;
  }

  /** Refused ones go to work again, all or one; returns how many. They are judged again before they leave. */
  retryFailed(only: number | undefined, now: number): number {
    const rows = this.#store.db.all<OutboxRow>(
      `SELECT * FROM outbox WHERE state = ${OUTBOX.failed}${only === undefined ? '' : ' AND id = ?'}`,
      ...(only === undefined ? [] : [only]),
    );
    for (const row of rows) {
      const telling = tellingOf(row);
      this.#write(row, telling, retried(telling, now));
    }
    return rows.length;
  }

  retain(before: number): number {
    const rows = this.#store.db.all<{ id: number; state: OutboxState }>(
      `SELECT id, state FROM outbox WHERE state IN (${OUTBOX.denied}, ${OUTBOX.sent}, ${OUTBOX.failed}) AND start < ? LIMIT ${STEP}`,
      before,
    );
    for (const row of rows) {
      this.#store.db.run('DELETE FROM outbox WHERE id = ?', row.id);
      this.#store.db.run('DELETE FROM outbox_past WHERE outbox_id = ?', row.id);
      this.#store.count('sightings', COUNTED[row.state], -1);
    }
    return rows.length;
  }
}
