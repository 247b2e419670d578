// A state as an earlier version would have left it: its tables, with those columns of today's that it knew.
import { renameSync, rmSync } from 'node:fs';
import { migrate, SqliteDatabase } from '../../src/core/store/sqlite/database.ts';
import { MIGRATIONS } from '../../src/core/store/sql/schema.ts';

/** The store on `path` must be closed. `more` may change what is told, before it is closed. */
export function asSchema(path: string, version: number, more: (old: SqliteDatabase) => void = () => {}): void {
  rmSync(`${path}-wal`, { force: true });
  renameSync(path, `${path}.new`);
  const old = new SqliteDatabase(path);
  migrate(old, MIGRATIONS.slice(0, version));
  old.run('ATTACH DATABASE ? AS new', `${path}.new`);
  for (const { name } of old.all<{ name: string }>("SELECT name FROM main.sqlite_schema WHERE type = 'table'")) {
    const known = new Set(old.all<{ name: string }>(`PRAGMA new.table_info(${name})`).map((column) => column.name));
    const columns = old
      .all<{ name: string }>(`PRAGMA main.table_info(${name})`)
      .map((column) => column.name)
      .filter((column) => known.has(column))
      .join(', ');
    if (columns !== '') old.exec(`INSERT INTO main.${name} (${columns}) SELECT ${columns} FROM new.${name}`);
  }
  old.exec('DETACH DATABASE new');
  more(old);
  old.close();
}
