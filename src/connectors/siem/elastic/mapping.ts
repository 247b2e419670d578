// An entry as the ECS document that Kibana's indicator-match rules and its Intelligence page look for, and the
// bulk lines around it. It runs once per entry at tens of thousands a second, so texts are joined by hand; what
// comes from outside always goes through `text` (JSON.stringify), everything else is made of safe characters. Each
// member costs the product about as much as it costs us, so nothing stands here twice and nothing that nobody reads
// (docs/decisions/0023-lean-documents.md).
import { hash } from 'node:crypto';
import type { Change, EncodeContext, Encoded } from '../../../core/contracts/siem-connector.ts';
import { type Claim, type Entry, labelsOf } from '../../../core/model/entry.ts';
import { isNetwork, type Observable, type ObservableType } from '../../../core/model/observable.ts';
import { inSiemYears, isoTime, versionInSiemYears } from '../../../core/model/timestamp.ts';

const MODULE = 'ti_entente';

/** The document's _id. One document per value: two objects that vouch for it share it. */
export function slotOf(type: ObservableType, value: string): string {
  return hash('sha256', `${type}\0${value}`, 'base64url');
}

export function encodeEntry(entry: Entry, context: EncodeContext): Encoded {
  const slot = slotOf(entry.type, entry.value);
  const { pushed, marks } = sharedBy(context);
  const { claims } = entry;
  const newest = claims[0];
  const exchanges = list(claims, (claim) => claim.exchange);
  const tags = joined(labelsOf(entry));
  const names = list(claims, (claim) => claim.facts.name);
  const types = lists(claims, (claim) => claim.facts.types);
  const threats = lists(claims, (claim) => claim.threats);
  const providers = list(claims, (claim) => claim.provider);
  const body =
    // The push time stands in @timestamp: rules look back 30 days by it, so entries are pushed again before.
    `{"@timestamp":"${pushed}"` +
    `,"event":{"kind":"enrichment","category":["threat"],"type":["indicator"],"module":"${MODULE}","dataset":"${MODULE}.indicator"}` +
    `${tags === '' ? '' : `,"tags":[${tags}]`}${related(entry)}` +
    `,"threat":{"feed":{"name":[${exchanges}]},"indicator":{"id":[${list(claims, (claim) => claim.objectId)}]` +
    `${place(entry)},"name":${text(entry.value)}` +
    `${newest?.facts.description === undefined ? '' : `,"description":${text(newest.facts.description)}`}` +
    `${providers === '' ? '' : `,"provider":[${providers}]`}` +
    `,"confidence":"${confidenceWord(entry.confidence)}","first_seen":"${isoTime(inSiemYears(entry.validFrom))}"` +
    `${newest === undefined ? '' : `,"modified_at":"${withoutZeros(versionInSiemYears(newest.version))}"`}` +
    `,"marking":{"tlp":"${entry.tlp.toUpperCase()}"}}}` +
    `,"entente":{${marks},"key":${text(entry.key)},"until":"${isoTime(inSiemYears(entry.until))}"` +
    `${entry.confidence === undefined ? '' : `,"confidence":${entry.confidence}`}` +
    `${entry.pap === undefined ? '' : `,"pap":"${entry.pap.toUpperCase()}"`}` +
    `${names === '' ? '' : `,"names":[${names}]`}${types === '' ? '' : `,"types":[${types}]`}` +
    `${threats === '' ? '' : `,"threats":[${threats}]`}` +
    `${isNetwork(entry) ? `,"network":${text(entry.value)}` : ''}}}`;
  return { slot, body };
}

interface Shared {
  readonly pushed: string;
  readonly marks: string;
}

/** What all entries of one push share; thousands of them come with the same context, one after the other. */
function sharedBy(context: EncodeContext): Shared {
  let shared = made.get(context);
  if (shared === undefined) {
    const { owner, writer, revision, now } = context;
    shared = { pushed: isoTime(now), marks: `"owner":${text(owner)},"writer":${text(writer)},"revision":${revision}` };
    made.set(context, shared);
  }
  return shared;
}

const made = new WeakMap<EncodeContext, Shared>();

