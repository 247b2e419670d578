// The command `why`: all that is known of one value, and what happens to it next.
import { type Explained, type ExplainedEntry, explainValue } from '../app/explain-value.ts';
import type { Config } from '../core/config/load.ts';
import type { Observable } from '../core/model/observable.ts';
import { shellWord } from '../core/model/shell-word.ts';
import { guess } from '../core/model/typed-in.ts';
import { placeOf, storeSpec } from '../app/specs.ts';
import { holderOf } from '../core/store/state/open.ts';
import { MOST_TOLD, REVOKED_CODE, type RefusedObject, RefusedReader } from '../core/store/read/refused.ts';
import { stateConfigOf } from './config-of.ts';
import type { Command } from './command.ts';
import { doing } from './doing.ts';
import { DONE, USAGE } from './exit.ts';
import { type Output, when } from './output.ts';
import { clockOf, readerOf, sightingsOf, withReader } from './state.ts';
import { timeOf } from '../core/model/time-of.ts';
import { whyAt } from './why-at.ts';

export const why: Command = {
  name: 'why',
  summary:
    'Every claim on a value, each decision with its reason, where it stands in each SIEM, and what happens next.',
  usage: 'why VALUE [--at TIME]',
  example: 'entente why 198.51.100[.]7',
  mostArgs: 1,
  flags: {
    at: {
      type: 'string',
      value: 'TIME',
      help: 'As it was then, by the record: 2026-11-28T06:00Z, or 90m, 6h, 2d ago.',
    },
  },
  async run(context) {
    const config = stateConfigOf(context);
    const [value] = context.args;
    if (config === undefined) return USAGE;
    // Nothing between quotes is most often a variable that was never set.
    if (value === undefined || value.trim() === '') {
      context.out.note('why needs one value: an address, domain, URL, e-mail address or hash, defanged or not');
      return USAGE;
    }
    const now = clockOf(config).now();
    const { at } = context.flags;
    if (typeof at === 'string') {
      const time = timeOf(at, now);
      if (time === undefined || time > now) {
        context.out.note('--at needs a time that is past, such as 2026-11-28T06:00Z, or 90m, 6h, 2d');
        return USAGE;
      }
      return doing(context, async () => {
        withReader(config, () => undefined);
        return whyAt(context, config, value, time);
      });
    }
    const found = explained(config, value);
    if (found === undefined) context.out.note(`there is no state at ${config.state} yet; start with: entente run`);
    const { guesses, around, refused, more } = found ?? { guesses: guess(value), around: [], refused: [], more: false };
    const entries = (found?.entries ?? []).map((one) => ({ ...one, refused }));
    if (context.json) {
      const bySiem = entries.map((one) => ({ ...one, hits: Object.groupBy(one.hits, ({ siem }) => siem) }));
      context.out.json({ value, entries: bySiem, around, refused });
    } else if (guesses.length === 0) {
      context.out.line(`${value} is no address, domain, URL, e-mail address or hash, so no list can hold it.`);
      printRefused(context.out, refused);
    } else printWhy(context.out, value, entries, around, more);
    return DONE;
  },
};

type Told = ExplainedEntry & { readonly refused: readonly RefusedObject[] };

function explained(config: Config, value: string): Explained | undefined {
  const reader = readerOf(config);
  const sightings = sightingsOf(config);
  if (reader === undefined || sightings === undefined) return undefined;
  const refused = new RefusedReader(storeSpec(config));
  try {
    const running = holderOf(placeOf(config)) !== undefined;
    return explainValue(config, { reader, sightings, refused }, value, clockOf(config).now(), running);
  } finally {
    for (const one of [reader, sightings, refused]) one.close();
  }
}

function printRefused(out: Output, refused: readonly RefusedObject[]): void {
  for (const one of refused) {
    out.line(
      `\n${one.code === REVOKED_CODE ? 'Revoked' : 'Refused'} from ${one.exchange}: ${one.object_id}  ${one.name ?? ''}`,
    );
    out.line(`  ${one.code}: ${one.reason}`);
  }
  if (refused.length >= MOST_TOLD) out.line('\nThere may be more; see: entente refused list');
}

const TIMES = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;

const ARMED: ReadonlySet<string> = new Set(['delivered', 'pending']);
const COLOURS = { delivered: 'green', pending: 'yellow', parked: 'red', held: 'yellow', not_wanted: 'dim' } as const;

function printWhy(
  out: Output,
  value: string,
  entries: readonly Told[],
  around: readonly Observable[],
  more: boolean,
): void {
  if (entries.length === 0) {
    out.line(`Nothing is known of ${value}: no indicator that an exchange of ours published names it.`);
    if (more) out.line('Some refused objects name more values than are kept of them: see entente refused list.');
  }
  for (const entry of entries) {
    out.line(`${out.colour(entry.value, 'bold')}  (${entry.type})`);
    out.line('');
    out.table(
      ['SIEM', 'STATE', 'UNTIL', 'WHY'],
      entry.siems.map((one) => [
        one.name,
        out.colour(one.state, COLOURS[one.state]),
        when(one.until) ?? '',
        one.reason ?? '',
      ]),
    );
    out.line('');
    for (const one of entry.siems) out.line(`Next, at ${one.name}: ${one.next_action.replace(TIMES, when)}`);
    for (const claim of entry.claims) {
      out.line('');
      const marks = [
        claim.tlp === null ? 'no TLP' : `TLP:${claim.tlp.toUpperCase()}`,
        claim.pap === null ? '' : `PAP:${claim.pap.toUpperCase()}`,
      ];
      const confidence = claim.confidence === null ? 'no confidence' : `confidence ${claim.confidence}`;
      out.line(`${claim.exchange}: ${claim.name ?? claim.object_id}`);
      out.line(
        `  ${claim.object_id}, ${claim.state}, modified ${when(claim.modified)}, ${[...marks, confidence].filter((one) => one !== '').join(', ')}`,
      );
      if (claim.left_out !== null) out.line(`  left out of its pattern: ${claim.left_out}`);
      for (const decision of claim.decisions) out.line(`  ${decision.siem}: ${decision.decision}: ${decision.reason}`);
    }
    const { hits } = entry;
    if (hits.length > 0) out.line('');
    for (const one of hits) out.line(`${one.siem}: ${one.verdict}, ${one.count} from ${one.first} to ${one.last}`);
    if (hits.some((one) => one.verdict === 'false_positive') && entry.siems.some((one) => ARMED.has(one.state)))
      out.line(
        `Called a false positive, and armed. To take it off: entente suppress ${shellWord(entry.value)} --hours N --reason TEXT`,
      );
    if (hits.length > 0 && entry.releases.length === 0)
      out.line(
        'Nothing is told of it: no object behind it that a partner publishes now may stand in that SIEM, or its exchange takes no reports.',
      );
    for (const one of entry.releases)
      out.line(
        `To ${one.exchange}, window ${one.window}, count ${one.count}: ${one.state}: ${one.reason}${one.sent_at === null ? '' : `; sent ${one.sent_at}`}`,
      );
  }
  printRefused(out, entries[0]?.refused ?? []);
  for (const one of around) out.line(`\nSee also ${one.value} (${one.type}), which covers it.`);
}
