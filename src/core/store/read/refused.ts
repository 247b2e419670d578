// What of a partner's objects is kept out, for people who look for it: indicators whose meaning cannot be armed, objects
// that could not be read at all, and those that the rules of a SIEM keep out of it. Over a read-only connection of its own, like status.ts.
import type { IndicatorFacts } from '../../model/entry.ts';
import { OBSERVABLE_TYPES } from '../../model/observable.ts';
import { NAMES_MORE, namesOf } from '../../model/named.ts';
import { withDetail } from '../../model/refusal.ts';
import type { Database } from '../sql/port.ts';
import { openReading } from '../state/open.ts';
import { decideClaim } from '../../ledger/admit.ts';
import { withLists } from '../spec/lists.ts';
import { NAMED_BY } from '../rows/named.ts';
import { toClaim } from '../rows/claims.ts';
import { OBJECT, type ObjectRow } from '../rows/rows.ts';
import type { StoreSpec } from '../spec/spec.ts';

export interface RefusedObject {
  readonly exchange: string;
  readonly object_id: string;
  readonly name: string | null;
  /** Cut to length. */
  readonly pattern: string | null;
  /** Constant, to filter and count by. */
  readonly code: string;
  /** With the particular case: where a pattern breaks off, what was left out of it. */
  readonly reason: string;
  /** Kept out of these by their rules; absent where no SIEM could hold it. */
  readonly siems?: readonly string[];
  /** What it names that is kept out, the first of many. */
  readonly values?: readonly string[];
}

const PAGE = 1000;
/** Of one object that is kept out by policy. */
const MOST_VALUES = 10;
const NAMED_VALUES =
  'SELECT e.type, e.value FROM contribution c JOIN entry e ON e.id = c.entry_id WHERE c.object_id = ? ORDER BY e.id';
/** Of the objects that name one value. */
export const MOST_TOLD = 100;
const REVOKED_AT_FIRST = 'revoked when it first came';

/** The constant reason as one word. */
export const codeOf = (reason: string): string =>
  reason
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '');

export const REVOKED_CODE = codeOf(REVOKED_AT_FIRST);

type Row = {
  readonly id: number;
  readonly exchange: string;
  readonly object_id: string;
  readonly refusal: string;
  readonly facts: string;
};
type NamedRow = Row & { readonly state: number };

export class RefusedReader {
  readonly #db: Database;
  readonly #given: StoreSpec;
  #ready: StoreSpec['siems'] | undefined;

  constructor(spec: StoreSpec) {
    this.#given = spec;
    this.#db = openReading(spec.path, { cacheMb: 4 });
  }

  /** With never-block lists, which are long and needed only for what is judged. */
  get #siems(): StoreSpec['siems'] {
    this.#ready ??= withLists(this.#given).spec.siems;
    return this.#ready;
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

