// What the release rules need to know of an object, and what they say.
import { digest48 } from '../../model/digest.ts';
import type { IndicatorFacts } from '../../model/entry.ts';
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

/** An object with its exchange. */
export type ReleasedRow = ObjectRow & { exchange: string; exchange_active: number };

/** Columns of object o and exchange x. */
export const RELEASED_COLUMNS = 'o.*, x.name AS exchange, x.active AS exchange_active';

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
    return this.objects([rowId]).get(rowId);
  }

  /** By their rows, in few answers however many they are. */
  objects(rowIds: readonly number[]): Map<number, Released> {
    return this.of(
      this.#db.byKeys<ReleasedRow>(
        `SELECT ${RELEASED_COLUMNS} FROM object o JOIN exchange x ON x.id = o.exchange_id WHERE o.id IN ($keys)`,
        [...new Set(rowIds)],
      ),
    );
  }

  /** Of these rows, each of them once. */
  of(rows: readonly ReleasedRow[]): Map<number, Released> {
    const entries = Map.groupBy(
      this.#db.byKeys<{ object_id: number; id: number; type: number; value: string }>(
        'SELECT c.object_id, e.id, e.type, e.value FROM contribution c JOIN entry e ON e.id = c.entry_id WHERE c.object_id IN ($keys)',
        rows.map((row) => row.id),
      ),
      (one) => one.object_id,
    );
    const listings = this.#listings(rows);
    const explained = this.#explained(rows);
    return new Map(
      rows.map((row) => [row.id, this.#released(row, entries.get(row.id) ?? [], listings.get(row.id), explained)]),
    );
  }

  #released(
    row: ReleasedRow,
    claimed: readonly { id: number; type: number; value: string }[],
    listing: number | undefined,
    explained: ReadonlyMap<string, string>,
  ): Released {
    const tlp = tlpOf(row);
    const entries = claimed.map((one) => ({ ...one, type: OBSERVABLE_TYPES[one.type]! }));
    const canaries = entries.filter((one) => this.ignores(entryKey(one.type, one.value)));
    const since = this.#places.get(row.exchange) ?? 0;
    return {
      rowId: row.id,
      objectId: row.object_id,
      from: row.exchange,
      published: row.state === OBJECT.published,
      active: row.exchange_active === 1,
      // Without a level it counts as the strictest there is, and so does one whose marking nobody explained.
      ...(tlp === undefined || row.unexplained !== null ? {} : { tlp }),
      ...(row.pap === null || row.unexplained !== null ? {} : { pap: PAP_LEVELS[row.pap]! }),
      statements: [
        ...refsOf(row).flatMap((ref) => statementsIn(explained.get(`${row.exchange_id} ${ref}`), ref)),
        ...ownTerms(row),
      ],
      shown: since === 0 || (listing !== undefined && listing >= since),
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

  /** The last listing that showed an object, of those whose exchange was configured anew. */
  #listings(rows: readonly ReleasedRow[]): Map<number, number> {
    const asked = rows.filter((row) => (this.#places.get(row.exchange) ?? 0) > 0).map((row) => row.id);
    const found = this.#db.byKeys<{ object_id: number; listing: number }>(
      'SELECT object_id, max(listing) AS listing FROM presence WHERE object_id IN ($keys) GROUP BY object_id',
      asked,
    );
    return new Map(found.map((one) => [one.object_id, one.listing]));
  }

  /** Terms of use stand in marking-definitions of the same exchange. */
  #explained(rows: readonly ReleasedRow[]): Map<string, string> {
    const bodies = new Map<string, string>();
    for (const [exchange, own] of Map.groupBy(rows, (row) => row.exchange_id)) {
      const found = this.#db.byKeys<{ object_id: string; body: string }>(
        "SELECT object_id, body FROM context WHERE kind = 'marking' AND exchange_id = ? AND object_id IN ($keys)",
        [...new Set(own.flatMap(refsOf))],
        exchange,
      );
      for (const one of found) bodies.set(`${exchange} ${one.object_id}`, one.body);
    }
    return bodies;
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

/** Markings beside the level, as they were published. */
const refsOf = (row: ReleasedRow): readonly string[] =>
  row.open_markings === null ? [] : (JSON.parse(row.open_markings) as { refs: readonly string[] }).refs;

/** Terms that the object states itself: sharing groups and distribution tags of MISP. */
const ownTerms = ({ facts }: ReleasedRow): readonly string[] =>
  facts.includes('"statements"') ? ((JSON.parse(facts) as IndicatorFacts).statements ?? []) : [];

/** What nothing explains may be terms of use: it stands under its id, which no rule that names texts covers. */
function statementsIn(body: string | undefined, ref: string): string[] {
  if (body === undefined) return [ref];
  const { statement, unread } = JSON.parse(body) as { statement?: string; unread?: string };
  if (unread !== undefined) return [ref];
  return statement === undefined ? [] : [statement];
}
