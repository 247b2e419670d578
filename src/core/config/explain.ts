// From zod's issues to sentences: what is wrong, where, and what is allowed. Values are never repeated, since any
// of them may be a secret in the wrong place; keys and the names of types are.
import type { z } from 'zod';
import { reservedFor } from './reserved.ts';
import type { Path, Problem, Source } from './source.ts';
import { suggestion } from './suggestion.ts';

type Issue = z.core.$ZodIssue;

/** Attaches what zod knows only while it parses: the keys an object may have. */
export const issueMessages: z.core.$ZodErrorMap = (issue) => {
  if (issue.code !== 'unrecognized_keys') return undefined;
  const shape = (issue.inst as { _zod?: { def?: { shape?: object } } } | undefined)?._zod?.def?.shape;
  return shape === undefined ? undefined : Object.keys(shape).join(', ');
};

export function explain(
  issues: readonly Issue[],
  source: Source,
  types: Readonly<Record<string, readonly string[]>>,
): Problem[] {
  return issues.flatMap((issue) => explainOne(issue, [], source, types));
}

function explainOne(
  issue: Issue,
  prefix: Path,
  source: Source,
  types: Readonly<Record<string, readonly string[]>>,
): Problem[] {
  const path: Path = [...prefix, ...issue.path.filter((part) => typeof part !== 'symbol')];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey([...path, key], issue.message.split(', '), source));
  }
  const given = valueAt(source.value, path);
  if (issue.code === 'invalid_union') {
    if (path.at(-1) === 'type' && issue.discriminator === 'type') {
      return [unknownType(path, given, types[String(path[0])] ?? [], source)];
    }
    if (given === undefined) return [missing(path, 'a value', source)];
    const branch = nearest(issue.errors);
    if (branch === undefined || branch.every((one) => one.path.length === 0 && one.code === 'invalid_type')) {
      const wanted = new Set(
        (issue.errors.flat() as Issue[]).map((one) => ('expected' in one ? kind(one.expected) : 'another value')),
      );
      return [
        source.at(path, `expected ${[...wanted].join(' or ')}, got ${kindOf(given)}${quoteHint(given, [...wanted])}`),
      ];
    }
    const forms = formsWithout(given, issue.errors);
    if (forms !== undefined) return [source.at(path, `none of its keys is known; allowed: ${forms.join('; or ')}`)];
    return branch.flatMap((one) => explainOne(one, path, source, types));
  }
  if (given === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value')) {
    return [missing(path, issue.code === 'invalid_type' ? kind(issue.expected) : oneOf(issue.values), source)];
  }
  return [source.at(path, sentence(issue, given))];
}

function sentence(issue: Issue, given: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${kind(issue.expected)}, got ${kindOf(given)}${quoteHint(given, [kind(issue.expected)])}`;
    case 'invalid_value': {
      const near = typeof given === 'string' ? suggestion(given, issue.values.map(String)) : undefined;
      return `expected ${oneOf(issue.values)}${near === undefined ? '' : `; did you mean ${near}?`}`;
    }
    case 'too_small':
      return issue.origin === 'string' || issue.origin === 'array'
        ? `is empty; expected at least one ${issue.origin === 'string' ? 'character' : 'element'}`
        : `expected ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`;
    case 'too_big':
      return `expected ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}`;
    case 'invalid_format':
      return `expected ${issue.message}`;
    case 'custom':
      // Most messages name what is allowed; a check that has more to say marks its message as a whole sentence.
      return issue.params?.['sentence'] === true
        ? issue.message
        : `expected ${issue.message}${schemeHint(issue.message, given)}`;
    default:
      return issue.message;
  }
}

/** Most wrong URLs lack their beginning; the value itself is not repeated. */
function schemeHint(message: string, given: unknown): string {
  if (!message.includes('http(s) URL') || typeof given !== 'string') return '';
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(given)?.[1];
  if (scheme === undefined) return '; a scheme is missing, write https:// in front of it';
  const near = suggestion(scheme, ['https', 'http']);
  return near === undefined || near === scheme.toLowerCase() ? '' : `; did you mean ${near}://?`;
}

function missing(path: Path, expected: string, source: Source): Problem {
  return source.at(path, `is missing; expected ${expected}`);
}

function unknownKey(path: Path, allowed: readonly string[], source: Source): Problem {
  const key = String(path.at(-1));
  // A twin `password_file` reached us as `password`; the file has the longer name.
  const later = reservedFor(path);
  if (later !== undefined) return source.atKey(path, `not yet: this key comes with ${later}; leave it out`);
  const near = suggestion(key, allowed);
  return source.atKey(
    path,
    `unknown key; ${near === undefined ? '' : `did you mean ${near}? `}Allowed: ${allowed.join(', ')}`,
  );
}

function unknownType(path: Path, given: unknown, known: readonly string[], source: Source): Problem {
  if (given === undefined) return missing(path, oneOf(known), source);
  if (typeof given !== 'string') return source.at(path, `expected ${oneOf(known)}, got ${kindOf(given)}`);
  const later = reservedFor([...path, given]);
  if (later !== undefined)
    return source.at(path, `not yet: type ${given} comes with ${later}; known types: ${known.join(', ')}`);
  const near = suggestion(given, known);
  return source.at(
    path,
    `unknown type; ${near === undefined ? '' : `did you mean ${near}? `}Known types: ${known.join(', ')}`,
  );
}

/** Of several forms a value may have, the one that fits best is the one the writer meant; a slip in a key still fits. */
function nearest(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const badness = (one: Issue) => {
    if (one.code !== 'unrecognized_keys') return one.path.length === 0 ? 10 : 1;
    return one.keys.reduce((sum, key) => sum + (isNear(key, one) ? 1 : 2), 0);
  };
  const all = (issues: readonly Issue[]) => issues.reduce((sum, one) => sum + badness(one), 0);
  return [...branches].sort((a, b) => all(a) - all(b))[0];
}

type UnknownKeys = Extract<Issue, { readonly code: 'unrecognized_keys' }>;

const isNear = (key: string, { message }: UnknownKeys): boolean => suggestion(key, message.split(', ')) !== undefined;

/** The keys of every form, where what is given has none of any; undefined where it has, or nearly. */
function formsWithout(given: unknown, branches: readonly (readonly Issue[])[]): string[] | undefined {
  const count = typeof given === 'object' && given !== null ? Object.keys(given).length : 0;
  const strange = branches.map((issues) =>
    issues.find((one) => one.code === 'unrecognized_keys' && one.keys.length === count && one.path.length === 0),
  ) as (UnknownKeys | undefined)[];
  if (count === 0 || strange.some((one) => one === undefined || one.keys.some((key) => isNear(key, one))))
    return undefined;
  return strange.flatMap((one) => (one === undefined ? [] : [one.message]));
}

function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const part of path) {
    if (at === null || typeof at !== 'object') return undefined;
    at = (at as Record<string | number, unknown>)[part];
  }
  return at;
}

const kind = (expected: string): string =>
  ({
    string: 'a text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    object: 'keys with values',
    record: 'keys with values',
  })[expected] ?? expected;

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'boolean') return String(value);
  return kind(typeof value);
}

function quoteHint(given: unknown, wanted: readonly string[]): string {
  return wanted.includes('a text') && (typeof given === 'number' || typeof given === 'boolean')
    ? '; put it in quotes'
    : '';
}

const oneOf = (values: readonly unknown[]): string =>
  values.length === 1 ? String(values[0]) : `one of ${values.map(String).join(', ')}`;
