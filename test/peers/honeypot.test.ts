// Four days of a real feed, served day by day into a real Elasticsearch under a set clock; then the same days with
// everything happening to them that happens to daemons. The end must be the same index each time. The partner is our
// own simulator, since medallion compares every object with every other; medallion walks the days with a part of them.
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StixObject } from '../../src/simulators/stix-object.ts';
import { type RunningTaxii, startTaxii } from '../../src/simulators/taxii/index.ts';
import { dataDir } from '../data.ts';
import { moment, Site } from '../e2e/site.ts';
import { tryStart } from './available.ts';
import { sharedElasticsearch } from './elasticsearch.ts';
import { type FeedDay, feedDays, liveValues } from './live-values.ts';
import { startMedallion } from './medallion.ts';
import { sharedPostgres } from './postgres.ts';
import { pythonPeer } from './python.ts';
import { freePort } from './runs.ts';
import { PEER_USER, type TaxiiServer } from './taxii-server.ts';

const data = dataDir();
const days = data === undefined ? [] : feedDays(join(data, 'honeypot-feed'));
const python = data === undefined ? undefined : await pythonPeer('medallion');
const elasticsearch = data === undefined ? undefined : await tryStart('Elasticsearch', () => sharedElasticsearch());
const postgres = data === undefined ? undefined : await tryStart('PostgreSQL', () => sharedPostgres());
const ready = elasticsearch?.kind === 'running';

const INDEX = 'logs-ti_entente_honeypot.indicator';
const HOUR_MS = 3_600_000;
/** An expired entry is gone within this of its time, on a busy machine. */
const LATE_MS = 10_000;
/** When each day's bundle has just been published, after its `created`. */
const EVENINGS = ['2025-12-11T12:00:00Z', '2025-12-12T12:00:00Z', '2025-12-15T03:00:00Z', '2025-12-15T12:00:00Z'];
const THE_END = EVENINGS[3]!;
/** The second brings nothing. */
const NOT_EMPTY = [0, 2, 3];

/** Date added of the first object. */
const ADDED_FROM = '2025-12-11T10:00:03.000Z';
/** Objects of each day that medallion serves: it needs minutes for all of them. */
const FEW = 60;

const LIMIT_MS = 300_000;

