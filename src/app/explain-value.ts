// All that is known of one value, gathered for the command `why` and for its page: claims and decisions, where it stands
// and what comes next, hits and releases, what is refused and what covers it.
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Config } from '../core/config/load.ts';
import { canonical } from '../core/model/canonical.ts';
import type { Observable } from '../core/model/observable.ts';
import { guess } from '../core/model/typed-in.ts';
import type { OnLists } from '../core/store/spec/lists.ts';
import type { StoreReader } from '../core/store/read/status.ts';
import type { WhyEntry } from '../core/store/read/why.ts';
import { REVOKED_CODE, type RefusedObject, type RefusedReader } from '../core/store/read/refused.ts';
import type { SightingsReader, WhyHits, WhyRelease } from '../core/store/read/sightings.ts';
import { nextActions } from './next-action.ts';

export interface Readers {
  readonly reader: StoreReader;
  readonly sightings: SightingsReader;
  readonly refused: RefusedReader;
}

export type ExplainedEntry = Omit<WhyEntry, 'hits' | 'releases' | 'siems'> & {
  readonly siems: ReturnType<typeof nextActions>;
  readonly hits: readonly WhyHits[];
  readonly releases: readonly WhyRelease[];
};

export interface Explained {
  readonly guesses: readonly Observable[];
  readonly entries: readonly ExplainedEntry[];
  /** Objects that are kept out and name the value. */
  readonly refused: readonly RefusedObject[];
  /** Others name more than is known of them. */
  readonly more: boolean;
  readonly around: readonly Observable[];
}

/** `running`: a daemon holds the state. `onLists`: of each guess, where the lists are somewhere else. */
export function explainValue(
  { siems }: Pick<Config, 'siems'>,
  { reader, sightings, refused: keptOut }: Readers,
  value: string,
  now: number,
  running: boolean,
  onLists: readonly OnLists[] = [],
): Explained {
  const guesses = guess(value);
  const refused = keptOut.naming(value);
  const stored = guesses.map((one, i) => reader.why(one, now, onLists[i])).filter((one) => one !== undefined);
  const known =
    stored.length > 0 || refused.length === 0 ? stored : guesses.slice(0, 1).map((one) => onlyRefused(siems, one));
  const source = { siems, reader, now, running, refused: refused.some(({ code }) => code !== REVOKED_CODE) };
  const entries = known.map((entry): ExplainedEntry => {
    const one = guesses.find(({ type }) => type === entry.type);
    return {
      ...entry,
      hits: one === undefined ? [] : sightings.hits(one),
      releases: one === undefined ? [] : sightings.releases(one),
      siems: nextActions(entry, source),
    };
  });
  const around = guesses.flatMap((one) => containing(reader, one));
  return { guesses, entries, refused, more: keptOut.namesMore(), around };
}

/** No claim came of the value, yet somebody spoke of it. */
function onlyRefused(siems: Config['siems'], one: Observable): WhyEntry {
  const reason = 'every object that names it was refused or revoked';
  const stands = siems.map(({ name }) => ({ name, state: 'not_wanted' as const, reason, since: null, until: null }));
  return { ...one, claims: [], siems: stands, hits: {}, releases: [] };
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
  const version = isIP(one.value);
  return version === 0 ? [] : reader.related(networksOf(one.value, version === 4 ? 'ipv4-addr' : 'ipv6-addr'));
}

/** Every network that the address lies in, each looked up by its name: entries are too many to be gone through. */
function networksOf(address: string, type: 'ipv4-addr' | 'ipv6-addr'): Observable[] {
  const parsed = ipaddr.parse(address);
  const bits = parsed.toByteArray().length * 8;
  return Array.from({ length: bits }, (_, length) => {
    const kind = parsed.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6;
    const spelled = canonical(type, `${kind.networkAddressFromCIDR(`${address}/${length}`).toString()}/${length}`);
    return 'value' in spelled ? [{ type, value: spelled.value }] : [];
  }).flat();
}
