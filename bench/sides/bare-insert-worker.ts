// The thread of bare-insert.ts: each message is one transaction.
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { MIGRATIONS } from '../../src/core/store/sql/schema.ts';
import type { Commit } from './bare-insert.ts';

const db = new DatabaseSync(String(workerData));
// The pragmas of the store's own connection.
db.exec('PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
db.exec('PRAGMA wal_autocheckpoint = 4000');
for (const migration of MIGRATIONS) db.exec(migration);
const inserts = Object.fromEntries(
  ['object', 'presence', 'entry', 'contribution', 'projection'].map((table) => {
    const columns = db.prepare(`PRAGMA table_info(${table})`).all().length;
    return [table, db.prepare(`INSERT INTO ${table} VALUES (${Array(columns).fill('?').join()})`)];
  }),
);

parentPort?.on('message', (commit: Commit) => {
  db.exec('BEGIN IMMEDIATE');
  for (const [table, rows] of Object.entries(commit)) for (const row of rows) inserts[table]?.run(...row);
  db.exec('COMMIT');
  parentPort?.postMessage('done');
});
parentPort?.postMessage('ready');