/** Action line and, for an upsert, the source line. External versions: the product itself refuses what is older. */
export function frameChange(change: Change, body: string): string {
  const target = `{"_id":"${change.slot}","version":${change.revision},"version_type":"external"}`;
  return change.op === 'upsert' ? `{"index":${target}}\n${body}\n` : `{"delete":${target}}\n`;
}

/** ECS knows five words; the bounds are those of the vendor's own feed packages. */
export function confidenceWord(confidence: number | undefined): string {
  if (confidence === undefined || confidence < 0 || confidence > 100) return 'Not Specified';
  if (confidence === 0) return 'None';
  if (confidence < 30) return 'Low';
  return confidence < 70 ? 'Medium' : 'High';
}

const HASH_FIELDS = {
  'file:hashes.MD5': 'md5',
  "file:hashes.'SHA-1'": 'sha1',
  "file:hashes.'SHA-256'": 'sha256',
  "file:hashes.'SHA-512'": 'sha512',
} as const;

/** `type` and the field that match rules compare. */
function place(entry: Observable): string {
  const value = text(entry.value);
  switch (entry.type) {
    case 'ipv4-addr':
    case 'ipv6-addr':
      // A network is no value of an ip field, and its first address is not the network: it stands in entente.network.
      return isNetwork(entry) ? `,"type":"${entry.type}"` : `,"type":"${entry.type}","ip":${value}`;
    case 'domain-name':
      return `,"type":"domain-name","url":{"domain":${value}}`;
    case 'url':
      return `,"type":"url","url":{"full":${value},"original":${value}${urlParts(entry.value)}}`;
    case 'email-addr':
      return `,"type":"email-addr","email":{"address":${value}}`;
    default:
      return `,"type":"file","file":{"hash":{"${HASH_FIELDS[entry.type]}":${value}}}`;
  }
}

function urlParts(value: string): string {
  const url = URL.parse(value);
  if (url === null) return '';
  return (
    `,"scheme":${text(url.protocol.slice(0, -1))}` +
    `${url.hostname === '' ? '' : `,"domain":${text(url.hostname.replace(/^\[|\]$/g, ''))}`}` +
    `${url.port === '' ? '' : `,"port":${url.port}`}` +
    `${url.pathname === '' ? '' : `,"path":${text(url.pathname)}`}` +
    `${url.search === '' ? '' : `,"query":${text(url.search.slice(1))}`}` +
    `${url.hash === '' ? '' : `,"fragment":${text(url.hash.slice(1))}`}`
  );
}

/** Where an analyst pivots in Timeline. Never source.* or url.* at the top: logs-* is also read as events. */
function related(entry: Observable): string {
  if (entry.type === 'ipv4-addr' || entry.type === 'ipv6-addr') {
    return isNetwork(entry) ? '' : `,"related":{"ip":[${text(entry.value)}]}`;
  }
  if (entry.type === 'domain-name') return `,"related":{"hosts":[${text(entry.value)}]}`;
  return entry.type.startsWith('file:') ? `,"related":{"hash":[${text(entry.value)}]}` : '';
}

/** Most sources write milliseconds, and a version has nine digits. */
const withoutZeros = (version: string): string => (version.endsWith('000000Z') ? `${version.slice(0, -7)}Z` : version);

const text = (value: string): string => JSON.stringify(value);

/** The different texts of all claims, quoted and joined; most entries have one claim. */
function list(claims: readonly Claim[], pick: (claim: Claim) => string | undefined): string {
  if (claims.length === 1) {
    const only = pick(claims[0]!);
    return only === undefined ? '' : text(only);
  }
  return joined(claims.flatMap((claim) => pick(claim) ?? []));
}

function lists(claims: readonly Claim[], pick: (claim: Claim) => readonly string[] | undefined): string {
  return joined(claims.length === 1 ? (pick(claims[0]!) ?? []) : claims.flatMap((claim) => pick(claim) ?? []));
}

function joined(texts: readonly string[]): string {
  if (texts.length === 0) return '';
  return texts.length === 1 ? text(texts[0]!) : [...new Set(texts)].map(text).join(',');
}
