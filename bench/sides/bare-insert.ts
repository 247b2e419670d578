// The other side of ingest: the rows that our ingest left, sent to a worker as plain arrays and inserted there into
// the same schema, 5,000 objects to a commit.

import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { say, stopwatch } from './open.ts';

export type Commit = Readonly<Record<string, readonly (readonly (string | number | null)[])[]>>;

const COMMIT_OBJECTS = 5000;
const [from = '', to = ''] = process.argv.slice(2);
const source = new DatabaseSync(from, { readOnly: true });
type Values = (string | number | null)[];
const rows = (sql: string, ...values: number[]): Values[] => {
  const statement = source.prepare(sql);
  statement.setReturnArrays(true);
  return statement.all(...values) as unknown as Values[];
};

const commits: Commit[] = [];
const last = Number(rows('SELECT max(id) FROM object')[0]?.[0] ?? 0);
let entries = 0;
for (let at = 1; at <= last; at += COMMIT_OBJECTS) {
  const range = [at, at + COMMIT_OBJECTS - 1];
  const linked = Number(
    rows('SELECT max(entry_id) FROM contribution WHERE object_id BETWEEN ? AND ?', ...range)[0]?.[0],
  );
  // Entry ids grow, so the entries that came with these objects are a run of ids.
  const fresh = [entries + 1, linked];
  entries = Math.max(entries, linked);
  commits.push({
    object: rows('SELECT * FROM object WHERE id BETWEEN ? AND ?', ...range),
    presence: rows('SELECT * FROM presence WHERE object_id BETWEEN ? AND ?', ...range),
    entry: rows('SELECT * FROM entry WHERE id BETWEEN ? AND ?', ...fresh),
    contribution: rows('SELECT * FROM contribution WHERE object_id BETWEEN ? AND ? ORDER BY object_id', ...range),
    projection: rows('SELECT * FROM projection WHERE entry_id BETWEEN ? AND ? ORDER BY entry_id, siem_id', ...fresh),
  });
}
source.close();

const worker = new Worker(new URL('./bare-insert-worker.ts', import.meta.url), { workerData: to });
const answered = (): Promise<void> =>
  new Promise((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
  });
await answered();
const stop = stopwatch();
let ahead: Promise<void> = Promise.resolve();
for (const commit of commits) {
  const before = ahead;
  worker.postMessage(commit);
  await before;
  ahead = answered();
}
await ahead;
say(stop());
await worker.terminate();