  /**
   * What only the rules of a SIEM keep out of it, judged as they are now: one for each object and code. They change with
   * the configuration, so that nothing of it is stored.
   */
  *byPolicy(): Generator<RefusedObject> {
    for (let after = 0; ; ) {
      const rows = this.#db.all<ObjectRow & { exchange: string }>(
        `SELECT o.*, x.name AS exchange FROM object o JOIN exchange x ON x.id = o.exchange_id AND x.active = 1
         WHERE o.state = ${OBJECT.published} AND o.id > ? ORDER BY o.id LIMIT ${PAGE}`,
        after,
      );
      for (const row of rows) yield* this.#byRules(row);
      if (rows.length < PAGE) return;
      after = rows.at(-1)!.id;
    }
  }

  #byRules(row: ObjectRow & { exchange: string }): RefusedObject[] {
    const entries = this.#db.all<{ type: number; value: string }>(NAMED_VALUES, row.id);
    const claim = toClaim(row, row.exchange);
    const found = new Map<string, { reason: string; siems: Set<string>; values: Set<string> }>();
    for (const siem of this.#siems) {
      if (siem.rules[row.exchange] === undefined) continue;
      for (const { type, value } of entries) {
        const decision = decideClaim(siem, { type: OBSERVABLE_TYPES[type]!, value }, claim, true);
        if (decision.kind === 'accept') continue;
        const one = found.get(decision.code) ?? { reason: decision.reason, siems: new Set(), values: new Set() };
        found.set(decision.code, one);
        one.siems.add(siem.name);
        if (one.values.size < MOST_VALUES) one.values.add(value);
      }
    }
    return [...found].map(([code, { reason, siems, values }]) => ({
      exchange: row.exchange,
      object_id: row.object_id,
      name: claim.facts.name ?? null,
      pattern: claim.facts.pattern ?? null,
      code,
      reason,
      siems: [...siems],
      values: [...values],
    }));
  }

  /** Those whose pattern names the value, however it was typed; of very many, the first. */
  naming(typed: string): RefusedObject[] {
    const digests = namesOf(typed);
    return [NAMED_INDICATORS, NAMED_UNREADABLE]
      .flatMap((sql) => this.#db.byKeys<NamedRow>(sql, digests))
      .slice(0, MOST_TOLD)
      .map((row) => {
        const one = refusedOf(row);
        return { ...one, reason: sinceOf(row, one.reason) };
      });
  }

  /** Whether some object names more than is kept, so that nobody can say what it does not name. */
  namesMore(): boolean {
    return this.#db.get(`SELECT 1 AS one FROM named WHERE digest = ${NAMES_MORE} LIMIT 1`) !== undefined;
  }

  close(): void {
    this.#db.close();
  }
}

const INDICATORS = `SELECT r.id, x.name AS exchange, r.object_id, r.refusal, r.facts FROM object r
  JOIN exchange x ON x.id = r.exchange_id WHERE r.refusal IS NOT NULL AND r.state = ${OBJECT.published}`;
const UNREADABLE = `SELECT r.id, x.name AS exchange, r.object_id, r.reason AS refusal, r.facts FROM unreadable r
  JOIN exchange x ON x.id = r.exchange_id WHERE 1 = 1`;

const NAMED_INDICATORS = `SELECT DISTINCT r.id, x.name AS exchange, r.object_id, coalesce(r.refusal, '${REVOKED_AT_FIRST}') AS refusal, r.facts,
  r.state FROM named n JOIN object r ON r.id = n.ref JOIN exchange x ON x.id = r.exchange_id
  WHERE n.digest IN ($keys) AND n.kind = ${NAMED_BY.object} LIMIT ${MOST_TOLD}`;
const NAMED_UNREADABLE = `SELECT DISTINCT r.id, x.name AS exchange, r.object_id, r.reason AS refusal, r.facts, ${OBJECT.published} AS state
  FROM named n JOIN unreadable r ON r.id = n.ref JOIN exchange x ON x.id = r.exchange_id
  WHERE n.digest IN ($keys) AND n.kind = ${NAMED_BY.unreadable} LIMIT ${MOST_TOLD}`;

const refusedOf = ({ exchange, object_id, refusal, facts }: Row): RefusedObject =>
  refusedObject(exchange, object_id, refusal, facts);

/** An object as people look for it. `facts` as the store keeps them. */
export function refusedObject(exchange: string, objectId: string, refusal: string, facts: string): RefusedObject {
  // Written by the store.
  const { name, pattern, detail } = JSON.parse(facts) as IndicatorFacts;
  return {
    exchange,
    object_id: objectId,
    name: name ?? null,
    pattern: pattern ?? null,
    code: codeOf(refusal),
    reason: withDetail(refusal, detail),
  };
}

/** What became of it since. */
function sinceOf({ refusal, state }: NamedRow, reason: string): string {
  if (refusal === REVOKED_AT_FIRST || state === OBJECT.published) return reason;
  return `${reason}; ${state === OBJECT.revoked ? 'revoked since' : 'no longer shown since'}`;
}
