// From a statement of the units and its values to a step of a pipeline: rewritten once, and prepared once for each set
// of types, so that the server never guesses what a value is.
import type { Value } from '../sql/port.ts';
import { toPostgres } from './dialect.ts';
import type { Step } from './messages.ts';

const INT8 = 20;
const TEXT = 25;
const UNKNOWN = 0;

interface Prepared {
  readonly name: string;
  readonly types: readonly number[];
}

/** Given to a statement as one value: an array of the server's, already spelled. */
export interface ArrayValue {
  readonly type: number;
  readonly text: string;
}

const INT8_ARRAY = 1016;
const TEXT_ARRAY = 1009;

/** Never given twice: a step that was made for a connection that is gone must not be taken for another's. */
let lastName = 0;

export class Statements {
  readonly #texts = new Map<string, { readonly sql: string; readonly prepared: Prepared[] }>();

  step(sql: string, values: readonly (Value | ArrayValue)[], wants: Step['wants'], rewrite = true): Step {
    let text = this.#texts.get(sql);
    if (text === undefined) {
      text = { sql: rewrite ? toPostgres(sql) : sql, prepared: [] };
      this.#texts.set(sql, text);
    }
    const types = values.map(typeOf);
    let found = text.prepared.find((one) => types.every((type, i) => type === UNKNOWN || type === one.types[i]));
    if (found === undefined) {
      // A value that is null now had a type before, and will have it again.
      const before = text.prepared.at(-1)?.types;
      found = {
        name: `s${++lastName}`,
        types: types.map((type, i) => (type === UNKNOWN ? (before?.[i] ?? UNKNOWN) : type)),
      };
      text.prepared.push(found);
    }
    return { name: found.name, sql: text.sql, types: found.types, values: values.map(spelled), wants };
  }
}

function typeOf(value: Value | ArrayValue): number {
  if (value === null) return UNKNOWN;
  if (typeof value === 'object') return value.type;
  return typeof value === 'number' ? INT8 : TEXT;
}

function spelled(value: Value | ArrayValue): string | null {
  if (value === null) return null;
  if (typeof value === 'object') return value.text;
  return typeof value === 'number' ? whole(value) : clean(value);
}

/** All columns of ours are whole numbers or texts. */
function whole(value: number): string {
  if (!Number.isSafeInteger(value)) throw new Error(`${value} is no whole number that the state can keep`);
  return String(value);
}

/** The server's texts cannot hold a NUL, which nothing that is published means anything by. */
const clean = (text: string): string => (text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text);

export function arrayOf(values: readonly Value[], isText: boolean): ArrayValue {
  if (!isText)
    return { type: INT8_ARRAY, text: `{${values.map((one) => (one === null ? 'NULL' : whole(Number(one)))).join()}}` };
  return { type: TEXT_ARRAY, text: `{${values.map((one) => (one === null ? 'NULL' : quoted(String(one)))).join()}}` };
}

const quoted = (text: string): string => `"${clean(text).replace(/["\\]/g, '\\$&')}"`;
