// Recursive descent over the whole pattern grammar of STIX 2.1 §9. Only parentheses recurse, and they are
// counted, so no pattern can exhaust the stack.
import type { Comparison, Literal, Observation, Operator, Path, PatternFault, Qualifier, Step } from './ast.ts';
import { PatternError, shown, tokenize, type Token } from './tokens.ts';

/** The longest real pattern met has 57,120 characters. */
export const MAX_PATTERN_LENGTH = 128 * 1024;
export const MAX_DEPTH = 64;

type Parsed = { readonly pattern: Observation } | { readonly fault: PatternFault };

export function parsePattern(text: string): Parsed {
  if (text.length > MAX_PATTERN_LENGTH) {
    return { fault: { line: 1, column: 1, message: `longer than ${MAX_PATTERN_LENGTH} characters` } };
  }
  try {
    return { pattern: new Parser(tokenize(text)).whole() };
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    const lines = text.slice(0, error.at).split('\n');
    return { fault: { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1, message: error.message } };
  }
}

const KEYWORDS = new Set(
  (
    'AND OR NOT FOLLOWEDBY LIKE MATCHES ISSUPERSET ISSUBSET EXISTS LAST IN START STOP SECONDS WITHIN REPEATS TIMES ' +
    'true false'
  ).split(' '),
);

