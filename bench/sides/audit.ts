// What the record of what was done costs, and what it costs to ask it. One of three stretches: `work` takes indicators in
// and delivers them, with the record or without; `records` writes a state with very many records; `why` asks of values what
// stands there, and what stood there a moment ago, in a state that holds very many.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { bodyText, recordHash, rowLine, rowsRoot } from '../../src/core/audit/record.ts';
import { Frontier } from '../../src/core/audit/tree.ts';
import type { IncomingObject } from '../../src/core/model/entry.ts';
import type { Observable } from '../../src/core/model/observable.ts';
import { randomHex } from '../../src/core/runtime/ids.ts';
import { readObject } from '../../src/core/stix/objects.ts';
import { RecordReader } from '../../src/core/store/read/record.ts';
import { StoreReader } from '../../src/core/store/read/status.ts';
import { AUDIT_ORIGIN } from '../../src/core/store/record/checkpoints.ts';
import { HEAD } from '../../src/core/store/record/head.ts';
import type { StoreSpec } from '../../src/core/store/spec/spec.ts';
import { openStore, type Store } from '../../src/core/store/store.ts';
import { feed } from '../../src/simulators/feed.ts';
import { anExchange, anIndicator, aPage, aSiem } from '../../test/builders/store.ts';
import { memorySiem } from '../../test/contract/memory-siem.ts';
import { say, stopwatch } from './open.ts';

const [stretch = 'work', folder = '.', many = '100000', how = 'values'] = process.argv.slice(2);
const MANY = Number(many);
const NOW = Date.now();
const DAY = 86_400_000;
const PAGE = 5000;
const BATCH = { maxItems: 2000, maxBytes: 10_000_000 };
/** Of one record, in the state that is verified. */
const ROWS = 2;
const ASKED = 2000;

const specOf = (file: string, level: 'values' | 'off' = 'values'): StoreSpec => {
  const siem = aSiem();
  const { intake, lifetime } = siem.rules['partner']!;
  return {
    path: join(folder, file),
    instance: 'bench',
    exchanges: [anExchange()],
    siems: [{ ...siem, rules: { partner: { intake: { ...intake, clearance: 'red' }, lifetime } } }],
    audit: { level, valuesDays: 365 },
  };
};
const opened = (spec: StoreSpec): Store => openStore(spec, new Map([['memory', memorySiem().definition]]));

function takeIn(store: Store, objects: readonly IncomingObject[]): void {
  store.commitPages('partner', [aPage(objects)], NOW);
}

function deliver(store: Store): number {
  let sent = 0;
  for (;;) {
    const batch = store.takeBatch('siem', BATCH, NOW);
    if (batch === undefined) return sent;
    sent += batch.ends.length;
    store.settleAll(batch.id, NOW);
  }
}

function work(level: 'values' | 'off'): void {
  const objects: IncomingObject[] = [];
  for (const raw of feed({ count: MANY, start: NOW - DAY, irregular: 0 })) {
    const read = readObject(raw);
    if ('object' in read && read.object !== undefined) objects.push(read.object);
  }
  const store = opened(specOf('work.db', level));
  const ingest = stopwatch();
  for (let at = 0; at < objects.length; at += PAGE) takeIn(store, objects.slice(at, at + PAGE));
  const ingestMs = ingest().cpuMs;
  const delivery = stopwatch();
  const sent = deliver(store);
  const deliverMs = delivery().cpuMs;
  const records = store.auditHead().size;
  store.close();
  say({ indicators: objects.length, sent, records, ingestMs, deliverMs });
}

