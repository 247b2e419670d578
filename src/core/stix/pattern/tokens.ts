// Text of a pattern to tokens, after the OASIS grammar (STIXPattern.g4): comments and Unicode white space are
// allowed between tokens, strings know exactly two escapes, numbers have no leading zeros.
import { showingHidden } from '../../model/text.ts';

type TokenKind = 'word' | 'string' | 'int' | 'float' | 'hex' | 'binary' | 'timestamp' | 'sign' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** As written; for strings and prefixed literals the content between the quotes, escapes undone. */
  readonly text: string;
  readonly at: number;
}

/** Leaves the tokenizer or parser; parsePattern turns it into a fault with line and column. */
export class PatternError extends Error {
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const blank = match(BLANK, text, at);
    if (blank !== undefined) {
      at += blank.length;
      continue;
    }
    const token = next(text, at);
    tokens.push(token.token);
    at = token.end;
  }
  tokens.push({ kind: 'end', text: '', at });
  return tokens;
}

const BLANK =
  /(?:[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]|\/\/[^\r\n]*|\/\*[^*]*\*+(?:[^/*][^*]*\*+)*\/)+/y;
const WORD = /[A-Za-z_][A-Za-z0-9_-]*/y;
const NUMBER = /[+-]?(?:\d*\.\d+|\d+)/y;
const SIGN = /==|!=|<>|<=|>=|[=<>[\](),:.*]/y;
const QUOTED = /'(?:[^'\\]|\\['\\])*'/y;
const TIMESTAMP =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?Z$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)$/;

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function next(text: string, at: number): { token: Token; end: number } {
  const letter = text[at];
  if (letter === "'") {
    const quoted = readQuoted(text, at);
    // One pass: '\\'' is a backslash and a closing quote, never an escaped quote.
    return {
      token: { kind: 'string', text: quoted.slice(1, -1).replace(/\\(['\\])/g, '$1'), at },
      end: at + quoted.length,
    };
  }
  if (text[at + 1] === "'" && (letter === 'h' || letter === 'b' || letter === 't')) {
    const quoted = readQuoted(text, at + 1);
    return { token: prefixed(letter, quoted.slice(1, -1), at), end: at + 1 + quoted.length };
  }
  const word = match(WORD, text, at);
  if (word !== undefined) return { token: { kind: 'word', text: word, at }, end: at + word.length };
  const number = match(NUMBER, text, at);
  if (number !== undefined) {
    const kind = number.includes('.') ? 'float' : 'int';
    if (kind === 'int' && /^[+-]?0\d/.test(number)) throw new PatternError(at, 'an integer has no leading zeros');
    return { token: { kind, text: number, at }, end: at + number.length };
  }
  const sign = match(SIGN, text, at);
  if (sign !== undefined) return { token: { kind: 'sign', text: sign, at }, end: at + sign.length };
  throw new PatternError(at, `unexpected character ${shown(String.fromCodePoint(text.codePointAt(at) ?? 0))}`);
}

/** For people, between quotation marks; what is not seen is spelled out. */
export const shown = (text: string): string => showingHidden(JSON.stringify(text));

function readQuoted(text: string, at: number): string {
  const quoted = match(QUOTED, text, at);
  if (quoted !== undefined) return quoted;
  // Find what stopped it, because "unterminated" would send the reader to the wrong end of the pattern.
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] !== '\\') continue;
    if (text[i + 1] !== "'" && text[i + 1] !== '\\') throw new PatternError(i, "only \\' and \\\\ are escapes");
    i++;
  }
  throw new PatternError(at, 'this quote is never closed');
}

function prefixed(letter: 'h' | 'b' | 't', content: string, at: number): Token {
  if (letter === 'h') {
    if (!/^(?:[0-9a-fA-F]{2})*$/.test(content)) throw new PatternError(at, "h'' holds pairs of hex digits");
    return { kind: 'hex', text: content, at };
  }
  if (letter === 'b') {
    if (!BASE64.test(content)) throw new PatternError(at, "b'' holds padded base64, not empty");
    return { kind: 'binary', text: content, at };
  }
  if (!TIMESTAMP.test(content)) throw new PatternError(at, "t'' holds a UTC timestamp such as 2026-01-05T10:00:00Z");
  return { kind: 'timestamp', text: content, at };
}
