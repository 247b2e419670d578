// Regular expressions of never-block lists, matched in time that grows with the length of pattern times text and no
// faster: lists come from elsewhere, values from partners, and a pattern that backtracks could be made to hold the
// store for hours. So they are read here and walked state by state (Thompson's way); what cannot be walked so (a look
// around, a reference back) is refused with a reason.

/** Longest program; counted repeats are written out. */
const MOST_STEPS = 2000;
const MOST_REPEATS = 500;

export class LinearPattern {
  readonly #program: readonly Step[];
  readonly #folds: boolean;
  /** States of the running and the next position, each once: `seen` holds the position at which a state was added. */
  #now: number[] = [];
  #next: number[] = [];
  readonly #seen: Int32Array;

  private constructor(program: readonly Step[], folds: boolean) {
    this.#program = program;
    this.#folds = folds;
    this.#seen = new Int32Array(program.length);
  }

  /** As MISP writes them, with delimiters and flags (`/…/i`), or the bare expression. */
  static read(text: string): LinearPattern | { readonly refused: string } {
    const [, , inner, flags] = /^([/#~!%@])(.*)\1([a-zA-Z]*)$/s.exec(text) ?? [];
    const source = inner ?? text;
    const folds = flags?.includes('i') === true;
    if (flags !== undefined && /[^iuDU]/.test(flags)) return { refused: `flags ${flags} are not understood` };
    try {
      const program = new Writer(folds).write(new Parser(source).read());
      const pattern = new LinearPattern(program, folds);
      return pattern.test('') ? { refused: 'it matches everything' } : pattern;
    } catch (error) {
      if (error instanceof NotLinear) return { refused: error.message };
      throw error;
    }
  }

  get steps(): number {
    return this.#program.length;
  }

  /** Whether it matches anywhere in the text. */
  test(given: string): boolean {
    const text = this.#folds ? given.toLowerCase() : given;
    this.#seen.fill(-1);
    this.#now.length = 0;
    for (let at = 0; at <= text.length; at++) {
      if (this.#add(this.#now, 0, at, text)) return true;
      if (at === text.length) return false;
      const code = text.charCodeAt(at);
      this.#next.length = 0;
      for (const state of this.#now) {
        const step = this.#program[state]!;
        if (step.kind === 'set' && has(step.set, code) && this.#add(this.#next, state + 1, at + 1, text)) return true;
      }
      [this.#now, this.#next] = [this.#next, this.#now];
    }
    return false;
  }

  /** Adds a state and all that follow it without reading. True when one of them is the end. */
  #add(to: number[], start: number, at: number, text: string): boolean {
    const waiting = [start];
    for (let state = waiting.pop(); state !== undefined; state = waiting.pop()) {
      if (this.#seen[state] === at) continue;
      this.#seen[state] = at;
      const step = this.#program[state]!;
      if (step.kind === 'match') return true;
      if (step.kind === 'set') to.push(state);
      else if (step.kind === 'fork') waiting.push(step.other, step.one);
      else if (holds(step.place, text, at)) waiting.push(state + 1);
    }
    return false;
  }
}

/** Ranges of code units, from and to in turn. */
interface CodeSet {
  readonly ranges: readonly number[];
  readonly negated: boolean;
}

type Step =
  | { readonly kind: 'set'; readonly set: CodeSet }
  | { readonly kind: 'fork'; one: number; other: number }
  | { readonly kind: 'place'; readonly place: Place }
  | { readonly kind: 'match' };

type Place = '^' | '$' | 'b' | 'B';

type Node =
  | { readonly kind: 'set'; readonly set: CodeSet }
  | { readonly kind: 'place'; readonly place: Place }
  | { readonly kind: 'row'; readonly of: readonly Node[] }
  | { readonly kind: 'choice'; readonly of: readonly Node[] }
  | { readonly kind: 'repeat'; readonly of: Node; readonly least: number; readonly most: number };

class NotLinear extends Error {}

function has({ ranges, negated }: CodeSet, code: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) if (code >= ranges[i]! && code <= ranges[i + 1]!) return !negated;
  return negated;
}

function holds(place: Place, text: string, at: number): boolean {
  if (place === '^') return at === 0;
  if (place === '$') return at === text.length;
  const isWord = (i: number) => i >= 0 && i < text.length && has(WORD, text.charCodeAt(i));
  return (isWord(at - 1) !== isWord(at)) === (place === 'b');
}

const codes = (text: string): number[] => Array.from(text, (one) => one.charCodeAt(0));
const WORD: CodeSet = { ranges: codes('azAZ09__'), negated: false };
const CLASSES: Readonly<Record<string, CodeSet>> = {
  d: { ranges: codes('09'), negated: false },
  w: WORD,
  s: { ranges: [9, 13, 32, 32, 0xa0, 0xa0], negated: false },
};
const NAMED: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11 };
const NOT_A_LINE_END: CodeSet = { ranges: [10, 10, 13, 13], negated: true };

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Node {
    const node = this.#choice();
    if (this.#at < this.#text.length) throw new NotLinear('a bracket closes that was not opened');
    return node;
  }

  #choice(): Node {
    const of = [this.#row()];
    while (this.#take('|')) of.push(this.#row());
    return of.length === 1 ? of[0]! : { kind: 'choice', of };
  }

  #row(): Node {
    const of: Node[] = [];
    while (this.#at < this.#text.length && !'|)'.includes(this.#text[this.#at]!)) of.push(this.#repeat());
    return { kind: 'row', of };
  }

  #repeat(): Node {
    const of = this.#atom();
    const counts = this.#counts();
    if (counts === undefined) return of;
    // Whether it takes much or little first says nothing of whether it matches.
    if (!this.#take('?') && this.#take('+')) throw new NotLinear('a possessive repeat cannot be matched in steps');
    if (this.#counts() !== undefined) throw new NotLinear('a repeat follows a repeat');
    if (of.kind === 'place') throw new NotLinear('a place is repeated');
    return { kind: 'repeat', of, ...counts };
  }

  #counts(): { least: number; most: number } | undefined {
    if (this.#take('*')) return { least: 0, most: Number.POSITIVE_INFINITY };
    if (this.#take('+')) return { least: 1, most: Number.POSITIVE_INFINITY };
    if (this.#take('?')) return { least: 0, most: 1 };
    const found = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(this.#text.slice(this.#at, this.#at + 12));
    if (found === null) return undefined;
    this.#at += found[0].length;
    const least = Number(found[1]);
    const most = found[2] === undefined ? least : found[3] === '' ? Number.POSITIVE_INFINITY : Number(found[3]);
    if (least > MOST_REPEATS || (most !== Number.POSITIVE_INFINITY && most > MOST_REPEATS) || most < least)
      throw new NotLinear(`{${least},${most}} repeats too often`);
    return { least, most };
  }

  #atom(): Node {
    const char = this.#text[this.#at++]!;
    if (char === '(') return this.#group();
    if (char === '[') return { kind: 'set', set: this.#class() };
    if (char === '.') return { kind: 'set', set: NOT_A_LINE_END };
    if (char === '^' || char === '$') return { kind: 'place', place: char };
    if (char === '\\') return this.#escape();
    if ('*+?'.includes(char)) throw new NotLinear('a repeat has nothing to repeat');
    return single(char.charCodeAt(0));
  }

  #group(): Node {
    if (this.#take('?') && !this.#take(':'))
      throw new NotLinear('a group with a question mark cannot be matched in steps');
    const node = this.#choice();
    if (!this.#take(')')) throw new NotLinear('a bracket is not closed');
    return node;
  }

  #escape(): Node {
    const char = this.#text[this.#at];
    if (char === 'b' || char === 'B') {
      this.#at++;
      return { kind: 'place', place: char };
    }
    return { kind: 'set', set: this.#escaped() };
  }

  #escaped(): CodeSet {
    const char = this.#text[this.#at++];
    if (char === undefined) throw new NotLinear('it ends with a backslash');
    const known = CLASSES[char.toLowerCase()];
    if (known !== undefined) return char === char.toLowerCase() ? known : { ...known, negated: true };
    const named = NAMED[char];
    if (named !== undefined) return { ranges: [named, named], negated: false };
    const hex = char === 'x' ? /^[0-9a-fA-F]{2}/.exec(this.#text.slice(this.#at, this.#at + 2)) : null;
    if (hex !== null) {
      this.#at += 2;
      const code = Number.parseInt(hex[0], 16);
      return { ranges: [code, code], negated: false };
    }
    if (/[a-zA-Z0-9]/.test(char)) throw new NotLinear(`\\${char} cannot be matched in steps`);
    return { ranges: [char.charCodeAt(0), char.charCodeAt(0)], negated: false };
  }

  #class(): CodeSet {
    const negated = this.#take('^');
    const ranges: number[] = [];
    for (let first = true; ; first = false) {
      const char = this.#text[this.#at];
      if (char === undefined) throw new NotLinear('a class is not closed');
      if (char === ']' && !first) break;
      if (char === '[' && ':.='.includes(this.#text[this.#at + 1] ?? ' '))
        throw new NotLinear('a named class is not understood');
      const from = this.#classPart();
      const ranged = this.#text[this.#at] === '-' && this.#text[this.#at + 1] !== ']' && from.ranges.length === 2;
      if (!ranged || this.#text[this.#at + 1] === undefined) {
        if (from.negated) throw new NotLinear('a negated class stands in a class');
        ranges.push(...from.ranges);
        continue;
      }
      this.#at++;
      const to = this.#classPart().ranges[1]!;
      if (to < from.ranges[0]!) throw new NotLinear('a range runs backwards');
      ranges.push(from.ranges[0]!, to);
    }
    this.#at++;
    return { ranges, negated };
  }

  #classPart(): CodeSet {
    const char = this.#text[this.#at++]!;
    if (char === '\\') {
      if (this.#text[this.#at] === 'b') {
        this.#at++;
        return { ranges: [8, 8], negated: false };
      }
      return this.#escaped();
    }
    return { ranges: [char.charCodeAt(0), char.charCodeAt(0)], negated: false };
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }
}

const single = (code: number): Node => ({ kind: 'set', set: { ranges: [code, code], negated: false } });

/** From the tree to steps, one after the other. */
class Writer {
  readonly #steps: Step[] = [];
  readonly #folds: boolean;

  constructor(folds: boolean) {
    this.#folds = folds;
  }

  write(node: Node): readonly Step[] {
    this.#node(node);
    this.#push({ kind: 'match' });
    return this.#steps;
  }

  #push(step: Step): number {
    if (this.#steps.length >= MOST_STEPS) throw new NotLinear('it is too long');
    return this.#steps.push(step) - 1;
  }

  #node(node: Node): void {
    switch (node.kind) {
      case 'set':
        this.#push({ kind: 'set', set: this.#folds ? folded(node.set) : node.set });
        return;
      case 'place':
        this.#push(node);
        return;
      case 'row':
        for (const one of node.of) this.#node(one);
        return;
      case 'choice':
        this.#choice(node.of);
        return;
      case 'repeat':
        this.#repeat(node);
    }
  }

  #choice(of: readonly Node[]): void {
    const ends: (Step & { kind: 'fork' })[] = [];
    for (const [i, one] of of.entries()) {
      if (i === of.length - 1) {
        this.#node(one);
        break;
      }
      const fork = this.#fork();
      fork.one = this.#steps.length;
      this.#node(one);
      ends.push(this.#fork());
      fork.other = this.#steps.length;
    }
    for (const end of ends) end.one = end.other = this.#steps.length;
  }

  #repeat({ of, least, most }: Node & { kind: 'repeat' }): void {
    for (let i = 0; i < least; i++) this.#node(of);
    if (most === Number.POSITIVE_INFINITY) {
      const at = this.#steps.length;
      const fork = this.#fork();
      fork.one = this.#steps.length;
      this.#node(of);
      const back = this.#fork();
      back.one = back.other = at;
      fork.other = this.#steps.length;
      return;
    }
    const forks: (Step & { kind: 'fork' })[] = [];
    for (let i = least; i < most; i++) {
      const fork = this.#fork();
      fork.one = this.#steps.length;
      forks.push(fork);
      this.#node(of);
    }
    for (const fork of forks) fork.other = this.#steps.length;
  }

  #fork(): Step & { kind: 'fork' } {
    const fork = { kind: 'fork' as const, one: 0, other: 0 };
    this.#push(fork);
    return fork;
  }
}

/** Text is compared in lower case, so that a range over capitals means the small letters too. */
function folded({ ranges, negated }: CodeSet): CodeSet {
  const more: number[] = [];
  for (let i = 0; i < ranges.length; i += 2) {
    const from = Math.max(ranges[i]!, 65);
    const to = Math.min(ranges[i + 1]!, 90);
    if (from <= to) more.push(from + 32, to + 32);
    const other = ranges[i]! > 127 && ranges[i] === ranges[i + 1] ? String.fromCharCode(ranges[i]!).toLowerCase() : '';
    if (other.length === 1) more.push(other.charCodeAt(0), other.charCodeAt(0));
  }
  return { ranges: [...ranges, ...more], negated };
}
