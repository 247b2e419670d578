// May this SIEM hold what this claim says? Judged per claim and SIEM, before claims are merged, so that a claim
// which a SIEM may not hold lends it nothing: no value, no id, no expiry, no confidence.
import type { Claim } from '../model/entry.ts';
import type { Observable } from '../model/observable.ts';
import { type Configured, type Finding, neverBlock, neverBlockAlso, type NeverBlockRules } from './never-block.ts';
import { stricterTlp, tlpRank, type Tlp } from '../model/marking.ts';

export interface IntakeRules {
  readonly siem: string;
  /** The strictest TLP that this SIEM may hold. AMBER+STRICT is above AMBER. */
  readonly clearance: Tlp;
  readonly hosting?: 'on_premises' | 'cloud';
  /** How a claim without TLP counts. */
  readonly unmarked: Tlp | 'refuse';
  /** 0 to 100; lower ones are refused. */
  readonly minConfidence: number;
  /** What becomes of a claim that states no confidence. */
  readonly unknownConfidence: 'accept' | 'hold' | 'refuse';
  /** Left out: nothing is on a list. */
  readonly neverBlock?: NeverBlockRules;
  /** What this exchange and this SIEM add to it. */
  readonly neverBlockAlso?: readonly Configured[];
}

export type IntakeCode =
  | 'benign'
  | 'marking_unexplained'
  | 'unmarked'
  | 'tlp_above_clearance'
  | 'pap_red_on_cloud'
  | 'confidence_too_low'
  | 'confidence_unknown'
  | `never_block_${string}`;

export type Decision =
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

  // It may say less than the clearance or more: raising that would be no answer.
  if (claim.unexplained !== undefined) return refuse('marking_unexplained', `refers to ${claim.unexplained}`);

  const tlp = claim.tlp ?? (rules.unmarked === 'refuse' ? 'refuse' : unmarkedTlp(claim, rules.unmarked));
  if (tlp === 'refuse') return refuse('unmarked', 'no TLP is stated, and unmarked objects are refused');
  if (tlpRank(tlp) > tlpRank(rules.clearance)) {
    const level = claim.tlp === undefined ? `${unmarkedWords(claim)} as ${label(tlp)} and` : label(tlp);
    return refuse('tlp_above_clearance', `${level} is above this SIEM's clearance ${label(rules.clearance)}`);
  }
  // A value written into a service of somebody else is shown to a third party, which PAP:RED rules out.
  if (claim.pap === 'red' && rules.hosting === 'cloud') {
    return refuse('pap_red_on_cloud', 'PAP:RED may not be written into a SIEM hosted in a cloud');
  }
  if (claim.confidence === undefined) {
    if (rules.unknownConfidence === 'accept') return accept(listed);
    return { kind: rules.unknownConfidence, code: 'confidence_unknown', reason: 'no confidence is stated' };
  }
  if (claim.confidence < rules.minConfidence) {
    return refuse('confidence_too_low', `confidence ${claim.confidence} is below ${rules.minConfidence}`);
  }
  return accept(listed);
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
