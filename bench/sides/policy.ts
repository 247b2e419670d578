// Decisions of intake over a large state with large never-block lists, and what a changed list keeps waiting. One of three
// stretches: `judge` asks for one decision on each of very many values; `rejudge` changes a list under a state that holds
// them all, and asks for this and that while the store's thread goes through them; `steps`, after it, tells of each step how long it took.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import type { Claim, IncomingIndicator } from '../../src/core/model/entry.ts';
import type { Observable } from '../../src/core/model/observable.ts';
import { type IntakeRules, judge } from '../../src/core/policy/intake.ts';
import { StoreReader } from '../../src/core/store/read/status.ts';
import { openRemote, type RemoteStore, STORE_LIMITS } from '../../src/core/store/remote.ts';
import { loadLists } from '../../src/core/store/spec/lists.ts';
import type { StoreSpec } from '../../src/core/store/spec/spec.ts';
import { openStore } from '../../src/core/store/store.ts';
import { anExchange, anIndicator, aPage, aSiem } from '../../test/builders/store.ts';
import { memorySiem } from '../../test/contract/memory-siem.ts';
import { say, stopwatch } from './open.ts';

const [stretch = 'judge', folder = '.', entries = '1000000', listed = '300000', networks = '20000'] =
  process.argv.slice(2);
const MANY = Number(entries);
const LISTS = join(folder, 'lists');
const NOW = Date.now();
const DAY = 86_400_000;
const PAGE = 5000;
/** Another exchange, and how many new objects each of its polls brings. */
const OTHER = 'other';
const POLLED = 100;

const octets = (n: number): string => `${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`;

/** Four kinds in turn, as in feeds: addresses first. Of every hundred about one stands on a list. */
function valueAt(i: number): Observable {
  switch (i % 4) {
    case 0:
      return { type: 'ipv4-addr', value: `5.${octets(i)}` };
    case 1:
      return { type: 'domain-name', value: `host${i}.zone${i % 997}.example` };
    case 2:
      return { type: 'url', value: `http://site${i}.zone${i % 997}.example/a/${i}` };
    default:
      return { type: "file:hashes.'SHA-256'", value: i.toString(16).padStart(64, 'a') };
  }
}

/** Names, addresses and hashes, a third each, and networks beside them. `first` tells one edition from another. */
function writeLists(first: number): void {
  mkdirSync(LISTS, { recursive: true });
  const of = (type: string, list: string[]): string => JSON.stringify({ type, list });
  const third = Math.floor(Number(listed) / 3);
  const some = <T>(n: number, one: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => one(first + i));
  writeFileSync(
    join(LISTS, 'names.json'),
    of(
      'hostname',
      some(third, (i) => `host${i * 397 + 1}.zone${(i * 397 + 1) % 997}.example`),
    ),
  );
  writeFileSync(
    join(LISTS, 'addresses.json'),
    of(
      'string',
      some(third, (i) => `5.${octets(i * 400)}`),
    ),
  );
  writeFileSync(
    join(LISTS, 'hashes.json'),
    of(
      'string',
      some(third, (i) => (i * 400 + 3).toString(16).padStart(64, 'a')),
    ),
  );
  writeFileSync(
    join(LISTS, 'networks.json'),
    of(
      'cidr',
      some(Number(networks), (i) => `${11 + (i >>> 14)}.${(i >>> 6) & 255}.${(i << 2) & 255}.0/22`),
    ),
  );
}

const rules = (given: Partial<IntakeRules> = {}): IntakeRules => ({
  siem: 'siem',
  clearance: 'amber',
  unmarked: 'amber',
  minConfidence: 0,
  unknownConfidence: 'accept',
  widestNetwork: { ipv4: 16, ipv6: 32 },
  maxClassification: 'unclassified',
  neverBlock: { actions: {}, own: { networks: [], domains: [] }, lists: LISTS },
  ...given,
});

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function used(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
}

function judging(): void {
  writeLists(0);
  const before = used();
  const { index } = loadLists(LISTS);
  const listsMb = used() - before;
  const given = rules({ neverBlock: { actions: {}, own: { networks: [], domains: [] }, files: index } });
  const claim: Claim = {
    exchange: 'partner',
    objectId: 'indicator--1',
    version: '',
    digest: 0,
    validFrom: 0,
    confidence: 80,
    tlp: 'green',
    benign: false,
    factsText: '{"name":"one of many"}',
    facts: { name: 'one of many' },
  };
  const values = Array.from({ length: MANY }, (_, i) => valueAt(i));
  let accepted = 0;
  let noted = 0;
  const watch = stopwatch();
  for (const value of values) {
    const decision = judge(value, claim, given);
    if (decision.kind === 'accept') accepted++;
    if (decision.kind === 'accept' && decision.note !== undefined) noted++;
  }
  const { cpuMs } = watch();
  say({ decisions: MANY, perSec: MANY / (cpuMs / 1000), accepted, noted, listsMb });
}

