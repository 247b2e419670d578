// What every list of QRadar understands: `filter`, `sort`, `fields` and the Range header.
import { plain, QRadarError } from './errors.ts';

export type Row = Readonly<Record<string, unknown>>;
type Test = (row: Row) => boolean;

/** Parses a filter; undefined text keeps everything. `code` is the endpoint's own code for a bad filter. */
export function parseFilter(text: string | undefined | null, code: number): Test {
  if (text === undefined || text === null || text.trim() === '') return () => true;
  const tokens = tokenize(text, code);
  let at = 0;
  const fail = (): never => {
    throw new QRadarError(422, code, `Failed to parse the filter near "${tokens[at]?.text ?? 'end of text'}"`);
  };
  const word = (): string | undefined => (tokens[at]?.kind === 'word' ? tokens[at]?.text.toLowerCase() : undefined);
  const take = (text: string): boolean => {
    const token = tokens[at];
    if (token === undefined || token.kind === 'string' || token.text.toLowerCase() !== text) return false;
    at += 1;
    return true;
  };
  const need = (text: string): void => {
    if (!take(text)) fail();
  };
  const literal = (): string => {
    const token = tokens[at];
    if (token === undefined || token.kind === 'mark') return fail();
    at += 1;
    return token.text;
  };
  const either = (): Test => {
    let left = both();
    while (take('or')) {
      const [a, b] = [left, both()];
      left = (row) => a(row) || b(row);
    }
    return left;
  };
  const both = (): Test => {
    let left = one();
    while (take('and')) {
      const [a, b] = [left, one()];
      left = (row) => a(row) && b(row);
    }
    return left;
  };
  const list = (): Set<string> => {
    need('(');
    const values = new Set([literal()]);
    while (take(',')) values.add(literal());
    need(')');
    return values;
  };
  const one = (): Test => {
    if (take('not')) {
      const inner = one();
      return (row) => !inner(row);
    }
    if (take('(')) {
      const inner = either();
      need(')');
      return inner;
    }
    const field = literal();
    const got = (row: Row): string | undefined =>
      row[field] === null || row[field] === undefined ? undefined : plain(row[field]);
    if (take('is')) {
      const negated = take('not');
      need('null');
      return (row) => (got(row) === undefined) !== negated;
    }
    if (take('in')) {
      const values = list();
      return (row) => values.has(got(row) ?? '\u0000');
    }
    if (word() === 'not' && tokens[at + 1]?.text.toLowerCase() === 'in') {
      at += 2;
      const values = list();
      return (row) => !values.has(got(row) ?? '\u0000');
    }
    if (take('between')) {
      const low = literal();
      need('and');
      const high = literal();
      return (row) => compares(got(row), '>=', low) && compares(got(row), '<=', high);
    }
    if (take('contains')) {
      need('(');
      const inner = either();
      need(')');
      return (row) => {
        const rows = row[field];
        return Array.isArray(rows) && rows.some((item) => inner(typeof item === 'object' ? item : { '.': item }));
      };
    }
    if (word() === 'like' || word() === 'ilike') {
      const ignoreCase = word() === 'ilike';
      at += 1;
      const pattern = likePattern(literal(), ignoreCase);
      return (row) => pattern.test(got(row) ?? '');
    }
    const operator = tokens[at]?.text ?? fail();
    if (!['=', '!=', '<>', '^=', '<', '>', '<=', '>='].includes(operator)) fail();
    at += 1;
    const value = literal();
    return (row) => compares(got(row), operator, value);
  };
  const test = either();
  if (at < tokens.length) fail();
  return test;
}

/** A null is unequal to everything and neither below nor above anything. */
function compares(got: string | undefined, operator: string, wanted: string): boolean {
  if (got === undefined) return ['!=', '<>', '^='].includes(operator);
  const numbers = /^-?\d+(\.\d+)?$/.test(got) && /^-?\d+(\.\d+)?$/.test(wanted);
  const [a, b] = numbers ? [Number(got), Number(wanted)] : [got, wanted];
  switch (operator) {
    case '=':
      return a === b;
    case '<':
      return a < b;
    case '>':
      return a > b;
    case '<=':
      return a <= b;
    case '>=':
      return a >= b;
    default:
      return a !== b;
  }
}

export function likePattern(text: string, ignoreCase: boolean): RegExp {
  let out = '';
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i] ?? '';
    if (c === '\\' && i + 1 < text.length) out += escapeRegExp(text[++i] ?? '');
    else out += c === '%' ? '.*' : c === '_' ? '.' : escapeRegExp(c);
  }
  return new RegExp(`^${out}$`, ignoreCase ? 'is' : 's');
}

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

interface Token {
  readonly kind: 'word' | 'string' | 'mark';
  readonly text: string;
}

