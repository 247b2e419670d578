// Rows of the outbox change in one way: by what is told before and after (ledger/outbox.ts), and the counts follow.
import type { Telling } from '../../ledger/outbox.ts';
import { COLUMNS, OUTBOX, type OutboxRow, type OutboxState, valuesOf } from '../rows/outbox-rows.ts';
import type { Database } from '../sql/port.ts';
import type { StoreContext } from '../unit/context.ts';
import { IN_STARTS, startsOf } from './windows.ts';

/** Names that status counts by. */
const COUNTED = ['queued', 'held', 'denied', 'queued', 'queued', 'sent', 'failed'] as const;

/** Rows that one step of retention looks at. */
export const STEP = 2000;

/** Of a row that is told of otherwise than before. */
export interface Change {
  readonly row: Pick<OutboxRow, 'id'>;
  readonly before: Telling;
  readonly after: Telling;
}

export const writeTelling = (store: StoreContext, row: Change['row'], before: Telling, after: Telling): void =>
  writeTellings(store, [{ row, before, after }]);

/** Each of another row. */
export function writeTellings(store: StoreContext, changes: readonly Change[]): void {
  const changed = changes.filter(({ before, after }) => before !== after);
  store.db.updateRows(
    'outbox',
    ['id'],
    COLUMNS,
    changed.map(({ row, after }) => [...valuesOf(after), row.id]),
  );
  for (const { before, after } of changed) {
    countTold(store, OUTBOX[before.state], -1);
    countTold(store, OUTBOX[after.state], 1);
  }
}

/** Of a row that nobody was told of yet. */
export const NEW_COLUMNS = [
  'id',
  'exchange_id',
  'object_id',
  'start',
  'kind',
  'uuid',
  'state',
  'first',
  'last',
  'n',
  'modified',
  'latest',
  'rule',
  'reason',
  'since',
  'due',
] as const;

export const tellingKey = (exchangeId: number, objectId: number, start: number, kind: number): string =>
  `${exchangeId} ${objectId} ${start} ${kind}`;

/** What is there of these, by `tellingKey`. Their windows are as many as one look-up names. */
export function rowsOf(db: Database, tellings: readonly Told[]): Map<string, OutboxRow> {
  const known = new Map<string, OutboxRow>();
  for (const [exchangeId, all] of Map.groupBy(tellings, (one) => one.to.id))
    for (const row of db.byKeys<OutboxRow>(
      `SELECT * FROM outbox WHERE exchange_id = ? AND start ${IN_STARTS} AND object_id IN ($keys)`,
      [...new Set(all.map((one) => one.found.rowId))],
      exchangeId,
      ...startsOf(all),
    ))
      known.set(tellingKey(row.exchange_id, row.object_id, row.start, row.kind), row);
  return known;
}

/** Where a row of the outbox is looked for. */
interface Told {
  readonly to: { readonly id: number };
  readonly found: { readonly rowId: number };
  readonly start: number;
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
