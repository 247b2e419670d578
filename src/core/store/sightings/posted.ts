// What is on its way to an exchange: receipts that are to be asked for with what they stand for, and when more is due.
import { cut } from '../../inventory/aggregate.ts';
import { type Posted, SIGHTING_KINDS } from '../../model/sighting.ts';
import { OUTBOX, type OutboxRow } from '../rows/outbox-rows.ts';
import type { ExchangeState, StoreContext } from '../unit/context.ts';

export function receipts({ db }: StoreContext, to: ExchangeState): string[] {
  return db
    .all<{ receipt: string }>(
      `SELECT DISTINCT receipt FROM outbox WHERE exchange_id = ? AND receipt IS NOT NULL AND state = ${OUTBOX.pending}`,
      to.id,
    )
    .map((row) => row.receipt);
}

/** What the receipt stands for, in the versions that were sent. */
export function postedUnder({ db }: StoreContext, to: ExchangeState, receipt: string, precisionMs: number): Posted[] {
  return db
    .all<OutboxRow>('SELECT * FROM outbox WHERE exchange_id = ? AND receipt = ?', to.id, receipt)
    .map(({ uuid, kind, start, sending, modified, attempt }) => ({
      uuid,
      kind: SIGHTING_KINDS[kind]!,
      created: cut(start, { precisionMs }),
      modified: sending ?? modified,
      attempt,
    }));
}

export function nextDue({ db }: StoreContext, to: ExchangeState): number | undefined {
  return (
    db.get<{ due: number | null }>(
      `SELECT min(due) AS due FROM outbox INDEXED BY outbox_due WHERE exchange_id = ? AND state = ${OUTBOX.queued}`,
      to.id,
    )?.due ?? undefined
  );
}
