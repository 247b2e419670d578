// No unit of work grows with the feed. Each of these would hold the store's thread for many seconds, or end it, if it
// were one unit; here it is begun over 300,000 rows, killed, and goes on near the end, so that the test itself is short.
import { describe, expect, it } from 'vitest';
import { largeStates, type OnThread, onThread, type Rows } from '../../../../test/builders/large-state.ts';
import { anExchange, aPage, aSiem, indicators, listingOf, NOW, Rig } from '../../../../test/builders/store.ts';
import type { RemoteStore } from '../remote.ts';

const MANY = 300_000;
/** Milliseconds that anybody may wait behind one unit on a machine that has other work besides. */
const WAIT = 1500;
const LATE = 'marking-definition--late';

describe('at 300,000 rows, under the heaps of the daemon, no unit is long when', () => {
  const state = largeStates(MANY);

  /** Begins, takes some steps, dies, and goes on over the last 5,000 rows. Returns what is left to look at. */
  async function interrupted(rows: Rows, begin: (store: RemoteStore) => Promise<unknown>): Promise<Rig> {
    const rig = state(rows);
    const first = await onThread(rig);
    await begin(first.store);
    // How many steps that takes follows from what each costs here.
    const done = () => rig.read((reader) => reader.sweeps())[0]!.done;
    for (let i = 0; i < 40 && done() <= 6000; i++) await first.store.tick(NOW, false);
    await first.store.terminate();
    expect(rig.read((reader) => reader.sweeps())).toMatchObject([{ of: expect.stringMatching(/partner|siem/) }]);
    // All that vanished is counted, and was all of it, when the first of it goes.
    const argument = `CASE kind WHEN 'vanished' THEN json_set(argument, '$.phase', 'act', '$.left', json_object('1', ${MANY})) ELSE argument END`;
    rig.sql(`UPDATE sweep SET position = ${MANY - 5000}, argument = ${argument}`);
    const second: OnThread = await onThread(rig);
    while ((await second.store.tick(NOW, false)).more);
    expect(rig.ask('SELECT kind FROM sweep')).toEqual([]);
    expect(Math.max(first.longest(), second.longest())).toBeLessThan(WAIT);
    await second.store.terminate();
    return rig;
  }

  it('a late marking explains them', async () => {
    const explain = [aPage([{ kind: 'marking', objectId: LATE, statement: 'for members' }])];
    const rig = await interrupted({ are: 'marked', by: LATE }, (store) => store.commitPages('partner', explain, NOW));

    // More than the addition brake lets pass, which judges all of them together.
    const [siem] = rig.read((reader) => reader.siems());
    expect(siem).toMatchObject({ pending: 0 });
    expect(siem!.held).toBeGreaterThan(10_000);
    expect(rig.ask('SELECT count(*) AS n FROM unexplained')).toEqual([{ n: 0 }]);
  });

  it('an empty listing withdraws them', async () => {
    const rig = await interrupted({ are: 'present' }, async (store) => {
      const run = await store.beginListing('partner', NOW);
      await store.listingPart('partner', run, 'collection-1', [], true, NOW);
      await store.endListing('partner', run, true, NOW);
    });

    expect(rig.read((reader) => reader.siems()[0])).toMatchObject({ held: 5000, pending: 0 });
  });

  it('the product changes that refused them', async () => {
    const rig = await interrupted({ are: 'parked', reason: 'the value is too long' }, (store) =>
      store.opened('siem', { version: '9' }, NOW),
    );

    expect(rig.read((reader) => reader.siems()[0]?.pending)).toBeGreaterThan(10_000);
  });

  it('they were taken off the SIEM behind our back', async () => {
    const rig = state({ are: 'present' });
    const thread = await onThread(rig);
    const { store } = thread;

    await store.beginComparison('siem', true, NOW);
    let [steps, report] = [1, await store.endComparison('siem', NOW)];
    for (; report.more && steps < 8; steps++) report = await store.endComparison('siem', NOW);

    expect(report).toMatchObject({ more: true, counts: { missing: 40_000 } });
    expect(rig.read((reader) => reader.siems()[0])).toMatchObject({ wanted: MANY, pending: 40_000 });
    expect(thread.longest()).toBeLessThan(WAIT);
    await store.terminate();
  });

  it('their container was made anew', async () => {
    const rig = await interrupted({ are: 'present' }, (store) => store.containers('siem', { memory: '2' }, NOW));

    expect(rig.read((reader) => reader.siems()[0]?.pending)).toBeGreaterThan(10_000);
  });

  it('they were adopted and no partner vouches for them', async () => {
    const rig = await interrupted({ are: 'adopted' }, async (store) => {
      await store.adopted('siem', 0, NOW - 1);
      await store.pollCompleted('partner', NOW);
    });

    expect(rig.read((reader) => reader.siems()[0])).toMatchObject({ pending: 0 });
    expect(rig.read((reader) => reader.siems()[0]?.held)).toBeGreaterThan(10_000);
  });

  it('they wait for room in a full watchlist', () => {
    const reason = 'the watchlist is full: memory holds max_entries 5';
    const rig = state({ are: 'parked', reason }, { siems: [aSiem({ maxEntries: 5 })] });
    rig.sql("INSERT INTO tally (owner, name, n) VALUES ('siem:1', 'present:ipv4-addr', 5)");
    rig.restart();
    const start = process.cpuUsage();

    for (let i = 0; i < 50; i++) expect(rig.take()).toBeUndefined();

    expect(process.cpuUsage(start).user / 1000).toBeLessThan(500);
    rig.restart({ siems: [aSiem({ maxEntries: 7 })] });
    expect(rig.take()?.changes).toHaveLength(2);
  });
});

describe('what status reads', () => {
  it('stays small, however long the cursor of a partner is', () => {
    const rig = new Rig();
    rig.commit([], NOW, 'partner', { cursor: 'x'.repeat(100_000) });

    expect(rig.read((reader) => JSON.stringify(reader.exchanges())).length).toBeLessThan(2000);
    expect(rig.store.cursor('partner')).toHaveLength(100_000);
  });
});

describe('a sweep', () => {
  const MOST = 5000;
  const n = 3 * MOST;

  it('ends as one unit would have ended, though the process dies between any two steps', () => {
    const rig = new Rig({ exchanges: [anExchange()] });
    rig.commit(indicators(0, n, { openMarkings: [LATE] }));
    rig.store.pollCompleted('partner', NOW);

    rig.commit([{ kind: 'marking', objectId: LATE, statement: 'for members' }]);
    for (let more = true; more; ) {
      rig.restart();
      ({ more } = rig.store.tick(NOW, false));
    }

    expect(rig.rows()).toHaveLength(n);
  });

  it('that withdraws is judged by the brake as one: nothing of it goes before all of it is counted', () => {
    const rig = new Rig();
    for (let i = 0; i < n; i += MOST) rig.commit(indicators(i, i + MOST));
    rig.store.pollCompleted('partner', NOW);
    rig.deliver();

    listingOf(rig, []);

    expect(rig.deliver()).toEqual([]);
    expect(rig.read((reader) => reader.siems()[0])).toMatchObject({ wanted: 0, held: n });
  });

  it('that withdraws less than the brake holds goes as a whole', () => {
    const rig = new Rig();
    for (let i = 0; i < n; i += MOST) rig.commit(indicators(i, i + MOST));
    rig.store.pollCompleted('partner', NOW);
    rig.deliver();

    const kept = indicators(3000, n).map((one) => one.objectId);
    expect(listingOf(rig, kept)).toEqual({ vanished: 3000 });

    expect(rig.deliver()).toHaveLength(3000);
  });
});
