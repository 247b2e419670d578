// What the release rules need to know of an object, and what they say.
import { digest48 } from '../model/digest.ts';
import { PAP_LEVELS, type Pap, TLP_LEVELS, type Tlp } from '../model/marking.ts';
import { entryKey, OBSERVABLE_TYPES, type ObservableType } from '../model/observable.ts';
import type { SightingKind } from '../model/sighting.ts';
import { release, type ReleaseDecision } from '../policy/release.ts';
import type { Database } from './database.ts';
import { OBJECT, type ObjectRow } from './rows.ts';
import type { ReleaseSpec } from './spec.ts';

const MINUTE_MS = 60_000;

/** What a person sees before approving, as one number: the content, and the markings that stand beside it. */
export const shownDigest = (modified: number, { tlp, pap, statements }: Pick<Released, 'tlp' | 'pap' | 'statements'>) =>
  digest48(JSON.stringify([modified, tlp, pap, statements]));

export interface Released {
  readonly rowId: number;
  readonly objectId: string;
  /** Name of its exchange. */
  readonly from: string;
  readonly published: boolean;
  /** Its exchange is still configured. */
  readonly active: boolean;
  readonly tlp?: Tlp;
  readonly pap?: Pap;
  readonly statements: readonly string[];
  /** Every value behind it is a canary of ours. */
  readonly canary: boolean;
  readonly types: readonly ObservableType[];
}

type Row = ObjectRow & { exchange: string; exchange_active: number };

export class Releases {
  readonly #db: Database;
  readonly #ignored: ReadonlySet<string>;
  readonly spec: ReleaseSpec;

  constructor(db: Database, spec: ReleaseSpec) {
    this.#db = db;
    this.spec = spec;
    this.#ignored = new Set(spec.ignore);
  }

  object(rowId: number): Released | undefined {
    const row = this.#db.get<Row>(
      `SELECT o.*, x.name AS exchange, x.active AS exchange_active FROM object o JOIN exchange x ON x.id = o.exchange_id WHERE o.id = ?`,
      rowId,
    );
    if (row === undefined) return undefined;
    const entries = this.#db
      .all<{ type: number; value: string }>(
        'SELECT e.type, e.value FROM contribution c JOIN entry e ON e.id = c.entry_id WHERE c.object_id = ?',
        rowId,
      )
      .map((one) => ({ type: OBSERVABLE_TYPES[one.type]!, value: one.value }));
    return {
      rowId,
      objectId: row.object_id,
      from: row.exchange,
      published: row.state === OBJECT.published,
      active: row.exchange_active === 1,
      ...(row.tlp === null ? {} : { tlp: TLP_LEVELS[row.tlp]! }),
      ...(row.pap === null ? {} : { pap: PAP_LEVELS[row.pap]! }),
      statements: this.#statements(row),
      canary: entries.length > 0 && entries.every((one) => this.#ignored.has(entryKey(one.type, one.value))),
      types: [...new Set(entries.map((one) => one.type))],
    };
  }

  /** Terms of use stand in marking-definitions of the same exchange. */
  #statements(row: Row): string[] {
    if (row.open_markings === null) return [];
    const { refs } = JSON.parse(row.open_markings) as { refs: readonly string[] };
    return refs.flatMap((ref) => {
      const found = this.#db.get<{ body: string }>(
        "SELECT body FROM context WHERE exchange_id = ? AND object_id = ? AND kind = 'marking'",
        row.exchange_id,
        ref,
      );
      // What nothing explains may be terms of use: it stands under its id, which no rule that names texts covers.
      if (found === undefined) return [ref];
      const { statement } = JSON.parse(found.body) as { statement?: string };
      return statement === undefined ? [] : [statement];
    });
  }

  /** Exchanges that a sighting of an object from `from` is judged for: its originator, and whom a rule names for it. */
  targets(from: string): string[] {
    return this.spec.reporting.filter(
      (to) =>
        to === from ||
        this.spec.rules.some(
          (rule) => rule.action !== 'deny' && (rule.to === '*' || rule.to === to) && rule.from?.includes(from) === true,
        ),
    );
  }

  judge(
    to: string,
    found: Released | undefined,
    kind: SightingKind,
    count: number,
    last: number,
    now: number,
  ): ReleaseDecision {
    if (found === undefined) return { action: 'deny', reason: 'the object is no longer known' };
    if (!found.active) return { action: 'deny', reason: `exchange ${found.from} is no longer configured` };
    if (found.canary) return { action: 'deny', reason: 'its values are canaries of ours (sightings.ignore_values)' };
    if (!found.published) return { action: 'deny', reason: 'the partner withdrew the object' };
    if (!this.spec.reporting.includes(to)) return { action: 'deny', reason: `exchange ${to} takes no reports` };
    const facts = {
      to,
      from: found.from,
      kind,
      ...(found.tlp === undefined ? {} : { tlp: found.tlp }),
      ...(found.pap === undefined ? {} : { pap: found.pap }),
      statements: found.statements,
      types: found.types,
      count,
      last,
    };
    return release(facts, this.spec.rules, this.spec.minCount, now);
  }

  /** Milliseconds to wait. The jitter is drawn from the id, so that a restart does not draw again. */
  delay(decision: ReleaseDecision, uuid: string): number {
    const share = Number.parseInt(uuid.slice(0, 8), 16) / 0xffffffff;
    return Math.round(
      (decision.delayMinutes ?? this.spec.delayMinutes) * MINUTE_MS + (decision.jitterMinutes ?? 0) * MINUTE_MS * share,
    );
  }
}
