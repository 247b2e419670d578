// The command `suppress`: a value off every SIEM for a time. Who asks for it wants to know that it is off, so it waits
// some seconds for the SIEMs and says of each what came of it.
import { MOST_HOURS, type RequestArguments } from '../app/requests.ts';
import { placeOf } from '../app/specs.ts';
import type { Config } from '../core/config/load.ts';
import type { Observable } from '../core/model/observable.ts';
import { guess } from '../core/model/typed-in.ts';
import type { StoreReader } from '../core/store/read/status.ts';
import { holderOf } from '../core/store/state/open.ts';
import { numberOf } from './args.ts';
import type { Command, Context } from './command.ts';
import { BY, doing, reasonOf, usage } from './doing.ts';
import { DONE, LEFT } from './exit.ts';
import { lift } from './lift.ts';
import { when } from './output.ts';
import { act, clockOf, readerOf, withReader, withSightings } from './state.ts';
import { push } from './suppress-push.ts';

const PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 250;
const MOST_SUGGESTED = 50;

export const suppress: Command = {
  name: 'suppress',
  summary: 'Takes a value off every SIEM for a time and says where it still stands; lists and lifts that.',
  usage:
    'suppress VALUE --hours N --reason TEXT [--false-positive] | suppress --exchange NAME --since T|--poll T --hours N --reason TEXT [--yes] | suppress list | suppress lift ID',
  example: 'entente suppress 198.51.100.7 --hours 24 --reason "our own scanner"',
  mostArgs: 2,
  words: ['list', 'lift'],
  flags: {
    ...BY,
    hours: { type: 'string', value: 'N', help: 'For how long.' },
    'false-positive': {
      type: 'boolean',
      help: 'It is no threat: the partner is told so where a release rule allows it.',
    },
    exchange: {
      type: 'string',
      value: 'NAME',
      help: 'Every value that only this exchange vouches for, since --since or of one --poll.',
    },
    since: { type: 'string', value: 'T', help: 'A time such as 2026-11-28T06:00Z, or 90m, 6h, 2d ago.' },
    poll: { type: 'string', value: 'T', help: 'Of the poll under way then alone, as history shows it.' },
    yes: { type: 'boolean', help: 'Do it; without it, --exchange only says what would go.' },
  },
  run: (context) =>
    doing(context, async (config) => {
      const [first, second] = context.args;
      if (first === 'list') return list(context, config);
      if (first === 'lift') return lift(context, config, 'suppress', second);
      if (['exchange', 'since', 'poll'].some((one) => context.flags[one] !== undefined)) return push(context, config);
      return take(context, config);
    }),
};

function list({ out, json }: Context, config: Config): number {
  const rows = withReader(config, (reader) => reader.suppressions(clockOf(config).now()));
  const suggested = withSightings(config, (reader) => reader.disputed(MOST_SUGGESTED)) ?? [];
  if (json) out.json({ suppressions: rows, suggested });
  else if (rows.length === 0) out.line('No value is suppressed.');
  else
    out.table(
      ['ID', 'VALUE', 'TYPE', 'UNTIL', 'BY', 'REASON'],
      rows.map((row) => [String(row.id), row.value, row.type, when(row.until), row.by, row.reason]),
    );
  if (json || suggested.length === 0) return DONE;
  out.line('');
  out.line('Called a false positive, and armed; suppress it, call it harmless, or leave it as it is:');
  out.table(
    ['VALUE', 'TYPE', 'SAID IN', 'TIMES', 'ARMED IN'],
    suggested.map((one) => [one.value, one.type, one.said.join(', '), String(one.count), one.armed.join(', ')]),
  );
  return DONE;
}

