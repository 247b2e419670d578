// What of a partner's objects is kept out, for people who look for it: indicators whose meaning cannot be armed, and
// objects that could not be read at all. Over a read-only connection of its own, like reader.ts.
import type { IndicatorFacts } from '../model/entry.ts';
import { guess, refang } from '../model/typed-in.ts';
import { Database } from './database.ts';
import { OBJECT } from './rows.ts';
import type { StoreSpec } from './spec.ts';

export interface RefusedObject {
  readonly exchange: string;
  readonly object_id: string;
  readonly name: string | null;
  /** Cut to length. */
  readonly pattern: string | null;
  /** Constant, to filter and count by. */
  readonly code: string;
  readonly reason: string;
}

const PAGE = 1000;

/** The constant reason as one word. */
export const codeOf = (reason: string): string =>
  reason
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '');

type Row = {
  readonly id: number;
  readonly exchange: string;
  readonly object_id: string;
  readonly refusal: string;
  readonly facts: string;
};

export class RefusedReader {
  readonly #db: Database;

  constructor(spec: StoreSpec) {
    this.#db = new Database(spec.path, { readOnly: true, cacheMb: 4 });
  }

  /** Page by page, however many there are. */
  *all(): Generator<RefusedObject> {
    for (const sql of [INDICATORS, UNREADABLE])
      for (let after = 0; ; ) {
        const rows = this.#db.all<Row>(`${sql} AND r.id > ? ORDER BY r.id LIMIT ${PAGE}`, after);
        yield* rows.map(refusedOf);
        if (rows.length < PAGE) break;
        after = rows.at(-1)!.id;
      }
  }

  /** Those whose pattern names the value, however it was typed. */
  naming(typed: string): RefusedObject[] {
    const wanted = new Set([refang(typed).toLowerCase(), ...guess(typed).map((one) => one.value.toLowerCase())]);
    const found = new Map<string, RefusedObject>();
    for (const value of wanted)
      for (const sql of [INDICATORS, UNREADABLE])
        for (const row of this.#db.iterate<Row>(
          `${sql} AND instr(lower(r.facts), ?) > 0`,
          // As it stands within JSON.
          JSON.stringify(value).slice(1, -1),
        )) {
          const one = refusedOf(row);
          if (names(one.pattern ?? '', wanted)) found.set(`${one.exchange} ${one.object_id}`, one);
        }
    return [...found.values()];
  }

  close(): void {
    this.#db.close();
  }
}

const INDICATORS = `SELECT r.id, x.name AS exchange, r.object_id, r.refusal, r.facts FROM object r
  JOIN exchange x ON x.id = r.exchange_id WHERE r.refusal IS NOT NULL AND r.state = ${OBJECT.published}`;
const UNREADABLE = `SELECT r.id, x.name AS exchange, r.object_id, r.reason AS refusal, r.facts FROM unreadable r
  JOIN exchange x ON x.id = r.exchange_id WHERE 1`;

function refusedOf({ exchange, object_id, refusal, facts }: Row): RefusedObject {
  const { name, pattern } = JSON.parse(facts) as IndicatorFacts;
  return {
    exchange,
    object_id,
    name: name ?? null,
    pattern: pattern ?? null,
    code: codeOf(refusal),
    reason: refusal,
  };
}

/** A text constant of the pattern is the value: a part of another value is not. A cut pattern may end in one. */
function names(pattern: string, wanted: ReadonlySet<string>): boolean {
  const constants = [...pattern.matchAll(/'((?:[^'\\]|\\.)*)(?:'|$)/gs)].map((one) => one[1]!.replace(/\\(.)/gs, '$1'));
  return constants.some(
    (text) => wanted.has(text.toLowerCase()) || guess(text).some((one) => wanted.has(one.value.toLowerCase())),
  );
}
