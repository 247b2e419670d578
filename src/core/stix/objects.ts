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
import { stricterPap, stricterTlp, type Tlp } from '../model/marking.ts';
import type { Observable } from '../model/observable.ts';
import { namedIn } from '../model/named.ts';
import { isOddlySpelled, parseTimestamp, timestampMs, OLDEST_VERSION } from '../model/timestamp.ts';
import { showingHidden } from '../model/text.ts';
import { mayBeClassified } from './classification.ts';
import { readLevelWords } from './level-words.ts';
import { readMarkingDefinition, readMarkings, UNREADABLE_LABEL, type Markings } from './markings.ts';
import { readPattern } from './pattern/read.ts';
import { cleanText, cleanTexts, isRecord, isStixId, spelledId } from './raw.ts';

export type ReadResult =
  /** `quirk`: read all the same, though it is not spelled as the standard asks. */
  | { readonly object: IncomingObject; readonly quirk?: string }
  | { readonly refusal: ObjectRefusal }
  /** Nothing for us: the type, or 'unknown type'. */
  | { readonly ignored: string };

export function readObject(raw: unknown, bundleSpecVersion?: string): ReadResult {
  const read = readAny(raw, bundleSpecVersion);
  if (!('refusal' in read) || !isRecord(raw)) return read;
  const name = cleanText(raw['name'], MAX_NAME);
  const pattern = cleanText(raw['pattern'], MAX_PATTERN);
  return {
    refusal: {
      ...read.refusal,
      ...(name === undefined ? {} : { name }),
      ...(pattern === undefined ? {} : { pattern }),
      ...(typeof raw['pattern'] === 'string' ? { named: namedIn(raw['pattern']) } : {}),
    },
  };
}

function readAny(raw: unknown, bundleSpecVersion: string | undefined): ReadResult {
  if (!isRecord(raw)) return refuse(undefined, 'not an object');
  const type = raw['type'];
  if (typeof type !== 'string') return refuse(raw['id'], 'type is missing');
  // Those that hold a list were taken apart before. Of what this one holds nobody can say anything.
  if (type === 'bundle' && isGiven(raw['objects']))
    return refuse(undefined, 'objects of a bundle are no list', raw['id']);
  const reader = READERS.get(type);
  if (reader === undefined) return { ignored: ignoredAs(type) };
  const id = raw['id'];
  if (!isStixId(id, type)) {
    return refuse(id, id === undefined ? 'id is missing' : 'id is not of the form type--UUID', id);
  }
  return reader(raw, spelledId(id), type, bundleSpecVersion);
}

type Raw = Readonly<Record<string, unknown>>;
type Reader = (raw: Raw, id: string, type: string, bundleSpecVersion: string | undefined) => ReadResult;
type Writable<T> = { -readonly [K in keyof T]: T[K] };

const MAX_NAME = 256;
const MAX_DESCRIPTION = 1024;
const MAX_PATTERN = 1024;
const MAX_LABELS = 16;
const MAX_LABEL = 64;
/** Of labels with consequences. */
const MAX_TERMS = 64;
const MAX_TERM = 512;
const MAX_DETAIL = 128;
const MAX_REFUSAL = 512;

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

/** Counted as this. A type that only lacks its small letters is named: the partner meant it to be read. */
function ignoredAs(type: string): string {
  if (IGNORED.has(type)) return type;
  const small = type.trim().toLowerCase();
  return small !== type && (READERS.has(small) || IGNORED.has(small)) ? `${OTHER_CASE} (${small})` : 'unknown type';
}

export const OTHER_CASE = 'type in another case';

function refuse(id: unknown, reason: string, detail?: unknown): ReadResult {
  const refusal: Writable<ObjectRefusal> = { objectId: cleanText(id, MAX_DETAIL), reason };
  const text =
    typeof detail === 'string' ? cleanText(showingHidden(detail.slice(0, MAX_DETAIL)), MAX_DETAIL) : undefined;
  if (text !== undefined) refusal.detail = text;
  return { refusal };
}

