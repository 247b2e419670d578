// From a pattern to watchlist values. `exact`: a hit on one of the values is a hit of the pattern and the other way
// round. `partial`: the values are sound, but the pattern also means things that no watchlist can hold.
// `irreducible`: no value stands for the pattern. Nothing is ever widened: a hash AND a file name does not become
// the hash alone. Reasons are constant texts, because they are counted.
import { canonical } from '../../model/canonical.ts';
import type { Observable } from '../../model/observable.ts';
import { showingHidden } from '../../model/text.ts';
import type { Comparison, Literal, Observation, Path, Test } from './ast.ts';
import { watchedPath, type Watched } from './paths.ts';

export interface Reduction {
  readonly verdict: 'exact' | 'partial' | 'irreducible';
  /** Without repeats. Empty when irreducible. */
  readonly observables: readonly Observable[];
  /** Why the verdict is not exact: the first thing that stood in the way. Constant, fit to be counted. */
  readonly reason?: string;
  /** The particular case: where a pattern breaks off, or what was left out of it. */
  readonly detail?: string;
}

export function reduce(pattern: Observation): Reduction {
  return ofObservation(pattern);
}

/** The reduction of one test of `=` on a watched path. */
export function ofValue(watched: Watched, text: string): Reduction {
  if (watched === 'address') {
    const type = text.includes(':') ? 'ipv6-addr' : 'ipv4-addr';
    const value = canonical(type, text);
    return 'value' in value
      ? exact({ type, value: value.value })
      : irreducible('reference to something other than an address');
  }
  const value = canonical(watched, text);
  return 'value' in value
    ? exact({ type: watched, value: value.value })
    : irreducible(value.refused, `${value.refused}: ${watched} '${showingHidden(text.slice(0, MOST_VALUE))}'`);
}

/** So much of a value that was refused is named. */
const MOST_VALUE = 128;

export const irreducible = (reason: string, detail?: string): Reduction => ({
  verdict: 'irreducible',
  observables: [],
  reason,
  ...(detail === undefined ? {} : { detail }),
});

const exact = (observable: Observable): Reduction => ({ verdict: 'exact', observables: [observable] });

function ofObservation(node: Observation): Reduction {
  switch (node.kind) {
    case 'brackets':
      return ofComparison(node.comparison);
    case 'or':
      return union(node.terms.map(ofObservation));
    case 'and':
      return irreducible('AND of observations');
    case 'followed-by':
      return irreducible('FOLLOWEDBY');
    case 'qualified':
      switch (node.qualifier.kind) {
        case 'start-stop':
          return irreducible('START/STOP qualifier');
        case 'within':
          return irreducible('WITHIN qualifier');
        case 'repeats':
          return /^\+?1$/.test(node.qualifier.times) ? ofObservation(node.of) : irreducible('REPEATS qualifier');
      }
  }
}

function ofComparison(node: Comparison): Reduction {
  switch (node.kind) {
    case 'or':
      return union(node.terms.map(ofComparison));
    case 'and':
      return ofAnd(node.terms);
    case 'in':
    case 'compare':
    case 'exists':
      return ofTest(node, watchedPath(node.path));
  }
}

/** How many different things that were left out are named. */
const MOST_DETAILS = 8;

/** An OR means everything its arms mean; what no list holds is left out and said. */
function union(arms: readonly Reduction[]): Reduction {
  const observables = new Map<string, Observable>();
  let reason: string | undefined;
  const details = new Set<string>();
  for (const arm of arms) {
    for (const observable of arm.observables) observables.set(`${observable.type}|${observable.value}`, observable);
    reason ??= arm.reason;
    if (arm.reason !== undefined && details.size < MOST_DETAILS) details.add(arm.detail ?? arm.reason);
  }
  const found = [...observables.values()];
  if (reason === undefined) return { verdict: 'exact', observables: found };
  const detail = [...details].join('; ');
  return found.length > 0 ? { verdict: 'partial', observables: found, reason, detail } : irreducible(reason, detail);
}

