// URLs that a partner states without a scheme (`evil.example/a.php`). Logs have a scheme before them, so that such a text
// matches nothing; where the partner is trusted to mean both, it stands for the http and the https spelling, and for nothing
// wider (policy.bare_urls: both_schemes). What an indicator is read as without that is taken up again from what was kept of it.
import { canonical } from '../model/canonical.ts';
import { digest48 } from '../model/digest.ts';
import type { IncomingIndicator, IndicatorFacts } from '../model/entry.ts';
import type { Observable } from '../model/observable.ts';
import type { Comparison, Literal, Observation, Path, Test } from './pattern/ast.ts';
import { parsePattern } from './pattern/parse.ts';
import { reduce, type Reduction } from './pattern/reduce.ts';

export const BARE_URL = 'URL without scheme and host';

/** The same, or, where bare URLs kept something of it out, with both spellings of each. */
export function spelledOut(incoming: IncomingIndicator): IncomingIndicator {
  const { refusal, revoked, facts: kept } = incoming;
  if (refusal === undefined || revoked || (refusal !== BARE_URL && !kept.includes(BARE_URL))) return incoming;
  const facts = JSON.parse(kept) as IndicatorFacts;
  // What was cut may have said more.
  if (facts.pattern === undefined || facts.pattern.length >= MOST_KEPT) return incoming;
  const read = readAnew(facts.pattern, incoming);
  if (read === undefined) return incoming;
  const { detail: _detail, pattern: _pattern, ...plain } = facts;
  const told: IndicatorFacts = {
    ...(read.reason === undefined ? plain : { ...plain, pattern: facts.pattern }),
    ...(read.reason === undefined || read.detail === undefined || read.detail === read.reason
      ? {}
      : { detail: read.detail }),
    bare: true,
  };
  const { refusal: _refusal, named, ...rest } = incoming;
  const indicator = {
    ...rest,
    observables: read.observables,
    ...(read.reason === undefined ? {} : { refusal: read.reason, ...(named === undefined ? {} : { named }) }),
    facts: '',
    digest: 0,
  };
  const text = JSON.stringify(told);
  return { ...indicator, facts: text, digest: digest48(JSON.stringify(indicator) + text) };
}

/** As much of a pattern as is kept (objects.ts, misp/attribute.ts). */
const MOST_KEPT = 1024;

function readAnew(kept: string, { refusal, observables }: IncomingIndicator): Reduction | undefined {
  // A MISP attribute is kept as its type and value.
  const attribute = /^(?:url|uri|link) = (.*)$/.exec(kept);
  if (attribute !== null) {
    const both = bothSchemes(attribute[1]!);
    return both === undefined || observables.length > 0
      ? undefined
      : { verdict: 'exact', observables: both.map((value): Observable => ({ type: 'url', value })) };
  }
  const parsed = parsePattern(kept);
  if ('fault' in parsed) return undefined;
  // What is kept is cleaned for people. Only where it still says what was read may it be read once more.
  const before = reduce(parsed.pattern);
  if (before.reason !== refusal || JSON.stringify(before.observables) !== JSON.stringify(observables)) return undefined;
  const after = reduce(spelled(parsed.pattern));
  return after.observables.length > observables.length ? after : undefined;
}

/** Both spellings, in their canonical forms. Undefined for what has a scheme, or is no host with a path. */
function bothSchemes(text: string): readonly [string, string] | undefined {
  // `host:8080/a` has none; `mailto:a` has one. A user before the host would be one that nobody stated.
  if (/^[a-z][a-z0-9+.-]*:(?!\d+(?:[/?#]|$))/i.test(text) || /^[^/?#]*@/.test(text)) return undefined;
  const [http, https] = ['http', 'https'].map((scheme) => canonical('url', `${scheme}://${text}`));
  return http !== undefined && https !== undefined && 'value' in http && 'value' in https
    ? [http.value, https.value]
    : undefined;
}

function spelled(node: Observation): Observation {
  switch (node.kind) {
    case 'brackets':
      return { ...node, comparison: inComparison(node.comparison) };
    case 'qualified':
      return { ...node, of: spelled(node.of) };
    default:
      return { ...node, terms: node.terms.map(spelled) };
  }
}

function inComparison(node: Comparison): Comparison {
  return 'terms' in node ? { ...node, terms: node.terms.map(inComparison) } : inTest(node);
}

function inTest(test: Test): Test {
  if (test.kind === 'exists' || test.negated || !isUrl(test.path)) return test;
  if (test.kind === 'compare' && test.operator !== '=') return test;
  const values = test.kind === 'in' ? test.values : [test.value];
  const both = values.flatMap(bothOf);
  return both.length === values.length ? test : { kind: 'in', path: test.path, negated: false, values: both };
}

const isUrl = ({ objectType, steps }: Path): boolean =>
  objectType === 'url' && steps.length === 1 && steps[0]?.kind === 'key' && steps[0].name === 'value';

function bothOf(literal: Literal): readonly Literal[] {
  if (literal.kind !== 'string' || !('refused' in canonical('url', literal.value))) return [literal];
  return bothSchemes(literal.value)?.map((value) => ({ kind: 'string', value })) ?? [literal];
}
