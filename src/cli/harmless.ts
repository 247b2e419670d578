// The command `harmless`: the night shift's memory. A value off every SIEM until somebody lifts it, with a date at which
// `status` asks for another look.
import { MOST_REVIEW_DAYS } from '../app/requests.ts';
import type { Config } from '../core/config/load.ts';
import { guess } from '../core/model/typed-in.ts';
import { numberOf } from './args.ts';
import type { Command, Context } from './command.ts';
import { BY, doing, reasonOf, usage } from './doing.ts';
import { DONE } from './exit.ts';
import { lift } from './lift.ts';
import { when } from './output.ts';
import { clockOf, withReader } from './state.ts';
import { takeOff } from './suppress.ts';

const REVIEW_DAYS = 90;

export const harmless: Command = {
  name: 'harmless',
  summary: 'Takes a value off every SIEM until it is lifted, and asks for another look after some days.',
  usage: 'harmless VALUE --reason TEXT [--review DAYS] | harmless list | harmless lift ID',
  example: 'entente harmless update.vendor.example --reason "the vendor\'s own updater" --review 180',
  mostArgs: 2,
  words: ['list', 'lift'],
  flags: {
    ...BY,
    review: { type: 'string', value: 'DAYS', help: `After how many days it asks again; default ${REVIEW_DAYS}.` },
  },
  run: (context) =>
    doing(context, async (config) => {
      const [first, second] = context.args;
      if (first === 'list') return list(context, config);
      if (first === 'lift') return lift(context, config, 'harmless', second);
      return take(context, config);
    }),
};

function list({ out, json }: Context, config: Config): number {
  const now = new Date(clockOf(config).now()).toISOString();
  const rows = withReader(config, (reader) => reader.harmless()).map((row) => ({ ...row, due: row.review <= now }));
  if (json) out.json({ harmless: rows });
  else if (rows.length === 0) out.line('No value is called harmless.');
  else
    out.table(
      ['ID', 'VALUE', 'TYPE', 'SINCE', 'LOOK AGAIN', 'BY', 'REASON'],
      rows.map((row) => [
        String(row.id),
        row.value,
        row.type,
        when(row.since),
        row.due ? `now (${when(row.review)})` : when(row.review),
        row.by,
        row.reason,
      ]),
    );
  return DONE;
}

async function take(context: Context, config: Config): Promise<number> {
  const { args, flags } = context;
  const [first, second] = args;
  const days = numberOf(flags['review'], REVIEW_DAYS);
  const reason = reasonOf(context);
  if (first === undefined || second !== undefined || reason === '')
    return usage(context, 'harmless needs one VALUE and --reason');
  if (!(days > 0 && days <= MOST_REVIEW_DAYS))
    return usage(context, `--review needs a number of days above 0, at most ${MOST_REVIEW_DAYS}`);
  const observables = guess(first);
  if (observables.length === 0) return usage(context, `${first} is no address, domain, URL, e-mail address or hash`);
  return takeOff(
    context,
    config,
    observables,
    { kind: 'harmless', observables: [...observables], review_days: days, reason },
    `off until it is lifted, and asks for another look in ${days} days`,
  );
}
