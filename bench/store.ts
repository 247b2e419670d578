// How fast the store takes pages in, against a bare insert of the same rows; how fast batches go out; how fast an
// unchanged feed is read again. `node bench/store.ts [indicators]`; prints rates and ratios, medians of three.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { IncomingObject } from '../src/core/model/entry.ts';
import { OBSERVABLE_TYPES } from '../src/core/model/observable.ts';
import { readObject } from '../src/core/stix/objects.ts';
import { MIGRATIONS } from '../src/core/store/sql/schema.ts';
import { openStore, type Store } from '../src/core/store/store.ts';
import { feed } from '../src/simulators/feed.ts';
import { memorySiem } from '../test/contract/memory-siem.ts';

const COUNT = Number(process.argv[2] ?? 100_000);
const START = Date.now() - 86_400_000;
const PAGE = 5000;

const objects: IncomingObject[] = [];
for (const raw of feed({ count: COUNT, start: START, irregular: 0 })) {
  const read = readObject(raw);
  if ('object' in read && read.object !== undefined) objects.push(read.object);
}

const rules = {
  intake: { siem: 'siem', clearance: 'red', unmarked: 'amber', minConfidence: 0, unknownConfidence: 'accept' },
  lifetime: { defaultDays: 90, byType: {}, maxDays: 730 },
} as const;

const rate = (n: number, work: () => void): number => {
  // Processor time, since a busy machine says nothing by its wall clock.
  const from = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(from);
  return n / ((user + system) / 1e6);
};

function pages(store: Store): void {
  for (let at = 0; at < objects.length; at += PAGE) {
    const page = { scope: 'a', objects: objects.slice(at, at + PAGE), refusals: [], cursor: at };
    store.commitPages('partner', [page], Date.now());
  }
}

function deliver(store: Store): number {
  let sent = 0;
  for (;;) {
    const batch = store.takeBatch('siem', { maxItems: 2000, maxBytes: 10_000_000 }, Date.now());
    if (batch === undefined) return sent;
    sent += batch.ends.length;
    store.settleAll(batch.id, Date.now());
  }
}

/** The same rows without any thought: prepared inserts, the same schema and commits. */
function bare(folder: string, from: string): number {
  const db = new DatabaseSync(join(folder, 'bare.db'));
  db.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16384',
  );
  for (const sql of MIGRATIONS) db.exec(sql);
  const source = new DatabaseSync(from, { readOnly: true });
  const tables = ['object', 'presence', 'entry', 'contribution', 'projection', 'context', 'relation'].map((name) => {
    const rows = source.prepare(`SELECT * FROM ${name}`).all();
    const columns = Object.keys(rows[0] ?? {});
    const sql = `INSERT INTO ${name} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
    const insert = columns.length === 0 ? undefined : db.prepare(sql);
    return { insert, rows: rows.map((row) => Object.values(row)) };
  });
  source.close();
  const speed = rate(objects.length, () => {
    const steps = Math.ceil(objects.length / PAGE);
    for (let step = 0; step < steps; step++) {
      db.exec('BEGIN IMMEDIATE');
      for (const { insert, rows } of tables) {
        const size = Math.ceil(rows.length / steps);
        for (const row of rows.slice(step * size, (step + 1) * size)) insert?.run(...row);
      }
      db.exec('COMMIT');
    }
  });
  db.close();
  return speed;
}

function round(): Record<string, number> {
  const folder = mkdtempSync(join(tmpdir(), 'entente-bench-'));
  const path = join(folder, 'state.db');
  const store = openStore(
    {
      path,
      instance: 'bench',
      exchanges: [
        {
          name: 'partner',
          type: 'taxii21',
          fingerprint: 'a',
        },
      ],
      siems: [
        {
          name: 'siem',
          type: 'memory',
          fingerprint: 'a',
          settings: null,
          rules: { partner: rules },
          brakes: {},
          observables: OBSERVABLE_TYPES,
          longestCallMs: 30_000,
        },
      ],
    },
    new Map([['memory', memorySiem().definition]]),
  );
  const ingest = rate(objects.length, () => pages(store));
  const base = bare(folder, path);
  const again = rate(objects.length, () => pages(store));
  let sent = 0;
  const seconds = 1 / rate(1, () => (sent = deliver(store)));
  store.close();
  rmSync(folder, { recursive: true });
  return { ingest, base, again, deliver: sent / seconds, 'ingest/bare': ingest / base, 'again/ingest': again / ingest };
}

const rounds = [round(), round(), round()];
const median = (name: string): number => rounds.map((one) => one[name] ?? 0).sort((a, b) => a - b)[1] ?? 0;
console.log(`${objects.length} objects`);
for (const name of Object.keys(rounds[0] ?? {})) console.log(name.padEnd(14), median(name).toFixed(2));
