// A state with very many objects, made by SQL: each names an address of its own. What differs from test to test is
// put into a copy. It is opened on a thread of its own, under the heaps of the daemon.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { openRemote, type RemoteStore, STORE_LIMITS } from '../../src/core/store/remote.ts';
import { openStore } from '../../src/core/store/store.ts';
import { memorySiem } from '../contract/memory-siem.ts';
import { DAY, type Given, HOUR, NOW, Rig, specOf, versionAt } from './store.ts';

export type Rows =
  | { readonly are: 'present' | 'adopted' }
  /** All of them name one value, which nobody judged yet. */
  | { readonly are: 'of one value' }
  /** Withdrawn, and held under hold 1. */
  | { readonly are: 'held' }
  /** Parked for this reason. */
  | { readonly are: 'parked'; readonly reason: string }
  /** Kept out by this marking, which nothing explained. */
  | { readonly are: 'marked'; readonly by: string };

/** Made once for all tests of a file. */
export function largeStates(objects: number): (rows: Rows, given?: Given) => Rig {
  let folder = '';
  const path = () => join(folder, 'state.db');
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'entente-large-'));
    const encoders = new Map([['memory', memorySiem().definition]]);
    openStore(specOf(path(), {}), encoders).close();
    const db = new DatabaseSync(path());
    db.exec(`
      PRAGMA journal_mode = DELETE;
      PRAGMA synchronous = OFF;
      BEGIN;
      INSERT INTO scope (id, exchange_id, name) VALUES (1, 1, 'collection-1');
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${objects})
        INSERT INTO object (id, exchange_id, object_id, version, state, valid_from, valid_until, confidence, tlp, pap, benign,
          open_markings, refusal, digest, facts, gone_at)
        SELECT i, 1, 'indicator--' || i, '${versionAt(NOW - DAY)}', 0, ${NOW - DAY}, ${NOW + 30 * DAY}, 80, 1, NULL, 0,
          NULL, NULL, i, '{}', NULL FROM n;
      INSERT INTO entry (id, type, value)
        SELECT id, 0, printf('10.%d.%d.%d', id >> 16, (id >> 8) & 255, id & 255) FROM object;
      INSERT INTO contribution (entry_id, object_id) SELECT id, id FROM object;
      INSERT INTO presence (object_id, scope_id, listing) SELECT id, 1, 0 FROM object;
      UPDATE exchange SET poll_completed = ${NOW - DAY};
      INSERT INTO tally (owner, name, n) VALUES ('exchange:1', 'indicators', ${objects});
      DELETE FROM sweep;
      COMMIT;`);
    db.close();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (rows, given = {}) => {
    const copy = mkdtempSync(join(tmpdir(), 'entente-store-'));
    copyFileSync(path(), join(copy, 'state.db'));
    const db = new DatabaseSync(join(copy, 'state.db'));
    db.exec(`PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; BEGIN; ${sqlOf(rows, objects)}; COMMIT`);
    db.close();
    return new Rig(given, copy);
  };
}

function sqlOf(rows: Rows, objects: number): string {
  if (rows.are === 'marked')
    return `UPDATE object SET tlp = 4, open_markings = '{"tlp":"green","refs":["${rows.by}"]}';
      INSERT INTO unexplained (exchange_id, marking_id, object_id) SELECT 1, '${rows.by}', id FROM object`;
  if (rows.are === 'of one value')
    return `DELETE FROM entry WHERE id > 1; UPDATE contribution SET entry_id = 1;
      UPDATE entry SET crowded = 1 WHERE id = 1;
      INSERT INTO sweep (kind, owner, subject, position, argument, done, since, turn)
        VALUES ('crowded', 0, '1', '', '{"cause":0,"exchangeId":1}', 0, ${NOW - DAY}, 1)`;
  if (rows.are === 'held')
    return `${sqlOf({ are: 'present' }, objects)};
      UPDATE object SET state = 1, gone_at = ${NOW - HOUR};
      INSERT INTO hold (id, kind, siem_id, exchange_id, created, reason, sum) VALUES (1, 'removal', 1, 1, ${NOW - HOUR}, 'partner withdrew all', NULL);
      UPDATE projection SET wanted = 0, state = 7, cause = 2, hold = 1, hold_kind = 1;
      DELETE FROM tally WHERE owner = 'siem:1' AND name IN ('wanted', 'wanted:ipv4-addr', 'delivered', 'armed:1');
      INSERT INTO tally (owner, name, n) VALUES ('siem:1', 'held', ${objects})`;
  const [wanted, present, state, cause, reason] = {
    present: [1, 1, 0, 0, 'NULL'],
    adopted: [0, 1, 7, 6, 'NULL'],
    parked: [1, 0, 6, 0, rows.are === 'parked' ? `'${rows.reason}'` : 'NULL'],
  }[rows.are] as [number, number, number, number, string];
  const tallies = [
    ...(wanted === 1 ? ['wanted', 'wanted:ipv4-addr', 'armed:1'] : []),
    ...(present === 1 ? ['present:ipv4-addr'] : []),
    { present: 'delivered', adopted: 'adopted', parked: 'parked' }[rows.are],
  ];
  return `INSERT INTO projection (siem_id, entry_id, wanted, wanted_rev, content, vouchers, until, due, present, rev, state, cause, since, reason)
      SELECT 1, id, ${wanted}, 1, 1, 2, ${NOW + 30 * DAY}, ${NOW + 30 * DAY}, ${present}, ${present}, ${state}, ${cause}, ${NOW - DAY}, ${reason}
      FROM entry;
    ${tallies
      .map(
        (name) => `INSERT INTO tally (owner, name, n) VALUES ('siem:1', '${name}', ${objects})
      ON CONFLICT (owner, name) DO UPDATE SET n = excluded.n`,
      )
      .join('; ')}`;
}

export interface OnThread {
  readonly store: RemoteStore;
  /** Most processor time of one of its units, in milliseconds: on a busy machine its wall time says little. */
  longest(): number;
}

/** Opens the state of a rig on a thread; the rig only looks at it from then on. */
export async function onThread(rig: Rig): Promise<OnThread> {
  rig.close();
  const worker = new Worker(new URL('./store-worker.ts', import.meta.url), { resourceLimits: STORE_LIMITS });
  const inner = await openRemote(worker, rig.spec);
  onTestFinished(() => inner.terminate());
  let longest = 0;
  const store = new Proxy(inner, {
    get: (target, name) => {
      const unit: unknown = Reflect.get(target, name);
      if (typeof unit !== 'function') return unit;
      return async (...args: unknown[]) => {
        const from = process.cpuUsage();
        try {
          return await (unit as (...given: unknown[]) => Promise<unknown>)(...args);
        } finally {
          const { user, system } = process.cpuUsage(from);
          longest = Math.max(longest, (user + system) / 1000);
        }
      };
    },
  });
  return { store, longest: () => longest };
}
