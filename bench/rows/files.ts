// A bundle far larger than the memory that the daemon may have.
import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { entente } from '../process.ts';
import { type BenchRow, thousands } from './row.ts';

const REACH_MB = 256;
const MIB = 1024 * 1024;

export const files: BenchRow = {
  name: 'files',
  async run(bench) {
    const path = join(bench.folder(), 'bundle.json');
    bench.note('writing the bundle');
    const count = bundle(path, bench.size(2048) * MIB);
    const file = await bench.config({ path, indices: [], mode: 'shadow' });
    const { peakMb, wallMs } = await entente(['run', '--once', '--json', '-c', file]);
    const size = statSync(path).size / MIB;
    return [
      {
        what: `resident memory, one bundle of ${thousands(size)} MiB with ${thousands(count)} indicators read`,
        reach: `at most ${REACH_MB} MB`,
        measured: `${Math.round(peakMb)} MB`,
        reached: peakMb <= REACH_MB,
        detail: `one run, peak of the whole process of run --once, ${Math.round(wallMs / 1000)} s (${thousands((count / wallMs) * 1000)} indicators a second)`,
      },
    ];
  },
};

/** Writes a bundle of so many bytes, and says how many indicators it holds. */
function bundle(path: string, bytes: number): number {
  const file = openSync(path, 'w');
  let written = writeSync(file, '{"type":"bundle","id":"bundle--1","objects":[');
  let n = 0;
  for (let text = ''; written < bytes; text = '') {
    for (let i = 0; i < 1000; i++, n++) text += `${n === 0 ? '' : ','}${JSON.stringify(indicator(n))}\n`;
    written += writeSync(file, text);
  }
  writeSync(file, ']}');
  closeSync(file);
  return n;
}

/** Some 1,000 bytes, as vendors write them. */
function indicator(n: number): object {
  const time = '2026-01-01T00:00:00.000Z';
  const hex = n.toString(16).padStart(12, '0');
  return {
    type: 'indicator',
    spec_version: '2.1',
    id: `indicator--00000000-0000-4000-8000-${hex}`,
    created: time,
    modified: time,
    name: `Sample ${n}`,
    description: `Seen in a campaign, number ${n}. ${'Lorem ipsum dolor sit amet, consetetur. '.repeat(14)}`,
    indicator_types: ['malicious-activity'],
    pattern: `[file:hashes.'SHA-256' = '${hex.slice(4).repeat(8)}']`,
    pattern_type: 'stix',
    valid_from: time,
  };
}
