// What a person configures for one QRadar console, and the reference sets that follow from it.
import { isIPv4 } from 'node:net';
import { z } from 'zod';
import { peerShape, peerUrl, secret } from '../../../core/contracts/settings.ts';
import type { Json } from '../../../core/model/json.ts';
import { OBSERVABLE_TYPES, type ObservableType } from '../../../core/model/observable.ts';

export const QRadarConfig = z.strictObject({
  type: z.literal('qradar'),
  url: peerUrl().describe('URL of the console, without /api.'),
  auth: z.strictObject({ token: secret() }).describe('An authorized service token.'),
  set_prefix: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9 _.-]{0,79}$/, 'letters, digits, blank, _ . - and at most 80 of them')
    .default('Entente')
    .describe('Begin of the names of our reference sets. Two daemons on one console need two prefixes.'),
  domain_id: z.number().int().min(0).optional().describe('Domain of our entries. Left out: shared by all domains.'),
  tenant_id: z.number().int().min(0).optional().describe('Tenant that owns our sets. Left out: shared sets.'),
  api_version: z
    .string()
    .regex(/^\d+\.\d+$/, 'a version such as "19.0"')
    .optional()
    .describe(
      'Pin the API version. Left out: the newest one that is supported and known to us, found out again when it goes.',
    ),
  dead_man_days: z
    .number()
    .int()
    .min(0)
    .max(3650)
    .default(90)
    .describe(
      'Entries that nobody renewed for so long leave by themselves, should this daemon be gone. 0: never. Counts for sets we create.',
    ),
  notes_length: z
    .number()
    .int()
    .min(250)
    .max(4000)
    .default(1000)
    .describe('Longest text written into the notes of an entry.'),
  event_fields: z
    .partialRecord(
      z.enum(OBSERVABLE_TYPES),
      z.array(z.string().regex(/^[\p{L}\p{N}_ .:/()#%+-]{1,128}$/u, 'a property name without quotes')).max(8),
    )
    .default({})
    .describe(
      'Event properties that are compared with our sets, per observable type, in place of the usual ones. Empty list: none.',
    ),
  ignore_hosts: z
    .array(z.string().refine(isNetwork, 'an IPv4 address or network'))
    .max(100)
    .default([])
    .describe('Addresses and networks of own scanners and test hosts: events with such a source are not counted.'),
  false_positive_reasons: z
    .array(z.number().int().min(0))
    .max(50)
    .default([])
    .describe(
      'Ids of the reasons for closing an offense that mean a false positive (/api/siem/offense_closing_reasons lists them). Left out: offenses are not read.',
    ),
  ...peerShape,
});

function isNetwork(text: string): boolean {
  const [address = '', length = '32', ...rest] = text.split('/');
  return isIPv4(address) && /^\d{1,2}$/.test(length) && Number(length) <= 32 && rest.length === 0;
}

export type QRadarConfig = z.output<typeof QRadarConfig>;

/** Keys that core adds for every SIEM and that this connector reads. */
export type QRadarSettings = QRadarConfig & { readonly provision?: 'auto' | 'never' };

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
