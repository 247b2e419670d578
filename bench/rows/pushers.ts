// Splunk and QRadar against a pusher that makes one call for each indicator.
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { server, side } from '../process.ts';
import { type Spread, spread } from '../rounds.ts';
import { type BenchRow, type Line, thousands } from './row.ts';

const REACH = 20;
/** The pusher's rate does not depend on how many it pushes. */
const PUSHED = 1000;
const STEPS = ['create', 'change', 'remove'] as const;

interface Product {
  readonly kind: 'splunk' | 'qradar';
  readonly title: string;
  /** How the simulated console takes `delete_entry` inside a PATCH. */
  readonly deleteInPatch?: 'ignored';
}
const PRODUCTS: readonly Product[] = [
  { kind: 'splunk', title: 'Splunk' },
  { kind: 'qradar', title: 'QRadar' },
  { kind: 'qradar', title: 'QRadar where delete_entry is ignored (single DELETEs)', deleteInPatch: 'ignored' },
];

export const pushers: BenchRow = {
  name: 'pushers',
  async run(bench) {
    const lines: Line[] = [];
    for (const product of PRODUCTS) lines.push(await against(bench, product));
    return lines;
  },
};

async function against(bench: Bench, { kind, title, deleteInPatch }: Product): Promise<Line> {
  const count = Math.min(20_000, bench.size(10_000));
  const ca = join(bench.folder(), 'ca.pem');
  const found: Record<(typeof STEPS)[number], number[]> = { create: [], change: [], remove: [] };
  const rates: number[] = [];
  for (let round = 0; round < bench.rounds; round++) {
    // A fresh server each round, shared by both sides of the pair.
    const simulator = await server('siem-simulator', [
      kind,
      ca,
      ...(deleteInPatch === undefined ? [] : [deleteInPatch]),
    ]);
    try {
      const { url, token } = simulator.said as { url: string; token: string };
      const siem = { name: kind, type: kind, url, auth: { token }, tls: { ca_file: ca }, clearance: 'red' };
      const ours = () => side('three-steps', [bench.folder(), JSON.stringify(siem), String(count)], 'daemon');
      const theirs = () => side('one-by-one', [kind, url, token, ca, String(PUSHED)], 'plain');
      const first = round % 2 === 0 ? await ours() : await theirs();
      const second = round % 2 === 0 ? await theirs() : await ours();
      const [mine, other] = round % 2 === 0 ? [first, second] : [second, first];
      for (const step of STEPS) {
        const rate = count / Number(mine.said[`${step}Ms`]);
        found[step].push(rate / (PUSHED / Number(other.said[`${step}Ms`])));
        if (step === 'create') rates.push(rate * 1000);
      }
    } finally {
      await simulator.stop();
    }
    bench.note(
      `${title} ${round + 1}/${bench.rounds}: ${STEPS.map((step) => `${step} ${found[step].at(-1)?.toFixed(1)}`).join(', ')} times`,
    );
  }
  const spreads = STEPS.map((step): [string, Spread] => [step, spread(found[step])]);
  return {
    what: `${title}: ${thousands(count)} entries created, changed, removed on the simulator over TLS with 2 ms service time`,
    reach: `at least ${REACH} times a pusher of one call per indicator`,
    measured: spreads
      .map(([step, { median, low, high }]) => `${step} ${median.toFixed(0)} (${low.toFixed(0)} to ${high.toFixed(0)})`)
      .join(', '),
    reached: spreads.every(([, { median }]) => median >= REACH),
    detail: `${bench.rounds} paired rounds; creating ${thousands(spread(rates).median)}/s`,
  };
}
