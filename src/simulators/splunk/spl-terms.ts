// Conditions of `search` and `where`: terms joined by AND (also unwritten), OR, NOT and brackets.
import { wildcard } from './lookups.ts';
import type { Row } from './state.ts';

export type Test = (row: Row) => boolean;

/** Terms joined by AND (also unwritten), OR, NOT and brackets; `field=value` with `*`, comparisons, isnotnull(). */
export function parseTerms(text: string): Test {
  const tokens =
    text.match(
      /[()]|[\w.:{}-]+\s*(?:!=|>=|<=|=|>|<)\s*(?:"(?:[^"\\]|\\.)*"|[^\s()]+)|isnotnull\([^)]*\)|"(?:[^"\\]|\\.)*"|[^\s()]+/g,
    ) ?? [];
  let at = 0;
  const any = (): Test => {
    let left = all();
    while (/^OR$/i.test(tokens[at] ?? '')) {
      at += 1;
      const [a, b] = [left, all()];
      left = (row) => a(row) || b(row);
    }
    return left;
  };
  const all = (): Test => {
    const parts: Test[] = [];
    while (at < tokens.length && tokens[at] !== ')' && !/^OR$/i.test(tokens[at] ?? '')) {
      if (/^AND$/i.test(tokens[at] ?? '')) at += 1;
      else parts.push(single());
    }
    return (row) => parts.every((one) => one(row));
  };
  const single = (): Test => {
    const token = tokens[at++] ?? '';
    if (/^NOT$/i.test(token)) {
      const inner = single();
      return (row) => !inner(row);
    }
    if (token === '(') {
      const inner = any();
      at += 1;
      return inner;
    }
    return term(token);
  };
  return any();
}

function term(token: string): Test {
  const present = /^isnotnull\((.*)\)$/.exec(token)?.[1];
  if (present !== undefined) return (row) => row[present.trim()] !== undefined;
  const [, field, operator, quoted] = /^([\w.:{}-]+)\s*(!=|>=|<=|=|>|<)\s*([\s\S]*)$/.exec(token) ?? [];
  const plain = (text: string): string => text.replace(/^"|"$/g, '').replace(/\\(["\\])/g, '$1');
  if (field === undefined) {
    const word = wildcard(`*${plain(token).toLowerCase()}*`);
    return (row) => Object.values(row).some((value) => [value].flat().some((one) => word.test(one.toLowerCase())));
  }
  const wanted = plain(quoted ?? '');
  const like = wildcard(wanted.toLowerCase());
  return (row) => {
    const values = [row[field] ?? []].flat();
    switch (operator) {
      case '=':
        return values.some((one) => like.test(one.toLowerCase()));
      case '!=':
        return values.length > 0 && !values.some((one) => like.test(one.toLowerCase()));
      case '>':
        return values.some((one) => compare(one, wanted) > 0);
      case '>=':
        return values.some((one) => compare(one, wanted) >= 0);
      case '<':
        return values.some((one) => compare(one, wanted) < 0);
      default:
        return values.some((one) => compare(one, wanted) <= 0);
    }
  };
}

export function compare(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  if (a !== '' && b !== '' && !Number.isNaN(x) && !Number.isNaN(y)) return x - y;
  return a < b ? -1 : a > b ? 1 : 0;
}
