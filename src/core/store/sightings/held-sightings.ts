// Sightings that wait for a person. An approval covers exactly what was shown, and what nobody decides is denied.
import { answered, denied } from '../../ledger/outbox.ts';
import { ConnectorError } from '../../model/failure.ts';
import { OUTBOX, type OutboxRow, tellingOf } from '../rows/outbox-rows.ts';
import { type Released, type Releases, sightingCode } from '../rows/releases.ts';
import type { StoreContext } from '../unit/context.ts';
import { type Change, STEP, writeTellings } from './outbox-table.ts';

/** Earlier states of a held sighting that are remembered. */
const MOST_PAST = 50;

/** A row that a person decided on. */
interface Decided extends Change {
  readonly row: OutboxRow;
}

export class HeldSightings {
  readonly #store: StoreContext;
  readonly #releases: Releases;

  constructor(store: StoreContext, releases: Releases) {
    this.#store = store;
    this.#releases = releases;
  }

  /**
   * In their order, all or none. `set` of each stands for what the person saw, markings included: an approval covers
   * exactly that.
   */
  decide(
    shown: readonly { readonly id: number; readonly set: string }[],
    decision: 'approve' | 'reject',
    by: string,
    reason: string,
    now: number,
  ): OutboxRow[] {
    const { db } = this.#store;
    const ids = [...new Set(shown.map(({ id }) => id))];
    const known = db.byKeys<OutboxRow>('SELECT * FROM outbox WHERE id IN ($keys)', ids);
    const rows = new Map(known.map((row) => [row.id, row]));
    const objects = this.#releases.objects(known.map((row) => row.object_id));
    const changes = shown.map(({ id, set }): Decided => {
      const row = rows.get(id);
      // Named twice it is not held any more.
      rows.delete(id);
      if (row === undefined || row.state !== OUTBOX.held)
        throw new ConnectorError('permanent', `no sighting is held under s${id}; see entente held list`);
      const before = tellingOf(row);
      const seen = this.#checked(row, objects.get(row.object_id), decision, set.toLowerCase(), now);
      return { row, before, after: answered(before, decision, seen, now) };
    });
    writeTellings(this.#store, changes);
    const decided = changes.map(({ row }) => row);
    db.updateRows(
      'outbox',
      ['id'],
      ['decided_by', 'decision_reason'],
      decided.map(({ id }) => [by, reason, id]),
    );
    db.deleteRows(
      'outbox_past',
      ['outbox_id'],
      decided.map(({ id }) => [id]),
    );
    return decided;
  }

  /** What was shown, which is what there still is. */
  #checked(
    row: OutboxRow,
    found: Released | undefined,
    decision: 'approve' | 'reject',
    code: string,
    now: number,
  ): number {
    // The loop that ends holds may not have come by: an approval must not outrun it.
    if (now - row.since > this.#releases.spec.holdHours * 3_600_000)
      throw new ConnectorError(
        'permanent',
        `s${row.id} waited longer than sightings.hold_hours and counts as denied; nothing was done`,
      );
    const shown = this.#shown(row, found);
    if (sightingCode(this.#store.writer, row.id, shown) !== code)
      throw new ConnectorError('permanent', this.#changed(row, code));
    if (found === undefined && decision === 'approve')
      throw new ConnectorError(
        'permanent',
        `the object that s${row.id} tells of is forgotten: it can only be rejected`,
      );
    return shown;
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
    writeTellings(
      this.#store,
      rows.map((row) => {
        const before = tellingOf(row);
        return { row, before, after: denied(before, 'held, and nobody approved it in time', now, before.rule) };
      }),
    );
    return rows.length;
  }
}
