// What the tags of an event, of its attribute and of nothing else say: markings, confidence, retention, and the words that
// keep a value off every watchlist. Markings are the strictest of all levels; of confidence the more specific level speaks.
// Tags are compared without case, since real feeds write `TLP:GREEN` and `pap:red`. What claims to be a marking and is not
// understood keeps the object out; a level in other words than a tag of its own only ever makes stricter.
import { stricterPap, stricterTlp, type Pap, type Tlp } from '../model/marking.ts';
import { withoutHidden } from '../model/text.ts';
import { mayBeClassified } from '../stix/classification.ts';
import { parsePap, parseTlp, readLevelWords } from '../stix/level-words.ts';
import { UNREADABLE_LABEL } from '../stix/markings.ts';
import { cleanText, isRecord } from '../stix/raw.ts';
import { listOf, type Raw } from './fields.ts';

export interface TagFacts {
  readonly tlp?: Tlp;
  readonly pap?: Pap;
  /** Spelled by a tag that is more than a level, such as `Marking: TLP RED`. */
  readonly tlpLabel?: Tlp;
  /** Levels that are stated and not understood. */
  readonly open: readonly string[];
  /** 0 to 100: the lowest of what several scales say. */
  readonly confidence?: number;
  /** The partner says that the value is harmless. */
  readonly benign: boolean;
  /** Why nothing of it is armed: constant. */
  readonly refusal?: string;
  /** Days that the value is good for, from when it was seen or edited last. */
  readonly retentionDays?: number;
  /** Terms besides TLP and PAP: classification, IEP, Chatham House. Whoever passes anything on has to name them. */
  readonly statements: readonly string[];
  /** All tags, those with consequences first, since what is shown is cut. */
  readonly labels: readonly string[];
}

/**
 * Names of the tags in a `Tag` list, or of the links to them (`EventTag`, `AttributeTag`, as some answers have them), without
 * what is not seen. `inherited` tells those of the event from the attribute's.
 */
export function tagNames(tags: unknown, inherited: boolean): string[] {
  const names: string[] = [];
  for (const tag of listOf(tags)) {
    const named = isRecord(tag) && isRecord(tag['Tag']) ? tag['Tag'] : tag;
    const given = isRecord(named) ? named['name'] : named;
    const fromEvent =
      isRecord(tag) && (tag['inherited'] === 1 || tag['inherited'] === true || tag['inherited'] === '1');
    if (fromEvent !== inherited || typeof given !== 'string') continue;
    const name = withoutHidden(given.slice(0, MAX_TAG)).trim();
    if (name !== '') names.push(name);
  }
  return names;
}

const sets = new WeakMap<readonly string[], ReadonlySet<string>>();

/** The tags of an event, made once for all its attributes. */
function asSet(names: readonly string[]): ReadonlySet<string> {
  let set = sets.get(names);
  if (set === undefined) {
    set = new Set(names);
    sets.set(names, set);
  }
  return set;
}

/** Of an attribute: its own, and those of the event that the event was read without. */
export function tagsOf(raw: Raw, ofEvent: readonly string[]): readonly string[] {
  // Most have none.
  if (raw['Tag'] === undefined && raw['AttributeTag'] === undefined) return NONE;
  const inherited = tagNames(raw['Tag'], true);
  const lost = inherited.length === 0 ? NONE : inherited.filter((name) => !asSet(ofEvent).has(name));
  return [...tagNames(raw['Tag'], false), ...tagNames(raw['AttributeTag'], false), ...lost];
}

export function readTags(ofEvent: readonly string[], ofAttribute: readonly string[] = NONE): TagFacts {
  let tlp: Tlp | undefined;
  let pap: Pap | undefined;
  let tlpLabel: Tlp | undefined;
  let unread = false;
  let refusal: string | undefined;
  let benign = false;
  let retentionDays: number | undefined;
  const statements = new Set<string>();
  const first = new Set<string>();
  const rest = new Set<string>();
  for (const name of ofAttribute.length === 0 ? ofEvent : [...ofEvent, ...ofAttribute]) {
    const level = levelOf(name);
    tlp = stricterTlp(tlp, level.tlp);
    pap = stricterPap(pap, level.pap);
    tlpLabel = stricterTlp(tlpLabel, level.tlpLabel);
    unread ||= level.unread;
    const small = name.toLowerCase();
    const term = level.term || TERMS.test(small);
    if (term) statements.add(name.slice(0, MAX_STATEMENT));
    const kept = keptOut(small);
    refusal ??= kept;
    const harmless = BENIGN.has(plainOf(small));
    benign ||= harmless;
    const days = retentionOf(small);
    if (days !== undefined) retentionDays = Math.min(days, retentionDays ?? days);
    const judged = term || kept !== undefined || harmless || mayBeClassified(small);
    const matters = judged || days !== undefined || level !== NO_LEVEL;
    (matters ? first : rest).add(name);
  }
  const confidence = confidenceOf(ofEvent, ofAttribute);
  return {
    ...(tlp === undefined ? {} : { tlp }),
    ...(pap === undefined ? {} : { pap }),
    ...(tlpLabel === undefined ? {} : { tlpLabel }),
    open: unread ? [UNREADABLE_LABEL] : NONE,
    ...(confidence === undefined ? {} : { confidence }),
    benign,
    ...(refusal === undefined ? {} : { refusal }),
    ...(retentionDays === undefined ? {} : { retentionDays }),
    statements: [...statements],
    labels: labelsOf([...first, ...rest]),
  };
}