const title = `four days of a real feed${ready ? '' : ' (no feed or Elasticsearch here)'}`;
describe.skipIf(!ready)(title, { timeout: LIMIT_MS }, () => {
  const peer = elasticsearch?.kind === 'running' ? elasticsearch.peer : undefined;
  let port = 0;
  let partner: RunningTaxii | undefined;
  let site: Site;
  /** The index after an undisturbed run, by id. */
  let undisturbed: Record<string, unknown>;
  /** How long an undisturbed run takes at each of these times. */
  const took = new Map<string, number>();

  beforeAll(async () => {
    port = await freePort();
  });
  beforeEach(async () => {
    site = new Site();
    configure();
    await gone();
  });
  afterEach(async () => {
    site.close();
    await partner?.close();
    partner = undefined;
  });
  afterAll(() => gone());

  function configure(
    state: string | object = './state/entente.db',
    name = 'entente.yaml',
    medallion?: TaxiiServer,
  ): void {
    site.configure(
      {
        instance: 'honeypot',
        state,
        exchanges: [
          {
            name: 'honeypots',
            type: 'taxii21',
            url: medallion?.apiRoot ?? `http://127.0.0.1:${port}/api1/`,
            ...(medallion === undefined ? {} : { collections: [medallion.feedCollection] }),
            auth: PEER_USER,
            timeout_secs: 60,
          },
        ],
        siems: [{ name: 'watch', type: 'elastic', url: peer?.url }],
      },
      name,
    );
  }

  async function es(method: string, path: string): Promise<Record<string, unknown>> {
    const answer = await fetch(`${peer?.url}${path}`, { method, signal: AbortSignal.timeout(30_000) });
    return (await answer.json()) as Record<string, unknown>;
  }

  async function gone(): Promise<void> {
    for (const index of [INDEX, 'entente-control']) await es('DELETE', `/${index}?ignore_unavailable=true`);
  }

  /** The partner has published the first `count` days; what it published before keeps its date_added. */
  async function publish(count: number): Promise<void> {
    await partner?.close();
    const evening = Date.parse(EVENINGS[count - 1]!);
    const started = Date.now();
    partner = await startTaxii({
      port,
      users: [PEER_USER],
      data: days.slice(0, count).flatMap(({ bundle }) => bundle.objects as StixObject[]),
      dataAddedFrom: Date.parse(ADDED_FROM),
      clock: () => evening + Date.now() - started,
    });
  }

  async function once(clock: string): Promise<void> {
    const started = performance.now();
    const { code, stdout, stderr } = await site.entente(['run', '--once', '--patience-secs', '60'], {
      clock,
      limitMs: 200_000,
    });
    expect(`${code} ${stdout}${stderr}`).toMatch(/^0 /);
    if (!took.has(clock)) took.set(clock, performance.now() - started);
  }

  type Hit = { readonly _id: string; readonly _source: { readonly threat: { readonly indicator: { ip: string } } } };
  async function hits(): Promise<readonly Hit[]> {
    await es('POST', `/${INDEX}/_refresh`);
    const answer = await es('GET', `/${INDEX}/_search?size=10000`);
    return (answer as { hits: { hits: readonly Hit[] } }).hits.hits;
  }
  const armed = async (): Promise<string[]> => (await hits()).map((one) => one._source.threat.indicator.ip).sort();

  /** Sources by id, without what differs from write to write. */
  async function index(): Promise<Record<string, unknown>> {
    return Object.fromEntries(
      (await hits()).map(({ _id, _source }) => {
        const plain = structuredClone(_source) as Record<string, Record<string, unknown>>;
        delete plain['@timestamp'];
        delete plain['event']?.['ingested'];
        for (const one of ['revision', 'writer']) delete plain['entente']?.[one];
        return [_id, plain];
      }),
    );
  }

  /** Number of the last operation on the index; any write raises it. */
  async function lastWrite(): Promise<number> {
    const stats = (await es('GET', `/${INDEX}/_stats?level=shards`)) as {
      indices: Record<string, { shards: Record<string, readonly { seq_no: { max_seq_no: number } }[]> }>;
    };
    return stats.indices[INDEX]?.shards['0']?.[0]?.seq_no.max_seq_no ?? -1;
  }

  it('holds exactly the live values after each day, and writes nothing for a repeated one', async () => {
    for (const [i, clock] of EVENINGS.entries()) {
      await publish(i + 1);
      await once(clock);
      expect(await armed()).toEqual(liveValues(days.slice(0, i + 1), Date.parse(clock)));

      const before = await lastWrite();
      await once(new Date(Date.parse(clock) + 60_000).toISOString());
      expect(await lastWrite()).toBe(before);
    }
    undisturbed = await index();
    expect(Object.keys(undisturbed)).toHaveLength(liveValues(days, Date.parse(THE_END)).length);

    // 2025-12-16 23:55 to 23:59: the first day's indicators end one by one.
    for (const clock of ['2025-12-16T23:57:00Z', '2025-12-17T00:00:00Z', '2025-12-21T12:00:00Z']) {
      const started = Date.now();
      await once(clock);
      // Its clock went on while it ran: what ended meanwhile may be gone, nothing else may.
      const here = await armed();
      const latest = Date.parse(clock) + Date.now() - started;
      expect(liveValues(days, Date.parse(clock))).toEqual(expect.arrayContaining(here));
      expect(here).toEqual(expect.arrayContaining(liveValues(days, latest)));
    }
    await once('2025-12-22T00:00:00Z');
    expect(await armed()).toEqual([]);
  });

  it.skipIf(python?.kind !== 'ready')('holds the same of a part of each day that medallion serves', async () => {
    const parts = days.map(
      ({ name, bundle }): FeedDay => ({ name, bundle: { objects: bundle.objects.slice(0, FEW) } }),
    );
    for (const i of NOT_EMPTY) {
      const clock = EVENINGS[i]!;
      const medallion = await startMedallion({
        python: python?.kind === 'ready' ? python.python : '',
        start: ADDED_FROM.replace('Z', '000Z'),
        page: 50,
        bundles: parts.slice(0, i + 1).map(({ bundle }) => bundle),
      });
      try {
        configure('./state/entente.db', 'entente.yaml', medallion);
        await once(clock);
        expect(await armed()).toEqual(liveValues(parts.slice(0, i + 1), Date.parse(clock)));
        expect(await armed()).not.toEqual([]);
      } finally {
        await medallion.stop();
      }
    }
  });

  it('takes each entry off when its last indicator ends, not before', async () => {
    const first = days.slice(0, 1);
    const last = Date.parse('2025-12-16T23:58:43Z');
    await publish(1);
    await once(new Date(last - 60_000).toISOString());

    // The process starts its clock between these two readings of ours, which gives both bounds of its time.
    const start = last - 15_000;
    const spawned = Date.now();
    const daemon = await site.daemon({ clock: new Date(start).toISOString() });
    const listening = Date.now();
    const seen = new Set<number>();
    for (let here: readonly string[] = ['?']; here.length > 0; ) {
      const asked = Date.now();
      here = await armed();
      const latest = start + (Date.now() - spawned);
      // What ended while nothing ran is given the same time.
      const earliest = asked - listening < LATE_MS ? last - 60_000 : start + (asked - listening) - LATE_MS;
      expect(here).toEqual(expect.arrayContaining(liveValues(first, latest)));
      expect(liveValues(first, earliest)).toEqual(expect.arrayContaining([...here]));
      seen.add(here.length);
      await moment(250);
    }

    expect(seen.size).toBeGreaterThan(2);
    expect((await daemon.stop()).code).toBe(0);
  });

  // How often on each day.
  it.for([
    ['a file', [3, 1, 3, 3]],
    ['PostgreSQL', [1, 1, 2, 1]],
  ] as const)('ends the same after kill -9 at random moments, its state in %s', async ([where, times], { skip }) => {
    if (where === 'PostgreSQL') {
      if (postgres?.kind !== 'running') return skip(postgres?.reason ?? 'no feed here');
      const { url, password } = postgres.peer;
      site.write('password', password);
      configure({ url, password_file: './password', schema: `honeypot_${process.pid}` });
    }
    const seed = Number(process.env['ENTENTE_SEED'] ?? Date.now() % 1_000_000);
    console.info(`kill -9: seed ${seed} (ENTENTE_SEED)`);
    const chance = random(seed);
    for (const [i, clock] of EVENINGS.entries()) {
      await publish(i + 1);
      for (let left = times[i]!; left > 0; left--) {
        // What ended by itself was not killed: drawn again, over less.
        for (let span = took.get(clock) ?? 5000, hit = false; !hit; span *= 0.7) {
          const running = site.start(['run', '--once'], { clock, limitMs: 60_000 });
          await Promise.race([moment(Math.round(chance() * span)), running.ended]);
          hit = (await running.kill('SIGKILL')).signal === 'SIGKILL';
        }
      }
      await once(clock);
    }

    expect(await index()).toEqual(undisturbed);
  });

  it('ends the same when the state is deleted half-way', async () => {
    await runTo(2);
    rmSync(join(site.folder, 'state'), { recursive: true });
    await runTo(3);

    expect(await index()).toEqual(undisturbed);
  });

  it('takes over the list of a writer that was killed only after its mark has aged', async () => {
    await runTo(3);
    // A clean stop would have given the place back.
    const killed = await site.daemon({ clock: new Date(Date.parse(THE_END) + 60_000).toISOString() });
    await killed.ready();
    await killed.process.kill('SIGKILL');
    rmSync(join(site.folder, 'state'), { recursive: true });

    const soon = await site.entente(['run', '--once', '--patience-secs', '0'], {
      clock: new Date(Date.parse(THE_END) + 5 * 60_000).toISOString(),
    });
    expect(soon.code).toBe(1);
    expect(soon.stderr).toContain('another Entente');
    expect(await index()).toEqual(undisturbed);

    await once(new Date(Date.parse(THE_END) + 20 * 60_000).toISOString());
    expect(await index()).toEqual(undisturbed);
  });

  it('ends the same when an older backup is restored', async () => {
    await runTo(0);
    expect((await site.entente(['backup', 'old.db'])).code).toBe(0);
    await runTo(2);
    rmSync(join(site.folder, 'state'), { recursive: true });
    site.write('state/.keep', '');
    copyFileSync(site.path('old.db'), site.state);
    await runTo(3);

    expect(await index()).toEqual(undisturbed);
  });

  it('ends the same when an administrator deletes the index', async () => {
    await runTo(2);
    await es('DELETE', `/${INDEX}`);
    await runTo(3);

    expect(await index()).toEqual(undisturbed);
  });

  it('refuses a second daemon on the same state, and stops where a copy of the state writes too', async () => {
    await runTo(3);
    const clock = new Date(Date.parse(THE_END) + HOUR_MS).toISOString();
    const first = await site.daemon({ clock });
    await first.ready();

    const second = await site.entente(['run'], { clock });
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(new RegExp(`held by entente run, pid ${first.process.pid}`));

    expect((await site.entente(['backup', 'copy-entente.db'])).code).toBe(0);
    configure('./copy-entente.db', 'copy.yaml');
    const copy = await site.daemon({ clock }, ['-c', 'copy.yaml']);
    const noticed = await Promise.any(
      [first, copy].map((one) =>
        one.until(
          (status) =>
            status.siems.some(({ state, reason }) => state === 'failing' && /a copy of this state/.test(reason ?? '')),
          90_000,
        ),
      ),
    );
    expect(noticed.reasons.join()).toContain('stop one of the two');
    expect(await index()).toEqual(undisturbed);
    expect([(await first.stop()).code, (await copy.stop()).code]).toEqual([0, 0]);
  });

  /** All that was published by that day, in one run: the days one by one are tried above. */
  async function runTo(day: number): Promise<void> {
    await publish(day + 1);
    await once(EVENINGS[day]!);
  }
});

/** Mulberry32: small, seeded, the same on every machine. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