function tokenize(text: string, code: number): Token[] {
  const tokens: Token[] = [];
  const pattern = /\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(!=|<>|\^=|<=|>=|[=<>(),])|([\w.+:-]+))/gy;
  while (pattern.lastIndex < text.trimEnd().length) {
    const from = pattern.lastIndex;
    const match = pattern.exec(text);
    if (match === null)
      throw new QRadarError(422, code, `Failed to parse the filter near "${text.slice(from, from + 20)}"`);
    const quoted = match[1] ?? match[2];
    if (quoted !== undefined) {
      // LIKE keeps its escapes; everywhere else a backslash protects a quote or a backslash.
      const like = /^i?like$/i.test(tokens.at(-1)?.text ?? '');
      tokens.push({ kind: 'string', text: like ? quoted : quoted.replace(/\\(["'\\])/g, '$1') });
    } else if (match[3] !== undefined) tokens.push({ kind: 'mark', text: match[3] });
    else tokens.push({ kind: 'word', text: match[4] ?? '' });
  }
  return tokens;
}

export function sortRows<T extends Row>(rows: readonly T[], sort: string | null, code: number): readonly T[] {
  if (sort === null || sort.trim() === '') return rows;
  const orders = sort.split(',').map((part) => {
    const match = /^\s*([+-]?)(\w+)\s*$/.exec(part);
    if (match === null) throw new QRadarError(422, code, `Failed to parse the sort "${sort}"`);
    return { field: match[2] ?? '', sign: match[1] === '-' ? -1 : 1 };
  });
  const ascends = orders.length === 1 && orders[0]?.sign === 1 ? orders[0].field : undefined;
  if (
    ascends !== undefined &&
    rows.every((row, i) => i === 0 || Number(rows[i - 1]?.[ascends]) <= Number(row[ascends]))
  )
    return rows;
  return rows.toSorted((a, b) => {
    for (const { field, sign } of orders) {
      if (compares(plain(a[field]), '<', plain(b[field]))) return -sign;
      if (compares(plain(a[field]), '>', plain(b[field]))) return sign;
    }
    return 0;
  });
}

export interface Slice<T> {
  readonly rows: readonly T[];
  /** Content-Range, when a range was asked for. */
  readonly range?: string;
}

/** `Range: items=0-49`: zero-based and inclusive. Wholly beyond the end gives no row and the total alone. */
export function sliceRows<T>(rows: readonly T[], header: string | undefined, maxPage: number): Slice<T> {
  if (header === undefined) return { rows };
  const match = /^items=(\d+)-(\d+)$/.exec(header.trim());
  const [from, to] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || to < from)
    throw new QRadarError(422, 9, `The Range header "${header}" is not of the form items=x-y`);
  if (from >= rows.length) return { rows: [], range: `items */${rows.length}` };
  const end = Math.min(to, rows.length - 1, from + maxPage - 1);
  return { rows: rows.slice(from, end + 1), range: `items ${from}-${end}/${rows.length}` };
}

/** The `fields` parameter: names, nested as `a,b(c,d)`. Unknown names are code 30, repeated ones 31. */
export function pickFields(fields: string | undefined | null, known: readonly string[]): (row: Row) => Row {
  if (fields === undefined || fields === null || fields.trim() === '') return (row) => row;
  const tree = parseFields(fields);
  for (const name of tree.keys())
    if (!known.includes(name)) throw new QRadarError(422, 30, `The field "${name}" does not exist`);
  return (row) => project(row, tree);
}

type Tree = Map<string, Tree | undefined>;

function parseFields(text: string): Tree {
  const tree: Tree = new Map();
  let depth = 0;
  let start = 0;
  const add = (part: string): void => {
    const match = /^\s*([\w.]+)\s*(?:\((.*)\))?\s*$/s.exec(part);
    if (match === null) throw new QRadarError(422, 30, `The field "${part.trim()}" does not exist`);
    const name = match[1] ?? '';
    if (tree.has(name)) throw new QRadarError(422, 31, `The field "${name}" is given twice`);
    tree.set(name, match[2] === undefined ? undefined : parseFields(match[2]));
  };
  for (let i = 0; i <= text.length; i += 1) {
    if (text[i] === '(') depth += 1;
    else if (text[i] === ')') depth -= 1;
    else if (i === text.length || (text[i] === ',' && depth === 0)) {
      add(text.slice(start, i));
      start = i + 1;
    }
  }
  return tree;
}

function project(row: Row, tree: Tree): Row {
  const out: Record<string, unknown> = {};
  for (const [name, inner] of tree) {
    const value = row[name];
    if (value === undefined) continue;
    if (inner === undefined || value === null || typeof value !== 'object') out[name] = value;
    else
      out[name] = Array.isArray(value) ? value.map((item: Row) => project(item, inner)) : project(value as Row, inner);
  }
  return out;
}
