// The command `held`: what waits for a person, each with the code of exactly what is shown. A decision names that code,
// so that it covers what was seen and nothing that came since.
import type { Config } from '../core/config/load.ts';
import { ConnectorError } from '../core/model/failure.ts';
import { sha256 } from '../core/runtime/ids.ts';
import type { HeldSet } from '../core/store/read/waiting.ts';
import type { HeldSighting } from '../core/store/read/sightings.ts';
import type { Command, Context } from './command.ts';
import { BY, doing, reasonOf, unknownName, usage } from './doing.ts';
import { DONE, LEFT } from './exit.ts';
import { heldSightings, isSightingId, showSighting } from './held-sightings.ts';
import { when } from './output.ts';
import { act, caller, openReader, withReader } from './state.ts';

const KINDS = ['intake', 'removal', 'addition', 'sighting'] as const;
const SET = /^[0-9a-f]{8}$/i;
type Waiting = HeldSet | HeldSighting;

export const held: Command = {
  name: 'held',
  summary: 'What waits for a person: values that policy holds, mass removals and additions, and sightings.',
  usage:
    'held list | held show ID | held approve ID --set CODE --reason TEXT | held reject ID --set CODE --reason TEXT  [--by NAME] [--exchange X] [--kind K]',
  example: 'entente held approve 3 --set 5f0c2a91 --reason "confirmed with the partner by phone"',
  mostArgs: 2,
  words: ['list', 'show', 'approve', 'reject'],
  flags: {
    ...BY,
    set: { type: 'string', value: 'CODE', help: 'Code of what was shown, as list and show print it.' },
    exchange: { type: 'string', value: 'NAME', help: 'Only holds of this exchange.' },
    kind: { type: 'string', value: 'KIND', help: `Only this kind: ${KINDS.join(', ')}.` },
  },
  run: (context) =>
    doing(context, async (config) => {
      const [verb = 'list', id] = context.args;
      const { kind } = context.flags;
      if (kind !== undefined && !KINDS.some((one) => one === kind))
        return usage(context, `--kind ${String(kind)} is none; there is ${KINDS.join(', ')}`);
      switch (verb) {
        case 'list':
          return list(context, config, id);
        case 'show':
          return show(context, config, id);
        case 'approve':
        case 'reject':
          return decide(context, config, verb, id);
        default:
          return usage(context, `held ${verb} is no command; there is list, show, approve, reject`);
      }
    }),
};

/** Those that the flags and the id leave. */
function waiting(context: Context, config: Config, id: string | undefined): Waiting[] {
  const { exchange, kind } = context.flags;
  const sets = withReader(config, (reader) => reader.held()).filter(
    (one) =>
      (exchange === undefined || one.exchange === exchange) &&
      (kind === undefined || one.kind === kind) &&
      (id === undefined || String(one.id) === id),
  );
  return [...sets, ...heldSightings(context, config, id)];
}

/** One code for all of them: its own where there is one. */
function codeOf(all: readonly Waiting[]): string | null {
  const [first] = all;
  if (first === undefined) return null;
  return all.length === 1 ? first.set : sha256(all.map((one) => `${one.id} ${one.set}`).join('\n')).slice(0, 8);
}

function list(context: Context, config: Config, id: string | undefined): number {
  const { out, json, flags } = context;
  const all = waiting(context, config, id);
  const set = codeOf(all);
  // What an exchange left that is configured no more is listed; a name that never was one is a slip.
  const unknown = set === null ? unknownName('exchange', flags['exchange'], config.exchanges) : undefined;
  if (unknown !== undefined) return usage(context, unknown);
  if (json) out.json({ held: all, set });
  else if (set === null) out.line(noneOf(config));
  else {
    out.table(
      ['ID', 'KIND', 'SIEM', 'EXCHANGE', 'COUNT', 'SET', 'SINCE', 'WHY'],
      all.map((one) => [
        String(one.id),
        one.kind,
        one.siem ?? '',
        one.exchange,
        String(one.count),
        one.set,
        when(one.created),
        one.reason,
      ]),
    );
    if (id === undefined && (flags['exchange'] !== undefined || flags['kind'] !== undefined))
      out.line(`\nFor all ${all.length} of them: entente held approve ${theFlags(context)} --set ${set} --reason TEXT`);
  }
  return DONE;
}

function noneOf(config: Config): string {
  const all =
    withReader(config, (reader) => reader.held()).length + heldSightings({ flags: {} }, config, undefined).length;
  if (all === 0) return 'Nothing waits for a person.';
  return `Nothing that fits waits for a person; entente held list shows ${all}.`;
}

