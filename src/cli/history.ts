// The command `history`: what happened, newest first, and what is armed otherwise at one moment than at another.
import { storeSpec } from '../app/specs.ts';
import type { Config } from '../core/config/load.ts';
import { type HistoryEntry, HistoryReader } from '../core/store/read/history.ts';
import type { Between } from '../core/store/read/record-between.ts';
import { RecordReader } from '../core/store/read/record.ts';
import type { Command, Context } from './command.ts';
import { doing, usage } from './doing.ts';
import { DONE } from './exit.ts';
import { when } from './output.ts';
import { clockOf, withReader } from './state.ts';
import { timeOf } from '../core/model/time-of.ts';

const DAY_MS = 86_400_000;
const MOST = 10_000;
/** Values that are shown of a difference. */
const SHOWN = 10;
const TIMES = 'a time that is past, such as 2026-11-28T06:00Z, or 90m, 6h, 2d';

export const history: Command = {
  name: 'history',
  summary: 'Polls, deliveries, holds, decisions, versions of policy and outages, with counts; two moments compared.',
  usage: 'history [--since T] | history --compare A B',
  example: 'entente history --since 2d',
  mostArgs: 2,
  flags: {
    since: { type: 'string', value: 'T', help: 'From then on: 2026-11-28T06:00Z, or 90m, 6h, 2d; default a day.' },
    compare: { type: 'boolean', help: 'What was armed, changed and disarmed between the moments A and B, per SIEM.' },
  },
  run: (context) =>
    doing(context, async (config) => {
      withReader(config, () => undefined);
      const now = clockOf(config).now();
      if (context.flags['compare'] === true) return compare(context, config, now);
      if (context.args.length > 0) return usage(context, 'history takes two moments with --compare, and none without');
      const { since } = context.flags;
      const from = typeof since === 'string' ? timeOf(since, now) : now - DAY_MS;
      if (from === undefined || from > now) return usage(context, `--since needs ${TIMES}`);
      const reader = new HistoryReader(storeSpec(config));
      try {
        const found = reader.history({ limit: MOST + 1, since: from });
        const entries = found.slice(0, MOST);
        if (context.json) context.out.json({ since: new Date(from).toISOString(), entries });
        else print(context, entries, from);
        if (found.length > MOST) context.out.note(`only the newest ${MOST.toLocaleString('en')} are shown`);
      } finally {
        reader.close();
      }
      return DONE;
    }),
};

function print({ out }: Context, entries: readonly HistoryEntry[], from: number): void {
  if (entries.length === 0) {
    out.line(`Nothing happened since ${when(new Date(from).toISOString())}.`);
    return;
  }
  out.table(
    ['FROM', 'TO', 'WHAT', 'WHOSE', 'COUNTS', 'MORE'],
    entries.map((one) => [
      when(one.at),
      one.until === null ? 'goes on' : one.until === one.at ? '' : when(one.until),
      one.kind,
      one.subject,
      Object.entries(one.counts)
        .map(([name, n]) => `${name} ${n.toLocaleString('en')}`)
        .join(', '),
      more(one),
    ]),
  );
}

function more({ kind, detail }: HistoryEntry): string {
  const { reason, action, policy_version: version } = detail;
  if (kind === 'configuration') return typeof version === 'string' ? `version ${version}` : '';
  return [action, reason].flatMap((one) => (typeof one === 'string' && one !== '' ? [one] : [])).join(': ');
}

function compare(context: Context, config: Config, now: number): number {
  const { args, json, out } = context;
  const [a, b] = args.map((text) => timeOf(text, now));
  if (args.length !== 2 || a === undefined || b === undefined || a > b || b > now)
    return usage(context, `--compare needs two moments, the earlier one first: ${TIMES}`);
  const reader = new RecordReader(storeSpec(config));
  try {
    const siems = reader.between(a, b);
    const [from, to] = [new Date(a).toISOString(), new Date(b).toISOString()];
    if (json) out.json({ from, to, siems });
    else {
      if (siems.length === 0) out.line(`Nothing changed in any SIEM between ${when(from)} and ${when(to)}.`);
      for (const one of siems) printBetween(context, one, when(from), when(to));
    }
  } finally {
    reader.close();
  }
  return DONE;
}

function printBetween({ out }: Context, { siem, counts, ...lists }: Between, from: string, to: string): void {
  const { arm = 0, change = 0, disarm = 0 } = counts;
  out.line(`${out.colour(siem, 'bold')}, ${from} to ${to}: armed ${arm}, changed ${change}, disarmed ${disarm}`);
  for (const [name, values] of Object.entries(lists)) {
    if (values.length === 0) continue;
    out.line(`  ${name}, and so at the end: ${values.length.toLocaleString('en')}`);
    for (const value of values.slice(0, SHOWN)) out.line(`    ${value}`);
    if (values.length > SHOWN) out.line(`    and ${values.length - SHOWN} more; --json names them all`);
  }
}
