// What the server answers, column by column, as rows.
import type { Rows } from './messages.ts';

export function rowsOf<R extends object>({ columns, values }: Rows): R[] {
  const made: Record<string, unknown>[] = [];
  for (let at = 0; at < values.length; at += columns.length) {
    const row: Record<string, unknown> = {};
    for (let i = 0; i < columns.length; i++) row[columns[i]!] = values[at + i];
    made.push(row);
  }
  // Columns and row types stand side by side in one statement each.
  return made as R[];
}

export function listsOf({ columns, values }: Rows): (string | number | null)[][] {
  const made: (string | number | null)[][] = [];
  for (let at = 0; at < values.length; at += columns.length) made.push(values.slice(at, at + columns.length));
  return made;
}
