// Three simulated SIEMs over TLS, each in a process of its own, as configuration names them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Taxii } from './bench.ts';
import { type Ended, entente, server } from './process.ts';
import { thousands } from './rows/row.ts';

const KINDS = ['elastic', 'splunk', 'qradar'] as const;

export interface Three {
  /** As they stand in a configuration. */
  readonly siems: readonly object[];
  /** Ends them; says how many entries each held. */
  stop(): Promise<ReadonlyMap<string, number>>;
}

export async function threeSiems(folder: string): Promise<Three> {
  const running: Awaited<ReturnType<typeof server>>[] = [];
  const stop = async () => {
    const held = new Map<string, number>();
    for (const [i, one] of running.entries()) held.set(KINDS[i]!, Number((await one.stop())['entries']));
    return held;
  };
  try {
    const siems = [];
    for (const kind of KINDS) {
      const ca = join(folder, `${kind}.pem`);
      const simulator = await server('siem-simulator', [kind, ca]);
      running.push(simulator);
      // As siem-simulator.ts says it.
      const { url, token } = simulator.said as { url: string; token: string };
      const auth = kind === 'elastic' ? { api_key: token } : { token };
      siems.push({ name: kind, type: kind, url, auth, tls: { ca_file: ca }, clearance: 'red', max_entries: 1_000_000 });
    }
    return { siems, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** One `run --once` between a partner and three fresh ones; how many entries each held after it, by its kind. */
export async function syncIntoThree(
  folder: string,
  taxii: Taxii,
): Promise<{ readonly ended: Ended; readonly held: ReadonlyMap<string, number>; readonly said: string }> {
  const running = await threeSiems(folder);
  let ended: Ended;
  let held: ReadonlyMap<string, number>;
  try {
    const file = join(folder, 'entente.yaml');
    writeFileSync(file, JSON.stringify(configuration(taxii, running.siems)));
    ended = await entente(['run', '--once', '--json', '-c', file]);
  } finally {
    held = await running.stop();
  }
  return { ended, held, said: [...held].map(([name, n]) => `${name} ${thousands(n)}`).join(', ') };
}

const configuration = ({ url, collection, username, password }: Taxii, siems: readonly object[]): object => ({
  instance: 'bench',
  state: 'entente.db',
  listen: '127.0.0.1:0',
  log: { level: 'warn', format: 'json' },
  exchanges: [{ name: 'partner', type: 'taxii21', url, collections: [collection], auth: { username, password } }],
  siems,
  policy: { never_block: { list_actions: { documentation: 'note' } } },
});
