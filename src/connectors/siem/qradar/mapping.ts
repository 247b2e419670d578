// Between our entries and rows of reference sets, both ways. A slot is the set and the value as QRadar stores it,
// so two URLs that differ in case share one.
import { isIPv6 } from 'node:net';
import type { Encoded, EncodeContext, OwnedEntry, Refusal } from '../../../core/contracts/siem-connector.ts';
import type { Entry } from '../../../core/model/entry.ts';
import type { Json } from '../../../core/model/json.ts';
import { entryKey, isNetwork, type Observable, type ObservableType } from '../../../core/model/observable.ts';
import { inSiemYears } from '../../../core/model/timestamp.ts';
import { containerKind, SET_KINDS, setSettings, type SetKind } from './sets.ts';
import { isOurs, raise, raisedLetters, readMark, writeNotes } from './notes.ts';

/**
 * Event properties that are compared with a set unless configuration names others. Addresses are built in; the others
 * are made by content extensions, and are left out on a console that has them not.
 */
export const DEFAULT_FIELDS: Readonly<Record<ObservableType, readonly string[]>> = {
  'ipv4-addr': ['sourceip', 'destinationip'],
  'ipv6-addr': ['sourceaddress', 'destinationaddress'],
  'domain-name': ['DNS Request Domain', 'URL Host'],
  url: ['URL'],
  'email-addr': [],
  'file:hashes.MD5': ['MD5 Hash'],
  "file:hashes.'SHA-1'": ['SHA1 Hash'],
  "file:hashes.'SHA-256'": ['SHA256 Hash'],
  "file:hashes.'SHA-512'": [],
};

/** What open() learned. Crosses threads as JSON. */
export type Facts = { readonly version: string; readonly api: 'collections' | 'classic'; readonly cidr: boolean };

function factsOf(facts: Json): Facts | undefined {
  // What qradar's own open() returned, carried over a thread: our own value.
  return (facts as Facts | null) ?? undefined;
}

export function kindOf(observable: Observable): SetKind {
  if (observable.type === 'ipv4-addr' && isNetwork(observable)) return SET_KINDS[1];
  return containerKind(observable.type);
}

/** The value as QRadar stores it. Events print IPv6 as eight groups, and an ALNIC set compares text. */
export function storedValue(type: ObservableType, value: string): string {
  if (type === 'ipv6-addr') return isIPv6(value) ? eightGroups(value) : value;
  return type === 'ipv4-addr' ? value : value.toLowerCase();
}

export function slotOf(type: ObservableType, value: string): string {
  return `${kindOf({ type, value }).suffix}|${storedValue(type, value)}`;
}

export function splitSlot(slot: string): { readonly kind: SetKind; readonly stored: string } | undefined {
  const bar = slot.indexOf('|');
  const kind = SET_KINDS.find((one) => one.suffix === slot.slice(0, bar));
  return kind === undefined ? undefined : { kind, stored: slot.slice(bar + 1) };
}

export function encodeEntry(entry: Entry, context: EncodeContext): Encoded | Refusal {
  const settings = setSettings(context.settings);
  const facts = factsOf(context.facts);
  if (isNetwork(entry)) {
    if (entry.type === 'ipv6-addr') return { refused: 'QRadar has no set type for IPv6 networks' };
    if (facts?.cidr === false) return { refused: `QRadar API ${facts.version} has no set type for networks` };
  }
  const stored = storedValue(entry.type, entry.value);
  const raised = entry.type === 'ipv6-addr' ? undefined : raisedLetters(entry.value);
  if (original(entry.type, stored, raised) !== entry.value)
    return { refused: 'the value cannot be read back from a set that folds case' };
  const notes = writeNotes(
    {
      owner: context.owner,
      writer: context.writer,
      revision: context.revision,
      until: inSiemYears(entry.until),
      ...(raised === undefined ? {} : { raised }),
    },
    entry,
    settings.notesLength,
  );
  const domain = settings.domainId === null ? '' : `,"domain_id":${settings.domainId}`;
  return {
    slot: `${kindOf(entry).suffix}|${stored}`,
    // The set's id is put in front when the batch is sent: a set that was made anew has another one.
    body: `{"value":${JSON.stringify(stored)},"source":${JSON.stringify(context.owner)},"notes":${JSON.stringify(notes)}${domain}}`,
  };
}

/** A row of one of our sets; undefined when it does not carry our mark. */
export function ownedEntry(
  kind: SetKind,
  row: {
    readonly value: string;
    readonly notes: string | null;
    readonly source: string | null;
    readonly id?: number | undefined;
  },
  owner: string,
): OwnedEntry | undefined {
  if (kind.observable === undefined || !isOurs(row, owner)) return undefined;
  // An analyst may write over the notes; the row is still ours, and revision 0 makes the next audit renew it.
  const mark = readMark(row);
  const value = original(kind.observable, row.value, mark?.raised);
  return {
    key: entryKey(kind.observable, value),
    slot: `${kind.suffix}|${row.value}`,
    writer: mark?.writer ?? '',
    revision: mark?.revision ?? 0,
    ...(mark === undefined ? {} : { until: mark.until }),
    ...(row.id === undefined ? {} : { handle: String(row.id) }),
  };
}

function original(type: ObservableType, stored: string, raised: string | undefined): string {
  return type === 'ipv6-addr' ? compressed(stored) : raise(stored, raised);
}

/** Lower case, no `::`, no leading zeros. */
function eightGroups(value: string): string {
  const [head = '', tail] = compressed(value).split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [a, b] = [groups(head), groups(tail ?? '')];
  return tail === undefined ? a.join(':') : [...a, ...Array<string>(8 - a.length - b.length).fill('0'), ...b].join(':');
}

/** The canonical text of an IPv6 address; other texts stay. */
function compressed(value: string): string {
  return isIPv6(value) ? new URL(`http://[${value}]/`).hostname.slice(1, -1) : value;
}
