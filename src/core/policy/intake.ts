// May this SIEM hold what this claim says? Judged per claim and SIEM, before claims are merged, so that a claim
// which a SIEM may not hold lends it nothing: no value, no id, no expiry, no confidence.
import type { Claim } from '../model/entry.ts';
import type { Observable } from '../model/observable.ts';
import { type Configured, type Finding, neverBlock, neverBlockAlso, type NeverBlockRules } from './never-block.ts';
import {
  type Classification,
  classificationRank,
  type Pap,
  papRank,
  stricterTlp,
  tlpRank,
  type Tlp,
} from '../model/marking.ts';
import { classificationOf, mayBeClassified } from '../stix/classification.ts';

export interface IntakeRules {
  readonly siem: string;
  /** The strictest TLP that this SIEM may hold. AMBER+STRICT is above AMBER. */
  readonly clearance: Tlp;
  readonly hosting?: 'on_premises' | 'cloud';
  /** The strictest PAP that this SIEM may hold. Left out: what its hosting allows. */
  readonly highestPap?: Pap;
  /** How a claim without PAP counts. Left out: amber. */
  readonly withoutPap?: Pap;
  /** How a claim without TLP counts. */
  readonly unmarked: Tlp | 'refuse';
  /** 0 to 100; lower ones are refused. */
  readonly minConfidence: number;
  /** What becomes of a claim that states no confidence. */
  readonly unknownConfidence: 'accept' | 'hold' | 'refuse';
  /** Longest prefix that is too short: wider networks are refused. Left out: none is. */
  readonly widestNetwork?: { readonly ipv4: number; readonly ipv6: number };
  /** The highest classification that may be held here. Left out: any. */
  readonly maxClassification?: Classification;
  /** Left out: nothing is on a list. */
  readonly neverBlock?: NeverBlockRules;
  /** What this exchange and this SIEM add to it. */
  readonly neverBlockAlso?: readonly Configured[];
}

type IntakeCode =
  | 'benign'
  | 'marking_unexplained'
  | 'unmarked'
  | 'tlp_above_clearance'
  | 'pap_above_ceiling'
  | 'confidence_too_low'
  | 'confidence_unknown'
  | 'network_too_wide'
  | 'exercise'
  | 'classified'
  | `never_block_${string}`;

type Decision =
  /** `note`: a list names the value, and only notes. */
  | { readonly kind: 'accept'; readonly note?: string }
  /** `code` is constant and counted, `reason` is for people. */
  | { readonly kind: 'hold' | 'refuse'; readonly code: IntakeCode; readonly reason: string };

export function judge(observable: Observable, claim: Claim, rules: IntakeRules): Decision {
  const listed = listedFor(observable, rules);
  const [barred, ...more] = listed.length === 0 ? listed : listed.filter((one) => one.action === 'refuse');
  if (barred !== undefined)
    return refuse(`never_block_${barred.list}`, [barred, ...more].map((one) => one.reason).join('; '));
  if (claim.benign) return refuse('benign', 'the partner marks it benign');

  const wide = tooWide(observable, rules.widestNetwork);
  if (wide !== undefined) return refuse('network_too_wide', wide);
  const terms = termsOf(claim);
  if (terms.exercise) return refuse('exercise', 'it is data of an exercise');
  const { maxClassification: most } = rules;
  if (terms.classification !== undefined && most !== undefined && isAbove(terms.classification, most))
    return refuse('classified', `it is classified ${terms.classification}, above ${most}`);

  // It may say less than the clearance or more: raising that would be no answer.
  const unexplained = terms.explained ? undefined : claim.unexplained;
  const above = aboveTlp(claim, unexplained !== undefined, rules);
  if (above !== undefined) return refuse(...above);
  const shown = abovePap(claim, rules);
  if (shown !== undefined) return refuse('pap_above_ceiling', shown);
  if (claim.confidence !== undefined && claim.confidence < rules.minConfidence)
    return refuse('confidence_too_low', `confidence ${claim.confidence} is below ${rules.minConfidence}`);
  const unsure = claim.confidence === undefined ? rules.unknownConfidence : 'accept';
  if (unsure === 'refuse') return refuse('confidence_unknown', UNSURE);
  // Nobody here can tell what it asks for; a person may know.
  if (unexplained !== undefined) {
    const reason = `refers to ${unexplained}${unsure === 'hold' ? `, and ${UNSURE}` : ''}`;
    return { kind: 'hold', code: 'marking_unexplained', reason };
  }
  return unsure === 'hold' ? { kind: 'hold', code: 'confidence_unknown', reason: UNSURE } : accept(listed);
}

const UNSURE = 'no confidence is stated';

