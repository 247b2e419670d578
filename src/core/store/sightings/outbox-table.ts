// Rows of the outbox change in one way: by what is told before and after (ledger/outbox.ts), and the counts follow.
import type { Telling } from '../../ledger/outbox.ts';
import { COLUMNS, OUTBOX, type OutboxRow, type OutboxState, valuesOf } from '../rows/outbox-rows.ts';
import type { Database } from '../sql/port.ts';
import type { StoreContext } from '../unit/context.ts';

/** Names that status counts by. */
const COUNTED = ['queued', 'held', 'denied', 'queued', 'queued', 'sent', 'failed'] as const;

/** Rows that one step of retention looks at. */
export const STEP = 2000;

export function writeTelling(
  store: StoreContext,
  { id }: Pick<OutboxRow, 'id'>,
  before: Telling,
  after: Telling,
): void {
  if (before === after) return;
  store.db.updateRows('outbox', ['id'], COLUMNS, [[...valuesOf(after), id]]);
  countTold(store, OUTBOX[before.state], -1);
  countTold(store, OUTBOX[after.state], 1);
}

/** The counts of `status`. */
export function countTold(store: StoreContext, state: OutboxState, n: 1 | -1): void {
  store.count('sightings', COUNTED[state], n);
}

/** Where each object was shown last. */
export function scopesOf(db: Database, objects: readonly number[]): Map<number, string> {
  const shown = db.byKeys<{ object_id: number; listing: number; name: string }>(
    'SELECT p.object_id, p.listing, s.name FROM presence p JOIN scope s ON s.id = p.scope_id WHERE p.object_id IN ($keys)',
    objects,
  );
  return new Map(shown.sort((a, b) => a.listing - b.listing).map((one) => [one.object_id, one.name]));
}