const theFlags = ({ flags }: Context): string =>
  ['exchange', 'kind']
    .flatMap((name) => (flags[name] === undefined ? [] : [`--${name} ${String(flags[name])}`]))
    .join(' ');

async function show(context: Context, config: Config, id: string | undefined): Promise<number> {
  const { out, json } = context;
  if (id === undefined) return usage(context, 'held show needs an ID; see held list');
  if (isSightingId(id)) {
    showSighting(context, config, id);
    return DONE;
  }
  const reader = openReader(config);
  try {
    const set = reader.held().find((one) => String(one.id) === id);
    if (set === undefined) throw new ConnectorError('permanent', `nothing is held under ${id}; see entente held list`);
    // Read page by page and printed as it comes: a set may have a million.
    if (json) {
      await out.parts(
        (function* () {
          yield `${JSON.stringify(set).slice(0, -1)},"entries":[`;
          let comma = '';
          for (const one of reader.heldEntries(set.id)) {
            yield comma + JSON.stringify(one);
            comma = ',';
          }
          yield ']}\n';
        })(),
      );
      return DONE;
    }
    out.line(`${set.kind} of ${set.count} entries at ${set.siem}, by ${set.exchange}: ${set.reason}`);
    for (const one of reader.heldEntries(set.id)) out.line(`  ${one.value}  (${one.type})`);
    out.line(`\nSet ${set.set}, for: entente held approve ${set.id} --set ${set.set} --reason TEXT, or held reject`);
    return DONE;
  } finally {
    reader.close();
  }
}

async function decide(
  context: Context,
  config: Config,
  verb: 'approve' | 'reject',
  id: string | undefined,
): Promise<number> {
  const { flags, out, json } = context;
  const reason = reasonOf(context);
  const { set } = flags;
  if (id === undefined && flags['exchange'] === undefined && flags['kind'] === undefined)
    return usage(context, `held ${verb} needs an ID, or --exchange or --kind for all of them`);
  if (reason === '')
    return usage(context, `held ${verb} needs --reason TEXT: it stands beside your name in the record`);
  if (set === undefined && context.ask === undefined)
    return usage(context, `held ${verb} needs --set CODE, as held list and held show print it`);
  if (set !== undefined && (typeof set !== 'string' || !SET.test(set)))
    return usage(
      context,
      `--set ${String(set)} is no code: it has eight hex digits, as held list and held show print it`,
    );
  const all = waiting(context, config, id);
  const code = codeOf(all);
  if (code === null) throw new ConnectorError('permanent', 'nothing that fits is waiting; see entente held list');
  if (set === undefined) {
    if (!(await agreed(context, verb, all))) {
      out.note('Nothing was done.');
      return LEFT;
    }
  } else if (all.length > 1 && set.toLowerCase() !== code) {
    throw new ConnectorError(
      'permanent',
      `the code ${set} is not that of these ${all.length}: ${all.map(told).join('; ')}; something came, went or changed since it was shown; nothing was done; look again: entente held list ${theFlags(context)}`,
    );
  }
  // Of several each goes under the code that the one code was made of; of one, the person's own is judged by the store.
  const shown = all.map((one) => ({ id: one.id, set: all.length === 1 && typeof set === 'string' ? set : one.set }));
  await act(context, config, {
    kind: 'decide',
    decision: verb,
    holds: shown.flatMap((one) => (typeof one.id === 'number' ? [{ id: one.id, set: one.set }] : [])),
    sightings: shown.flatMap((one) =>
      typeof one.id === 'string' ? [{ id: Number(one.id.slice(1)), set: one.set }] : [],
    ),
    by: caller(context),
    reason,
  });
  if (json) out.json({ decision: verb, decided: all.map((one) => String(one.id)) });
  else for (const one of all) out.line(`${verb === 'approve' ? 'Approved' : 'Rejected'} ${told(one)}.`);
  return DONE;
}

const told = (one: Waiting): string =>
  one.kind === 'sighting'
    ? `${one.id}: a sighting of ${one.object_id} for ${one.exchange}, count ${one.count}`
    : `${one.id}: ${one.kind} of ${one.count} entries at ${one.siem}`;

/** On a terminal without a code: the numbers, and a question. */
async function agreed(context: Context, verb: string, all: readonly Waiting[]): Promise<boolean> {
  for (const one of all) context.out.line(`${told(one)}: ${one.reason} (set ${one.set})`);
  const answer = await context.ask?.(
    `${verb === 'approve' ? 'Approve' : 'Reject'} ${all.length === 1 ? 'this' : 'all of them'}? [y/N] `,
  );
  return /^y(es)?$/i.test(answer?.trim() ?? '');
}
