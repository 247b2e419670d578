// `rehearse`: what a new configuration would change, before anybody runs it.
import { join, resolve } from 'node:path';
import { linesOf } from '../app/recording.ts';
import { placeOf } from '../app/specs.ts';
import { beforeSimulators, type Outcome, type Rehearsed, rehearsed } from '../app/rehearsal.ts';
import { type Config, loadConfig } from '../core/config/load.ts';
import { problemLine } from '../core/config/source.ts';
import type { Observable } from '../core/model/observable.ts';
import { copyState } from '../core/store/state/open.ts';
import type { Command, Context, StartedSimulator } from './command.ts';
import { DONE, LEFT, USAGE } from './exit.ts';
import { refusedLines } from './plan.ts';
import { commandLog } from './command-log.ts';
import { interruptedBy } from './doing.ts';
import { hasStateOf } from './state.ts';
import { inTemporary } from './writing.ts';

/** Shown to people; `--json` has this many, and the counts of all. */
const MOST_SHOWN = 20;
const MOST_TOLD = 10_000;

export const rehearse: Command = {
  name: 'rehearse',
  summary: 'What would differ in each SIEM under a new configuration. Contacts nobody, writes nothing.',
  usage: 'rehearse --config NEW [--present FILE] [--record FILE]',
  example: 'entente rehearse --config new.yaml --record monday.jsonl',
  flags: {
    present: { type: 'string', value: 'FILE', help: 'What runs now; else $ENTENTE_CONFIG, else ./entente.yaml.' },
    record: {
      type: 'string',
      value: 'FILE',
      help: 'Both from this record; left out: from what the state knows. Either goes to simulated SIEMs.',
    },
  },
  async run(context) {
    const { flags, env, configPath, out, json } = context;
    const present = typeof flags['present'] === 'string' ? flags['present'] : env['ENTENTE_CONFIG'] || './entente.yaml';
    const record = typeof flags['record'] === 'string' ? flags['record'] : undefined;
    if (resolve(present) === resolve(configPath)) {
      out.note('rehearse compares two configurations: --config NEW with the present one (--present FILE)');
      return USAGE;
    }
    const [before, after] = [configAt(context, present), configAt(context, configPath)];
    if (before === undefined || after === undefined) return USAGE;
    const noted = record === undefined ? [] : await unrecorded(record, [before, after]);
    const both = async (folder: string): Promise<number> => {
      const runs: Rehearsed[] = [];
      try {
        for (const [name, config] of [
          ['present', before],
          ['new', after],
        ] as const)
          runs.push(await one(context, config, before, join(folder, `${name}.db`), record));
        interruptedBy(context.signal);
        const [old, next] = runs as [Rehearsed, Rehearsed];
        const siems = differences(old.outcomes, next.outcomes);
        const left = [...noted, ...new Set([...old.left, ...next.left])];
        if (json) out.json({ siems, left });
        else print(context, siems);
        for (const text of left) out.note(`left: ${text}`);
        const differs = siems.some((siem) => siem.added + siem.removed > 0 || siem.only !== null);
        return differs || left.length > 0 ? LEFT : DONE;
      } finally {
        for (const run of runs) await run.close();
      }
    };
    return inTemporary('rehearse', both, before.state);
  },
};

/** No peer is contacted, so no secret is needed. */
function configAt({ parts, env, out }: Context, path: string): Config | undefined {
  const answer = loadConfig(path, parts.registry, env, 'unused');
  if ('config' in answer) return answer.config;
  for (const problem of answer.problems) out.note(problemLine(problem));
  return undefined;
}