const NONE: readonly string[] = [];
const MAX_TAG = 512;
const MAX_STATEMENT = 128;
const MAX_LABELS = 16;
const MAX_LABEL = 64;

function labelsOf(names: readonly string[]): string[] {
  return names
    .slice(0, MAX_LABELS)
    .flatMap((name) => cleanText(name, mayBeClassified(name) ? MAX_TAG : MAX_LABEL) ?? []);
}

interface Level {
  readonly tlp?: Tlp;
  readonly pap?: Pap;
  readonly tlpLabel?: Tlp;
  readonly unread: boolean;
  readonly term: boolean;
}

const NO_LEVEL: Level = { unread: false, term: false };

/** A tag of its own: the scheme, and one thing after it. */
const OWN_TAG = /^(tlp|pap)\s*[:=]\s*(?:(?:level|colou?r)\s*=\s*)?["']?\s*([^"']*?)\s*["']?$/i;

function levelOf(name: string): Level {
  const [, scheme, stated = ''] = OWN_TAG.exec(name) ?? [];
  if (scheme === undefined) return inOtherWords(name);
  if (/^ex\s*:/i.test(stated)) return { unread: false, term: true };
  if (scheme.toLowerCase() === 'tlp') {
    const tlp = parseTlp(stated) ?? parseTlp(name);
    return tlp === undefined ? { unread: true, term: false } : { tlp, unread: false, term: false };
  }
  const pap = parsePap(stated) ?? parsePap(name);
  return pap === undefined ? { unread: true, term: false } : { pap, unread: false, term: false };
}

function inOtherWords(name: string): Level {
  const { tlp, pap, unread } = readLevelWords(name);
  if (tlp === undefined && pap === undefined && unread === undefined) return NO_LEVEL;
  return {
    ...(tlp === undefined ? {} : { tlpLabel: tlp }),
    ...(pap === undefined ? {} : { pap }),
    unread: unread !== undefined,
    term: false,
  };
}

/** Taxonomies whose tags are terms of their own; classification among them, which policy reads from there. */
const TERMS =
  /^(?:nato|euci|iep|iep2-policy|iep2-reference|fr-classif|de-vs|dnidisclosure|misp:should-not-sync)(?::|$)/;

function keptOut(small: string): string | undefined {
  if (small.startsWith('exercise:')) return 'data of an exercise';
  return KEPT_OUT.get(plainOf(small));
}

/** Without quotes: `misp:ids="false"` and `misp:ids=false` are one. */
const plainOf = (small: string): string => small.replaceAll('"', '').replaceAll("'", '').replaceAll(' ', '');

const KEPT_OUT: ReadonlyMap<string, string> = new Map([
  ['misp:ids=false', 'a tag says that it is not for detection'],
  ['workflow:state=rejected', "rejected in the partner's workflow"],
  ['retention:expired', 'its retention is over'],
]);

const BENIGN = new Set(['false-positive:confirmed=true']);

const RETENTION = /^retention:(\d{1,3})([dwmy])$/;
const UNIT_DAYS: Readonly<Record<string, number>> = { d: 1, w: 7, m: 30, y: 365 };

function retentionOf(small: string): number | undefined {
  const [, number, unit = ''] = RETENTION.exec(small) ?? [];
  return number === undefined ? undefined : Number(number) * (UNIT_DAYS[unit] ?? 1);
}

/** Within one scale a tag of the attribute takes the place of the event's, as in MISP's own decay models. */
function confidenceOf(ofEvent: readonly string[], ofAttribute: readonly string[]): number | undefined {
  const event = scalesOf(ofEvent);
  const attribute = scalesOf(ofAttribute);
  if (event === undefined && attribute === undefined) return undefined;
  return Math.min(...new Map([...(event ?? []), ...(attribute ?? [])]).values());
}

function scalesOf(names: readonly string[]): Map<string, number> | undefined {
  let found: Map<string, number> | undefined;
  for (const name of names) {
    const [, scale = '', value = ''] = SCALED.exec(plainOf(name.toLowerCase())) ?? [];
    const number = SCALES[scale]?.[value];
    if (number === undefined) continue;
    found ??= new Map();
    found.set(scale, Math.min(number, found.get(scale) ?? number));
  }
  return found;
}

const SCALED = /^([a-z-]+:[a-z-]+)=(.+)$/;

/** The numbers that the taxonomies themselves give (misp-taxonomies, numerical_value). */
const SCALES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'admiralty-scale:source-reliability': { a: 100, b: 75, c: 50, d: 25, e: 0, f: 50, g: 0 },
  'admiralty-scale:information-credibility': { 1: 100, 2: 75, 3: 50, 4: 25, 5: 0, 6: 50 },
  'estimative-language:likelihood-probability': {
    'almost-no-chance': 0,
    'very-unlikely': 5,
    unlikely: 20,
    'roughly-even-chance': 45,
    likely: 55,
    'very-likely': 80,
    'almost-certain': 95,
  },
  'estimative-language:confidence-in-analytic-judgment': { low: 0, moderate: 55, high: 95 },
  'misp:confidence-level': {
    'completely-confident': 100,
    'usually-confident': 75,
    'fairly-confident': 50,
    'rarely-confident': 25,
    unconfident: 0,
    'confidence-cannot-be-evaluated': 50,
  },
};