function readIndicator(raw: Raw, id: string, _type: string, bundleSpecVersion: string | undefined): ReadResult {
  const revoked = readFlag(raw['revoked']);
  // A version that may be a withdrawal or none takes nothing away, and gives nothing.
  if (revoked === undefined) return refuse(id, 'revoked is neither true nor false', told(raw['revoked']));
  // STIX 2.0 has no pattern_type and keeps the indicator types in `labels`.
  const old =
    bundleSpecVersion === '2.0' || (raw['pattern_type'] === undefined && raw['indicator_types'] === undefined);
  const benign = isBenign(raw, old);
  // A withdrawal is not lost over its time: revocation is final, whatever its version, and so is the word that it is harmless.
  const modified = parseTimestamp(raw['modified']) ?? (revoked || benign ? FIRST_VERSION : undefined);
  if (modified === undefined) return refuse(id, 'modified is missing or no timestamp', raw['modified']);

  const created = parseTimestamp(raw['created']);
  const from = timestampMs(raw['valid_from']);
  const until = timestampMs(raw['valid_until']);
  const validFrom = from ?? (created ?? modified).ms;

  const use: Use = revoked
    ? { observables: [] }
    : (typeFault(raw, old) ?? timeFault(raw, from, validFrom, until) ?? readable(raw));

  const types = labelTexts(raw['indicator_types'] ?? (old ? raw['labels'] : undefined));
  const labels = labelTexts(raw['labels']);

  const facts: Writable<IndicatorFacts> = {};
  const name = cleanText(raw['name'], MAX_NAME);
  if (name !== undefined) facts.name = name;
  const description = cleanText(raw['description'], MAX_DESCRIPTION);
  if (description !== undefined) facts.description = description;
  if (types !== undefined) facts.types = types;
  if (labels !== undefined) facts.labels = labels;
  if (isStixId(raw['created_by_ref'])) facts.createdBy = spelledId(raw['created_by_ref']);
  if (created !== undefined) facts.created = created.version;
  if (use.refusal !== undefined) {
    const detail = cleanText(use.detail, MAX_REFUSAL);
    if (detail !== undefined && detail !== use.refusal) facts.detail = detail;
    const pattern = cleanText(raw['pattern'], MAX_PATTERN);
    if (pattern !== undefined) facts.pattern = pattern;
  }

  const marked = readMarkings(raw['object_marking_refs'], raw['granular_markings']);
  const { tlp, pap, open, tlpLabel } = besideLabels(marked, raw['labels']);
  if (tlpLabel !== undefined) facts.tlpLabel = tlpLabel;
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
  const confidence = raw['confidence'];
  if (isConfidence(confidence)) indicator.confidence = confidence;
  if (tlp !== undefined) indicator.tlp = tlp;
  if (pap !== undefined) indicator.pap = pap;
  if (open.length > 0) indicator.openMarkings = open;
  if (benign) indicator.benign = true;
  if (use.refusal !== undefined) indicator.refusal = use.refusal;
  const text = JSON.stringify(facts);
  indicator.digest = digest48(JSON.stringify(indicator) + text);
  indicator.facts = text;
  if ((revoked || use.refusal !== undefined) && typeof raw['pattern'] === 'string')
    indicator.named = namedIn(
      raw['pattern'],
      use.observables.map((one) => one.value),
    );
  const odd = TIMES.some((name) => isOddlySpelled(raw[name]));
  return odd ? { object: indicator, quirk: ODD_TIMES } : { object: indicator };
}

/** Cut for display, which must not hide what policy reads from there: a classification, or that it is an exercise. */
function labelTexts(value: unknown): string[] | undefined {
  const shown = cleanTexts(value, MAX_LABELS, MAX_LABEL);
  if (shown === undefined || !Array.isArray(value)) return shown;
  const all: readonly unknown[] = value;
  const isCut = all.length > MAX_LABELS || all.some((one) => typeof one === 'string' && one.length > MAX_LABEL);
  if (!isCut) return shown;
  const telling = all.filter((one) => isTelling(cleanText(one, MAX_TERM)));
  const first = cleanTexts(telling, MAX_TERMS, MAX_TERM);
  if (first === undefined) return shown;
  const others = all.filter((one) => !isTelling(cleanText(one, MAX_TERM)));
  return [...first, ...(cleanTexts(others, Math.max(0, MAX_LABELS - first.length), MAX_LABEL) ?? [])];
}

const isTelling = (text: string | undefined): boolean =>
  text !== undefined && (mayBeClassified(text) || /exercise/i.test(text));

/**
 * A label is no marking, so it never opens: it only makes stricter what a marking says. Where none does, it waits to be
 * compared with what an object without one counts as.
 */
function besideLabels(marked: Markings, labels: unknown): Markings & { readonly tlpLabel?: Tlp | undefined } {
  const { tlp, pap, unread } = readLevelWords(labels);
  if (tlp === undefined && pap === undefined && unread === undefined) return marked;
  return {
    tlp: marked.tlp === undefined ? undefined : stricterTlp(marked.tlp, tlp),
    pap: stricterPap(marked.pap, pap),
    open: unread === undefined ? marked.open : [...marked.open, UNREADABLE_LABEL],
    tlpLabel: marked.tlp === undefined ? tlp : undefined,
  };
}