async function one(
  context: Context,
  config: Config,
  present: Config,
  state: string,
  record: string | undefined,
): Promise<Rehearsed> {
  const { parts, signal } = context;
  const log = commandLog(config, 'error');
  const given = { state, log, version: parts.version, signal };
  const simulators = new Map<string, StartedSimulator>();
  const close = async () => {
    for (const simulator of simulators.values()) await simulator.close();
    await log.close();
  };
  if (record === undefined && hasStateOf(present)) copyState(placeOf(present), state);
  try {
    for (const { name, type } of config.siems) {
      const started = await parts.simulators[type]?.({ port: 0, tls: false });
      if (started !== undefined) simulators.set(name, started);
    }
    const lines = new Map([...simulators].map(([name, { line }]) => [name, line]));
    const simulated = beforeSimulators(config, parts.registry, lines, state);
    const run = await rehearsed({ ...given, config: simulated, ...(record === undefined ? {} : { record }) });
    return {
      ...run,
      close: async () => {
        await run.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Reads the record once, so that one that is cut is refused before anything is done with it. */
async function unrecorded(record: string, configs: readonly Config[]): Promise<string[]> {
  const known = new Set<string>();
  const partly = new Set<string>();
  for await (const line of linesOf(record))
    if ('exchange' in line) ('failed' in line ? partly : known).add(line.exchange);
  const asked = new Set(configs.flatMap((config) => config.exchanges.map((exchange) => exchange.name)));
  return [...asked].flatMap((name) => {
    if (partly.has(name)) return [`exchange ${name} could not be read to its end when ${record} was made`];
    return known.has(name) ? [] : [`exchange ${name} is not in ${record}`];
  });
}

interface Told extends Observable {
  readonly reason: string;
}

interface Difference {
  readonly name: string;
  /** Which of the two has this SIEM; null: both. */
  readonly only: 'present' | 'new' | null;
  readonly stands: number;
  readonly added: number;
  readonly removed: number;
  readonly held: number;
  /** By the simulated SIEM, of the new configuration. */
  readonly tried: number;
  readonly entries: { readonly added: readonly Told[]; readonly removed: readonly Told[] };
  readonly refused: Readonly<Record<string, number>>;
}

function differences(before: readonly Outcome[], after: readonly Outcome[]): Difference[] {
  const names = [...new Set([...before, ...after].map(({ siem }) => siem))];
  return names.map((name) => {
    const old = before.find(({ siem }) => siem === name);
    const next = after.find(({ siem }) => siem === name);
    const missing = (from: Outcome | undefined, to: Outcome | undefined) =>
      [...(from?.stands ?? [])].filter(([key]) => to?.stands.has(key) !== true).map(([, value]) => value);
    const told = (values: readonly Observable[], where: Outcome | undefined): Told[] =>
      values.slice(0, MOST_TOLD).map((value) => ({ ...value, reason: where?.why(value) ?? 'there is no such SIEM' }));
    const [added, removed] = [missing(next, old), missing(old, next)];
    return {
      name,
      only: old === undefined ? 'new' : next === undefined ? 'present' : null,
      stands: next?.stands.size ?? 0,
      added: added.length,
      removed: removed.length,
      held: next?.held ?? 0,
      tried: next?.tried ?? 0,
      // Why it was not there before, and why it is not there any more.
      entries: { added: told(added, old), removed: told(removed, next) },
      refused: next?.refused ?? {},
    };
  });
}

function print({ out }: Context, siems: readonly Difference[]): void {
  const note = { new: 'only in the new configuration', present: 'no longer configured' };
  for (const siem of siems) {
    out.line(`${out.colour(siem.name, 'bold')}${siem.only === null ? '' : `  (${note[siem.only]})`}`);
    out.table(
      ['STANDS', 'ADDED', 'REMOVED', 'HELD', 'TRIED'],
      [[siem.stands, siem.added, siem.removed, siem.held, siem.tried].map(String)],
    );
    for (const [sign, colour, entries, all] of [
      ['+', 'green', siem.entries.added, siem.added],
      ['-', 'red', siem.entries.removed, siem.removed],
    ] as const) {
      const but = sign === '+' ? 'until now: ' : '';
      for (const { value, type, reason } of entries.slice(0, MOST_SHOWN))
        out.line(`  ${out.colour(sign, colour)} ${value}  (${type})  ${but}${reason}`);
      if (all > MOST_SHOWN) out.line(`  ${sign} ${all - MOST_SHOWN} more: --json has them`);
    }
    for (const line of refusedLines(siem.refused, 'entente rehearse --json')) out.line(`  ${line}`);
  }
  if (siems.every((siem) => siem.added + siem.removed === 0 && siem.only === null)) out.line('Nothing would differ.');
}