function ofTest(test: Test, watched: Watched | { readonly unsupported: string }): Reduction {
  if (test.kind === 'exists') return irreducible('EXISTS');
  if (test.negated) return irreducible('NOT');
  if (typeof watched === 'object') return irreducible(watched.unsupported, namingPath(watched.unsupported, test.path));
  if (test.kind === 'in') {
    return test.values.length === 0
      ? irreducible('empty IN')
      : union(test.values.map((value) => ofLiteral(watched, value)));
  }
  switch (test.operator) {
    case '=':
      return ofLiteral(watched, test.value);
    case 'LIKE':
      return test.value.kind === 'string' && /[%_]/.test(test.value.value)
        ? irreducible('LIKE with wildcards')
        : ofLiteral(watched, test.value);
    case 'ISSUBSET':
      return watched === 'address' || watched === 'ipv4-addr' || watched === 'ipv6-addr'
        ? ofLiteral(watched, test.value)
        : irreducible('ISSUBSET of something other than addresses');
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
    case 'MATCHES':
    case 'ISSUPERSET':
      return irreducible(`operator ${test.operator}`);
  }
}

const MOST_PATH = 80;

/** As the partner wrote it, more or less, cut to length. */
function pathText({ objectType, steps }: Path): string {
  const names = steps.map((step) => (step.kind === 'key' ? `.${step.name}` : `[${step.at}]`)).join('');
  return showingHidden(`${objectType}:${names.slice(1)}`.slice(0, MOST_PATH));
}

const namingPath = (reason: string, path: Path): string =>
  reason.startsWith('unsupported:') ? reason : `${reason}: ${pathText(path)}`;

function ofLiteral(watched: Watched, literal: Literal): Reduction {
  return literal.kind === 'string' ? ofValue(watched, literal.value) : irreducible('value is not a string');
}

/**
 * The one AND that is exact is MISP's type guard: `r.type = 'ipv4-addr' AND r.value = 'v'` over one reference r
 * says no more than that the object behind r is the address v.
 */
function ofAnd(terms: readonly Comparison[]): Reduction {
  const guarded = typeGuard(terms);
  if (guarded !== undefined) return guarded;
  return irreducible(commonTypes(terms).length === 0 ? 'AND over different object types' : 'AND of tests');
}

function typeGuard(terms: readonly Comparison[]): Reduction | undefined {
  const [a, b] = terms;
  if (a === undefined || b === undefined || terms.length !== 2) return undefined;
  const [guard, test] = guardedType(a) === undefined ? [b, a] : [a, b];
  const type = guardedType(guard);
  if (type === undefined || guard.kind !== 'compare' || (test.kind !== 'compare' && test.kind !== 'in'))
    return undefined;
  const steps = test.path.steps;
  if (steps.length !== 2 || !isKey(steps[1], 'value') || steps[0]?.kind !== 'key') return undefined;
  if (test.path.objectType !== guard.path.objectType || !isKey(guard.path.steps[0], steps[0].name)) return undefined;
  if (!isReference(guard.path.objectType, steps[0].name)) return irreducible('unsupported object path');
  return ofTest(test, watchedPath({ objectType: type, steps: [{ kind: 'key', name: 'value' }] }));
}

/** The type that `T:x_ref.type = 'type'` demands. */
function guardedType(node: Comparison): string | undefined {
  if (node.kind !== 'compare' || node.operator !== '=' || node.negated || node.value.kind !== 'string')
    return undefined;
  return node.path.steps.length === 2 && isKey(node.path.steps[1], 'type') ? node.value.value : undefined;
}

const isKey = (step: Path['steps'][number] | undefined, name: string) => step?.kind === 'key' && step.name === name;

function isReference(objectType: string, name: string): boolean {
  if (objectType === 'network-traffic') return name === 'src_ref' || name === 'dst_ref';
  return objectType === 'email-message' && (name === 'from_ref' || name === 'sender_ref');
}

/** Which types an object may have to pass: a test names one, an OR allows any, an AND only what all its terms allow. */
function rootTypes(node: Comparison): readonly string[] {
  switch (node.kind) {
    case 'or':
      return node.terms.flatMap(rootTypes);
    case 'and':
      return commonTypes(node.terms);
    case 'in':
    case 'compare':
    case 'exists':
      return [node.path.objectType];
  }
}

function commonTypes(terms: readonly Comparison[]): readonly string[] {
  return terms.map(rootTypes).reduce((left, right) => {
    const allowed = new Set(right);
    return left.filter((type) => allowed.has(type));
  });
}
