// Entries as rows of KV store collections. A row is flat, and what searches match on is in lower case: the pages of the
// product contradict each other on lookups without case, so the side of the events is folded as well and nothing
// rests on it. The original spelling stays in entry_key.
import type { EncodeContext, Encoded, Refusal } from '../../../core/contracts/siem-connector.ts';
import { type Claim, type Entry, labelsOf } from '../../../core/model/entry.ts';
import { entryKey, isNetwork, type ObservableType } from '../../../core/model/observable.ts';
import { inSiemYears } from '../../../core/model/timestamp.ts';
import type { Json } from '../../../core/model/json.ts';
import { sha256 } from '../../../core/runtime/ids.ts';
import { type Form, mappingSettings } from './settings.ts';

/** What a collection is about; its first letter is part of every `_key`, so that a slot tells its collection. */
export type Kind = 'ip' | 'domain' | 'url' | 'email' | 'file';

export const KINDS: readonly Kind[] = ['ip', 'domain', 'url', 'email', 'file'];

const COLLECTIONS: Readonly<Record<Form, Readonly<Record<Kind, string>>>> = {
  lookups: {
    ip: 'entente_ip',
    domain: 'entente_domain',
    url: 'entente_url',
    email: 'entente_email',
    file: 'entente_file',
  },
  // Enterprise Security keeps domains beside addresses.
  threat_intel: {
    ip: 'ip_intel',
    domain: 'ip_intel',
    url: 'http_intel',
    email: 'email_intel',
    file: 'file_intel',
  },
};

export function kindOf(type: ObservableType): Kind {
  switch (type) {
    case 'ipv4-addr':
    case 'ipv6-addr':
      return 'ip';
    case 'domain-name':
      return 'domain';
    case 'url':
      return 'url';
    case 'email-addr':
      return 'email';
    default:
      return 'file';
  }
}

const collectionOf = (kind: Kind, form: Form): string => COLLECTIONS[form][kind];

export function collectionsOf(form: Form): readonly string[] {
  return [...new Set(KINDS.map((kind) => collectionOf(kind, form)))];
}

export const containerOf = (type: ObservableType, settings: Json): string =>
  collectionOf(kindOf(type), mappingSettings(settings).form);

/** The `_key` of the row: whose it is, what it is about, and a digest of the value as the partner spells it. */
export function slotOf(type: ObservableType, value: string, settings: Json): string {
  return `${mappingSettings(settings).prefix}-${kindOf(type)[0]}${sha256(entryKey(type, value)).slice(0, 40)}`;
}

/** The collection in which a slot stands; undefined for a slot that is not ours. */
export function collectionOfSlot(slot: string, form: Form): string | undefined {
  const letter = /^[0-9a-f]{8}-([iduef])/.exec(slot)?.[1];
  const kind = KINDS.find((one) => one[0] === letter);
  return kind === undefined ? undefined : collectionOf(kind, form);
}

export function encodeEntry(entry: Entry, context: EncodeContext): Encoded | Refusal {
  const { form } = mappingSettings(context.settings);
  if (form === 'threat_intel' && entry.value.includes('*')) {
    return { refused: 'Enterprise Security reads * as a wildcard, so this value would match others too' };
  }
  const slot = slotOf(entry.type, entry.value, context.settings);
  const row = {
    _key: slot,
    ...matchFields(entry, form),
    ...(form === 'lookups' ? analystFields(entry) : threatIntelFields(entry, context)),
    owner: context.owner,
    entry_key: entry.key,
    writer: context.writer,
    // A text: sixteen digits are more than SPL prints of a number.
    revision: String(context.revision),
    valid_from: inSiemYears(entry.validFrom) / 1000,
    valid_until: inSiemYears(entry.until) / 1000,
  };
  return { slot, body: JSON.stringify(row) };
}

/** The fields that searches compare with events. */
function matchFields(entry: Entry, form: Form): Record<string, string> {
  const value = entry.value.toLowerCase();
  const kind = kindOf(entry.type);
  if (form === 'threat_intel') {
    const field = { ip: 'ip', domain: 'domain', url: 'url', email: 'src_user', file: 'file_hash' }[kind];
    return { [field]: value };
  }
  switch (kind) {
    case 'ip':
      // A network in the exact field would never match; an address in the network field would be compared with every event.
      return isNetwork(entry) ? { kind: 'network', network: value } : { kind: 'address', ip: value };
    case 'domain':
      return { domain: value, domain_pattern: `*.${value}` };
    case 'url':
      return { url: value };
    case 'email':
      return { email: value };
    case 'file':
      return { file_hash: value, algorithm: /\.'?([\w-]+)'?$/.exec(entry.type)?.[1]?.toLowerCase() ?? '' };
    default: {
      const never: never = kind;
      return never;
    }
  }
}

function analystFields(entry: Entry): Record<string, string | number> {
  return { type: entry.type, description: describe(entry.claims), ...sharedFields(entry) };
}

/** Columns of Enterprise Security, then ours. `time` is when the row was fed: it is kept for 60 days from then. */
function threatIntelFields(entry: Entry, context: EncodeContext): Record<string, string | number | boolean> {
  return {
    threat_key: context.owner,
    time: context.now / 1000,
    weight: Math.min(100, Math.max(1, entry.confidence ?? 60)),
    description: describe(entry.claims),
    disabled: false,
    ...sharedFields(entry),
  };
}

function sharedFields(entry: Entry): Record<string, string | number> {
  const { claims } = entry;
  return {
    tlp: entry.tlp,
    ...(entry.pap === undefined ? {} : { pap: entry.pap }),
    ...(entry.confidence === undefined ? {} : { confidence: entry.confidence }),
    ...listed(
      'exchanges',
      claims.map((claim) => claim.exchange),
    ),
    ...listed(
      'source_ids',
      claims.map((claim) => claim.objectId),
    ),
    ...listed(
      'names',
      claims.flatMap((claim) => claim.facts.name ?? []),
    ),
    ...listed(
      'indicator_types',
      claims.flatMap((claim) => claim.facts.types ?? []),
    ),
    ...listed('labels', labelsOf(entry)),
    ...listed(
      'threats',
      claims.flatMap((claim) => claim.threats ?? []),
    ),
    ...listed(
      'providers',
      claims.flatMap((claim) => claim.provider ?? []),
    ),
    ...listed(
      'statements',
      claims.flatMap((claim) => claim.facts.statements ?? []),
    ),
  };
}

const MOST_LISTED = 50;

function listed(name: string, values: readonly string[]): Record<string, string> {
  const unique = [...new Set(values)];
  if (unique.length === 0) return {};
  const more = unique.length > MOST_LISTED ? ` (${unique.length - MOST_LISTED} more)` : '';
  return { [name]: unique.slice(0, MOST_LISTED).join(', ') + more };
}

function describe(claims: readonly Claim[]): string {
  const texts = claims.map((claim) => claim.facts.description ?? claim.facts.name ?? claim.objectId);
  return [...new Set(texts)].slice(0, 5).join(' / ');
}