/** Of a marking that nobody explained nothing is known: such a claim is not one without a level. */
function aboveTlp(claim: Claim, unexplained: boolean, rules: IntakeRules): [IntakeCode, string] | undefined {
  if (claim.tlp === undefined && unexplained) return undefined;
  const tlp = claim.tlp ?? (rules.unmarked === 'refuse' ? 'refuse' : unmarkedTlp(claim, rules.unmarked));
  if (tlp === 'refuse') return ['unmarked', 'no TLP is stated, and unmarked objects are refused'];
  if (tlpRank(tlp) <= tlpRank(rules.clearance)) return undefined;
  const level = claim.tlp === undefined ? `${unmarkedWords(claim)} as ${label(tlp)} and` : label(tlp);
  return ['tlp_above_clearance', `${level} is above this SIEM's clearance ${label(rules.clearance)}`];
}

/**
 * A value written into a service of somebody else is shown to a third party: only what may be acted upon openly goes there,
 * from PAP:GREEN down, unless a contract says more. On our own ground nothing is shown to anybody.
 */
function abovePap({ pap }: Claim, { hosting, highestPap, withoutPap = 'amber' }: IntakeRules): string | undefined {
  const highest = highestPap ?? (hosting === 'cloud' ? 'green' : 'red');
  const counts = pap ?? withoutPap;
  if (papRank(counts) <= papRank(highest)) return undefined;
  const what =
    pap === undefined
      ? `no PAP is stated, which counts as PAP:${counts.toUpperCase()} and`
      : `PAP:${counts.toUpperCase()}`;
  return highestPap === undefined
    ? `${what} may not be written into a SIEM hosted in a cloud`
    : `${what} is above this SIEM's highest PAP, PAP:${highest.toUpperCase()}`;
}

/** `explained`: the marking in question is a classification, and that is judged by itself. */
interface Terms {
  readonly classification: Classification | undefined;
  readonly exercise: boolean;
  readonly explained: boolean;
}

const NO_TERMS: Terms = { classification: undefined, exercise: false, explained: false };
const EXERCISE = /exercise/i;
/** `exercise:cyber-europe="2024"`, and the word alone. */
const IS_EXERCISE = /^\s*(?:exercise|[a-z0-9-]+:[a-z0-9-]*=?"?exercise"?)\s*(?:$|[:=])/i;

/** What its labels, types and statements say besides the levels. */
export function termsOf(claim: Pick<Claim, 'facts' | 'factsText' | 'unexplained'>): Terms {
  const { factsText: text, unexplained } = claim;
  const said = unexplained !== undefined && mayBeClassified(unexplained) ? unexplained : undefined;
  if (said === undefined && text !== undefined && !EXERCISE.test(text) && !mayBeClassified(text)) return NO_TERMS;
  const { labels = [], types = [], statements = [] } = claim.facts;
  const words = [...labels, ...types, ...statements];
  const ofMarking = said === undefined ? undefined : classificationOf([said]);
  return {
    classification: classificationOf(said === undefined ? words : [...words, said]),
    exercise: words.some((one) => IS_EXERCISE.test(one)),
    explained: ofMarking !== undefined,
  };
}

export const isAbove = (level: Classification, most: Classification): boolean =>
  classificationRank(level) > classificationRank(most);

function tooWide({ type, value }: Observable, widest: IntakeRules['widestNetwork']): string | undefined {
  if (widest === undefined || (type !== 'ipv4-addr' && type !== 'ipv6-addr')) return undefined;
  const slash = value.indexOf('/');
  if (slash < 0) return undefined;
  const most = type === 'ipv4-addr' ? widest.ipv4 : widest.ipv6;
  return Number(value.slice(slash + 1)) < most
    ? `the network ${value} is wider than /${most}, the widest that is armed`
    : undefined;
}

/** Every never-block list that the value stands on, for this exchange and SIEM. Nearly always none. */
export function listedFor(
  observable: Observable,
  { neverBlock: rules, neverBlockAlso: also }: IntakeRules,
): readonly Finding[] {
  const listed = rules === undefined ? NOT_LISTED : neverBlock(observable, rules);
  return also === undefined ? listed : [...listed, ...also.flatMap((one) => neverBlockAlso(observable, one))];
}

/** What a claim without a marking counts as. A label that spells a level only makes it stricter. */
export function unmarkedTlp(claim: Pick<Claim, 'facts' | 'tlp'>, unmarked: Tlp): Tlp {
  return claim.tlp === undefined ? (stricterTlp(unmarked, claim.facts.tlpLabel) ?? unmarked) : unmarked;
}

const unmarkedWords = ({ facts }: Claim): string =>
  `${facts.tlpLabel === undefined ? 'no TLP is stated' : 'only a label states a TLP'}, which counts`;

const NOT_LISTED: readonly Finding[] = [];
const ACCEPT: Decision = { kind: 'accept' };

const accept = (listed: readonly Finding[]): Decision =>
  listed.length === 0 ? ACCEPT : { kind: 'accept', note: listed.map((one) => one.reason).join('; ') };

const refuse = (code: IntakeCode, reason: string): Decision => ({ kind: 'refuse', code, reason });

const label = (tlp: Tlp) => `TLP:${tlp.toUpperCase()}`;
