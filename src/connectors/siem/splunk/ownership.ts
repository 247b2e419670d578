// Which rows are ours, and which entry each holds. Pure. Other hands than ours write into these collections as well:
// Enterprise Security when somebody edits a row there, analysts with outputlookup. A row of which they left the key
// is still what we armed, and has to go when the partner revokes it.
import type { OwnedEntry } from '../../../core/contracts/siem-connector.ts';
import { entryKey, type Observable, OBSERVABLE_TYPES, parseEntryKey } from '../../../core/model/observable.ts';
import { sha256 } from '../../../core/runtime/ids.ts';
import { KINDS, kindOf } from './mapping.ts';
import type { OwnRow } from './responses.ts';
import { prefixOf } from './settings.ts';

/** Columns that hold the value itself, in either form; asked for only where entry_key is lost. */
export const VALUE_FIELDS = ['_key', 'ip', 'network', 'domain', 'url', 'email', 'src_user', 'file_hash'];

/** How a row tells that it is ours: by the column we wrote for it, by Enterprise Security's, or by nothing but its key. */
export type Mark = 'owner' | 'threat_key' | 'key';

export function markOf(row: OwnRow, owner: string): Mark | undefined {
  const held = row['owner'];
  if (held === owner) return 'owner';
  if (!isSlot(row._key, owner)) return undefined;
  if (row['threat_key'] === owner) return 'threat_key';
  // Under another owner's name it is theirs now.
  return held === undefined || held === null || held === '' ? 'key' : undefined;
}

/** `_key` of an entry of this owner: nobody else makes such keys. */
export function isSlot(key: string, owner: string): boolean {
  return key.startsWith(`${prefixOf(owner)}-`) && /^[iduef][0-9a-f]{40}$/.test(key.slice(9));
}

/** A row of ours as an entry. Undefined for rows of others, for markers, and where nothing tells what it is about. */
export function ownedEntry(row: OwnRow, owner: string): OwnedEntry | undefined {
  const mark = markOf(row, owner);
  const observable = mark === undefined ? undefined : entryOf(row, owner);
  if (observable === undefined) return undefined;
  const until = row['valid_until'];
  return {
    key: entryKey(observable.type, observable.value),
    slot: row._key,
    writer: typeof row['writer'] === 'string' ? row['writer'] : '',
    // A row that lost its mark is not as we wrote it, so its revision says nothing: it is written again.
    revision: mark === 'owner' ? revisionOf(row['revision']) : 0,
    ...(typeof until === 'number' && Number.isFinite(until) ? { until: Math.round(until * 1000) } : {}),
  };
}

function entryOf(row: OwnRow, owner: string): Observable | undefined {
  const slot = isSlot(row._key, owner);
  const text = row['entry_key'];
  // The key is a digest of this text: another text was put in by somebody else.
  if (typeof text === 'string' && (!slot || row._key === slotOfKey(text, row._key))) return parseEntryKey(text);
  if (!slot) return undefined;
  const kind = KINDS.find((one) => one[0] === row._key[9]);
  for (const type of OBSERVABLE_TYPES.filter((one) => kindOf(one) === kind)) {
    for (const field of VALUE_FIELDS) {
      const value = row[field];
      if (typeof value === 'string' && row._key === slotOfKey(entryKey(type, value), row._key)) return { type, value };
    }
  }
  return undefined;
}

const slotOfKey = (text: string, slot: string): string => slot.slice(0, 10) + sha256(text).slice(0, 40);

/** What is no number of ours stands for "not as we wrote it". */
function revisionOf(held: unknown): number {
  const revision = typeof held === 'string' || typeof held === 'number' ? Number(held) : Number.NaN;
  return Number.isSafeInteger(revision) && revision > 0 ? revision : 0;
}
