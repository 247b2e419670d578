// The query language of the KV store: a small part of MongoDB's. Pure functions over documents.
import type { Document } from './state.ts';

export class BadQuery extends Error {}

export type Query = Readonly<Record<string, unknown>>;

/** Parses the `query` parameter. Throws BadQuery for anything but a JSON object. */
export function parseQuery(text: string | null): Query | undefined {
  if (text === null || text === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BadQuery('query is not JSON');
  }
  return asQuery(value);
}

export function asQuery(value: unknown): Query {
  if (!isObject(value)) throw new BadQuery('query is not a JSON object');
  return value;
}

export function matches(document: Document, query: Query, inOperator: boolean): boolean {
  return Object.entries(query).every(([name, wanted]) => {
    if (name === '$and') return branches(wanted).every((one) => matches(document, one, inOperator));
    if (name === '$or') return branches(wanted).some((one) => matches(document, one, inOperator));
    if (name === '$not') return !matches(document, asQuery(wanted), inOperator);
    if (name.startsWith('$')) throw new BadQuery(`unknown operator ${name}`);
    const value = name === '_id' ? document['_key'] : document[name];
    return isObject(wanted) ? conditions(value, wanted, inOperator) : same(value, wanted);
  });
}

/** The keys to which a query can apply at most, so that long `$or` lists need no walk over all documents. */
export function keysOf(query: Query): Set<string> | undefined {
  if (typeof query['_key'] === 'string') return new Set([query['_key']]);
  if (Array.isArray(query['$and'])) {
    for (const one of branches(query['$and'])) {
      const keys = keysOf(one);
      if (keys !== undefined) return keys;
    }
  }
  if (Array.isArray(query['$or'])) {
    const all = new Set<string>();
    for (const one of branches(query['$or'])) {
      const keys = keysOf(one);
      if (keys === undefined) return undefined;
      for (const key of keys) all.add(key);
    }
    return all;
  }
  return undefined;
}

/** `a:1,b:-1`, or the list form of batch_find. */
export function sorter(sort: string | readonly unknown[]): (a: Document, b: Document) => number {
  const orders: (readonly [string, number])[] =
    typeof sort === 'string'
      ? sort.split(',').map((part) => {
          const [name = '', order] = part.split(':');
          return [name.trim(), order?.trim() === '-1' ? -1 : 1];
        })
      : sort.flatMap((one) => Object.entries(asQuery(one)).map(([name, order]) => [name, Number(order)] as const));
  return (a, b) => {
    for (const [name, order] of orders) {
      const field = name === '_id' ? '_key' : name;
      const result = compare(a[field], b[field]);
      if (result !== 0) return result * order;
    }
    return 0;
  };
}

/** `a,b` includes, `a:0` excludes; a list of included fields still brings `_key` unless `_id:0` says otherwise. */
export function projection(fields: string | readonly unknown[] | Query): (document: Document) => Document {
  const wanted = new Map<string, boolean>();
  const put = (name: string, value: unknown): void => {
    wanted.set(name === '_id' ? '_key' : name, !(value === '0' || value === 0 || value === false));
  };
  if (typeof fields === 'string') {
    for (const part of fields.split(',')) {
      const [name = '', value] = part.split(':');
      if (name.trim() !== '') put(name.trim(), value?.trim() ?? '1');
    }
  } else if (Array.isArray(fields)) {
    for (const one of fields) put(String(one), 1);
  } else {
    for (const [name, value] of Object.entries(fields)) put(name, value);
  }
  const including = [...wanted].some(([name, yes]) => yes && name !== '_key') || wanted.get('_key') === true;
  return (document) =>
    Object.fromEntries(
      Object.entries(document).filter(([name]) => wanted.get(name) ?? (including ? name === '_key' : true)),
    );
}

function conditions(value: unknown, wanted: Query, inOperator: boolean): boolean {
  const names = Object.keys(wanted);
  if (names.length === 0 || !names[0]?.startsWith('$')) return same(value, wanted);
  return names.every((name) => {
    const operand = wanted[name];
    switch (name) {
      case '$ne':
        return !same(value, operand);
      case '$gt':
        return ordered(value, operand) && compare(value, operand) > 0;
      case '$gte':
        return ordered(value, operand) && compare(value, operand) >= 0;
      case '$lt':
        return ordered(value, operand) && compare(value, operand) < 0;
      case '$lte':
        return ordered(value, operand) && compare(value, operand) <= 0;
      case '$not':
        return isObject(operand) ? !conditions(value, operand, inOperator) : !same(value, operand);
      case '$regex':
        return typeof value === 'string' && pattern(operand, wanted['$options']).test(value);
      case '$options':
        return true;
      case '$in':
        if (inOperator && Array.isArray(operand)) return operand.some((one) => same(value, one));
        throw new BadQuery('unknown operator $in');
      default:
        throw new BadQuery(`unknown operator ${name}`);
    }
  });
}

function pattern(source: unknown, options: unknown): RegExp {
  try {
    return new RegExp(String(source), typeof options === 'string' ? options.replace(/[^im]/g, '') : '');
  } catch {
    throw new BadQuery('bad $regex');
  }
}

/** An equal value, or an array that contains it, as MongoDB has it. */
function same(value: unknown, wanted: unknown): boolean {
  if (wanted === null) return value === undefined || value === null;
  if (Array.isArray(value) && !Array.isArray(wanted)) return value.some((one) => same(one, wanted));
  if (typeof value === 'object' || typeof wanted === 'object') return JSON.stringify(value) === JSON.stringify(wanted);
  return value === wanted;
}

/** Only values of one type are compared. */
function ordered(value: unknown, operand: unknown): boolean {
  return typeof value === typeof operand && value !== null;
}

const RANK: Readonly<Record<string, number>> = { undefined: 0, number: 1, string: 2, object: 3, boolean: 4 };

function compare(a: unknown, b: unknown): number {
  const rank = (RANK[typeof a] ?? 5) - (RANK[typeof b] ?? 5);
  if (rank !== 0) return rank;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const left = typeof a === 'string' ? a : JSON.stringify(a ?? null);
  const right = typeof b === 'string' ? b : JSON.stringify(b ?? null);
  return left < right ? -1 : left > right ? 1 : 0;
}

function branches(value: unknown): readonly Query[] {
  if (!Array.isArray(value)) throw new BadQuery('$and and $or take a list');
  return value.map(asQuery);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
