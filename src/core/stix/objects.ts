// One STIX object, as a partner published it, to the values we work with. STIX 2.1 and 2.0 come mixed and
// `spec_version` is not to be trusted (a server was seen to return the type there), so the fields themselves
// decide. An indicator whose id and version are readable is never dropped: where it cannot be used it carries its
// reason, because it still replaces what an earlier version vouched for.
import { digest48 } from '../model/digest.ts';
import type {
  IncomingContext,
  IncomingIndicator,
  IncomingObject,
  IndicatorFacts,
  ObjectRefusal,
} from '../model/entry.ts';
import type { Observable } from '../model/observable.ts';
import { parseTimestamp, timestampMs } from '../model/timestamp.ts';
import { readMarkingDefinition, readMarkings } from './markings.ts';
import { readPattern } from './pattern/read.ts';
import { cleanText, cleanTexts, isRecord, isStixId } from './raw.ts';

export type ReadResult =
  | { readonly object: IncomingObject }
  | { readonly refusal: ObjectRefusal }
  /** Nothing for us: the type, or 'unknown type'. */
  | { readonly ignored: string };

export function readObject(raw: unknown, bundleSpecVersion?: string): ReadResult {
  if (!isRecord(raw)) return refuse(undefined, 'not an object');
  const type = raw['type'];
  if (typeof type !== 'string') return refuse(raw['id'], 'type is missing');
  const reader = READERS.get(type);
  if (reader === undefined) return { ignored: IGNORED.has(type) ? type : 'unknown type' };
  const id = raw['id'];
  if (!isStixId(id, type)) {
    return refuse(id, id === undefined ? 'id is missing' : 'id is not of the form type--UUID', id);
  }
  return reader(raw, id, type, bundleSpecVersion);
}

type Raw = Readonly<Record<string, unknown>>;
type Reader = (raw: Raw, id: string, type: string, bundleSpecVersion: string | undefined) => ReadResult;
type Writable<T> = { -readonly [K in keyof T]: T[K] };

const MAX_NAME = 256;
const MAX_DESCRIPTION = 1024;
const MAX_PATTERN = 1024;
const MAX_LABELS = 16;
const MAX_LABEL = 64;
const MAX_DETAIL = 128;

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['indicator', readIndicator],
  ['marking-definition', readMarking],
  ['relationship', readRelationship],
  ['identity', readName],
  ['malware', readName],
  ['intrusion-set', readName],
  ['campaign', readName],
  ['threat-actor', readName],
  ['tool', readName],
  ['attack-pattern', readName],
]);

/** Counted by name; an invented type must not become a counter of its own. */
const IGNORED = new Set(
  (
    'bundle sighting observed-data course-of-action grouping infrastructure location malware-analysis note opinion ' +
    'report vulnerability language-content extension-definition artifact autonomous-system directory domain-name ' +
    'email-addr email-message file ipv4-addr ipv6-addr mac-addr mutex network-traffic process software url ' +
    'user-account windows-registry-key x509-certificate incident'
  ).split(' '),
);

function refuse(id: unknown, reason: string, detail?: unknown): ReadResult {
  const refusal: Writable<ObjectRefusal> = { objectId: cleanText(id, MAX_DETAIL), reason };
  const text = typeof detail === 'string' ? cleanText(detail, MAX_DETAIL) : undefined;
  if (text !== undefined) refusal.detail = text;
  return { refusal };
}

