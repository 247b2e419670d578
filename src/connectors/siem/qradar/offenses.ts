// Offenses that a person closed as a false positive, read as verdicts on our entries. An offense is indexed on one
// property of its events and names the value (`offense_source`); where that is a value of ours, the verdict is about it.
// What an offense counts is not read: the search of events counts the same events already.
import { isIPv4, isIPv6 } from 'node:net';
import { hitDigest } from '../../../core/model/digest.ts';
import type { EntryKey, ObservableType } from '../../../core/model/observable.ts';
import type { Hit } from '../../../core/model/sighting.ts';
import type { QRadarClient } from './client.ts';
import { SET_KINDS } from './sets.ts';
import { storedValue } from './mapping.ts';
import { type Offense, Offenses } from './responses.ts';

const PAGE = 1000;
const FIELDS = 'id,status,closing_reason_id,offense_source,last_updated_time,last_persisted_time';

/** Page by page, by the time of their last change; no text stands in the question but numbers. */
export async function* closedOffenses(
  client: QRadarClient,
  since: number,
  reasons: readonly number[],
  signal: AbortSignal,
): AsyncIterable<readonly Offense[]> {
  for (let after = since; ; ) {
    const reply = await client.call({
      path: '/siem/offenses',
      query: { filter: `last_persisted_time > ${after}`, sort: '+last_persisted_time', fields: FIELDS },
      range: [0, PAGE - 1],
      signal,
    });
    const offenses = client.parse(Offenses, reply.body, 'the question for offenses');
    const closed = offenses.filter(
      (one) => one.status === 'CLOSED' && one.closing_reason_id !== null && reasons.includes(one.closing_reason_id),
    );
    if (closed.length > 0) yield closed;
    const last = offenses.at(-1)?.last_persisted_time ?? after;
    if (offenses.length < PAGE || last <= after) return;
    after = last;
  }
}

/** Slots in our sets that the text may stand in. It is anything at all: a user, a rule's name, a host. */
export function slotsOf({ offense_source: text }: Offense): string[] {
  return SET_KINDS.filter((kind) => kind.element !== 'CIDR' && fits(kind.observable, text)).map(
    (kind) => `${kind.suffix}|${storedValue(kind.observable, text)}`,
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
