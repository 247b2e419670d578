// May this sighting leave for this partner? First matching rule wins, and nothing leaves unless one allows it. The
// marking of the sighted object decides, the strictest of its levels; what it lacks counts as the strictest there is.
import type { Pap, Tlp } from '../model/marking.ts';
import { family } from '../model/observable.ts';
import type { ReleaseFacts } from '../model/sighting.ts';
import { UNREADABLE_MARKING } from '../stix/markings.ts';

export interface ReleaseRule {
  /** Name of an exchange, or * for any. */
  readonly to: string;
  /** Exchanges the object may come from; left out: only `to` itself, since a partner may not learn what another sent. */
  readonly from?: readonly string[];
  readonly tlp?: readonly Tlp[];
  readonly pap?: readonly Pap[];
  /** Statements (terms of use) that the object may carry. */
  readonly statements?: readonly string[];
  /** Observable types, or their family (`file`); every type of the object must be among them. */
  readonly types?: readonly string[];
  readonly minCount?: number;
  /** Counted from the last hit. */
  readonly maxAgeDays?: number;
  /** Covers false-positive verdicts too; otherwise only what was seen. */
  readonly falsePositives?: boolean;
  readonly delayMinutes?: number;
  readonly jitterMinutes?: number;
  readonly action: 'share' | 'hold' | 'deny';
}

export interface ReleaseDecision {
  readonly action: 'share' | 'hold' | 'deny';
  /** Place of the rule that decided, from 1; absent when none did. */
  readonly rule?: number;
  readonly reason: string;
  readonly delayMinutes?: number;
  readonly jitterMinutes?: number;
}

export function release(
  facts: ReleaseFacts,
  rules: readonly ReleaseRule[],
  minCount: number,
  now: number,
): ReleaseDecision {
  for (const [at, rule] of rules.entries()) {
    let match: boolean;
    try {
      match = covers(rule, facts, minCount, now);
    } catch {
      // A rule that can't be judged might have been the one that forbids.
      return { action: 'deny', rule: at + 1, reason: `rule ${at + 1} could not be evaluated` };
    }
    if (!match) continue;
    const what = `rule ${at + 1} ${rule.action === 'share' ? 'shares' : rule.action === 'hold' ? 'holds' : 'denies'}`;
    return {
      action: rule.action,
      rule: at + 1,
      reason: `${what} ${describe(facts)}`,
      ...(rule.delayMinutes === undefined ? {} : { delayMinutes: rule.delayMinutes }),
      ...(rule.jitterMinutes === undefined ? {} : { jitterMinutes: rule.jitterMinutes }),
    };
  }
  return { action: 'deny', reason: `no rule allows ${describe(facts)}` };
}

function covers(rule: ReleaseRule, facts: ReleaseFacts, minCount: number, now: number): boolean {
  if (rule.to !== '*' && rule.to !== facts.to) return false;
  // A denial is as wide as it can be read, a permission as narrow.
  const denies = rule.action === 'deny';
  if (rule.from === undefined ? !denies && facts.from !== facts.to : !rule.from.includes(facts.from)) return false;
  if (rule.tlp !== undefined && !rule.tlp.includes(facts.tlp ?? 'red')) return false;
  if (rule.pap !== undefined && !rule.pap.includes(facts.pap ?? 'red')) return false;
  if (rule.statements !== undefined && !among(facts.statements, rule.statements, denies)) return false;
  if (rule.types !== undefined && !typesMatch(facts, rule.types, denies)) return false;
  if (facts.kind !== 'seen' && !denies && rule.falsePositives !== true) return false;
  if (facts.kind === 'seen' && !denies && facts.count < (rule.minCount ?? minCount)) return false;
  if (denies && rule.minCount !== undefined && facts.count < rule.minCount) return false;
  return rule.maxAgeDays === undefined || now - facts.last <= rule.maxAgeDays * DAY_MS;
}

const DAY_MS = 86_400_000;

function typesMatch(facts: ReleaseFacts, types: readonly string[], denies: boolean): boolean {
  const known = (type: ReleaseFacts['types'][number]) => types.includes(type) || types.includes(family(type));
  if (facts.types.length === 0) return denies;
  return denies ? facts.types.some(known) : facts.types.every(known);
}

/** A permission must name every statement of the object, a denial any. A marking that nothing explains may say it. */
function among(found: readonly string[], named: readonly string[], denies: boolean): boolean {
  if (denies) return found.some((one) => named.includes(one) || isUnexplained(one));
  return found.every((one) => named.includes(one));
}

const isUnexplained = (statement: string) =>
  statement === UNREADABLE_MARKING || statement.startsWith('marking-definition--');

function describe(facts: ReleaseFacts): string {
  const kind = facts.kind === 'seen' ? `a sighting, count ${facts.count}` : `a verdict (${facts.kind})`;
  const level = facts.tlp === undefined ? 'unmarked, which counts as TLP:RED' : `TLP:${facts.tlp.toUpperCase()}`;
  const pap = facts.pap === undefined ? '' : `, PAP:${facts.pap.toUpperCase()}`;
  return `${kind}, of an object from ${facts.from} to ${facts.to} (${level}${pap}${terms(facts.statements)})`;
}

const MOST_TERMS = 3;
const MOST_LETTERS = 80;

function terms(statements: readonly string[]): string {
  if (statements.length === 0) return '';
  const few = statements
    .slice(0, MOST_TERMS)
    .map((one) => `"${one.length > MOST_LETTERS ? `${one.slice(0, MOST_LETTERS)}…` : one}"`);
  const more = statements.length > MOST_TERMS ? ` and ${statements.length - MOST_TERMS} more` : '';
  return `, under ${few.join(', ')}${more}`;
}
