// Offenses that a person closed as a false positive, read as verdicts on our entries. An offense is indexed on one
// property of its events and names the value (`offense_source`); where that is a value of ours, the verdict is about it.
// What an offense counts is not read: the search of events counts the same events already.
import { isIPv4, isIPv6 } from 'node:net';
import { permanent } from '../../../core/contracts/failure.ts';
import { hitDigest } from '../../../core/model/digest.ts';
import type { EntryKey, ObservableType } from '../../../core/model/observable.ts';
import type { Hit } from '../../../core/model/sighting.ts';
import type { QRadarClient } from './client.ts';
import { SET_KINDS } from './sets.ts';
import { storedValue } from './mapping.ts';
import { Offense, readable, Rows } from './responses.ts';

const PAGE = 1000;
const FIELDS = 'id,status,closing_reason_id,offense_source,last_updated_time,last_persisted_time';

export interface OffensePage {
  /** Those that were closed for one of the reasons. */
  readonly closed: readonly Offense[];
  /** All that changed up to then are read. */
  readonly upTo: number;
}

/**
 * Page by page to an empty one, since a page may be shorter than what was asked for; by the time of the last change and,
 * within one time, by id, so that a page that ends amid equal times loses none. No text stands in the question but numbers.
 */
export async function* closedOffenses(
  client: QRadarClient,
  since: number,
  reasons: readonly number[],
  signal: AbortSignal,
): AsyncIterable<OffensePage> {
  for (let [time, id] = [since, -1]; ; ) {
    const reply = await client.call({
      path: '/siem/offenses',
      query: {
        filter: `last_persisted_time > ${time} or (last_persisted_time = ${time} and id > ${id})`,
        sort: '+last_persisted_time,+id',
        fields: FIELDS,
      },
      range: [0, PAGE - 1],
      signal,
    });
    const given = client.parse(Rows, reply.body, 'the question for offenses');
    if (given.length === 0) return;
    const [last] = readable(Place, given).toSorted(
      (a, b) => b.last_persisted_time - a.last_persisted_time || b.id - a.id,
    );
    if (last === undefined || last.last_persisted_time < time || (last.last_persisted_time === time && last.id <= id))
      throw permanent(`QRadar lists offenses that do not go on from time ${time} and id ${id}; they cannot be read`);
    [time, id] = [last.last_persisted_time, last.id];
    const closed = readable(Offense, given).filter(
      (one) => one.status === 'CLOSED' && one.closing_reason_id !== null && reasons.includes(one.closing_reason_id),
    );
    yield { closed, upTo: time };
  }
}

const Place = Offense.pick({ id: true, last_persisted_time: true });

/** Slots in our sets that the text may stand in. It is anything at all: a user, a rule's name, a host. */
export function slotsOf({ offense_source: text }: Offense): string[] {
  return SET_KINDS.filter((kind) => kind.element !== 'CIDR' && fits(kind.observable, text)).map(
    (kind) =>
      `${kind.suffix}|${storedValue(kind.observable, kind.observable === 'domain-name' ? text.replace(/\.$/, '') : text)}`,
  );
}

function fits(type: ObservableType, text: string): boolean {
  if (type === 'ipv4-addr') return isIPv4(text);
  if (type === 'ipv6-addr') return isIPv6(text);
  if (type.startsWith('file:')) return HEX_LENGTH[type] === text.length && /^[0-9a-f]+$/i.test(text);
  return text !== '' && !isIPv4(text) && !isIPv6(text);
}

const HEX_LENGTH: Readonly<Record<string, number>> = {
  'file:hashes.MD5': 32,
  "file:hashes.'SHA-1'": 40,
  "file:hashes.'SHA-256'": 64,
  "file:hashes.'SHA-512'": 128,
};

export function verdictsOf(offenses: readonly Offense[], keyOf: (slot: string) => EntryKey | undefined): Hit[] {
  return offenses.flatMap((offense) =>
    slotsOf(offense).flatMap((slot): Hit[] => {
      const key = keyOf(slot);
      if (key === undefined) return [];
      const time = offense.last_updated_time;
      const dedupe = hitDigest('offense', String(offense.id), key);
      return [{ key, verdict: 'false_positive', first: time, last: time, count: 1, dedupe }];
    }),
  );
}
