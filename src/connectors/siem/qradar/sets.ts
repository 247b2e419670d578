// The reference sets that hold our entries, apart from the configuration's schema.
import type { Json } from '../../../core/model/json.ts';
import type { ObservableType } from '../../../core/model/observable.ts';

/** What the pure functions need. */
export type SetSettings = { readonly prefix: string; readonly domainId: number | null; readonly notesLength: number };

export function setSettings(settings: Json): SetSettings {
  // `settings` is what qradar.settings() returned, carried over a thread: our own value, not outside data.
  return settings as SetSettings;
}

export type ElementType = 'IP' | 'ALNIC' | 'ALN' | 'CIDR';

export interface SetKind {
  /** End of the set's name, and first part of a slot. */
  readonly suffix: string;
  readonly element: ElementType;
  /** Absent for the control set. */
  readonly observable?: ObservableType;
}

// One set per family, since a rule compares one property with one set, and hashes apart for the same reason.
// Text goes into ALNIC, which compares without case: a proxy's log does not keep the case of a partner's URL.
export const SET_KINDS = [
  { suffix: 'IPv4', element: 'IP', observable: 'ipv4-addr' },
  { suffix: 'IPv4 Networks', element: 'CIDR', observable: 'ipv4-addr' },
  { suffix: 'IPv6', element: 'ALNIC', observable: 'ipv6-addr' },
  { suffix: 'Domain', element: 'ALNIC', observable: 'domain-name' },
  { suffix: 'URL', element: 'ALNIC', observable: 'url' },
  { suffix: 'Email', element: 'ALNIC', observable: 'email-addr' },
  { suffix: 'MD5', element: 'ALNIC', observable: 'file:hashes.MD5' },
  { suffix: 'SHA1', element: 'ALNIC', observable: "file:hashes.'SHA-1'" },
  { suffix: 'SHA256', element: 'ALNIC', observable: "file:hashes.'SHA-256'" },
  { suffix: 'SHA512', element: 'ALNIC', observable: "file:hashes.'SHA-512'" },
] as const satisfies readonly SetKind[];

/** Holds the writer mark and nothing else: no rule reads it. */
export const CONTROL = { suffix: 'Control', element: 'ALN' } as const satisfies SetKind;

export const setName = (prefix: string, kind: Pick<SetKind, 'suffix'>): string => `${prefix} ${kind.suffix}`;

/** The container of a type is its set; networks stand in a second set that shares the container's identity. */
export function containerKind(type: ObservableType): SetKind {
  const kind = SET_KINDS.find((one) => one.observable === type);
  if (kind === undefined) throw new Error(`no set for ${type}`);
  return kind;
}
