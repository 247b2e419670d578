// What the state comes to, seed by seed, to be compared before and after a change that must change nothing:
//
//   node test/simulation/dump.ts 1 300 /tmp/before     (before the change; afterwards the same into another folder)
//   diff -r /tmp/before /tmp/after
//   node test/simulation/dump.ts 7 7 - 'step 12'       (one state of one seed, to be read)
//   node test/simulation/dump.ts 1 300 /tmp/server --postgres postgres://USER:PASSWORD@HOST:PORT/DATABASE
//   diff -r /tmp/before /tmp/server                    (nothing either: both databases come to the same, step by step)
//
// A file for each seed: a digest of the state after every step with what happened in it, then the state as the faults
// left it and as it ended. The dump says what a state means, not how its columns spell it: where the schema changes, this
// follows, and the text stays the same.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { StatePlace } from '../../src/core/store/sql/place.ts';
import { openReading } from '../../src/core/store/state/open.ts';
import { STATE, type ProjectionRow } from '../../src/core/store/rows/rows.ts';
import { sha256 } from '../../src/core/runtime/ids.ts';
import { Schemas, serverOf } from '../peers/postgres.ts';
import { OnServer } from './keeping.ts';
import { World } from './world.ts';

const STEPS = 60;
/** States that are written out. */
const SHOWN = [`step ${STEPS}`, 'settled', 'over'];

type Columns = Record<string, unknown>;

/** Of a row only what counts in its state: what an earlier one left in a column says nothing. */
function projection(row: ProjectionRow): Columns {
  const { batch: _, receipt, reason, code, sent_rev, ...said } = row;
  return {
    ...said,
    ...([STATE.flight, STATE.accepted, STATE.uncertain].some((one) => one === row.state) ? { sent_rev } : {}),
    ...(row.state === STATE.parked ? { reason, code } : {}),
    ...(row.state === STATE.accepted ? { receipt } : {}),
  };
}

function dump(place: StatePlace): string {
  const db = openReading(place);
  // Salt is drawn anew each time, so that the record and where it ends are never the same twice.
  const lines = db
    .tables()
    .filter(({ name }) => !name.startsWith('audit_'))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ name }) => {
      const rows = db.all<Columns>(`SELECT * FROM ${name} ORDER BY 1, 2`);
      // As the schema has it.
      const kept = rows.filter((row) => name !== 'meta' || row['name'] !== 'audit_head');
      const said = kept.map((row) => (name === 'projection' ? projection(row as unknown as ProjectionRow) : row));
      return said.map((row) => `${name}: ${spelled(row)}`).sort();
    });
  db.close();
  return lines.join('\n');
}

const spelled = (row: Columns): string =>
  Object.entries(row)
    .filter(([, value]) => value !== null && value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ');

/** One seed, as text. `only`: nothing but that state. */
async function told(seed: number, only?: string): Promise<string> {
  const world = schemas === undefined ? new World(seed) : new World(seed, (into) => new OnServer(into, schemas));
  const digests: string[] = [];
  const states: string[] = [];
  let seen = 0;
  const look = (when: string, place: StatePlace): void => {
    const text = dump(place);
    digests.push(`${when} ${sha256(text).slice(0, 16)} ${world.trail.slice(seen).join(' | ')}`);
    seen = world.trail.length;
    if (only === undefined ? SHOWN.includes(when) : when === only) states.push(`== ${when}\n${text}`);
  };
  try {
    await world.run(STEPS, look);
  } catch (error) {
    digests.push(error instanceof Error ? error.message : String(error));
  } finally {
    world.close();
  }
  return `${(only === undefined ? [...digests, ...states] : states).join('\n')}\n`;
}

const { positionals, values } = parseArgs({ allowPositionals: true, options: { postgres: { type: 'string' } } });
const [from = '1', to = from, folder = '-', only] = positionals;
const schemas =
  values.postgres === undefined ? undefined : new Schemas(serverOf(values.postgres), `dump_${process.pid}`);
if (folder !== '-') mkdirSync(folder, { recursive: true });
for (let seed = Number(from); seed <= Number(to); seed++) {
  const text = await told(seed, only);
  if (folder === '-') console.info(text);
  else writeFileSync(join(folder, `${String(seed).padStart(6, '0')}.txt`), text);
}
schemas?.close();
