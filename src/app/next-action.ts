// What happens next to a value in each SIEM, and when; or what a person would have to do. Made of what `why` shows.
import type { Failure } from '../core/model/failure.ts';
import type { StoreReader } from '../core/store/read/status.ts';
import type { HeldSet } from '../core/store/read/waiting.ts';
import type { WhyEntry } from '../core/store/read/why.ts';
import { isFull } from '../core/store/rows/full-containers.ts';
import { remedyFor } from './remedy.ts';

type Entry = Pick<WhyEntry, 'type' | 'value' | 'claims' | 'siems'>;
type Stand = WhyEntry['siems'][number];

export interface NextActionSource {
  readonly siems: readonly { readonly name: string; readonly enabled: boolean; readonly mode: 'live' | 'shadow' }[];
  readonly reader: Pick<StoreReader, 'siems' | 'held' | 'parkedId' | 'suppressions' | 'harmless'>;
  readonly now: number;
  /** A daemon holds the state. */
  readonly running: boolean;
  /** Objects that name it are published and refused. */
  readonly refused?: boolean;
}

export function nextActions(entry: Entry, source: NextActionSource): (Stand & { readonly next_action: string })[] {
  return entry.siems.map((stand) => ({ ...stand, next_action: nextAction(entry, stand, source) }));
}

function nextAction(entry: Entry, stand: Stand, source: NextActionSource): string {
  if (stand.state === 'not_wanted') return notWanted(entry, stand, source);
  if (stand.state === 'parked') return parked(entry, stand, source);
  if (stand.state === 'held') return held(stand, source);
  const siem = source.siems.find((one) => one.name === stand.name);
  if (siem?.enabled === false) return 'nothing is done there while the SIEM is disabled; enabled: true puts it in step';
  if (siem?.mode === 'shadow') return 'nothing is written there in shadow mode; mode: live puts it in step';
  return stand.state === 'pending' ? pending(stand, source) : delivered(stand, source);
}

function delivered({ until }: Stand, source: NextActionSource): string {
  if (until === null) return 'it stays until the partner withdraws it';
  if (Date.parse(until) <= source.now) return `it expired at ${until} and is removed ${soon(source)}`;
  return `it expires at ${until} and is removed then, unless the partner extends or withdraws it before`;
}

function pending({ name, reason }: Stand, source: NextActionSource): string {
  const doing = reason?.startsWith('to be removed') === true ? 'it is removed' : 'it is written';
  const retryAt = /, next try (\S+) after /.exec(reason ?? '')?.[1];
  const failure: Failure | undefined = source.reader.siems().find((one) => one.name === name)?.failure;
  if (failure !== undefined && failure.kind !== 'retryable')
    return `${doing} once a person has acted on this: ${failure.message}`;
  const daemon = source.running ? '' : `; ${NO_DAEMON}`;
  if (failure !== undefined) {
    const next = retryAt === undefined ? '' : `, next at ${retryAt}`;
    return `${doing} once the SIEM takes it; it is tried again by itself${next} (${failure.message})${daemon}`;
  }
  return retryAt === undefined ? `${doing} ${soon(source)}` : `${doing} at the next try, ${retryAt}${daemon}`;
}

const NO_DAEMON = 'no daemon runs on this state: entente run, or entente run --once';

const soon = ({ running }: NextActionSource): string => `at the next cycle${running ? '' : `; ${NO_DAEMON}`}`;

function parked({ type, value }: Entry, { name, reason }: Stand, { reader }: NextActionSource): string {
  if (reason !== null && isFull(reason))
    return `it comes by itself once there is room, or once it is surer or newer than what stands there; raise max_entries of ${name} if it can hold more`;
  const id = reader.parkedId(name, { type, value });
  const how = id === undefined ? 'entente parked list has its ID' : `entente parked retry ${id}`;
  return `act on the reason, then try it again: ${how}; by itself it is tried when the partner changes it`;
}

function held({ reason }: Stand, { reader }: NextActionSource): string {
  const id = /^hold (\d+)\b/.exec(reason ?? '')?.[1];
  if (id === undefined) {
    return 'it waits until every exchange that the SIEM listens to was polled to its end, and goes then if none vouches for it';
  }
  const set = reader.held().find((one) => String(one.id) === id);
  if (set === undefined)
    return `hold ${id} was rejected: it stays as it is until the partner says something new about it`;
  return `${BRAKED[set.kind]}: entente held show ${id}, then entente held approve ${id} --set CODE --reason TEXT, or entente held reject`;
}

const BRAKED: Readonly<Record<HeldSet['kind'], string>> = {
  intake: 'policy keeps it out until a person decides',
  removal: 'the removal brake keeps it armed until a person decides',
  addition: 'the addition brake keeps it out until a person decides',
};

function notWanted(entry: Entry, stand: Stand, source: NextActionSource): string {
  const { reader, now } = source;
  const suppressed = reader.suppressions(now, entry).sort((a, b) => b.until.localeCompare(a.until))[0];
  const [harmless] = reader.harmless(entry);
  if (harmless !== undefined)
    return `it stays off until somebody lifts it: entente harmless lift ${harmless.id}; it asks for another look at ${harmless.review}`;
  if (suppressed !== undefined) {
    return `it comes back at ${suppressed.until} if it is still vouched for; sooner: entente suppress lift ${suppressed.id}`;
  }
  const decisions = entry.claims.flatMap((claim) => claim.decisions.filter((one) => one.siem === stand.name));
  const starts = decisions
    .map((one) => (one.decision === 'waits' ? /^valid_from (\S+)/.exec(one.reason)?.[1] : undefined))
    .filter((one) => one !== undefined)
    .sort()[0];
  if (starts !== undefined) return `it is written at ${starts}, when a claim on it becomes valid`;
  const refusals = new Set(
    decisions
      .filter((one) => one.decision === 'refuse' || one.decision === 'hold')
      .map(({ reason }) => {
        const remedy = remedyFor(reason, stand.name);
        return remedy === undefined ? reason : `${reason}; would need ${remedy}`;
      }),
  );
  if (refusals.size > 0) return `refused: ${[...refusals].join('. Or: ')}`;
  // Accepted and yet not wanted: over, or judged anew under a configuration that no cycle has seen yet.
  const accepted = decisions.filter((one) => one.decision === 'accept');
  if (accepted.some(({ reason }) => Date.parse(/\S+Z$/.exec(reason)?.[0] ?? '') > now))
    return `by the configuration as it is now it is wanted; it is judged again ${soon(source)}`;
  if (accepted.length > 0) return 'nothing: it expired; a later version from the partner brings it back';
  if (source.refused === true)
    return 'nothing: what names it is refused, for the reason that stands with each below; it comes once a partner publishes it in a form that can be held';
  return 'nothing: nobody vouches for it any more; it comes back when a partner publishes it anew';
}
