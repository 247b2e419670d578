// Rows of the outbox change in one way: by what is told before and after (ledger/outbox.ts), and the counts follow.
import type { Telling } from '../../ledger/outbox.ts';
import { COLUMNS, OUTBOX, type OutboxRow, type OutboxState, valuesOf } from '../rows/outbox-rows.ts';
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
