// Sightings that wait for a person. An approval covers exactly what was shown, and what nobody decides is denied.
import { answered, denied } from '../../ledger/outbox.ts';
import { ConnectorError } from '../../model/failure.ts';
import { OUTBOX, type OutboxRow, tellingOf } from '../rows/outbox-rows.ts';
import { type Released, type Releases, sightingCode } from '../rows/releases.ts';
import type { StoreContext } from '../unit/context.ts';
import { STEP, writeTelling } from './outbox-table.ts';

/** Earlier states of a held sighting that are remembered. */
const MOST_PAST = 50;

export class HeldSightings {
  readonly #store: StoreContext;
  readonly #releases: Releases;

  constructor(store: StoreContext, releases: Releases) {
    this.#store = store;
    this.#releases = releases;
  }

  /** `code` stands for what the person saw, markings included: an approval covers exactly that. */
  decide(id: number, decision: 'approve' | 'reject', code: string, by: string, reason: string, now: number): OutboxRow {
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
    writeTelling(this.#store, row, telling, answered(telling, decision, shown, now));
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
  remember(row: OutboxRow, found: Released): void {
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
  expire(before: number, now: number): number {
    const rows = this.#store.db.all<OutboxRow>(
      `SELECT * FROM outbox WHERE state = ${OUTBOX.held} AND since < ? LIMIT ${STEP}`,
      before,
    );
    for (const row of rows) {
      const telling = tellingOf(row);
      writeTelling(
        this.#store,
        row,
        telling,
        denied(telling, 'held, and nobody approved it in time', now, telling.rule),
      );
    }
    return rows.length;
  }
}
