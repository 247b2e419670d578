// `suppress --exchange`: a whole push of a partner taken off again, the honest undo. A plan first; with --yes it acts, in
// parts, so that no request grows with the push. What others vouch for too is left alone.
import { MOST_HOURS } from '../app/requests.ts';
import { storeSpec } from '../app/specs.ts';
import type { Config } from '../core/config/load.ts';
import { timeOf } from '../core/model/time-of.ts';
import { HistoryReader } from '../core/store/read/history.ts';
import { numberOf } from './args.ts';
import type { Context } from './command.ts';
import { reasonOf, unknownName, usage } from './doing.ts';
import { DONE } from './exit.ts';
import { when } from './output.ts';
import { act, clockOf, withReader } from './state.ts';

const MOST_VALUES = 200_000;
const PART = 5_000;
const SHOWN = 20;
const MOST_POLLS = 100_000;

export async function push(context: Context, config: Config): Promise<number> {
  const { args, flags, out, json } = context;
  const { exchange, since, poll } = flags;
  const reason = reasonOf(context);
  const moment = poll ?? since;
  const hours = numberOf(flags['hours']);
  const both = since !== undefined && poll !== undefined;
  if (args.length > 0 || both || typeof exchange !== 'string' || typeof moment !== 'string')
    return usage(context, 'suppress takes one VALUE, or --exchange and either --since or --poll');
  if (!(hours > 0 && hours <= MOST_HOURS))
    return usage(context, `--hours needs a number above 0, at most ${MOST_HOURS}`);
  if (reason === '') return usage(context, 'suppress needs --reason');
  const unknown = unknownName('exchange', exchange, config.exchanges);
  if (unknown !== undefined) return usage(context, unknown);
  const now = clockOf(config).now();
  const at = timeOf(moment.replace(/^(\d{4}-\d\d-\d\d) /, '$1T'), now);
  if (at === undefined || at > now)
    return usage(
      context,
      `--${poll === undefined ? 'since' : 'poll'} needs a time that is past, such as 2026-11-28T06:00Z, or 90m, 6h, 2d`,
    );
  const one = poll === undefined ? undefined : pollAt(config, exchange, at, now);
  if (poll !== undefined && one === undefined)
    return usage(
      context,
      `no poll of ${exchange} that brought anything at ${when(new Date(at).toISOString())} is known; entente history lists them`,
    );
  const { from, until } = one ?? { from: at, until: undefined };
  const iso = new Date(from).toISOString();
  const which = one === undefined ? `since ${when(iso)}` : `of its poll of ${when(iso)}`;

  const { values, shared, siems } = withReader(config, (reader) => {
    const found = reader.pushed(exchange, from, MOST_VALUES + 1, until);
    return { ...found, siems: reader.standing(found.values) };
  });
  if (values.length > MOST_VALUES)
    return usage(
      context,
      `${exchange} has vouched for more than ${MOST_VALUES} values, ${which}; take a later --since, or set enabled: false or clearance for it`,
    );
  const acts = flags['yes'] === true;
  if (acts)
    for (let at = 0; at < values.length; at += PART)
      await act(context, config, {
        kind: 'suppress',
        observables: values.slice(at, at + PART),
        hours,
        reason,
        false_positive: false,
      });
  if (json) {
    out.json({
      exchange,
      since: iso,
      ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
      values: values.length,
      shared,
      siems,
      done: acts,
    });
    return DONE;
  }
  const did = acts ? 'are suppressed' : 'would be suppressed';
  out.line(`${values.length} values that only ${exchange} vouches for, ${which}, ${did} for ${hours} h.`);
  if (shared > 0)
    out.line(`${shared} more that it named stay: another exchange, or an older object, vouches for them.`);
  for (const [name, n] of Object.entries(siems)) out.line(`  ${name}: ${n} ${acts ? 'go' : 'would go'}`);
  for (const one of acts ? [] : values.slice(0, SHOWN)) out.line(`  ${one.value}  (${one.type})`);
  if (!acts && values.length > SHOWN) out.line(`  and ${values.length - SHOWN} more`);
  if (!acts && values.length > 0) out.line('Nothing was done. To do it, say the same with --yes');
  return DONE;
}

/** The poll that was under way in this second, where it brought anything: when it began and was over. */
function pollAt(
  config: Config,
  exchange: string,
  at: number,
  now: number,
): { from: number; until: number } | undefined {
  const reader = new HistoryReader(storeSpec(config));
  try {
    const polls = reader.history({ kinds: ['poll'], since: at, limit: MOST_POLLS });
    for (const { subject, counts, at: began, until } of polls) {
      const [from, end] = [Date.parse(began), until === null ? now : Date.parse(until)];
      const { new: fresh = 0, changed = 0 } = counts;
      if (subject === exchange && fresh + changed > 0 && from < at + 1000) return { from, until: end };
    }
    return undefined;
  } finally {
    reader.close();
  }
}