const TIMES = ['modified', 'created', 'valid_from', 'valid_until'] as const;
export const ODD_TIMES =
  'times with an offset, or otherwise not as STIX spells them, are read as the instants they name';
/** Older than anything: of an object whose own cannot be read. */
const FIRST_VERSION = { version: OLDEST_VERSION, ms: 0 };

interface Use {
  readonly observables: readonly Observable[];
  /** Why nothing, or not everything, could be used. Constant. */
  readonly refusal?: string | undefined;
  readonly detail?: string | undefined;
}

const unusable = (refusal: string, detail?: string): Use => ({ observables: [], refusal, detail });

/** Undefined where it cannot be said which of the two is meant. What can only have been meant as true withdraws. */
function readFlag(value: unknown): boolean | undefined {
  if (value === undefined || value === null || value === false) return false;
  if (value === true || value === 1) return true;
  return typeof value === 'string' && /^\s*(?:true|t|1|yes|y|on|revoked)\s*$/i.test(value) ? true : undefined;
}

/** What is stated in a wrong type or range is not as good as not stated: it might have kept the object out. */
function typeFault(raw: Raw, old: boolean): Use | undefined {
  const confidence = raw['confidence'];
  if (isGiven(confidence) && !isConfidence(confidence))
    return unusable('confidence is no integer from 0 to 100', `confidence is ${told(confidence)}`);
  const types = raw['indicator_types'];
  if (isGiven(types) && !isTexts(types))
    return unusable('indicator_types is no list of texts', `indicator_types is ${told(types)}`);
  const labels = raw['labels'];
  // In STIX 2.0 the types stand in the labels.
  if (old && types === undefined && isGiven(labels) && !isTexts(labels))
    return unusable('labels is no list of texts', `labels is ${told(labels)}`);
  return undefined;
}

/** Not as JSON: what it holds may be nested deeper than any stack. */
function told(value: unknown): string {
  if (typeof value === 'string') return `"${showingHidden(value.slice(0, MAX_LABEL))}"`;
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number' || typeof value === 'boolean') return `${value}`;
  return value === null ? 'null' : 'an object';
}

const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every((one) => typeof one === 'string');

/** A validity that cannot be read must not turn into an open-ended one. */
function timeFault(raw: Raw, from: number | undefined, validFrom: number, until: number | undefined): Use | undefined {
  if (from === undefined && isGiven(raw['valid_from']))
    return unusable('valid_from is no timestamp', `valid_from is ${told(raw['valid_from'])}`);
  if (!isGiven(raw['valid_until'])) return undefined;
  if (until === undefined) return unusable('valid_until is no timestamp', `valid_until is ${told(raw['valid_until'])}`);
  return until <= validFrom ? unusable('valid_until is not after valid_from') : undefined;
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

function readable(raw: Raw): Use {
  const language = raw['pattern_type'];
  // Some exporters name the language with its version.
  if (language !== undefined && language !== 'stix' && language !== 'stix2') {
    const known = typeof language === 'string' && LANGUAGES.has(language);
    return unusable(known ? `pattern type ${language}` : 'unknown pattern type');
  }
  if (typeof raw['pattern'] !== 'string') return unusable('pattern is missing');
  const { verdict, observables, reason, detail } = readPattern(raw['pattern']);
  if (verdict === 'exact') return { observables };
  // The arms of an OR stand each for itself: the sound ones say exactly what the partner said, and it is told what was
  // left out.
  return { observables, refusal: reason ?? verdict, detail };
}

const LANGUAGES = new Set(['pcre', 'sigma', 'snort', 'suricata', 'yara']);

const isConfidence = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 100;

/** Read from the whole list: what is cut for display must not hide that a partner calls the value harmless. */
function isBenign(raw: Raw, old: boolean): boolean {
  const types = raw['indicator_types'] ?? (old ? raw['labels'] : undefined);
  // A text that should have been a list can only mean what it says.
  const list: readonly unknown[] = Array.isArray(types) ? types : [types];
  return list.some((type) => typeof type === 'string' && type.trim().toLowerCase() === 'benign');
}

function readMarking(raw: Raw, id: string): ReadResult {
  // In the case in which references to it are kept.
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
  const revoked = readFlag(raw['revoked']);
  if (revoked === undefined) return refuse(id, 'revoked is neither true nor false', told(raw['revoked']));
  const [from, to] = [spelledId(source), spelledId(target)];
  return { object: { kind: 'relationship', objectId: id, version, revoked, relation, source: from, target: to } };
}

function versionOf(raw: Raw): string | undefined {
  return (parseTimestamp(raw['modified']) ?? parseTimestamp(raw['created']))?.version;
}
