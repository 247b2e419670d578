// One attribute of a MISP event, with what its event and object say of it, as an indicator of ours. Its id is the
// attribute's uuid. Whatever keeps it off the watchlist is a constant reason on the indicator, because it still replaces
// what an earlier edit vouched for. `to_ids` is necessary and never enough: the type has to name a value, and no victim.
//
// Tombstones are no indicators: what an event no longer shows is gone with the snapshot of the event, and a restored
// attribute counts again, which it could not do after a revocation.
import { canonical, type Canonical } from '../model/canonical.ts';
import { digest48 } from '../model/digest.ts';
import { DECAYED, type IncomingIndicator, type IndicatorFacts, type ObjectRefusal } from '../model/entry.ts';
import { namesOf } from '../model/named.ts';
import type { Observable, ObservableType } from '../model/observable.ts';
import { showingHidden } from '../model/text.ts';
import { timestampMs } from '../model/timestamp.ts';
import { UNREADABLE_MARKING } from '../stix/markings.ts';
import { cleanText, isRecord } from '../stix/raw.ts';
import { count, flag, listOf, type Raw, uuid } from './fields.ts';
import { type EventHead, identityOf, type ObjectHead, tagFacts, termsOf } from './head.ts';
import { tagsOf } from './tags.ts';
import { type Handling, handlingOf, type Watched } from './types.ts';
import { versionOf } from './version.ts';

export type AttributeRead =
  | { readonly indicator: IncomingIndicator }
  | { readonly refusal: ObjectRefusal }
  /** A tombstone, of the attribute or of its object. */
  | { readonly deleted: string };

