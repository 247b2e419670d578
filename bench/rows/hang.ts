// One SIEM that hangs: do the other two keep their pace?
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, Taxii } from '../bench.ts';
import { server, side } from '../process.ts';
import { spread } from '../rounds.ts';
import { type BenchRow, thousands } from './row.ts';

const REACH = 0.75;
/** The two whose pace is measured, and the third. */
const WATCHED = ['elastic', 'splunk'] as const;
const THIRD = 'qradar';

export const hang: BenchRow = {
  name: 'hang',
  async run(bench) {
    const count = Math.min(20_000, bench.size(20_000));
    const taxii = await bench.taxii(count);
    const found: number[] = [];
    let entries = 0;
    for (let round = 0; round < bench.rounds; round++) {
      const timed = async (third: Third) => {
        const said = await firstSync(bench, taxii, third);
        entries = said['elastic'] ?? 0;
        if (entries === 0 || WATCHED.some((name) => said[name] !== entries))
          throw new Error(`they hold different numbers of entries: ${JSON.stringify(said)}`);
        return said['ms'] ?? Number.NaN;
      };
      const first = await timed(round % 2 === 0 ? 'answers' : 'hangs');
      const second = await timed(round % 2 === 0 ? 'hangs' : 'answers');
      const [answers, hangs] = round % 2 === 0 ? [first, second] : [second, first];
      found.push(answers / hangs);
      bench.note(
        `round ${round + 1}/${bench.rounds}: ${found.at(-1)?.toFixed(2)} of the pace without a hang (${Math.round(answers)} and ${Math.round(hangs)} ms)`,
      );
    }
    const { median, low, high } = spread(found);
    return [
      {
        what: `pace of two SIEMs, ${thousands(entries)} entries each, while the third answers no call (time-out 60 s)`,
        reach: `at least ${REACH} of their pace while it answers`,
        measured: `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`,
        reached: median >= REACH,
        detail: `${bench.rounds} paired rounds; first sync, each simulator in a process of its own`,
      },
    ];
  },
};

type Third = 'answers' | 'hangs';

/** Fresh servers for each side: a first sync fills them. */
async function firstSync(bench: Bench, taxii: Taxii, third: Third): Promise<Record<string, number>> {
  const folder = bench.folder();
  const running: Awaited<ReturnType<typeof server>>[] = [];
  try {
    const siems = [];
    for (const kind of [...WATCHED, THIRD]) {
      const ca = join(folder, `${kind}.pem`);
      const simulator = await server('siem-simulator', [kind, ca, ...(kind === THIRD ? [third] : [])]);
      running.push(simulator);
      const { url, token } = simulator.said as { url: string; token: string };
      const auth = kind === 'elastic' ? { api_key: token } : { token };
      // QRadar takes 20,000 entries unless told otherwise.
      const room = kind === 'qradar' ? { max_entries: 200_000 } : {};
      siems.push({ name: kind, type: kind, url, auth, tls: { ca_file: ca }, clearance: 'red', ...room });
    }
    const file = join(folder, 'entente.yaml');
    writeFileSync(file, JSON.stringify(configuration(taxii, siems)));
    const { said } = await side('hang', [file, ...WATCHED], 'daemon');
    // Numbers alone; sides/hang.ts says nothing else.
    return said as Record<string, number>;
  } finally {
    for (const one of running) await one.stop();
  }
}

const configuration = (taxii: Taxii, siems: readonly object[]) => ({
  instance: 'bench',
  state: 'entente.db',
  listen: '127.0.0.1:0',
  exchanges: [
    {
      name: 'partner',
      type: 'taxii21',
      url: taxii.url,
      collections: [taxii.collection],
      auth: { username: taxii.username, password: taxii.password },
    },
  ],
  siems,
});
