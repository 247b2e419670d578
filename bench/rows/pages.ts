// How long the pages take that people look at while a first sync keeps the daemon busy.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { listening, ROOT, server } from '../process.ts';
import { type BenchRow, thousands } from './row.ts';

const REACH_MS = 50;
/** A person, a probe or a scraper now and then, and not a load test: what waits in the queue would be measured otherwise. */
const PAUSE_MS = 20;
const LONGEST_MS = 60 * 60_000;

export const pages: BenchRow = {
  name: 'pages',
  async run(bench) {
    const count = bench.given(1_000_000);
    const { times, secs, armed } = await duringFirstSync(bench, count);
    const all = [...times].map(([path, taken]) => ({ path, n: taken.length, ...percentiles(taken) }));
    for (const one of all)
      bench.note(
        `${one.path.padEnd(44)} p50 ${one.p50.toFixed(1)}  p99 ${one.p99.toFixed(1)}  most ${one.most.toFixed(1)} ms, ${one.n} times`,
      );
    const worst = all.reduce((a, b) => (a.p99 > b.p99 ? a : b));
    const missed = all.filter((one) => one.p99 >= REACH_MS);
    return [
      {
        what: `every page, /status and /readyz during a first sync of ${thousands(count)} indicators`,
        reach: `each under ${REACH_MS} ms (p99)`,
        measured: `slowest ${worst.path}: ${worst.p99.toFixed(0)} ms (half of them under ${worst.p50.toFixed(0)} ms)`,
        reached: missed.length === 0,
        detail: `${all.length} pages one after the other, ${PAUSE_MS} ms between two, ${Math.min(...all.map((one) => one.n))} times each or more, from the start of the sync to its end after ${Math.round(secs)} s (${thousands(armed)} entries in a simulated SIEM); daemon, partner and SIEM in a process each${missed.length === 0 ? '' : `; not reached by ${missed.map((one) => `${one.path} (${one.p99.toFixed(0)})`).join(', ')}`}`,
      },
    ];
  },
};

function percentiles(taken: readonly number[]): { p50: number; p99: number; most: number } {
  const sorted = [...taken].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), most: at(1) };
}

async function duringFirstSync(bench: Bench, count: number) {
  const taxii = await bench.taxii(count);
  const folder = bench.folder();
  const ca = join(folder, 'elastic.pem');
  const simulator = await server('siem-simulator', ['elastic', ca]);
  const { url, token } = simulator.said as { url: string; token: string };
  const file = join(folder, 'entente.yaml');
  writeFileSync(
    file,
    JSON.stringify({
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
      siems: [
        { name: 'watch', type: 'elastic', url, auth: { api_key: token }, tls: { ca_file: ca }, clearance: 'red' },
      ],
      policy: { never_block: { list_actions: { documentation: 'note' } } },
    }),
  );
  const daemon = spawn(process.execPath, [join(ROOT, 'bin', 'entente.mjs'), 'run', '-c', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const gone = new Promise<void>((resolve) => daemon.once('close', () => resolve()));
  try {
    return await lookedAt(await listens(daemon), bench);
  } finally {
    daemon.kill('SIGTERM');
    await gone;
    await simulator.stop();
  }
}

function listens(daemon: ReturnType<typeof spawn>): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    daemon.stderr?.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString('utf8')).slice(-65_536);
      const found = listening(text);
      if (found !== undefined) resolve(found);
    });
    daemon.once('close', (code) => reject(new Error(`the daemon ended with ${code}:\n${text.slice(-1000)}`)));
  });
}

interface Status {
  readonly exchanges: readonly { readonly last_success: string | null }[];
  readonly siems: readonly { readonly wanted: number; readonly delivered: number; readonly pending: number }[];
}

/** Round after round through all pages, until nothing is on its way any more. */
async function lookedAt(url: string, bench: Bench) {
  const times = new Map<string, number[]>();
  const begin = performance.now();
  let value = '192.0.2.1';
  let row = '1-1';
  for (let round = 0; ; round++) {
    for (const { path, of } of paths(value, row)) {
      const from = performance.now();
      const answer = await fetch(new URL(of, url));
      const body = await answer.text();
      const taken = performance.now() - from;
      if (!answer.ok && path !== '/readyz') throw new Error(`${of}: ${answer.status} ${body.slice(0, 200)}`);
      times.set(path, [...(times.get(path) ?? []), taken]);
      // What was looked at first is looked at again by its name.
      if (path === '/difference') {
        value = decodeURIComponent(/\/why\?value=([^"&]+)/.exec(body)?.[1] ?? value);
        row = /name="row" value="(\d+-\d+)"/.exec(body)?.[1] ?? row;
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      if (path !== '/status') continue;
      const { exchanges, siems } = JSON.parse(body) as Status;
      const secs = (performance.now() - begin) / 1000;
      const [siem] = siems;
      if (round % 20 === 0) bench.note(`${Math.round(secs)} s: ${siem?.delivered} of ${siem?.wanted} delivered`);
      if (
        siem !== undefined &&
        siem.wanted > 0 &&
        siem.pending === 0 &&
        exchanges.every((one) => one.last_success !== null)
      )
        return { times, secs, armed: siem.delivered };
      if (secs * 1000 > LONGEST_MS) throw new Error('the first sync did not end in an hour');
    }
  }
}

/** `path` without what differs from round to round. */
function paths(value: string, row: string): { readonly path: string; readonly of: string }[] {
  const why = `/why?value=${encodeURIComponent(value)}`;
  return [
    '/readyz',
    '/status',
    '/',
    '/held',
    '/history',
    '/history?from=10m',
    '/exchange/partner',
    '/difference',
    '/siem/watch/difference?bucket=add',
    '/siem/watch/difference?type=url',
    '/why?value=unknown.example',
    '/metrics',
    { path: '/why?value=…', of: why },
    { path: '/why?value=…&at=1m', of: `${why}&at=1m` },
    { path: '/difference/chosen?row=…', of: `/difference/chosen?do=suppress&row=${row}` },
  ].map((one) => (typeof one === 'string' ? { path: one, of: one } : one));
}
