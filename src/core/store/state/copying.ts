// A state brought into another database, table by table: streamed, and believed only when each table of the copy has the
// same rows. Whatever the other database cannot keep exactly shows there, and then nothing was copied.
import { digest48 } from '../../model/digest.ts';
import { ConnectorError } from '../../model/failure.ts';

import type { Database, Values } from '../sql/port.ts';

/** Rows that are written at a time. */
const PAGE = 2_000;
const MODULUS = 2 ** 48;

export interface CopiedTable {
  readonly table: string;
  readonly rows: number;
}

/** Into tables that are empty, all in one transaction of theirs. `from` must not change meanwhile. */
export function copyTables(from: Database, to: Database, told: (done: CopiedTable) => void = () => {}): CopiedTable[] {
  if (to.get('SELECT 1 AS one FROM meta LIMIT 1') !== undefined)
    throw new ConnectorError('permanent', `${to.path} holds a state already; nothing was copied over it`);
  return to.transaction(() => {
    const known = new Map(to.tables().map((one) => [one.name, one.columns]));
    const copied = from.tables().map(({ name, columns }) => {
      if (known.get(name)?.toSorted().join() !== columns.toSorted().join())
        throw new ConnectorError(
          'permanent',
          `table ${name} of ${from.path} is of another version than that of ${to.path}; start this version's daemon on it once`,
        );
      const source = sumOf(from, name, columns, (rows) => to.insertRows(name, columns, rows));
      const target = sumOf(to, name, columns);
      if (source.rows !== target.rows || source.sum !== target.sum)
        throw new ConnectorError(
          'permanent',
          `table ${name} cannot be kept exactly in ${to.path} (${source.rows} rows, ${target.rows} there); nothing was copied`,
        );
      const done = { table: name, rows: source.rows };
      told(done);
      return done;
    });
    to.copied();
    return copied;
  });
}

/** How many rows, and a sum over their digests, which no order changes. */
function sumOf(
  db: Database,
  table: string,
  columns: readonly string[],
  take: (rows: readonly Values[]) => void = () => {},
): { readonly rows: number; readonly sum: number } {
  let rows = 0;
  let sum = 0;
  let page: Values[] = [];
  for (const row of db.iterate<Record<string, string | number | null>>(`SELECT ${columns.join(', ')} FROM ${table}`)) {
    const values = columns.map((one) => row[one] ?? null);
    rows++;
    sum = (sum + digest48(JSON.stringify(values))) % MODULUS;
    page.push(values);
    if (page.length < PAGE) continue;
    take(page);
    page = [];
  }
  if (page.length > 0) take(page);
  return { rows, sum };
}