function readIndicator(raw: Raw, id: string, _type: string, bundleSpecVersion: string | undefined): ReadResult {
  const modified = parseTimestamp(raw['modified']);
  if (modified === undefined) return refuse(id, 'modified is missing or no timestamp', raw['modified']);

  const created = parseTimestamp(raw['created']);
  const from = timestampMs(raw['valid_from']);
  const until = timestampMs(raw['valid_until']);
  // Anything but an absence or a plain false withdraws: `"true"` can only have been meant as true.
  const revoked = raw['revoked'] !== undefined && raw['revoked'] !== null && raw['revoked'] !== false;
  const validFrom = from ?? (created ?? modified).ms;

  const use: { observables: readonly Observable[]; refusal?: string | undefined } = revoked
    ? { observables: [] }
    : (timeFault(raw, from, validFrom, until) ?? readable(raw));

  // STIX 2.0 has no pattern_type and keeps the indicator types in `labels`.
  const old =
    bundleSpecVersion === '2.0' || (raw['pattern_type'] === undefined && raw['indicator_types'] === undefined);
  const types = cleanTexts(raw['indicator_types'] ?? (old ? raw['labels'] : undefined), MAX_LABELS, MAX_LABEL);
  const labels = cleanTexts(raw['labels'], MAX_LABELS, MAX_LABEL);

  const facts: Writable<IndicatorFacts> = {};
  const name = cleanText(raw['name'], MAX_NAME);
  if (name !== undefined) facts.name = name;
  const description = cleanText(raw['description'], MAX_DESCRIPTION);
  if (description !== undefined) facts.description = description;
  if (types !== undefined) facts.types = types;
  if (labels !== undefined) facts.labels = labels;
  if (isStixId(raw['created_by_ref'])) facts.createdBy = raw['created_by_ref'];
  if (created !== undefined) facts.created = created.version;
  if (use.refusal !== undefined) {
    const pattern = cleanText(raw['pattern'], MAX_PATTERN);
    if (pattern !== undefined) facts.pattern = pattern;
  }

  const { tlp, pap, open } = readMarkings(raw['object_marking_refs'], raw['granular_markings']);
  const indicator: Writable<IncomingIndicator> = {
    kind: 'indicator',
    objectId: id,
    version: modified.version,
    revoked,
    validFrom,
    observables: use.observables,
    facts: '',
    digest: 0,
  };
  if (until !== undefined) indicator.validUntil = until;
  const confidence = readConfidence(raw['confidence']);
  if (confidence !== undefined) indicator.confidence = confidence;
  if (tlp !== undefined) indicator.tlp = tlp;
  if (pap !== undefined) indicator.pap = pap;
  if (open.length > 0) indicator.openMarkings = open;
  if (isBenign(raw, old)) indicator.benign = true;
  if (use.refusal !== undefined) indicator.refusal = use.refusal;
  const text = JSON.stringify(facts);
  indicator.digest = digest48(JSON.stringify(indicator) + text);
  indicator.facts = text;
  return { object: indicator };
}

interface Unusable {
  readonly observables: readonly [];
  readonly refusal: string;
}

const unusable = (refusal: string): Unusable => ({ observables: [], refusal });

/** A validity that cannot be read must not turn into an open-ended one. */
function timeFault(
  raw: Raw,
  from: number | undefined,
  validFrom: number,
  until: number | undefined,
): Unusable | undefined {
  if (from === undefined && isGiven(raw['valid_from'])) return unusable('valid_from is no timestamp');
  if (!isGiven(raw['valid_until'])) return undefined;
  if (until === undefined) return unusable('valid_until is no timestamp');
  return until <= validFrom ? unusable('valid_until is not after valid_from') : undefined;
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

function readable(raw: Raw): { observables: readonly Observable[]; refusal?: string } {
  const language = raw['pattern_type'];
  if (language !== undefined && language !== 'stix') {
    const known = typeof language === 'string' && LANGUAGES.has(language);
    return unusable(known ? `pattern type ${language}` : 'unknown pattern type');
  }
  if (typeof raw['pattern'] !== 'string') return unusable('pattern is missing');
  const { verdict, observables, reason } = readPattern(raw['pattern']);
  // Only what says exactly what the partner said is armed.
  return verdict === 'exact' ? { observables } : unusable(reason ?? verdict);
}

const LANGUAGES = new Set(['pcre', 'sigma', 'snort', 'suricata', 'yara']);

/** Out of range or of another kind is as good as not stated. */
function readConfidence(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= 100 ? Math.floor(value) : undefined;
}

/** Read from the whole list: what is cut for display must not hide that a partner calls the value harmless. */
function isBenign(raw: Raw, old: boolean): boolean {
  const types = raw['indicator_types'] ?? (old ? raw['labels'] : undefined);
  return (
    Array.isArray(types) && types.some((type) => typeof type === 'string' && type.trim().toLowerCase() === 'benign')
  );
}

function readMarking(raw: Raw, id: string): ReadResult {
  return { object: { kind: 'marking', objectId: id, ...readMarkingDefinition(raw) } };
}

function readName(raw: Raw, id: string, type: string): ReadResult {
  const version = versionOf(raw);
  const name = cleanText(raw['name'], MAX_NAME);
  if (name === undefined) return refuse(id, 'name is missing');
  if (version === undefined) return refuse(id, 'modified is missing or no timestamp', raw['modified']);
  const object: IncomingContext = { kind: 'name', objectId: id, version, type, name };
  return { object };
}

function readRelationship(raw: Raw, id: string): ReadResult {
  const version = versionOf(raw);
  if (version === undefined) return refuse(id, 'modified is missing or no timestamp', raw['modified']);
  const relation = cleanText(raw['relationship_type'], MAX_LABEL);
  const source = raw['source_ref'];
  const target = raw['target_ref'];
  if (relation === undefined || !isStixId(source) || !isStixId(target))
    return refuse(id, 'relationship without type or ends');
  const revoked = raw['revoked'] === true;
  return { object: { kind: 'relationship', objectId: id, version, revoked, relation, source, target } };
}

function versionOf(raw: Raw): string | undefined {
  return (parseTimestamp(raw['modified']) ?? parseTimestamp(raw['created']))?.version;
}