/** By the words of records.ts, but many to a transaction: one by one would be a day's work of a daemon. */
function records(): void {
  opened(specOf('entente.db')).close();
  const db = new DatabaseSync(join(folder, 'entente.db'));
  const insert = db.prepare(
    'INSERT INTO audit_record (seq, at, action, body, lines, entries) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const meta = db.prepare(
    'INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  );
  const known = db.prepare('SELECT value FROM meta WHERE name = ?').get(HEAD) as { value: string } | undefined;
  const head = JSON.parse(known?.value ?? '{"size":0,"roots":[],"last":null}') as {
    size: number;
    roots: string[];
    last: string | null;
  };
  const frontier = new Frontier(
    head.size,
    head.roots.map((one) => Buffer.from(one, 'hex')),
  );
  let prev = head.last;
  for (let seq = head.size; seq < MANY; seq++) {
    if (seq % 10_000 === head.size % 10_000) db.exec(seq === head.size ? 'BEGIN' : 'COMMIT; BEGIN');
    const salts = randomHex(16 * ROWS);
    const lines = Array.from({ length: ROWS }, (_, i) =>
      rowLine(
        {
          siem: 'siem',
          op: 'arm',
          key: `url|http://site${seq}.zone${i}.example/a`,
          revision: NOW * 1000 + seq,
          reason: 'vouched for by partner',
          object: `indicator--00000000-0000-4000-8000-${String(seq).padStart(12, '0')}`,
          marking: 'amber',
        },
        salts.slice(32 * i, 32 * (i + 1)),
      ),
    );
    const at = NOW - (MANY - seq) * 10;
    const body = bodyText({
      seq,
      prev,
      at: new Date(at).toISOString(),
      unit: NOW * 1000 + seq,
      term: 1,
      actor: 'entente',
      action: 'deliver',
      policy_version: 'a'.repeat(64),
      counts: { siem: { arm: ROWS } },
      rows_root: rowsRoot(lines),
    });
    insert.run(seq, at, 'deliver', body, lines.join('\n'), Array.from({ length: ROWS }, () => '0').join(' '));
    const hash = recordHash(body);
    frontier.append(hash);
    prev = hash.toString('hex');
  }
  const roots = frontier.roots.map((one) => one.toString('hex'));
  meta.run(HEAD, JSON.stringify({ size: frontier.size, roots, last: prev }));
  meta.run(AUDIT_ORIGIN, 'bench/entente/bench');
  db.exec('COMMIT');
  db.close();
  say({ records: frontier.size });
}

/** Four kinds in turn, as in feeds. */
function valueAt(i: number): Observable {
  const octets = `${(i >>> 16) & 255}.${(i >>> 8) & 255}.${i & 255}`;
  switch (i % 4) {
    case 0:
      return { type: 'ipv4-addr', value: `5.${octets}` };
    case 1:
      return { type: 'domain-name', value: `host${i}.zone${i % 997}.example` };
    case 2:
      return { type: 'url', value: `http://site${i}.zone${i % 997}.example/a/${i}` };
    default:
      return { type: "file:hashes.'SHA-256'", value: i.toString(16).padStart(64, 'a') };
  }
}

function why(): void {
  const spec = specOf('why.db');
  const store = opened(spec);
  for (let at = 0; at < MANY; at += PAGE) {
    const some = Array.from({ length: Math.min(PAGE, MANY - at) }, (_, i) =>
      anIndicator({
        objectId: `indicator--${at + i}`,
        observables: [valueAt(at + i)],
        digest: at + i,
        confidence: 80,
        validFrom: NOW - DAY,
        validUntil: NOW + 300 * DAY,
      }),
    );
    takeIn(store, some);
  }
  const delivered = deliver(store);
  // Some are on lists that are built in.
  if (delivered < 0.98 * MANY) throw new Error(`${delivered} of ${MANY} were delivered`);
  store.close();
  const [reader, recorded] = [new StoreReader(spec), new RecordReader(spec)];
  const [now, then]: number[][] = [[], []];
  for (let i = 0; i < ASKED; i++) {
    const value = valueAt(Math.floor((i * MANY) / ASKED));
    now!.push(timed(() => reader.why(value, NOW)));
    then!.push(timed(() => recorded.at(value, NOW, ['siem'])));
  }
  reader.close();
  recorded.close();
  say({ delivered, asked: ASKED, ...named('now', now!), ...named('then', then!) });
}

function timed(ask: () => unknown): number {
  const from = performance.now();
  if (ask() === undefined) throw new Error('a value that is there is not known');
  return performance.now() - from;
}

function named(name: string, all: number[]): Record<string, number> {
  all.sort((a, b) => a - b);
  const at = (share: number) => all[Math.min(all.length - 1, Math.floor(all.length * share))]!;
  return { [`${name}P50`]: at(0.5), [`${name}P99`]: at(0.99), [`${name}Most`]: all.at(-1)! };
}

if (stretch === 'work') work(how === 'off' ? 'off' : 'values');
else if (stretch === 'records') records();
else why();
