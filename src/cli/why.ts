// The command `why`: all that is known of one value, and what happens to it next.
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { nextActions } from '../app/next-action.ts';
import type { Config } from '../core/config/load.ts';
import type { Observable } from '../core/model/observable.ts';
import { guess } from '../core/model/typed-in.ts';
import { storeSpec } from '../app/specs.ts';
import { holderOf } from '../core/store/state.ts';
import { MOST_TOLD, REVOKED_CODE, type RefusedObject, RefusedReader } from '../core/store/refused-reader.ts';
import type { StoreReader, WhyEntry } from '../core/store/reader.ts';
import type { WhyHits, WhyRelease } from '../core/store/sightings-reader.ts';
import { stateConfigOf } from './cli.ts';
import type { Command } from './command.ts';
import { DONE, USAGE } from './exit.ts';
import { type Output, when } from './output.ts';
import { clockOf, readerOf, sightingsOf } from './state.ts';

export const why: Command = {
  name: 'why',
  summary:
    'Every claim on a value, each decision with its reason, where it stands in each SIEM, and what happens next.',
  usage: 'why VALUE',
  example: 'entente why 198.51.100[.]7',
  mostArgs: 1,
  flags: {},
  async run(context) {
    const config = stateConfigOf(context);
    const [value] = context.args;
    if (config === undefined) return USAGE;
    if (value === undefined) {
      context.out.note('why needs one value: an address, domain, URL, e-mail address or hash, defanged or not');
      return USAGE;
    }
    const reader = readerOf(config);
    const now = clockOf(config).now();
    try {
      const guesses = guess(value);
      const { refused, more } = reader === undefined ? { refused: [], more: false } : refusedOf(config, value);
      const stored =
        reader === undefined ? [] : guesses.map((one) => reader.why(one, now)).filter((one) => one !== undefined);
      const known =
        stored.length > 0 || refused.length === 0 ? stored : guesses.slice(0, 1).map((one) => onlyRefused(config, one));
      const entries =
        reader === undefined
          ? []
          : withNext(config, reader, now, withSightings(config, known)).map((one) => ({ ...one, refused }));
      const around = reader === undefined ? [] : guesses.flatMap((one) => containing(reader, one));
      if (reader === undefined) context.out.note(`there is no state at ${config.state} yet; start with: entente run`);
      if (context.json) context.out.json({ value, entries, around, refused });
      else if (guesses.length === 0) {
        context.out.line(`${value} is no address, domain, URL, e-mail address or hash, so no list can hold it.`);
        printRefused(context.out, refused);
      } else printWhy(context.out, value, entries, around, more);
      return DONE;
    } finally {
      reader?.close();
    }
  },
};

type Told = Seen & { readonly siems: ReturnType<typeof nextActions>; readonly refused: readonly RefusedObject[] };

type Seen = Omit<WhyEntry, 'hits' | 'releases'> & {
  readonly hits: Readonly<Record<string, WhyHits[]>>;
  readonly releases: readonly WhyRelease[];
};

/** Objects that are kept out and name the value, and whether others name more than is known of them. */
function refusedOf(config: Config, value: string): { refused: readonly RefusedObject[]; more: boolean } {
  const reader = new RefusedReader(storeSpec(config));
  try {
    return { refused: reader.naming(value), more: reader.namesMore() };
  } finally {
    reader.close();
  }
}

/** No claim came of the value, yet somebody spoke of it. */
function onlyRefused(config: Config, one: Observable): WhyEntry {
  const reason = 'every object that names it was refused or revoked';
  const siems = config.siems.map(({ name }) => ({
    name,
    state: 'not_wanted' as const,
    reason,
    since: null,
    until: null,
  }));
  return { ...one, claims: [], siems, hits: {}, releases: [] };
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

function withSightings(config: Config, entries: readonly WhyEntry[]): Seen[] {
  const reader = sightingsOf(config);
  try {
    return entries.map((entry) => {
      const guessed = guess(entry.value).find((one) => one.type === entry.type);
      if (reader === undefined || guessed === undefined) return { ...entry, hits: {}, releases: [] };
      const hits = Object.groupBy(reader.hits(guessed), (one) => one.siem) as Record<string, WhyHits[]>;
      return { ...entry, hits, releases: reader.releases(guessed) };
    });
  } finally {
    reader?.close();
  }
}

function withNext(config: Config, reader: StoreReader, now: number, entries: readonly Seen[]): Omit<Told, 'refused'>[] {
  const { siems } = config;
  const running = holderOf(config.state) !== undefined;
  return entries.map((entry) => ({ ...entry, siems: nextActions(entry, { siems, reader, now, running }) }));
}

/** Networks that contain an address, parent domains of a name, and the host of a URL, that are entries themselves. */
function containing(reader: StoreReader, one: Observable): Observable[] {
  if (one.type === 'domain-name') {
    const labels = one.value.split('.');
    return reader.related(
      labels.slice(1, -1).map((_, i) => ({ type: 'domain-name', value: labels.slice(i + 1).join('.') })),
    );
  }
  if (one.type === 'url' && URL.canParse(one.value)) {
    const host = new URL(one.value).hostname.replace(/^\[|\]$/g, '');
    return guess(host).flatMap((found) => [...reader.related([found]), ...containing(reader, found)]);
  }
  if (isIP(one.value) === 0) return [];
  const address = ipaddr.parse(one.value);
  return reader.networks().filter((network) => {
    const range = ipaddr.parseCIDR(network.value);
    return range[0].kind() === address.kind() && address.match(range);
  });
}

const TIMES = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;

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
      for (const decision of claim.decisions) out.line(`  ${decision.siem}: ${decision.decision}: ${decision.reason}`);
    }
    const hits = Object.values(entry.hits).flat();
    if (hits.length > 0) out.line('');
    for (const one of hits) out.line(`${one.siem}: ${one.verdict}, ${one.count} from ${one.first} to ${one.last}`);
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
