// Names, markings and relationships that explain indicators. They may come before or after what they explain, or
// never; when one comes late, the store tells which indicators must be looked at again.
import { CANON_VERSION } from '../model/canonical.ts';
import type { Claim, IncomingContext } from '../model/entry.ts';
import { stricterPap, stricterTlp, type Pap, type Tlp } from '../model/marking.ts';
import type { StoreContext } from './context.ts';

export interface MarkingBody {
  readonly tlp?: Tlp;
  readonly pap?: Pap;
  readonly statement?: string;
  /** What it says is not understood, as words to follow its id. */
  readonly unread?: string;
  /** The rules under which it was read; absent = the first. */
  readonly canon?: number;
}

/** What other objects say of an indicator. */
export type Explained = Pick<Claim, 'provider' | 'threats'>;

/** What must be looked at again: objects that wait for a marking or stand under it, sources of a name, or one source. */
export interface News {
  readonly kind: 'marking' | 'redefined' | 'name' | 'source';
  readonly objectId: string;
}

/** How many threat names one indicator may carry into a SIEM. */
const MOST_THREATS = 8;
/** Creators and markings of one feed are few; a cache is dropped when it grows beyond this. */
const MOST_NAMES = 2000;

export class ContextTable {
  readonly #names = new Map<string, string | undefined>();
  readonly #markings = new Map<string, MarkingBody | undefined>();
  /** Exchanges that sent any relationship: the others are spared a look-up per claim. */
  readonly #related = new Set<number>();
  readonly #db: StoreContext['db'];
  readonly #find;
  readonly #put;
  readonly #relationOf;
  readonly #relate;
  readonly #unrelate;
  readonly #threats;
  readonly #sources;

  constructor({ db }: StoreContext) {
    this.#db = db;
    this.#find = db.statement<{ kind: string; version: string; body: string }>(
      'SELECT kind, version, body FROM context WHERE exchange_id = ? AND object_id = ?',
    );
    this.#put = db.statement(
      `INSERT INTO context (exchange_id, object_id, kind, version, body) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (exchange_id, object_id) DO UPDATE SET kind = excluded.kind, version = excluded.version, body = excluded.body`,
    );
    // Named, since the planner prefers the primary key's first column and then reads every relation of the exchange.
    this.#relationOf = db.statement<{ source: string; target: string }>(
      'SELECT source, target FROM relation INDEXED BY relation_object WHERE exchange_id = ? AND object_id = ?',
    );
    this.#relate = db.statement(
      'INSERT INTO relation (exchange_id, source, target, relation, object_id) VALUES (?, ?, ?, ?, ?)',
    );
    this.#unrelate = db.statement(
      'DELETE FROM relation WHERE exchange_id = ? AND source = ? AND target = ? AND object_id = ?',
    );
    this.#sources = db.statement<{ source: string }>(
      `SELECT DISTINCT source FROM relation INDEXED BY relation_target
       WHERE exchange_id = ? AND target = ? AND source > ? AND relation = 'indicates' ORDER BY source LIMIT ?`,
    );
    this.#threats = db.statement<{ body: string }>(
      `SELECT DISTINCT c.body FROM relation r JOIN context c ON c.exchange_id = r.exchange_id AND c.object_id = r.target
       WHERE r.exchange_id = ? AND r.source = ? AND r.relation = 'indicates' AND c.kind = 'name' ORDER BY c.body LIMIT ${MOST_THREATS}`,
    );
    for (const row of db.all<{ exchange_id: number }>('SELECT DISTINCT exchange_id FROM relation'))
      this.#related.add(row.exchange_id);
  }

  /** Keeps the object; says what has to be looked at again, or undefined when nothing is new. */
  store(exchangeId: number, object: IncomingContext): News | undefined {
    if (object.kind === 'relationship') return this.#relation(exchangeId, object);
    const version = object.kind === 'name' ? object.version : '';
    const body = object.kind === 'name' ? object.name : JSON.stringify(bodyOf(object));
    const found = this.#find.get(exchangeId, object.objectId);
    if (found !== undefined && (found.body === body || found.version > version)) return undefined;
    // A marking definition has no versions (STIX 2.1 §7.2): of another one under the same id only what is stricter
    // counts, unless the first was read by older rules.
    const first = found?.kind === 'marking' && !isOutdated(found.body) ? found.body : undefined;
    if (first !== undefined && object.kind === 'marking') {
      const both = stricterOf(JSON.parse(first) as MarkingBody, object);
      if (both === first) return undefined;
      this.#put.run(exchangeId, object.objectId, object.kind, version, both);
      this.#markings.delete(`${exchangeId} ${object.objectId}`);
      return { kind: 'redefined', objectId: object.objectId };
    }
    this.#put.run(exchangeId, object.objectId, object.kind, version, body);
    this.#names.delete(`${exchangeId} ${object.objectId}`);
    this.#markings.delete(`${exchangeId} ${object.objectId}`);
    if (object.kind === 'marking') return { kind: 'marking', objectId: object.objectId };
    return object.type === 'identity' ? undefined : { kind: 'name', objectId: object.objectId };
  }

  #relation(exchangeId: number, object: IncomingContext & { kind: 'relationship' }): News | undefined {
    if (object.relation !== 'indicates') return undefined;
    const found = this.#relationOf.all(exchangeId, object.objectId);
    const same = found.some((one) => one.source === object.source && one.target === object.target);
    if (same && !object.revoked) return undefined;
    for (const one of found) this.#unrelate.run(exchangeId, one.source, one.target, object.objectId);
    if (object.revoked) return found.length === 0 ? undefined : { kind: 'source', objectId: object.source };
    this.#relate.run(exchangeId, object.source, object.target, object.relation, object.objectId);
    this.#related.add(exchangeId);
    return { kind: 'source', objectId: object.source };
  }

  /** Ids of the indicators that indicate `target`, in order. */
  sourcesOf(exchangeId: number, target: string, after: string, most: number): string[] {
    return this.#sources.all(exchangeId, target, after, most).map((row) => row.source);
  }

  isNamed(exchangeId: number, target: string): boolean {
    return this.#sources.get(exchangeId, target, '', 1) !== undefined;
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
    this.#names.clear();
    this.#markings.clear();
  }

  /** What an analyst sees beside the claim itself. */
  explain(exchangeId: number, objectId: string, createdBy: string | undefined): Explained {
    const provider = createdBy === undefined ? undefined : this.#name(exchangeId, createdBy);
    if (!this.#related.has(exchangeId)) return { provider, threats: undefined };
    const threats = this.#threats.all(exchangeId, objectId).map((one) => one.body);
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
