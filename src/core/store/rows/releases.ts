// What the release rules need to know of an object, and what they say.
import { digest48 } from '../../model/digest.ts';
import { PAP_LEVELS, type Pap, type Tlp } from '../../model/marking.ts';
import { entryKey, OBSERVABLE_TYPES, type ObservableType, parseEntryKey } from '../../model/observable.ts';
import type { SightingKind } from '../../model/sighting.ts';
import { isOurGround, type Own } from '../../policy/never-block.ts';
import { release, type ReleaseDecision } from '../../policy/release.ts';
import { sha256 } from '../../runtime/ids.ts';
import { tlpOf } from './open-markings.ts';
import type { Database } from '../sql/port.ts';
import { OBJECT, type ObjectRow } from './rows.ts';
import type { ReleaseSpec } from '../spec/spec.ts';

const MINUTE_MS = 60_000;
const NO_OWN: Own = { networks: [], domains: [] };

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
  /** Its exchange has shown it since it was last configured anew. */
  readonly shown: boolean;
  /** Entries behind it that are canaries or own ground of ours, and whether there are others besides. */
  readonly canaries: readonly number[];
  readonly onlyCanaries: boolean;
  readonly types: readonly ObservableType[];
}

/** Eight digits that stand for exactly what `shown` stands for (hold-table.ts has those of sets). */
export const sightingCode = (secret: string, id: number, shown: number): string =>
  sha256(`sighting ${secret} ${id} ${shown}`).slice(0, 8);

/** Per exchange: objects count as its own that a listing or poll of at least this number showed. 0: all that are known. */
export type Places = ReadonlyMap<string, number>;

type Row = ObjectRow & { exchange: string; exchange_active: number };

export class Releases {
  readonly #db: Database;
  readonly #ignored: ReadonlySet<string>;
  readonly #places: Places;
  readonly spec: ReleaseSpec;

  constructor(db: Database, spec: ReleaseSpec, places: Places = new Map()) {
    this.#db = db;
    this.spec = spec;
    this.#places = places;
    this.#ignored = new Set(spec.ignore);
  }

  object(rowId: number): Released | undefined {
    const row = this.#db.get<Row>(
      `SELECT o.*, x.name AS exchange, x.active AS exchange_active FROM object o JOIN exchange x ON x.id = o.exchange_id WHERE o.id = ?`,
      rowId,
    );
    if (row === undefined) return undefined;
    const tlp = tlpOf(row);
    const entries = this.#db
      .all<{ id: number; type: number; value: string }>(
        'SELECT e.id, e.type, e.value FROM contribution c JOIN entry e ON e.id = c.entry_id WHERE c.object_id = ?',
        rowId,
      )
      .map((one) => ({ ...one, type: OBSERVABLE_TYPES[one.type]! }));
    const canaries = entries.filter((one) => this.ignores(entryKey(one.type, one.value)));
    return {
      rowId,
      objectId: row.object_id,
      from: row.exchange,
      published: row.state === OBJECT.published,
      active: row.exchange_active === 1,
      // Without a level it counts as the strictest there is, and so does one whose marking nobody explained.
      ...(tlp === undefined || row.unexplained !== null ? {} : { tlp }),
      ...(row.pap === null || row.unexplained !== null ? {} : { pap: PAP_LEVELS[row.pap]! }),
      statements: this.#statements(row),
      shown: this.#isShown(row),
      canaries: canaries.map((one) => one.id),
      onlyCanaries: canaries.length > 0 && canaries.length === entries.length,
      types: [...new Set(entries.map((one) => one.type))],
    };
  }

  /** A canary of ours, or our own ground: hits on it are no news, and nobody is told what lives there. */
  ignores(key: string): boolean {
    const observable = parseEntryKey(key);
    return this.#ignored.has(key) || (observable !== undefined && isOurGround(observable, this.spec.own ?? NO_OWN));
  }

  /** What a person sees before approving, as one number: the content, the markings beside it, and the form it takes. */
  shown(to: string, modified: number, { tlp, pap, statements }: Pick<Released, 'tlp' | 'pap' | 'statements'>): number {
    return digest48(JSON.stringify([modified, tlp, pap, statements, this.spec.forms?.[to]]));
  }

  #isShown(row: Row): boolean {
    const since = this.#places.get(row.exchange) ?? 0;
    return (
      since === 0 ||
      this.#db.get('SELECT 1 FROM presence WHERE object_id = ? AND listing >= ? LIMIT 1', row.id, since) !== undefined
    );
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
      const { statement, unread } = JSON.parse(found.body) as { statement?: string; unread?: string };
      if (unread !== undefined) return [ref];
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
    if (found.onlyCanaries)
      return {
        action: 'deny',
        reason: 'its values are our own ground or canaries of ours (own, sightings.ignore_values)',
      };
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
    const decision = release(facts, this.spec.rules, this.spec.minCount, now);
    // The name may stand for another partner now, who never had this object: a person looks first.
    if (decision.action !== 'share' || found.shown) return decision;
    return {
      ...decision,
      action: 'hold',
      reason: `exchange ${found.from} was configured anew and has not shown the object since; ${decision.reason}`,
    };
  }

  /**
   * Milliseconds to wait. The jitter is drawn from the id, so that a restart does not draw again, and from what the
   * partner does not know, or it could take the jitter off again.
   */
  delay(decision: ReleaseDecision, uuid: string, secret: string): number {
    const share = digest48(`${secret}\0${uuid}`) / 2 ** 48;
    return Math.round(
      (decision.delayMinutes ?? this.spec.delayMinutes) * MINUTE_MS + (decision.jitterMinutes ?? 0) * MINUTE_MS * share,
    );
  }
}
