// One request as the handlers of the endpoints see it.
import { badParameter, badPathNumber, missingParameter, QRadarError } from './errors.ts';
import { pickFields, type Row, sliceRows } from './select.ts';
import type { Store } from './store.ts';

export interface Call {
  readonly store: Store;
  readonly version: string;
  /** Path parameters by name, decoded as the endpoint decodes them. */
  readonly path: Readonly<Record<string, string>>;
  /** Query string and form body together; endpoints take either. */
  readonly params: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Handler = (call: Call) => Answer;

export function required(call: Call, name: string): string {
  const value = call.params.get(name);
  if (value === null) throw missingParameter(name);
  return value;
}

export function pathNumber(call: Call, name: string): number {
  const text = call.path[name] ?? '';
  if (!/^\d+$/.test(text)) throw badPathNumber(name, text);
  return Number(text);
}

export function oneOf<T extends string>(call: Call, name: string, allowed: readonly T[], fallback: T): T {
  const text = call.params.get(name);
  if (text === null) return fallback;
  const found = allowed.find((value) => value === text);
  if (found === undefined) throw badParameter(name);
  return found;
}

/** The JSON body. Text that is no JSON is 400 with code 1001, whatever the endpoint. */
export function json(call: Call): unknown {
  const type = call.headers['content-type'] ?? '';
  if (!type.includes('json')) throw new QRadarError(415, 4, `The content type "${type}" is not supported`);
  try {
    return JSON.parse(call.body.toString('utf8'));
  } catch (error) {
    throw new QRadarError(400, 1001, `JSON Parse Error!!  ${String(error)}`);
  }
}

/** `fields` is a header where the body is JSON, and a parameter everywhere else. */
export function shape(call: Call, known: readonly string[]): (row: Row) => Row {
  return pickFields(call.headers['fields'] ?? call.params.get('fields'), known);
}

export function page(
  call: Call,
  rows: readonly Row[],
  known: readonly string[],
  most: number = call.store.settings.maxPage,
): Answer {
  const pick = shape(call, known);
  const slice = sliceRows(rows, call.headers['range'], most);
  const body = slice.rows.map(pick);
  if (slice.range === undefined) return { status: 200, body };
  const headers = { 'content-range': slice.range };
  if (!call.store.settings.httpRanges) return { status: 200, body, headers };
  if (slice.range.startsWith('items *') && rows.length > 0) return { status: 416, body, headers };
  return { status: body.length < rows.length ? 206 : 200, body, headers };
}
