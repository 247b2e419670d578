// Names, markings and relationships that explain indicators. They may come before or after what they explain, or
// never; when one comes late, the store tells which indicators must be looked at again.
import { CANON_VERSION } from '../../model/canonical.ts';
import type { IncomingContext } from '../../model/entry.ts';
import { stricterPap, stricterTlp } from '../../model/marking.ts';
import type { Explained } from '../rows/claims.ts';
import type { MarkingBody } from '../rows/open-markings.ts';
import type { StoreContext } from './context.ts';
import type { Values } from '../sql/port.ts';

/** What must be looked at again: objects that wait for a marking or stand under it, sources of a name, or one source. */
interface News {
  readonly kind: 'marking' | 'redefined' | 'name' | 'source';
  readonly objectId: string;
}

type Explanation = Exclude<IncomingContext, { kind: 'relationship' }>;
type Relationship = Extract<IncomingContext, { kind: 'relationship' }>;

interface StoredExplanation {
  readonly kind: string;
  readonly version: string;
  readonly body: string;
}

interface Ends {
  readonly source: string;
  readonly target: string;
}

const isSame = (a: Ends, b: Ends): boolean => a.source === b.source && a.target === b.target;

/** Objects that are looked up and written as one set. */
const MOST_TOGETHER = 2000;

/** How many threat names one indicator may carry into a SIEM. */
const MOST_THREATS = 8;
/** Creators and markings of one feed are few; a cache is dropped when it grows beyond this. */
const MOST_NAMES = 2000;

/** Each once, and of each source the first few. */
const THREATS = `SELECT DISTINCT source, body FROM (
    SELECT r.source, c.body, dense_rank() OVER (PARTITION BY r.source ORDER BY c.body) AS place
    FROM relation r JOIN context c ON c.exchange_id = r.exchange_id AND c.object_id = r.target
    WHERE r.exchange_id = ? AND r.relation = 'indicates' AND c.kind = 'name' AND r.source IN ($keys)) named
  WHERE place <= ${MOST_THREATS} ORDER BY source, body`;

export class Explanations {
  readonly #names = new Map<string, string | undefined>();
  readonly #markings = new Map<string, MarkingBody | undefined>();
  /** Exchanges that sent any relationship: the others are spared a look-up per claim. */
  readonly #related = new Set<number>();
  readonly #db: StoreContext['db'];
  readonly #find;
  readonly #threats;
  /** By exchange and object, for a set that is gone through. */
  readonly #foreseen = new Map<string, string[]>();

