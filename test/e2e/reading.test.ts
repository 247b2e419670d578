// What people and probes read costs the same over 300,000 rows as over a few: judged by processor time, because the
// wall time of a machine with other work says little. On a quiet machine it is what they wait.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { largeStates, type Rows } from '../builders/large-state.ts';
import { inProcess } from './in-process.ts';
import { Site } from './site.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const MANY = 300_000;
/** With the reading of the configuration. */
const MOST_MS = 50;
const READING = [['status'], ['why', '10.4.0.7'], ['held', 'list'], ['suppress', 'list'], ['harmless', 'list']];
/** The least of them is what the work itself takes. */
const TIMES = 8;

const site = new Site();
afterEach(() => site.close());

async function processorTime(run: () => Promise<unknown>): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < TIMES; i++) {
    const start = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(start);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

describe('over 300,000 rows, without a daemon', () => {
  const state = largeStates(MANY);

  it.each<Rows>([
    { are: 'present' },
    { are: 'held' },
    { are: 'parked', reason: 'the value is too long' },
    { are: 'marked', by: 'marking-definition--late' },
  ])('what is read of rows that are $are answers at once', async (rows) => {
    const rig = state(rows);
    rig.close();
    site.configure({
      instance: 'x',
      state: rig.spec.path,
      exchanges: [{ name: 'partner', type: 'taxii21', url: 'https://taxii.partner.example/api1/' }],
      siems: [{ name: 'siem', type: 'elastic', url: 'https://siem.example:9200', auth: { api_key: 'x' } }],
    });
    const took: Record<string, number> = {};
    for (const args of READING) took[args.join(' ')] = await processorTime(() => inProcess(site, ...args));

    const slow = Object.entries(took).filter(([, ms]) => ms > MOST_MS);
    expect(slow, JSON.stringify(took)).toEqual([]);
  });
});
