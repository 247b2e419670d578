// Sets of rows in one statement each: every column goes as an array of the server's (`unnest`), so that the text is the same
// however many there are.
import type { OnConflict, Values } from '../sql/port.ts';

/** How the array of a column is spelled, by its name. */
export type Casts = (column: string) => '::text[]' | '::bigint[]';

export function insertSql(table: string, columns: readonly string[], casts: Casts, onConflict?: OnConflict): string {
  const met = onConflict === undefined ? '' : metOf(table, onConflict);
  return `INSERT INTO ${table} (${columns.join(', ')}) SELECT * FROM unnest(${sourceOf(columns, casts)})${met}`;
}

/** Its last value is the id that the first row gets; answers the ids of those that were not there. */
export function insertNewSql(table: string, columns: readonly string[], casts: Casts): string {
  const names = namesOf(columns).join(', ');
  return `INSERT INTO ${table} (id, ${columns.join(', ')})
       SELECT $${columns.length + 1} + place - 1, ${names} FROM unnest(${sourceOf(columns, casts)}) WITH ORDINALITY AS u(${names}, place)
       ORDER BY place ON CONFLICT DO NOTHING RETURNING id`;
}

/** Its values are the columns, then the keys. */
export function updateSql(table: string, keys: readonly string[], columns: readonly string[], casts: Casts): string {
  const all = [...columns, ...keys];
  return `UPDATE ${table} SET ${columns.map((one, i) => `${one} = v${i}`).join(', ')}
       FROM unnest(${sourceOf(all, casts)}) AS u(${namesOf(all).join(', ')}) WHERE ${keyed(table, keys, columns.length)}`;
}

export function deleteSql(table: string, keys: readonly string[], casts: Casts): string {
  return `DELETE FROM ${table} USING unnest(${sourceOf(keys, casts)}) AS u(${namesOf(keys).join(', ')}) WHERE ${keyed(table, keys, 0)}`;
}

/** Of several new values for one row the last holds. */
export function lastOfEach(rows: readonly Values[], keysFrom: number): readonly Values[] {
  const last = new Map<string, Values>();
  for (const row of rows) last.set(row.slice(keysFrom).join('\u0000'), row);
  return last.size === rows.length ? rows : [...last.values()];
}

const sourceOf = (columns: readonly string[], casts: Casts): string =>
  columns.map((one, i) => `$${i + 1}${casts(one)}`).join(', ');

const namesOf = (columns: readonly string[]): string[] => columns.map((_, i) => `v${i}`);

const keyed = (table: string, keys: readonly string[], from: number): string =>
  keys.map((one, i) => `${table}.${one} = v${from + i}`).join(' AND ');

function metOf(table: string, onConflict: Exclude<OnConflict, undefined>): string {
  if (onConflict === 'nothing') return ' ON CONFLICT DO NOTHING';
  const { keys, update } = onConflict;
  const set = update.map((one) => `${one} = excluded.${one}`).join(', ');
  const differs = update.map((one) => `${table}.${one} IS DISTINCT FROM excluded.${one}`).join(' OR ');
  return ` ON CONFLICT (${keys.map((one) => (one === 'value' ? 'md5(value)' : one)).join(', ')}) DO UPDATE SET ${set} WHERE ${differs}`;
}