  constructor({ db }: StoreContext) {
    this.#db = db;
    this.#find = db.statement<{ kind: string; version: string; body: string }>(
      'SELECT kind, version, body FROM context WHERE exchange_id = ? AND object_id = ?',
    );
    this.#threats = db.statement<{ body: string }>(
      `SELECT DISTINCT c.body FROM relation r JOIN context c ON c.exchange_id = r.exchange_id AND c.object_id = r.target
       WHERE r.exchange_id = ? AND r.source = ? AND r.relation = 'indicates' AND c.kind = 'name' ORDER BY c.body LIMIT ${MOST_THREATS}`,
    );
    for (const row of db.all<{ exchange_id: number }>('SELECT DISTINCT exchange_id FROM relation'))
      this.#related.add(row.exchange_id);
  }

  /** Keeps the objects, in their order; says what has to be looked at again. */
  store(exchangeId: number, objects: readonly IncomingContext[]): News[] {
    const news: News[] = [];
    const plain = objects.filter((one) => one.kind !== 'relationship');
    const related = objects.filter((one) => one.kind === 'relationship' && one.relation === 'indicates');
    for (let at = 0; at < plain.length; at += MOST_TOGETHER)
      news.push(...this.#explanations(exchangeId, plain.slice(at, at + MOST_TOGETHER)));
    for (let at = 0; at < related.length; at += MOST_TOGETHER)
      news.push(...this.#relations(exchangeId, related.slice(at, at + MOST_TOGETHER) as Relationship[]));
    return news;
  }

  #explanations(exchangeId: number, objects: readonly Explanation[]): News[] {
    const found = new Map<string, StoredExplanation>();
    for (const row of this.#db.byKeys<StoredExplanation & { object_id: string }>(
      'SELECT object_id, kind, version, body FROM context WHERE exchange_id = ? AND object_id IN ($keys)',
      [...new Set(objects.map((one) => one.objectId))],
      exchangeId,
    ))
      found.set(row.object_id, row);
    const written = new Map<string, StoredExplanation>();
    const news: News[] = [];
    for (const object of objects) {
      const now = explanationOf(object, found.get(object.objectId));
      if (now === undefined) continue;
      found.set(object.objectId, now.row);
      written.set(object.objectId, now.row);
      this.#names.delete(`${exchangeId} ${object.objectId}`);
      this.#markings.delete(`${exchangeId} ${object.objectId}`);
      if (now.news !== undefined) news.push({ kind: now.news, objectId: object.objectId });
    }
    this.#db.insertRows(
      'context',
      ['exchange_id', 'object_id', 'kind', 'version', 'body'],
      Array.from(written, ([id, { kind, version, body }]) => [exchangeId, id, kind, version, body]),
      { keys: ['exchange_id', 'object_id'], update: ['kind', 'version', 'body'] },
    );
    return news;
  }

  #relations(exchangeId: number, objects: readonly Relationship[]): News[] {
    const stored = new Map<string, Ends[]>();
    // Named, since the planner prefers the primary key's first column and then reads every relation of the exchange.
    for (const { object_id, source, target } of this.#db.byKeys<Ends & { object_id: string }>(
      'SELECT object_id, source, target FROM relation INDEXED BY relation_object WHERE exchange_id = ? AND object_id IN ($keys)',
      [...new Set(objects.map((one) => one.objectId))],
      exchangeId,
    ))
      stored.set(object_id, [...(stored.get(object_id) ?? []), { source, target }]);
    const now = new Map<string, Ends[]>();
    const news: News[] = [];
    for (const { objectId, source, target, revoked } of objects) {
      const found = now.get(objectId) ?? stored.get(objectId) ?? [];
      const same = found.some((one) => one.source === source && one.target === target);
      if (revoked ? found.length === 0 : same) continue;
      now.set(objectId, revoked ? [] : [{ source, target }]);
      news.push({ kind: 'source', objectId: source });
      if (!revoked) this.#related.add(exchangeId);
    }
    const [gone, come]: Values[][] = [[], []];
    for (const [id, ends] of now) {
      const before = stored.get(id) ?? [];
      for (const one of before)
        if (!ends.some((other) => isSame(one, other))) gone!.push([exchangeId, one.source, one.target, id]);
      for (const one of ends)
        if (!before.some((other) => isSame(one, other)))
          come!.push([exchangeId, one.source, one.target, id, 'indicates']);
    }
    this.#db.deleteRows('relation', ['exchange_id', 'source', 'target', 'object_id'], gone!);
    this.#db.insertRows('relation', ['exchange_id', 'source', 'target', 'object_id', 'relation'], come!);
    return news;
  }

  /** Those of these that any indicator indicates. */
  namedOf(exchangeId: number, targets: readonly string[]): string[] {
    return this.#db
      .byKeys<{ object_id: string }>(
        `SELECT c.object_id FROM context c WHERE c.exchange_id = ? AND EXISTS (
           SELECT 1 FROM relation r INDEXED BY relation_target
           WHERE r.exchange_id = c.exchange_id AND r.target = c.object_id AND r.relation = 'indicates')
         AND c.object_id IN ($keys)`,
        targets,
        exchangeId,
      )
      .map((row) => row.object_id);
  }

  /** Those of these markings that any object waits for. */
  awaitedOf(exchangeId: number, markings: readonly string[]): string[] {
    return this.#db
      .byKeys<{ object_id: string }>(
        `SELECT c.object_id FROM context c WHERE c.exchange_id = ? AND EXISTS (
           SELECT 1 FROM unexplained u WHERE u.exchange_id = c.exchange_id AND u.marking_id = c.object_id)
         AND c.object_id IN ($keys)`,
        markings,
        exchangeId,
      )
      .map((row) => row.object_id);
  }

  marking(exchangeId: number, markingId: string): MarkingBody | undefined {
    const key = `${exchangeId} ${markingId}`;
    if (this.#markings.has(key)) return this.#markings.get(key);
    const row = this.#find.get(exchangeId, markingId);
    const body = row?.kind === 'marking' ? (JSON.parse(row.body) as MarkingBody) : undefined;
    if (this.#markings.size >= MOST_NAMES) this.#markings.clear();
    this.#markings.set(key, body);
    return body;
  }

  /** For `marking`, in one look-up. */
  know(exchangeId: number, markingIds: readonly string[]): void {
    const keys = [...new Set(markingIds)].filter((id) => !this.#markings.has(`${exchangeId} ${id}`));
    if (keys.length === 0) return;
    if (this.#markings.size + keys.length > MOST_NAMES) this.#markings.clear();
    for (const id of keys) this.#markings.set(`${exchangeId} ${id}`, undefined);
    for (const row of this.#db.byKeys<{ object_id: string; body: string }>(
      "SELECT object_id, body FROM context WHERE exchange_id = ? AND kind = 'marking' AND object_id IN ($keys)",
      keys,
      exchangeId,
    ))
      this.#markings.set(`${exchangeId} ${row.object_id}`, JSON.parse(row.body) as MarkingBody);
  }

  /** Forgets what was learnt in a unit that failed. */
  forget(): void {
    this.#foreseen.clear();
    this.#names.clear();
    this.#markings.clear();
  }

  /** For `explain`, in one look-up; until the next such set, which is none at the end. */
  foresee(objects: readonly { readonly exchange_id: number; readonly object_id: string }[]): void {
    this.#foreseen.clear();
    const related = objects.filter((one) => this.#related.has(one.exchange_id));
    for (const [exchangeId, all] of Map.groupBy(related, (one) => one.exchange_id)) {
      const ids = [...new Set(all.map((one) => one.object_id))];
      for (const id of ids) this.#foreseen.set(`${exchangeId} ${id}`, []);
      for (const [source, body] of this.#db.listsByKeys(THREATS, ids, exchangeId) as [string, string][])
        this.#foreseen.get(`${exchangeId} ${source}`)!.push(body);
    }
  }

  /** What an analyst sees beside the claim itself. */
  explain(exchangeId: number, objectId: string, createdBy: string | undefined): Explained {
    // Facts of an older version may still have it in capitals.
    const provider = createdBy === undefined ? undefined : this.#name(exchangeId, createdBy.toLowerCase());
    if (!this.#related.has(exchangeId)) return { provider, threats: undefined };
    const threats =
      this.#foreseen.get(`${exchangeId} ${objectId}`) ?? this.#threats.all(exchangeId, objectId).map((one) => one.body);
    return { provider, threats: threats.length === 0 ? undefined : threats };
  }

  #name(exchangeId: number, objectId: string): string | undefined {
    const key = `${exchangeId} ${objectId}`;
    if (this.#names.has(key)) return this.#names.get(key);
    const row = this.#find.get(exchangeId, objectId);
    const name = row?.kind === 'name' ? row.body : undefined;
    if (this.#names.size >= MOST_NAMES) this.#names.clear();
    this.#names.set(key, name);
    return name;
  }
}

/** What the object makes of what is kept of its id; undefined: nothing new. */
function explanationOf(
  object: Explanation,
  found: StoredExplanation | undefined,
): { readonly row: StoredExplanation; readonly news?: News['kind'] } | undefined {
  const version = object.kind === 'name' ? object.version : '';
  const body = object.kind === 'name' ? object.name : JSON.stringify(bodyOf(object));
  const { kind } = object;
  if (found !== undefined && (found.body === body || found.version > version)) return undefined;
  if (object.kind === 'name') {
    const row = { kind, version, body };
    return object.type === 'identity' ? { row } : { row, news: 'name' };
  }
  // A marking definition has no versions (STIX 2.1 §7.2): of another one under the same id only what is stricter
  // counts, unless the first was read by older rules.
  const first = found?.kind === 'marking' && !isOutdated(found.body) ? found.body : undefined;
  if (first === undefined) return { row: { kind, version, body }, news: 'marking' };
  const both = stricterOf(JSON.parse(first) as MarkingBody, object);
  return both === first ? undefined : { row: { kind, version, body: both }, news: 'redefined' };
}

function stricterOf(first: MarkingBody, other: IncomingContext & { kind: 'marking' }): string {
  return JSON.stringify({
    ...first,
    tlp: stricterTlp(first.tlp, other.tlp),
    pap: stricterPap(first.pap, other.pap),
    statement: first.statement ?? other.statement,
    unread: first.unread ?? other.unread,
    canon: first.canon,
  });
}

function bodyOf({ tlp, pap, statement, unread }: IncomingContext & { kind: 'marking' }): object {
  return { tlp, pap, statement, unread, canon: CANON_VERSION };
}

const isOutdated = (body: string): boolean => ((JSON.parse(body) as MarkingBody).canon ?? 1) < CANON_VERSION;
