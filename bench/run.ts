// `npm run bench`: measures the table of bench/README.md. Never a test: nothing fails because a machine is slow.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Bench } from './bench.ts';
import { audit } from './rows/audit.ts';
import { delivery } from './rows/delivery.ts';
import { endToEnd } from './rows/end-to-end.ts';
import { files } from './rows/files.ts';
import { hang } from './rows/hang.ts';
import { ingest } from './rows/ingest.ts';
import { memory } from './rows/memory.ts';
import { misp } from './rows/misp.ts';
import { pace, postgres } from './rows/pace.ts';
import { pages } from './rows/pages.ts';
import { policy } from './rows/policy.ts';
import { probes } from './rows/probes.ts';
import { pushers } from './rows/pushers.ts';
import { repeat } from './rows/repeat.ts';
import type { BenchRow, Line } from './rows/row.ts';
import { sightings } from './rows/sightings.ts';
import { three } from './rows/three.ts';

const ROWS: readonly BenchRow[] = [
  delivery,
  ingest,
  pace,
  postgres,
  misp,
  endToEnd,
  repeat,
  files,
  memory,
  three,
  policy,
  audit,
  pushers,
  hang,
  pages,
  probes,
  sightings,
];
const TITLE = [
  '| row | what | reach | measured: median (spread) | reached | how, day, and load average before |',
  '| --- | --- | --- | --- | --- | --- |',
];
const HELP = `npm run bench -- [--only NAME]... [--size N] [--rounds N] [--elastic URL] [--write]

  --only NAME    ${ROWS.map((row) => row.name).join(', ')}; may be given several times
  --size N       indicators where the table says 200,000; other rows in proportion, pages exactly so many
  --rounds N     paired rounds, 7
  --elastic URL  a running Elasticsearch without security instead of one that is started
  --write        put the table into bench/README.md`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    size: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    elastic: { type: 'string' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const chosen = ROWS.filter((row) => values.only?.includes(row.name) ?? true);
const unknown = values.only?.filter((name) => !ROWS.some((row) => row.name === name)) ?? [];
const numbers = [values.rounds, values.size ?? '1'].map(Number);
if (values.help || unknown.length > 0 || !numbers.every((n) => Number.isInteger(n) && n > 0)) {
  process.stderr.write(`${HELP}\n`);
  process.exitCode = values.help ? 0 : 2;
} else await main();

async function main(): Promise<void> {
  const bench = new Bench({
    rounds: Number(values.rounds),
    size: values.size === undefined ? undefined : Number(values.size),
    ...(values.elastic === undefined ? {} : { elastic: values.elastic }),
    note: (text) => void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`),
  });
  // A signal ends the row in hand, so that servers and folders do not stay behind.
  const stop = () => void bench.close().then(() => process.exit(130));
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const parts: string[] = [];
  try {
    for (const row of chosen) {
      bench.note(`${row.name}:`);
      const before = loadavg()[0] ?? 0;
      const lines = await row.run(bench);
      const fresh = lines.map((line) => written(row.name, line, before));
      parts.push(...fresh);
      // At once: a run takes half an hour, and a later row may not get to its end.
      if (values.write) write(row.name, fresh);
    }
  } finally {
    await bench.close();
  }
  process.stdout.write(`${[...TITLE, ...parts].join('\n')}\n\n${machine()}\n`);
}

function written(name: string, line: Line, load: number): string {
  const { what, reach, measured, reached, detail } = line;
  return `| ${name} | ${what} | ${reach} | ${measured} | ${reached ? 'yes' : '**no**'} | ${detail}; ${today()}, load ${load.toFixed(1)} |`;
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

function machine(): string {
  const [cpu] = cpus();
  return `Measured with Node ${process.versions.node} on ${cpus().length} cores of ${cpu?.model ?? 'an unknown kind'}, ${Math.round(totalmem() / 2 ** 30)} GB of memory.`;
}

/** Between the markers; the rest of the page is written by hand. Rows that were not measured now stay as they are. */
function write(measured: string, fresh: readonly string[]): void {
  const path = join(import.meta.dirname, 'README.md');
  const page = readFileSync(path, 'utf8');
  const [begin, end] = ['<!-- table -->', '<!-- /table -->'];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${path} has no markers ${begin} and ${end}`);
  const old = page
    .slice(from, to)
    .split('\n')
    .filter((line) => line.startsWith('| '));
  const nameOf = (line: string) => line.split('|')[1]?.trim() ?? '';
  const lines = ROWS.flatMap(({ name }) => (measured === name ? fresh : old).filter((line) => nameOf(line) === name));
  const table = [...TITLE, ...lines, '', machine()].join('\n');
  writeFileSync(path, `${page.slice(0, from + begin.length)}\n${table}\n${page.slice(to)}`);
  // The page is held to the formatter's layout like every other file.
  execFileSync(join(import.meta.dirname, '..', 'node_modules', '.bin', 'biome'), ['format', '--write', path], {
    stdio: 'ignore',
  });
}
