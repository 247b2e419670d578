// A pattern's reduction, by the short way where there is one. 99.5 % of real patterns are one `=` or MISP's type
// guard; for those a regular expression says the same as tokenizer, parser and reduction, at a tenth of the cost.
// read.test.ts holds the two ways together.
import { MAX_PATTERN_LENGTH, parsePattern } from './parse.ts';
import { hashType } from './paths.ts';
import { irreducible, ofValue, reduce, type Reduction } from './reduce.ts';
import type { ObservableType } from '../../model/observable.ts';

const BROKEN_PATTERN = 'not a valid STIX pattern';
const LONG_PATTERN = 'pattern too long';

export function readPattern(text: string): Reduction {
  if (text.length > MAX_PATTERN_LENGTH) return irreducible(LONG_PATTERN);
  return readByShape(text) ?? readByGrammar(text);
}

/** Undefined when the pattern has another shape, which says nothing about it. */
export function readByShape(text: string): Reduction | undefined {
  const single = SINGLE.exec(text);
  if (single !== null) {
    const type = single[1] === undefined ? hashType(single[2] ?? single[3]!) : VALUES.get(single[1]);
    return type === undefined ? undefined : ofValue(type, single[4]!);
  }
  const guarded = GUARDED.exec(text);
  if (guarded !== null) return ofValue(VALUES.get(guarded[2]!)!, guarded[3]!);
  return undefined;
}

export function readByGrammar(text: string): Reduction {
  const parsed = parsePattern(text);
  if (!('fault' in parsed)) return reduce(parsed.pattern);
  const { line, column, message } = parsed.fault;
  return irreducible(BROKEN_PATTERN, `line ${line}, column ${column}: ${message}`);
}

const SINGLE =
  /^ *\[ *(?:(ipv4-addr|ipv6-addr|domain-name|url|email-addr):value|file:hashes\.(?:'([A-Za-z0-9-]+)'|([A-Za-z][A-Za-z0-9]*))) *= *'([^'\\]*)' *\] *$/;
const GUARDED =
  /^ *\[ *network-traffic:(src_ref|dst_ref)\.type *= *'(ipv4-addr|ipv6-addr|domain-name)' +AND +network-traffic:\1\.value *= *'([^'\\]*)' *\] *$/;

const VALUES: ReadonlyMap<string, ObservableType> = new Map(
  (['ipv4-addr', 'ipv6-addr', 'domain-name', 'url', 'email-addr'] as const).map((type) => [type, type]),
);
