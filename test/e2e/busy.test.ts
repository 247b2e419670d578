// While the store works hard: the probes answer, and a signal ends the process soon with nothing lost. The numbers are
// small enough for a slow machine; what bounds each unit of work is tested beside the store.
import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Daemon, eventually, moment } from './site.ts';
import { addresses, aWorld, idFor, indicator, type World } from './world.ts';

// Each starts processes, and other work may keep the machine busy.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

const PROBES = ['/livez', '/status', '/health', '/metrics'] as const;
/** The promise is 50 ms on a quiet machine; this one may be shared with a dozen others. */
const P95_MS = 250;
const MOST_STATUS_BYTES = 20_000;
const SOON_MS = 10_000;

let world: World;
afterEach(() => world.close());

interface Answer {
  readonly path: string;
  readonly code: number;
  readonly bytes: number;
  readonly ms: number;
}

/** On a thread of its own: this one serves the partner and the SIEM, and would count its own waits too. */
const ASKING = `
  const { parentPort, workerData: { url, probes } } = require('node:worker_threads');
  let over = false;
  parentPort.once('message', () => { over = true; });
  (async () => {
    const answers = [];
    while (!over)
      for (const path of probes) {
        const start = performance.now();
        const answer = await fetch(url + path);
        const bytes = (await answer.text()).length;
        answers.push({ path, code: answer.status, bytes, ms: performance.now() - start });
        await new Promise((go) => setTimeout(go, 5));
      }
    parentPort.postMessage(answers);
  })();`;

/** Asks each probe again and again until told to stop; what it found. */
function asking(daemon: Daemon) {
  const worker = new Worker(ASKING, { eval: true, workerData: { url: daemon.url, probes: PROBES } });
  return async (what: string) => {
    worker.postMessage('over');
    const [answers] = (await once(worker, 'message')) as [Answer[]];
    await worker.terminate();
    const times = answers.map(({ ms }) => ms).sort((a, b) => a - b);
    const livez = new Set(answers.filter(({ path }) => path === '/livez').map(({ code }) => code));
    const largest = Math.max(...answers.filter(({ path }) => path === '/status').map(({ bytes }) => bytes));
    const at = (share: number) => Math.round(times[Math.floor((times.length - 1) * share)] ?? NaN);
    console.log(`${what}: ${times.length} answers, p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms`);
    return { answers: times.length, p95: at(0.95), livez: [...livez], largest };
  };
}

const oneValue = (count: number) =>
  Array.from({ length: count }, (_, i) => indicator('198.18.200.1', { id: idFor(`one value ${i}`) }));

describe('the probes', () => {
  it('answer quickly during a first sync and a sweep over all of it, and status stays small', async () => {
    world = await aWorld({ taxii: { data: addresses(8_000).map((value) => indicator(value, { confidence: 60 })) } });
    world.site.configure(world.settings());
    const daemon = await world.site.daemon();
    const sync = asking(daemon);
    await daemon.until((one) => one.siems[0]?.['delivered'] === 8_000);
    const first = await sync('first sync');

    world.site.configure(world.settings({ top: { policy: { min_confidence: 50 } } }));
    const starts = () => daemon.process.stderr.split('"Entente runs."').length;
    const before = starts();
    const sweep = asking(daemon);
    daemon.process.signal('SIGHUP');
    await eventually(() => starts() > before, 'the reload is done');
    await daemon.until((one) => (one as unknown as { sweeps: unknown[] }).sweeps.length === 0);
    const second = await sweep('sweep');

    for (const { answers, p95, livez, largest } of [first, second]) {
      expect(answers).toBeGreaterThan(20);
      expect(livez).toEqual([200]);
      expect(p95).toBeLessThan(P95_MS);
      expect(largest).toBeLessThan(MOST_STATUS_BYTES);
    }
    await daemon.stop();
  });

  it('stay small beside a cursor of 100 kB', async () => {
    world = await aWorld({ taxii: { data: addresses(3).map((value) => indicator(value)) } });
    world.site.configure(world.settings());
    await world.site.entente(['run', '--once']);
    const db = new DatabaseSync(world.site.state);
    const changed = db.prepare('UPDATE exchange SET cursor = ?').run(JSON.stringify({ next: 'x'.repeat(100_000) }));
    db.close();
    expect(changed.changes).toBe(1);
    world.taxii.setFaults([{ match: '/', action: 'status', status: 503 }]);
    const daemon = await world.site.daemon();

    for (const path of [...PROBES, '/']) expect((await daemon.get(path)).text.length).toBeLessThan(MOST_STATUS_BYTES);
    expect(String((await daemon.status()).exchanges[0]?.['cursor'])).toMatch(/^\{"next":"x+… \(\d{6} characters\)$/);
    await daemon.stop();
  });
});

describe('a signal in the middle of heavy work of the store', () => {
  it('ends a commit that would take minutes, and the next run has all of it', async () => {
    world = await aWorld();
    world.site.configure(world.settings());
    await world.site.entente(['run', '--once']);
    // Each row costs a tenth of a second, so that the commit of one page is long on any machine.
    inState(`CREATE TRIGGER slow AFTER INSERT ON object BEGIN
      SELECT count(*) FROM (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 500000) SELECT x FROM n);
    END`);
    world.taxii.load(addresses(900).map((value) => indicator(value)));
    const pages = () =>
      [...world.taxii.requests].reduce((sum, [name, n]) => sum + (name.includes('objects') ? n : 0), 0);
    const before = pages();
    const daemon = await world.site.daemon();
    await eventually(() => pages() > before, 'a page is read');
    await moment(1_000);
    expect((await daemon.status()).exchanges[0]).toMatchObject({ objects: 0 });

    const start = performance.now();
    const { code, stderr } = await daemon.stop();

    expect(performance.now() - start).toBeLessThan(SOON_MS);
    expect([code, stderr]).toEqual([0, expect.stringContaining('The store is in the middle of long work')]);
    inState('DROP TRIGGER slow');
    expect((await world.site.entente(['run', '--once'])).code).toBe(0);
    expect(world.armed()).toHaveLength(900);
  });

  function inState(sql: string): void {
    const db = new DatabaseSync(world.site.state);
    db.exec(sql);
    db.close();
  }

  it.each([
    ['10,000 objects that name one value', 10_000, 0],
    ['a sweep over many rows', 0, 6_000],
  ])('%s: the process ends soon, alive until then, and the next run has all of it', async (_, same, others) => {
    const data = [...oneValue(same), ...addresses(others).map((value) => indicator(value, { confidence: 60 }))];
    const expected = (same > 0 ? 1 : 0) + others;
    world = await aWorld({ taxii: { data } });
    world.site.configure(world.settings());
    if (others > 0) {
      await world.site.entente(['run', '--once']);
      world.site.configure(world.settings({ top: { policy: { min_confidence: 50 } } }));
    }
    const daemon = await world.site.daemon();
    const probes = asking(daemon);
    if (same > 0) await daemon.until((one) => Number(one.exchanges[0]?.['objects']) > 0);
    const { livez } = await probes('before the signal');

    const start = performance.now();
    const { code } = await daemon.stop();

    expect(performance.now() - start).toBeLessThan(SOON_MS);
    expect([code, livez]).toEqual([0, [200]]);
    expect((await world.site.entente(['run', '--once'])).code).toBe(0);
    expect(world.armed()).toHaveLength(expected);
  });
});