function indicatorAt(i: number): IncomingIndicator {
  return anIndicator({
    objectId: `indicator--${i}`,
    validFrom: NOW - DAY,
    validUntil: NOW + 300 * DAY,
    confidence: 80,
    observables: [valueAt(i)],
    digest: i,
  });
}

const specOf = (fingerprint: string): StoreSpec => {
  const siem = aSiem({ fingerprint, listensTo: ['partner', OTHER] });
  const { lifetime } = siem.rules['partner']!;
  const judged = { intake: rules(), lifetime };
  return {
    path: join(folder, 'state.db'),
    instance: 'bench',
    exchanges: [anExchange(), anExchange({ name: OTHER })],
    siems: [{ ...siem, rules: { partner: judged, [OTHER]: judged } }],
  };
};

type Asked = 'command' | 'status' | 'poll';

/** What is asked for while the store's thread is busy: in turn and one after the other, as long as `busy` says so. */
async function asking(remote: RemoteStore, spec: StoreSpec, busy: () => boolean): Promise<Record<Asked, number[]>> {
  const reader = new StoreReader(spec);
  const waits: Record<Asked, number[]> = { command: [], status: [], poll: [] };
  const ask: Record<Asked, (n: number) => Promise<unknown>> = {
    command: (n) => remote.remember('listens', String(n), NOW + 1),
    // What /status reads of the state, over a connection of its own.
    status: async () => [reader.held(), reader.exchanges(), reader.siems(), reader.sweeps(), reader.neverBlock()],
    poll: async (n) => {
      const objects = Array.from({ length: POLLED }, (_, i) => indicatorAt(MANY + n * POLLED + i));
      await remote.commitPages(OTHER, [aPage(objects)], NOW + 1);
      await remote.pollCompleted(OTHER, NOW + 1);
    },
  };
  for (let n = 0; busy(); n++)
    for (const what of Object.keys(ask) as Asked[]) {
      const from = performance.now();
      await ask[what](n);
      waits[what].push(performance.now() - from);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  reader.close();
  return waits;
}

async function rejudging(): Promise<void> {
  writeLists(0);
  const store = openStore(specOf('a'), new Map([['memory', memorySiem().definition]]));
  for (let at = 0; at < MANY; at += PAGE) {
    const objects = Array.from({ length: Math.min(PAGE, MANY - at) }, (_, i) => indicatorAt(at + i));
    store.commitPages('partner', [aPage(objects)], NOW);
  }
  store.pollCompleted('partner', NOW);
  for (
    let batch = store.takeBatch('siem', BATCH, NOW);
    batch !== undefined;
    batch = store.takeBatch('siem', BATCH, NOW)
  )
    store.settleAll(batch.id, NOW);
  store.close();

  // Another edition of every list: hundreds of values leave it and come to it.
  writeLists(7);
  const worker = new Worker(new URL('../../test/builders/store-worker.ts', import.meta.url), {
    resourceLimits: STORE_LIMITS,
  });
  const remote = await openRemote(worker, specOf('a'));
  const watch = stopwatch();
  let over = false;
  const going = (async () => {
    while ((await remote.tick(NOW + 1, false)).more);
    over = true;
  })();
  const waits = await asking(remote, specOf('a'), () => !over);
  await going;
  const { ms } = watch();
  await remote.terminate();
  const figures = Object.entries(waits).flatMap(([what, all]) => {
    all.sort((a, b) => a - b);
    const at = (share: number) => all[Math.min(all.length - 1, Math.floor(all.length * share))]!;
    return [
      [`${what}Times`, all.length],
      [`${what}P99Ms`, at(0.99)],
      [`${what}MostMs`, at(1)],
    ];
  });
  say({ entries: MANY, ms, ...Object.fromEntries(figures) });
}

/** The same once more in this thread, where the processor time of each step is known whatever else the machine does. */
function steps(): void {
  writeLists(0);
  const watch = () => performance.now();
  const store = openStore(specOf('a'), new Map([['memory', memorySiem().definition]]), { watch });
  const took: number[] = [];
  for (let more = true; more; ) {
    const before = process.threadCpuUsage();
    ({ more } = store.tick(NOW + 2, false));
    const { user, system } = process.threadCpuUsage(before);
    took.push((user + system) / 1000);
  }
  store.close();
  took.sort((a, b) => a - b);
  say({ steps: took.length, p99Ms: took[Math.floor(took.length * 0.99)]!, mostMs: took.at(-1)! });
}

const BATCH = { maxItems: 2000, maxBytes: 10_000_000 };

if (stretch === 'judge') judging();
else if (stretch === 'steps') steps();
else await rejudging();
rmSync(LISTS, { recursive: true, force: true });
