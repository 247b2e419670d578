// What is over goes, some at a time: objects that vanished or expired long ago, entries that nothing refers to, lifted
// suppressions. Revoked ids stay as tombstones while their exchange is configured, and an object that a sighting was
// made of stays as long as that sighting is kept.
import { digest48 } from '../../model/digest.ts';
import { latestExpiryOf } from '../../policy/expiry.ts';
import type { StoreContext } from '../unit/context.ts';
import type { Objects } from './objects.ts';
import { OBJECT, type ObjectRow } from '../rows/rows.ts';
import type { Sweep, Sweeps, SweepStep } from '../unit/sweeps.ts';

const DAY_MS = 86_400_000;
/** When all objects were gone through for expired ones last. */
const WALKED = 'expired_walked';
const UNTOLD = 'NOT EXISTS (SELECT 1 FROM outbox b WHERE b.object_id = o.id)';

export class Retention {
  readonly #store: StoreContext;
  readonly #objects: Objects;
  readonly #sweeps: Sweeps;
  #dropped = 0;
  #under = false;

  constructor(store: StoreContext, objects: Objects, sweeps: Sweeps) {
    this.#store = store;
    this.#objects = objects;
    this.#sweeps = sweeps;
    sweeps.register('expired', (sweep, most) => this.#expired(sweep, most));
    sweeps.register('entries', (sweep, most) => this.#entries(sweep, most));
  }

  /** One step, to be asked again while there is more. Entries come last: what was forgotten before left some behind. */
  step(before: number, most: number, now: number): { dropped: number; more: boolean } {
    this.#dropped = 0;
    let more = true;
    const busy = (['expired', 'entries'] as const).find((kind) => this.#sweeps.find(kind, 0, '') !== undefined);
    if (busy !== undefined) {
      this.#sweeps.stepOf(busy, 0, '', now);
      if (busy === 'expired' && this.#sweeps.find('expired', 0, '') === undefined) this.#beginEntries(now);
    } else if (this.#under) {
      this.#under = false;
      more = false;
    } else if (this.#gone(before, most) < most) {
      this.#under = true;
      this.#store.db.run('DELETE FROM suppression WHERE coalesce(lifted, until) < ?', before);
      // A walk over all that is known, which need not be hourly.
      const walked = Number(this.#store.meta(WALKED) ?? 0);
      if (now - walked >= DAY_MS) {
        this.#store.setMeta(WALKED, String(now));
        this.#sweeps.later('expired', 0, '', { before }, now);
      } else this.#beginEntries(now);
    }
    return { dropped: this.#dropped, more };
  }

  #beginEntries(now: number): void {
    this.#sweeps.later('entries', 0, '', null, now);
  }

  /** Objects that vanished long ago, and those of exchanges that are no longer configured. */
  #gone(before: number, most: number): number {
    const rows = this.#store.db.all<ObjectRow>(
      `SELECT o.* FROM object o JOIN exchange e ON e.id = o.exchange_id
       WHERE o.gone_at IS NOT NULL AND o.gone_at < ?
       AND (o.state = ${OBJECT.vanished} OR (o.state = ${OBJECT.revoked} AND e.active = 0)) AND ${UNTOLD} LIMIT ?`,
      before,
      most,
    );
    this.#forget(rows);
    return rows.length;
  }

  /** Objects that no SIEM could hold any more, whether or not the partner still shows them. */
  #expired({ position, argument }: Sweep, most: number): SweepStep {
    const { before } = argument as { readonly before: number };
    const rows = this.#store.db.all<ObjectRow>(
      `SELECT o.* FROM object o WHERE o.id > ? ORDER BY o.id LIMIT ?`,
      Number(position),
      most,
    );
    const over = rows.filter((row) => row.state === OBJECT.published && this.#until(row) < before);
    const told = this.#told(over.map((row) => row.id));
    this.#forget(over.filter((row) => !told.has(row.id)));
    return { rows: rows.length, position: rows.length < most ? undefined : String(rows.at(-1)!.id) };
  }

  /** Of which of these a sighting was made. */
  #told(ids: readonly number[]): Set<number> {
    const told = this.#store.db.listsByKeys('SELECT DISTINCT object_id FROM outbox WHERE object_id IN ($keys)', ids);
    return new Set(told.map(([id]) => id as number));
  }

  /** The end that the most patient of the SIEMs gives it. */
  #until(row: ObjectRow): number {
    const name = this.#store.exchangeNames.get(row.exchange_id) ?? '';
    const claim = { version: row.version, validFrom: row.valid_from, validUntil: row.valid_until ?? undefined };
    const ends = this.#store.siems.flatMap(({ spec }) => {
      const rules = spec.rules[name];
      return rules === undefined ? [] : [latestExpiryOf(claim, rules.lifetime)];
    });
    return ends.length === 0 ? (row.valid_until ?? Number.POSITIVE_INFINITY) : Math.max(...ends);
  }

  #forget(rows: readonly ObjectRow[]): void {
    const { db } = this.#store;
    for (const row of rows) if (row.state === OBJECT.published) this.#objects.uncount(row);
    const ids = rows.map((row) => [row.id]);
    for (const table of ['contribution', 'presence', 'unexplained']) db.deleteRows(table, ['object_id'], ids);
    db.deleteRows('object', ['id'], ids);
    this.#dropped += rows.length;
  }

  /** Entries that nothing refers to any more: a changed pattern leaves them behind. Their hits go with them. */
  #entries({ position }: Sweep, most: number): SweepStep {
    const { db } = this.#store;
    const ids = db.all<{ id: number }>('SELECT id FROM entry WHERE id > ? ORDER BY id LIMIT ?', Number(position), most);
    const last = ids.at(-1)?.id;
    if (last === undefined) return { rows: 0, position: undefined };
    const loose = db.all<{ id: number; type: number; value: string; told: number }>(
      `SELECT id, type, value, EXISTS (SELECT 1 FROM audit_entry WHERE entry_id = entry.id) AS told FROM entry WHERE id > ? AND id <= ? AND NOT EXISTS (SELECT 1 FROM contribution WHERE entry_id = entry.id)
       AND NOT EXISTS (SELECT 1 FROM siem s JOIN projection p ON p.siem_id = s.id AND p.entry_id = entry.id)`,
      Number(position),
      last,
    );
    const keys = loose.map(({ id }) => [id]);
    db.deleteRows('hit', ['entry_id'], keys);
    // The record may still tell of them.
    db.insertRows(
      'audit_forgotten',
      ['entry_id', 'digest', 'type', 'value'],
      loose.flatMap(({ id, type, value, told }) => (told ? [[id, digest48(`${type} ${value}`), type, value]] : [])),
    );
    db.deleteRows('entry', ['id'], keys);
    return { rows: ids.length, position: ids.length < most ? undefined : String(last) };
  }
}
