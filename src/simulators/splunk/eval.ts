// `eval field=expression, field=expression`, as far as this simulator goes: texts and fields, joined by `.`, compared by `==`, and a few
// functions on texts and multi-valued fields. A function that is not here is refused by name.
import { createHash } from 'node:crypto';
import type { Row } from './state.ts';
import { SplError } from './spl-error.ts';

type Value = readonly string[];
type Expression = (row: Row) => Value;

/** One assignment after the other, so that a later one sees the earlier. Null is no value: such a field is gone. */
export function evaluate(text: string, rows: readonly Row[]): Row[] {
  const assignments = new Parser(text).assignments();
  return rows.map((row) =>
    assignments.reduce<Row>((held, { field, expression }) => {
      const { [field]: _, ...rest } = held;
      const values = expression(held);
      return values.length === 0 ? rest : { ...rest, [field]: values.length === 1 ? values[0]! : [...values] };
    }, row),
  );
}

const FUNCTIONS: Readonly<Record<string, (row: Row, given: readonly Expression[]) => Value>> = {
  null: () => [],
  sha256: (row, [text]) => (text?.(row) ?? []).map((one) => createHash('sha256').update(one).digest('hex')),
  md5: (row, [text]) => (text?.(row) ?? []).map((one) => createHash('md5').update(one).digest('hex')),
  coalesce: (row, given) => given.map((one) => one(row)).find((values) => values.length > 0) ?? [],
  mvappend: (row, given) => given.flatMap((one) => one(row)),
  replace: (row, [text, pattern, by]) => {
    const [found, put] = [pattern?.(row)[0], by?.(row)[0]];
    if (found === undefined || put === undefined) return [];
    return (text?.(row) ?? []).map((one) => one.replace(new RegExp(found, 'g'), () => put));
  },
  lower: (row, [text]) => (text?.(row) ?? []).map((one) => one.toLowerCase()),
  rtrim: (row, [text, signs]) => {
    const trimmed = new Set(signs?.(row)[0] ?? ' \t');
    return (text?.(row) ?? []).map((one) => {
      let end = one.length;
      while (end > 0 && trimmed.has(one[end - 1]!)) end -= 1;
      return one.slice(0, end);
    });
  },
  /** The largest of all values of all fields. */
  max: (row, given) => {
    const numbers = given.flatMap((one) => one(row)).map(Number);
    return numbers.length === 0 ? [] : [String(Math.max(...numbers))];
  },
  mvdedup: (row, [all]) => [...new Set(all?.(row))],
  if: (row, [test, yes, no]) => ((test?.(row)[0] === 'true' ? yes : no) ?? (() => []))(row),
};

class Parser {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = text.match(/"(?:[^"\\]|\\.)*"|'[^']*'|==|[A-Za-z_]\w*|\d+(?:\.\d+)?|[().,]|\S/g) ?? [];
  }

  assignments(): { field: string; expression: Expression }[] {
    const all: { field: string; expression: Expression }[] = [];
    do {
      const field = this.#tokens[this.#at++] ?? '';
      if (!/^[A-Za-z_]\w*$/.test(field) || !this.#took('=')) throw malformed();
      all.push({ field, expression: this.#comparison() });
    } while (this.#took(','));
    if (this.#at < this.#tokens.length) throw malformed();
    return all;
  }

  #comparison(): Expression {
    const left = this.#joined();
    if (!this.#took('==')) return left;
    const right = this.#joined();
    return (row) => [String(left(row)[0] !== undefined && left(row)[0] === right(row)[0])];
  }

  /** Joining null, or several values, gives null. */
  #joined(): Expression {
    const parts = [this.#single()];
    while (this.#took('.')) parts.push(this.#single());
    if (parts.length === 1) return parts[0]!;
    return (row) => {
      const values = parts.map((one) => one(row));
      return values.every((one) => one.length === 1) ? [values.flat().join('')] : [];
    };
  }

  #single(): Expression {
    const token = this.#tokens[this.#at++] ?? '';
    if (token.startsWith('"')) {
      const text = token.slice(1, -1).replace(/\\(["\\])/g, '$1');
      return () => [text];
    }
    if (token.startsWith("'")) return fieldOf(token.slice(1, -1));
    if (/^\d/.test(token)) return () => [token];
    if (!/^[A-Za-z_]/.test(token)) throw malformed();
    return this.#took('(') ? this.#call(token) : fieldOf(token);
  }

  #call(name: string): Expression {
    const field = this.#tokens[this.#at] ?? '';
    const given: Expression[] = [];
    while (!this.#took(')')) {
      given.push(this.#comparison());
      if (!this.#took(',') && this.#tokens[this.#at] !== ')') throw malformed();
    }
    // Its second argument is evaluated for each value of the field that the first one names.
    if (name === 'mvmap')
      return (row) => (given[0]?.(row) ?? []).flatMap((one) => given[1]?.({ ...row, [field]: one }) ?? []);
    const known = FUNCTIONS[name];
    if (known === undefined)
      throw new SplError(`Error in 'eval' command: The '${name}' function is unsupported or undefined.`);
    return (row) => known(row, given);
  }

  #took(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at += 1;
    return true;
  }
}

const malformed = (): SplError => new SplError(`Error in 'eval' command: The expression is malformed.`);
const fieldOf =
  (name: string): Expression =>
  (row) =>
    [row[name] ?? []].flat();