async function take(context: Context, config: Config): Promise<number> {
  const { args, flags } = context;
  const [first, second] = args;
  const hours = numberOf(flags['hours']);
  const reason = reasonOf(context);
  if (first === undefined || second !== undefined || flags['hours'] === undefined || reason === '')
    return usage(context, 'suppress needs one VALUE, --hours and --reason');
  if (!(hours > 0 && hours <= MOST_HOURS))
    return usage(context, `--hours needs a number above 0, at most ${MOST_HOURS}`);
  const observables = guess(first);
  if (observables.length === 0) return usage(context, `${first} is no address, domain, URL, e-mail address or hash`);
  return takeOff(
    context,
    config,
    observables,
    {
      kind: 'suppress',
      observables: [...observables],
      hours,
      reason,
      false_positive: flags['false-positive'] === true,
    },
    `suppressed for ${hours} h`,
  );
}

/** Has it done, and says of each SIEM what came of it. `what`: to follow "is". */
export async function takeOff(
  context: Context,
  config: Config,
  observables: readonly Observable[],
  request: RequestArguments,
  what: string,
): Promise<number> {
  const { out, json } = context;
  const before = standing(config, observables);
  const answer = await act(context, config, request);
  const living = holderOf(placeOf(config)) !== undefined;
  const stood = new Set(before.filter((one) => one.state === 'pending').map((one) => one.name));
  const places = (await outcome(context, config, observables, living)).map((one) =>
    one.state === 'never_there' && stood.has(one.name) ? { ...one, state: 'removed' as const } : one,
  );
  const left = places.filter((one) => one.state === 'pending');
  if (json) out.json({ ...(answer as object), daemon: living, siems: places });
  else {
    const values = observables.map((one) => one.value).join(', ');
    if (living) out.line(`${values} is ${what}.`);
    else
      out.line(
        `${values} is ${what} from the next run on: no daemon runs on this state, so no SIEM was told. Start one: entente run, or entente run --once`,
      );
    for (const one of places)
      out.line(`  ${one.name}: ${SAID[one.state]}${one.reason === null ? '' : `: ${one.reason}`}`);
  }
  return left.length > 0 ? LEFT : DONE;
}

interface Place {
  readonly name: string;
  readonly state: 'removed' | 'pending' | 'never_there';
  readonly reason: string | null;
}

const SAID = { removed: 'removed', pending: 'still there, pending', never_there: 'does not stand there' } as const;

/** Looks until it stands nowhere any more, or for some seconds; without a daemon nothing changes, so once. */
async function outcome(
  { out, signal }: Context,
  config: Config,
  observables: readonly Observable[],
  living: boolean,
): Promise<Place[]> {
  const clock = clockOf(config);
  const start = clock.monotonic();
  const waiting = out.waiting(() => 'Waiting for the SIEMs');
  try {
    for (;;) {
      const places = withReader(config, (reader) => placesOf(config, reader, observables, clock.now()));
      const over = places.every((one) => one.state !== 'pending');
      if (over || !living || signal.aborted || clock.monotonic() - start > PATIENCE_MS) return places;
      waiting.tick();
      await clock.sleep(LOOK_EVERY_MS);
    }
  } finally {
    waiting.end();
  }
}

/** Where it is now; nowhere while there is no state. */
function standing(config: Config, observables: readonly Observable[]): Place[] {
  const reader = readerOf(config);
  if (reader === undefined) return [];
  try {
    return placesOf(config, reader, observables, clockOf(config).now());
  } finally {
    reader.close();
  }
}

function placesOf(config: Config, reader: StoreReader, observables: readonly Observable[], now: number): Place[] {
  const stands = observables.flatMap((one) => reader.why(one, now)?.siems ?? []);
  const failures = new Map(reader.siems().map((one) => [one.name, one.failure?.message]));
  return config.siems.map((siem): Place => {
    const here = stands.filter((one) => one.name === siem.name);
    const { name } = siem;
    const left = here.find((one) => one.state !== 'not_wanted');
    if (left === undefined) return { name, state: 'never_there', reason: null };
    return { name, state: 'pending', reason: whyPending(siem, failures.get(name)) ?? left.reason };
  });
}

function whyPending(siem: Config['siems'][number], failure: string | undefined): string | undefined {
  if (!siem.enabled) return 'the SIEM is disabled, so nothing is removed there';
  if (siem.mode === 'shadow') return 'the SIEM is in shadow mode, so nothing is removed there';
  return failure;
}