const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ['=', '='],
  ['==', '='],
  ['!=', '!='],
  ['<>', '!='],
  ['<', '<'],
  ['<=', '<='],
  ['>', '>'],
  ['>=', '>='],
  ['LIKE', 'LIKE'],
  ['MATCHES', 'MATCHES'],
  ['ISSUBSET', 'ISSUBSET'],
  ['ISSUPERSET', 'ISSUPERSET'],
]);

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Observation {
    const pattern = this.#followed();
    if (this.#peek().kind !== 'end') throw this.#unexpected('the end of the pattern');
    return pattern;
  }

  #followed(): Observation {
    return this.#chain('FOLLOWEDBY', 'followed-by', () =>
      this.#chain<Observation, 'or'>('OR', 'or', () =>
        this.#chain<Observation, 'and'>('AND', 'and', () => this.#unit()),
      ),
    );
  }

  #unit(): Observation {
    const bracketed = this.#takes('[');
    let unit: Observation;
    if (bracketed) {
      unit = { kind: 'brackets', comparison: this.#comparison() };
      this.#expect(']');
    } else if (this.#takes('(')) {
      unit = this.#nested(() => this.#followed());
      this.#expect(')');
    } else {
      throw this.#unexpected('[ or (');
    }
    const seen = new Set<string>();
    for (;;) {
      const { at } = this.#peek();
      const qualifier = this.#qualifier();
      if (qualifier === undefined) return unit;
      // §9.5 forbids the same qualifier twice on one observation. The OASIS validator enforces that on brackets
      // only and has a doubled one on parentheses among its valid cases; both readings are kept here.
      if (bracketed && seen.has(qualifier.kind)) throw new PatternError(at, 'the same qualifier stands here twice');
      seen.add(qualifier.kind);
      unit = { kind: 'qualified', of: unit, qualifier };
    }
  }

  #qualifier(): Qualifier | undefined {
    if (this.#takes('START')) {
      const start = this.#literalOf('timestamp');
      this.#expect('STOP');
      return { kind: 'start-stop', start, stop: this.#literalOf('timestamp') };
    }
    if (this.#takes('WITHIN')) {
      const seconds = this.#positive(['int', 'float']);
      this.#expect('SECONDS');
      return { kind: 'within', seconds };
    }
    if (this.#takes('REPEATS')) {
      const times = this.#positive(['int']);
      this.#expect('TIMES');
      return { kind: 'repeats', times };
    }
    return undefined;
  }

  #comparison(): Comparison {
    return this.#chain<Comparison, 'or'>('OR', 'or', () =>
      this.#chain<Comparison, 'and'>('AND', 'and', () => this.#test()),
    );
  }

  #test(): Comparison {
    if (this.#takes('(')) {
      const inner = this.#nested(() => this.#comparison());
      this.#expect(')');
      return inner;
    }
    if (this.#takes('NOT')) {
      this.#expect('EXISTS');
      return { kind: 'exists', path: this.#path(), negated: true };
    }
    if (this.#takes('EXISTS')) return { kind: 'exists', path: this.#path(), negated: false };

    const path = this.#path();
    const negated = this.#takes('NOT');
    if (this.#takes('IN')) return { kind: 'in', path, negated, values: this.#set() };
    const token = this.#peek();
    const operator = token.kind === 'sign' || token.kind === 'word' ? OPERATORS.get(token.text) : undefined;
    if (operator === undefined) throw this.#unexpected('a comparison operator');
    this.#next++;
    return { kind: 'compare', path, negated, operator, value: this.#operand(operator) };
  }

  #operand(operator: Operator): Literal {
    const { at } = this.#peek();
    const value = this.#literal();
    const wantsString = /^[A-Z]/.test(operator);
    if (wantsString && value.kind !== 'string') throw new PatternError(at, `${operator} takes a string`);
    if (/^[<>]/.test(operator) && value.kind === 'boolean')
      throw new PatternError(at, `${operator} takes no truth value`);
    return value;
  }

  #set(): Literal[] {
    this.#expect('(');
    const values: Literal[] = [];
    if (this.#takes(')')) return values;
    do values.push(this.#literal());
    while (this.#takes(','));
    this.#expect(')');
    return values;
  }

  #path(): Path {
    const type = this.#peek();
    if (type.kind !== 'word' || KEYWORDS.has(type.text)) throw this.#unexpected('an object type');
    this.#next++;
    this.#expect(':');
    const steps: Step[] = [this.#key()];
    for (;;) {
      if (this.#takes('.')) {
        steps.push(this.#key());
      } else if (this.#takes('[')) {
        const index = this.#peek();
        if (index.kind !== 'int' && index.text !== '*') throw this.#unexpected('an index or *');
        this.#next++;
        this.#expect(']');
        steps.push({ kind: 'index', at: index.text });
      } else {
        return { objectType: type.text, steps };
      }
    }
  }

  #key(): Step {
    const token = this.#peek();
    const bare = token.kind === 'word' && !token.text.includes('-') && !KEYWORDS.has(token.text);
    if (!bare && token.kind !== 'string') throw this.#unexpected('a property name');
    this.#next++;
    return { kind: 'key', name: token.text };
  }

  #literal(): Literal {
    const token = this.#peek();
    this.#next++;
    switch (token.kind) {
      case 'string':
        return { kind: 'string', value: token.text };
      case 'int':
      case 'float':
      case 'hex':
      case 'binary':
      case 'timestamp':
        return { kind: token.kind, text: token.text };
      case 'word':
        if (token.text === 'true' || token.text === 'false') return { kind: 'boolean', value: token.text === 'true' };
        break;
      case 'sign':
      case 'end':
        break;
    }
    this.#next--;
    throw this.#unexpected('a literal');
  }

  #literalOf(kind: 'timestamp'): string {
    const token = this.#peek();
    if (token.kind !== kind) throw this.#unexpected(`a ${kind}`);
    this.#next++;
    return token.text;
  }

  #positive(kinds: readonly Token['kind'][]): string {
    const token = this.#peek();
    if (!kinds.includes(token.kind) || token.text.startsWith('-')) throw this.#unexpected('a positive number');
    this.#next++;
    return token.text;
  }

  /** One or more of `item` joined by `keyword`; a single one stands for itself. */
  #chain<T, K extends string>(keyword: string, kind: K, item: () => T): T | { kind: K; terms: T[] } {
    const first = item();
    if (!this.#is(keyword)) return first;
    const terms = [first];
    while (this.#takes(keyword)) terms.push(item());
    return { kind, terms };
  }

  #nested<T>(inner: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw new PatternError(this.#peek().at, `nested deeper than ${MAX_DEPTH}`);
    const result = inner();
    this.#depth--;
    return result;
  }

  #peek(): Token {
    // The last token is 'end' and nothing steps over it, so there is always a next one.
    return this.#tokens[this.#next]!;
  }

  #is(text: string): boolean {
    const token = this.#peek();
    return (token.kind === 'sign' || token.kind === 'word') && token.text === text;
  }

  #takes(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#next++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#takes(text)) throw this.#unexpected(text);
  }

  #unexpected(wanted: string): PatternError {
    const token = this.#peek();
    const found = token.kind === 'end' ? 'the pattern ends' : `there is ${shown(token.text.slice(0, 40))}`;
    return new PatternError(token.at, `expected ${wanted}, but ${found}`);
  }
}