export interface ReadOptions {
  /**
   * When it was read, epoch seconds: given where what is said of an attribute changes without an edit (decay scores), so
   * that a later reading replaces an earlier one.
   */
  readonly readAt?: number;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * `object`: of attributes that belong to one. Where its name is not known, only hashes are armed: a victim object holds
 * the victim's own addresses and names.
 */
export function readAttribute(
  raw: unknown,
  event: EventHead,
  object?: ObjectHead,
  options: ReadOptions = {},
): AttributeRead {
  if (!isRecord(raw)) return refuse(undefined, 'not an attribute');
  const id = uuid(raw['uuid']);
  if (id === undefined) return refuse(cleanText(raw['uuid'], MAX_DETAIL), 'attribute without a readable uuid');
  const deleted = flag(raw['deleted']);
  if (deleted === null || object?.deleted === null) return refuse(id, 'deleted is neither true nor false');
  if (deleted === true || object?.deleted === true) return { deleted: id };
  // 0 is no time at which anything was edited; servers that follow MISP give it where they know none.
  const edited = count(raw['timestamp']) || event.timestamp;
  if (edited === 0) return refuse(id, 'timestamp is missing or no time');

  const tags = tagFacts(event, tagsOf(raw, event.tags));
  const times = timesOf(raw, edited, event);
  const type = cleanText(raw['type'], MAX_LABEL) ?? '';
  const handling = handlingOf(type);
  const personal = (handling.kind === 'never' && handling.personal === true) || isOfPeople(object);
  const use = times.fault ?? barred(raw, handling, object, tags.refusal) ?? values(raw['value'], handling);

  const decay = decayOf(raw['decay_score']);
  const stated = decay?.score ?? tags.confidence;
  const refusal = use.refusal ?? (decay?.over === true ? DECAYED : undefined);
  const observables = refusal === undefined ? use.observables : NO_VALUES;

  const facts = factsOf(raw, type, event, object, tags);
  if (personal) delete facts.description;
  if (refusal !== undefined) {
    if (use.detail !== undefined) facts.detail = use.detail;
    const pattern = personal ? undefined : patternOf(type, raw['value']);
    if (pattern !== undefined) facts.pattern = pattern;
  }
  if (tags.tlp === undefined && tags.tlpLabel !== undefined) facts.tlpLabel = tags.tlpLabel;

  const indicator: Writable<IncomingIndicator> = {
    kind: 'indicator',
    objectId: id,
    // Of the digest only the attribute's own time is a part: an edit of the event that says nothing new of this
    // attribute changes nothing about it.
    version: versionOf(edited, 0),
    revoked: false,
    validFrom: times.from,
    observables,
    facts: '',
    digest: 0,
  };
  const until = times.until(tags.retentionDays);
  if (until !== undefined) indicator.validUntil = until;
  if (times.lifeFrom !== undefined) indicator.lifeFrom = times.lifeFrom;
  const confidence = stated === undefined ? undefined : use.wider === true ? Math.floor(stated * WIDER) : stated;
  if (decay === undefined && confidence !== undefined) indicator.confidence = confidence;
  if (tags.tlp !== undefined) indicator.tlp = tags.tlp;
  if (tags.pap !== undefined) indicator.pap = tags.pap;
  if (tags.open.length > 0) indicator.openMarkings = tags.open;
  const harmless = lastSaid(raw['Sighting'], FALSE_POSITIVE, event.orgc?.uuid);
  if (tags.benign || (harmless !== undefined && harmless >= edited * 1000)) indicator.benign = true;
  if (refusal !== undefined) indicator.refusal = refusal;
  const text = JSON.stringify(facts);
  indicator.digest = digest48(JSON.stringify(indicator) + text);
  indicator.facts = text;
  if (decay !== undefined) {
    indicator.scored = true;
    indicator.confidence = confidence!;
  }
  const edition = Math.max(event.timestamp, object?.timestamp ?? 0, decay === undefined ? 0 : (options.readAt ?? 0));
  indicator.version = versionOf(edited, edition);
  if (refusal !== undefined && handling.kind !== 'never') indicator.named = namedBy(raw['value']);
  return { indicator };
}

const MAX_DETAIL = 128;
const MAX_LABEL = 64;
const MAX_PATTERN = 1024;
const MAX_COMMENT = 1024;
/** More than any taxonomy has; whatever stands behind them no rule can name. */
const MAX_STATEMENTS = 64;
/** MISP itself holds no longer value. */
const MAX_VALUE = 65_535;
const DAY_MS = 86_400_000;
/** So much is left of the confidence in a pair of which one half alone is watched. */
const WIDER = 0.75;
const NO_VALUES: readonly Observable[] = [];

function refuse(objectId: string | undefined, reason: string): AttributeRead {
  return { refusal: { objectId, reason } };
}

interface Use {
  readonly observables: readonly Observable[];
  readonly refusal?: string;
  readonly detail?: string;
  /** What is watched is more than the pair that was stated. */
  readonly wider?: boolean;
}

const unusable = (refusal: string, detail?: string): Use => ({
  observables: NO_VALUES,
  refusal,
  ...(detail === undefined ? {} : { detail }),
});

/** Objects of people and organisations that were hit: their addresses are nobody's indicators. */
const OF_PEOPLE = new Set(['victim', 'person', 'employee', 'organization', 'legal-entity']);
const isOfPeople = (object: ObjectHead | undefined): boolean =>
  object?.name !== undefined && OF_PEOPLE.has(object.name);

function barred(
  raw: Raw,
  handling: Handling,
  object: ObjectHead | undefined,
  byTag: string | undefined,
): Use | undefined {
  if (isOfPeople(object)) return unusable('data of victims or persons', `in an object ${object!.name}`);
  if (handling.kind === 'never') return unusable(handling.reason);
  if (byTag !== undefined) return unusable(byTag);
  const toIds = flag(raw['to_ids']);
  if (toIds === null) return unusable('to_ids is neither true nor false');
  if (toIds !== true) return unusable('not flagged for detection');
  if (object !== undefined && object.name === undefined && !isOfFiles(handling))
    return unusable('in an object that is not named', "it may be a victim's; it is armed once the server names it");
  return undefined;
}

function isOfFiles(handling: Handling): boolean {
  if (handling.kind === 'never') return false;
  const kinds = handling.kind === 'whole' ? [handling.as] : [handling.left, handling.right];
  return kinds.every((kind) => kind === undefined || kind.startsWith('file:'));
}

function values(given: unknown, handling: Handling): Use {
  const text = typeof given === 'number' ? String(given) : typeof given === 'string' ? given.trim() : '';
  if (text === '') return unusable('value is missing');
  if (text.length > MAX_VALUE) return unusable('value too long');
  if (handling.kind === 'whole') return spelled(handling.as, text);
  if (handling.kind === 'never') return unusable(handling.reason);
  const halves = halvesOf(text, handling.colon === true);
  if (halves === undefined) return unusable('not exactly two halves parted by |');
  const kept: Use[] = [];
  for (const [as, half] of [
    [handling.left, halves[0]],
    [handling.right, halves[1]],
  ] as const)
    if (as !== undefined) kept.push(spelled(as, half));
  const bad = kept.find((one) => one.refusal !== undefined);
  // Half a pair is another statement than the pair.
  if (bad !== undefined) return bad;
  return { observables: kept.flatMap((one) => one.observables), ...(handling.wider ? { wider: true } : {}) };
}

function halvesOf(text: string, colon: boolean): readonly [string, string] | undefined {
  const parts = text.split('|');
  const [left, right] = parts;
  if (parts.length === 2) return [left!.trim(), right!.trim()];
  if (!colon || parts.length !== 1) return undefined;
  const at = text.lastIndexOf(':');
  // An IPv6 address with a colon and a port behind it could be read in two ways.
  return at > 0 && text.indexOf(':') === at && /^\d{1,5}$/.test(text.slice(at + 1))
    ? [text.slice(0, at), text.slice(at + 1)]
    : undefined;
}

function spelled(as: Watched, text: string): Use {
  const type: ObservableType = as === 'address' ? (text.includes(':') ? 'ipv6-addr' : 'ipv4-addr') : as;
  // The server takes outer dots away; older data and feeds have them.
  const value: Canonical = canonical(type, type === 'domain-name' ? text.replace(/^\.+|\.+$/g, '') : text);
  return 'value' in value
    ? { observables: [{ type, value: value.value }] }
    : unusable(value.refused, `${value.refused}: ${type} '${showingHidden(text.slice(0, MAX_DETAIL))}'`);
}

interface Times {
  readonly from: number;
  /** Where its lifetime counts from, if later than from its edit. */
  readonly lifeFrom?: number;
  readonly until: (retentionDays: number | undefined) => number | undefined;
  readonly fault?: Use;
}

/** first_seen begins its validity, last_seen prolongs its life; an end is stated by a retention, or by its originator. */
function timesOf(raw: Raw, editedSecs: number, event: EventHead): Times {
  const edited = editedSecs * 1000;
  const first = timeIn(raw['first_seen']);
  const last = timeIn(raw['last_seen']);
  const fault =
    first === null ? unusable('first_seen is no time') : last === null ? unusable('last_seen is no time') : undefined;
  const life = Math.max(edited, last ?? 0);
  const expired = lastSaid(raw['Sighting'], EXPIRATION, event.orgc?.uuid);
  return {
    from: first ?? edited,
    ...(life > edited ? { lifeFrom: life } : {}),
    until: (days) => {
      const retained = days === undefined ? undefined : life + days * DAY_MS;
      return retained === undefined || expired === undefined ? (retained ?? expired) : Math.min(retained, expired);
    },
    ...(fault === undefined ? {} : { fault }),
  };
}

function timeIn(value: unknown): number | undefined | null {
  if (value === undefined || value === null || value === '') return undefined;
  return timestampMs(value) ?? null;
}

const FALSE_POSITIVE = 1;
/** Says until when the attribute is good. */
const EXPIRATION = 2;

/** When the organisation that made the event said so last by a sighting of this type; nobody else's word counts. */
function lastSaid(sightings: unknown, type: number, originator: string | undefined): number | undefined {
  let last: number | undefined;
  for (const one of listOf(sightings)) {
    if (!isRecord(one) || count(one['type']) !== type || originator === undefined) continue;
    const by = one['Organisation'];
    if (!isRecord(by) || uuid(by['uuid']) !== originator) continue;
    const at = count(one['date_sighting']);
    if (typeof at === 'number') last = Math.max(at * 1000, last ?? 0);
  }
  return last;
}

interface Decay {
  readonly score: number;
  readonly over: boolean;
}

/** The best of several models; over only when all of them say so (as `excludeDecayed` has it). */
function decayOf(scores: unknown): Decay | undefined {
  let best: number | undefined;
  let over = true;
  for (const one of listOf(scores)) {
    if (!isRecord(one)) continue;
    const score = Number(one['score']);
    if (!Number.isFinite(score)) continue;
    best = Math.max(best ?? 0, Math.min(100, Math.max(0, score)));
    over &&= flag(one['decayed']) === true;
  }
  return best === undefined ? undefined : { score: Math.floor(best), over };
}

function factsOf(
  raw: Raw,
  type: string,
  event: EventHead,
  object: ObjectHead | undefined,
  tags: ReturnType<typeof tagFacts>,
): Writable<IndicatorFacts> {
  const facts: Writable<IndicatorFacts> = {};
  if (event.info !== undefined) facts.name = event.info;
  const description = cleanText(raw['comment'], MAX_COMMENT) ?? object?.comment;
  if (description !== undefined) facts.description = description;
  const types = [cleanText(raw['category'], MAX_LABEL), type === '' ? undefined : type].filter(
    (one) => one !== undefined,
  );
  if (types.length > 0) facts.types = types;
  const labels = [...tags.labels, ...warningsIn(raw['warnings'])];
  if (labels.length > 0) facts.labels = labels;
  if (event.orgc !== undefined) facts.createdBy = identityOf(event.orgc.uuid);
  const terms = new Set([...event.terms, ...(object?.terms ?? []), ...termsOf(raw), ...tags.statements]);
  const more = terms.size > MAX_STATEMENTS ? [UNREADABLE_MARKING] : [];
  if (terms.size > 0) facts.statements = [...[...terms].slice(0, MAX_STATEMENTS), ...more];
  return facts;
}

/** Lists on which the partner's own server finds the value: told, and judged by nobody but our own lists. */
function warningsIn(warnings: unknown): string[] {
  const names = listOf(warnings).flatMap((one) =>
    isRecord(one) ? (cleanText(one['warninglist_name'], MAX_LABEL) ?? []) : [],
  );
  return [...new Set(names)].slice(0, 4).map((name) => `warninglist: ${name}`.slice(0, MAX_LABEL));
}

function patternOf(type: string, value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = cleanText(String(value), MAX_PATTERN);
  return text === undefined ? undefined : `${type} = ${text}`.slice(0, MAX_PATTERN);
}

/** What it names all the same, so that a person finds it by the value. */
function namedBy(value: unknown): number[] {
  if (typeof value !== 'string' || value.length > MAX_PATTERN) return [];
  const halves = value.includes('|') ? value.split('|') : [];
  return [...new Set([value, ...halves].flatMap((one) => namesOf(one)))];
}
