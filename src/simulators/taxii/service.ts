// The endpoints of TAXII 2.1 §4 and §5 over two API roots, and the back door. Every request is judged in the order a
// careful server does: quirks that answer at once, credentials, media types, existence, rights, parameters.
import type { SimRequest, SimResponse, SimulatorHandler } from '../server.ts';
import type { StixObject } from '../stix-object.ts';
import { acceptsTaxii, gzipBomb, hugeAnswer, isTaxiiBody, json, refusal, TAXII } from './answers.ts';
import { Collection, type CollectionInfo, uuidOf } from './collection.ts';
import { unwrapped } from './data.ts';
import { Pages } from './pages.ts';
import { Posts, readEnvelope } from './posts.ts';
import { type MatchField, readFilter } from './query.ts';
import { type Quirk, quirkBox, type Quirks } from './quirks.ts';
import { parseStamp } from './stamp.ts';
import { CHALLENGE, isKnown, type User } from './users.ts';

export interface ServiceOptions {
  readonly users: readonly User[];
  readonly pageCap: number;
  readonly maxContentLength: number;
  readonly pendingPolls: number;
  readonly seed: number;
  readonly clock: () => number;
  readonly quirks: readonly Quirk[];
  readonly scheme: 'http' | 'https';
  readonly more: readonly string[];
}

interface Root {
  readonly path: string;
  readonly title: string;
  readonly collections: readonly Collection[];
}

const OBJECT_FILTERS: readonly MatchField[] = ['id', 'type', 'version', 'spec_version'];

export class TaxiiService implements SimulatorHandler {
  readonly roots: readonly Root[];
  readonly read: Collection;
  readonly write: Collection;
  readonly quirks: Quirks;
  readonly #options: ServiceOptions;
  readonly #pages: Pages;
  readonly #posts: Posts;
  #lastDate = 0;
  #oneDate: number | undefined;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.quirks = quirkBox(options.quirks);
    this.read = collection('api1', 'Indicators', 'what the exchange vouches for', true, false, 'indicators');
    this.write = collection('api1', 'sightings', 'what members saw', true, true);
    const inbox = collection('api1', 'inbox', 'for submissions', false, true);
    const closed = collection('api1', 'closed', 'of another group', false, false);
    const more = options.more.map((title) => collection('api1', title, 'more of it', true, false));
    const archive = collection('api2', 'archive', 'older indicators', true, false);
    this.roots = [
      { path: '/api1/', title: 'Exchange', collections: sorted([this.read, this.write, inbox, closed, ...more]) },
      { path: '/api2/', title: 'Archive', collections: [archive] },
    ];
    this.#pages = new Pages({ cap: options.pageCap, clock: options.clock, quirks: this.quirks });
    this.#posts = new Posts({
      seed: options.seed,
      pendingPolls: options.pendingPolls,
      nextDate: () => this.#nextDate(),
    });
  }

  handle(request: SimRequest): SimResponse {
    const target = `${request.method} ${request.path}?${decodeURIComponent(request.query.toString().replaceAll('+', ' '))}`;
    const { route, answer } = this.#judge(request, target);
    return { ...this.#bent(answer, target), route: `${request.method} ${route}` };
  }

  state(): unknown {
    return {
      collections: this.roots.flatMap((root) =>
        root.collections.map(({ info, count }) => ({
          root: root.path,
          id: info.id,
          title: info.title,
          objects: count,
        })),
      ),
      sightings: this.#posts.sightings,
    };
  }

  readonly backdoor: Readonly<Record<string, (body: unknown) => unknown>> = {
    load: (body) => {
      const wrapped = body as { collection?: string; bundle?: unknown; date_added?: string };
      if (wrapped.bundle === undefined) return this.load(unwrapped(body));
      return this.load(unwrapped(wrapped.bundle), { collection: wrapped.collection, dateAdded: wrapped.date_added });
    },
    remove: (body) => {
      const { collection: name, ids } = body as { collection?: string; ids: readonly string[] };
      return this.remove(ids, name);
    },
    events: (body) => {
      const events = body as readonly { time: string; fields: StixObject; collection?: string }[];
      let added = 0;
      for (const { time, fields, collection: name } of events)
        added += this.load(unwrapped(fields), { collection: name, dateAdded: time }).added;
      return { added };
    },
    quirks: (body) => {
      this.quirks.set(body as readonly Quirk[]);
      return { ok: true };
    },
  };

  /** Adds objects as the exchange's own; all get `dateAdded` if it is given, even one in the past. */
  load(
    objects: Iterable<StixObject>,
    where: { collection?: string | undefined; dateAdded?: string | undefined } = {},
  ): { added: number } {
    const into = this.#named(where.collection);
    const date = where.dateAdded === undefined ? undefined : parseStamp(where.dateAdded);
    if (where.dateAdded !== undefined && date === undefined)
      throw new Error(`${where.dateAdded} is no timestamp in UTC`);
    let added = 0;
    for (const object of objects) if (into.add(object, date ?? this.#nextDate(), true) === 'added') added += 1;
    return { added };
  }

  /** Makes objects vanish, all versions, without a trace: TAXII has no tombstone. */
  remove(ids: readonly string[], name?: string): { removed: number } {
    const from = this.#named(name);
    let removed = 0;
    for (const id of ids) removed += from.remove(id);
    return { removed };
  }

  /** Fills the read collection before the server listens: the first object was added at `from`, each next 1 µs later. */
  fill(objects: Iterable<StixObject>, from: number): void {
    this.#lastDate = Math.floor(from * 1000);
    for (const object of objects) this.read.add(object, this.#dateAfter(this.#lastDate + 1), true);
  }

  get sightings(): readonly StixObject[] {
    return this.#posts.sightings.map(({ object }) => object);
  }

  #nextDate(): number {
    return this.#dateAfter(Math.max(this.#lastDate + 1, Math.floor(this.#options.clock() * 1000)));
  }

  #dateAfter(date: number): number {
    this.#lastDate = date;
    this.#oneDate = this.quirks.take('one-date-added', '') === undefined ? undefined : (this.#oneDate ?? date);
    return this.#oneDate ?? date;
  }

  #named(name: string | undefined): Collection {
    if (name === undefined) return this.read;
    const found = this.roots.flatMap(({ collections }) => collections).find((one) => isCalled(one, name, true));
    if (found === undefined) throw new Error(`no collection ${name}`);
    return found;
  }

  #judge(request: SimRequest, target: string): { route: string; answer: SimResponse } {
    const parts = request.path.split('/').slice(1);
    const route = routeOf(parts);
    const early = this.#early(target);
    if (early !== undefined) return { route, answer: early };
    if (this.#options.users.length > 0 && !isKnown(request, this.#options.users)) {
      const answer = refusal(401, 'Unauthorized', 'credentials are missing or wrong', {
        'www-authenticate': CHALLENGE,
      });
      return { route, answer };
    }
    const accepts = acceptsTaxii(request.headers['accept']);
    const refused =
      accepts === 'no' ||
      (accepts === 'without version' && this.quirks.take('accept-needs-version', target) !== undefined) ||
      (accepts === 'with version' && this.quirks.take('accept-refuses-version', target) !== undefined);
    if (refused) return { route, answer: refusal(406, 'Not acceptable', `this server speaks ${TAXII}`) };
    return { route, answer: this.#route(request, parts, target) };
  }

  #early(target: string): SimResponse | undefined {
    const { quirks } = this;
    const retry = ({ secs }: Quirk): Record<string, string> =>
      secs === undefined ? {} : { 'retry-after': String(secs) };
    if (quirks.take('unauthorized', target) !== undefined)
      return refusal(401, 'Unauthorized', 'the account was closed', { 'www-authenticate': CHALLENGE });
    const busy = quirks.take('too-many-requests', target);
    if (busy !== undefined) return refusal(429, 'Too many requests', undefined, retry(busy));
    const down = quirks.take('unavailable', target);
    if (down !== undefined) return refusal(503, 'Unavailable', 'maintenance', retry(down));
    if (quirks.take('html', target) !== undefined)
      return { status: 200, headers: { 'content-type': 'text/html' }, body: '<!DOCTYPE html><title>Sign in</title>' };
    const huge = quirks.take('huge', target);
    if (huge !== undefined) return hugeAnswer(huge.bytes);
    const bomb = quirks.take('gzip-bomb', target);
    return bomb === undefined ? undefined : gzipBomb(bomb.bytes);
  }

  #route(request: SimRequest, parts: readonly string[], target: string): SimResponse {
    // Every path of TAXII ends in a slash (§3.8), so the last part is empty.
    if (parts.at(-1) !== '') return refusal(404, 'Not found', 'the path lacks its final slash');
    const [first, second, third, fourth, fifth, sixth] = parts.slice(0, -1).map(decoded);
    if (first === 'taxii2' && second === undefined) return get(request, () => this.#discovery(request, target));
    const root = this.roots.find((one) => one.path === `/${first}/`);
    if (root === undefined) return refusal(404, 'Not found', 'no such API root');
    if (second === undefined) return get(request, () => this.#rootAnswer(root));
    if (second === 'status' && third !== undefined && fourth === undefined)
      return get(request, () => this.#status(root, third, target));
    if (second !== 'collections' || parts.length > 7) return refusal(404, 'Not found');
    if (third === undefined)
      return get(request, () => json(200, { collections: root.collections.map((one) => one.info) }));
    const found = root.collections.find((one) => isCalled(one, third, false));
    if (found === undefined) return refusal(404, 'Not found', 'no such collection');
    if (fourth === undefined) return get(request, () => json(200, found.info));
    if (fourth === 'manifest' && fifth === undefined)
      return get(request, () => this.#list(request, found, 'manifest', target));
    if (fourth !== 'objects') return refusal(404, 'Not found');
    if (fifth === undefined) {
      if (request.method === 'POST') return this.#post(request, root, found, target);
      return get(request, () => this.#list(request, found, 'objects', target));
    }
    if (sixth === undefined) {
      if (request.method === 'DELETE') return this.#delete(request, found, fifth);
      return get(request, () => this.#list(request, found, 'objects', target, fifth));
    }
    if (sixth !== 'versions') return refusal(404, 'Not found');
    return get(request, () => this.#list(request, found, 'versions', target, fifth));
  }

  #discovery(request: SimRequest, target: string): SimResponse {
    const origin = `${this.#options.scheme}://${request.headers['host'] ?? '127.0.0.1'}`;
    const relative = this.quirks.take('relative-roots', target) !== undefined;
    // The first root is given in full, the second without scheme and host: both are legal (§4.1.1).
    const urls = this.roots.map(({ path }, place) => (place === 0 && !relative ? `${origin}${path}` : path));
    return json(200, {
      title: 'Simulated partner exchange',
      description: 'TAXII 2.1 on loopback',
      contact: 'desk@exchange.example',
      default: urls[0],
      api_roots: urls,
    });
  }

  #rootAnswer(root: Root): SimResponse {
    return json(200, { title: root.title, versions: [TAXII], max_content_length: this.#options.maxContentLength });
  }

  #status(root: Root, id: string, target: string): SimResponse {
    const status =
      this.quirks.take('status-missing', target) === undefined ? this.#posts.poll(root.path, id) : undefined;
    return status === undefined ? refusal(404, 'Not found', 'no such status') : json(200, status);
  }

  #list(
    request: SimRequest,
    from: Collection,
    kind: 'objects' | 'manifest' | 'versions',
    target: string,
    id?: string,
  ): SimResponse {
    if (!from.info.can_read)
      return from.info.can_write ? refusal(403, 'Forbidden', 'not readable') : refusal(404, 'Not found');
    const fields: readonly MatchField[] =
      kind === 'versions' ? ['spec_version'] : id === undefined ? OBJECT_FILTERS : ['version', 'spec_version'];
    const query = new URLSearchParams(request.query);
    if (this.quirks.take('match-ignored', target) !== undefined)
      for (const name of [...query.keys()].filter((one) => one.startsWith('match['))) query.delete(name);
    const filter = readFilter(query, fields);
    if ('problem' in filter) return refusal(400, 'Bad request', filter.problem);
    if (id === undefined) return this.#pages.answer(kind, from, filter, target);
    if (from.versionsOf(id).length === 0) return refusal(404, 'Not found', 'no such object');
    const own = { ...filter, ids: [id], print: `${id} ${filter.print}` };
    return this.#pages.answer(kind, from, kind === 'versions' ? { ...own, versions: ['all'] } : own, target);
  }

  #post(request: SimRequest, root: Root, into: Collection, target: string): SimResponse {
    if (!into.info.can_write)
      return into.info.can_read ? refusal(403, 'Forbidden', 'not writable') : refusal(404, 'Not found');
    if (!isTaxiiBody(request.headers['content-type'])) return refusal(415, 'Unsupported media type', `send ${TAXII}`);
    if (request.body.length > this.#options.maxContentLength)
      return refusal(413, 'Content too large', `at most ${this.#options.maxContentLength} octets`);
    const envelope = readEnvelope(request.body);
    if ('problem' in envelope) return refusal(envelope.status, 'Malformed content', envelope.problem);
    const partial = this.quirks.take('partial-failure', target) !== undefined;
    const at = Math.floor(this.#options.clock() * 1000);
    if (this.quirks.take('drops-posts', target) !== undefined)
      return json(202, this.#posts.drop(envelope.objects.length, at));
    const lags = this.quirks.take('status-lags', target) !== undefined;
    const status = this.#posts.accept(root.path, into, envelope.objects, at, { partial, lags });
    const silent = this.quirks.take('no-status', target);
    if (silent !== undefined) return { status: silent.status ?? 202, headers: { 'content-type': TAXII } };
    const empty = this.quirks.take('empty-status', target);
    if (empty !== undefined) return json(empty.status ?? 201, {});
    return json(this.#taken(target), status);
  }

  #taken(target: string): number {
    const instead = this.quirks.take('status-instead', target);
    return instead === undefined ? 202 : (instead.status ?? 200);
  }

  #delete(request: SimRequest, from: Collection, id: string): SimResponse {
    const { can_read, can_write } = from.info;
    if (!can_read && !can_write) return refusal(404, 'Not found');
    if (!can_read || !can_write) return refusal(403, 'Forbidden', 'deleting takes the right to read and to write');
    const filter = readFilter(request.query, ['version', 'spec_version']);
    if ('problem' in filter) return refusal(400, 'Bad request', filter.problem);
    if (from.versionsOf(id).length === 0) return refusal(404, 'Not found', 'no such object');
    // Without a filter all versions go (§5.7), not only the last.
    const chosen = request.query.has('match[version]') ? filter.versions : ['all'];
    const doomed = new Set(from.versionsOf(id).filter(from.test({ ...filter, versions: chosen })));
    from.remove(id, (row) => doomed.has(row));
    return { status: 200, headers: { 'content-type': TAXII } };
  }

  /** The quirks that change a finished answer. */
  #bent(answer: SimResponse, target: string): SimResponse {
    const headers: Record<string, string> = { ...answer.headers };
    const { quirks } = this;
    if (headers['content-type'] === TAXII) {
      if (quirks.take('content-type-json', target) !== undefined) headers['content-type'] = 'application/json';
      if (quirks.take('content-type-no-version', target) !== undefined)
        headers['content-type'] = 'application/taxii+json';
      if (quirks.take('content-type-charset', target) !== undefined)
        headers['content-type'] = `${TAXII}; charset=utf-8`;
    }
    const off = quirks.take('clock-off', target);
    const ahead = off === undefined ? 0 : (off.secs ?? 600) * 1000;
    headers['date'] = new Date(this.#options.clock() + ahead).toUTCString();
    return { ...answer, headers };
  }
}

function collection(
  root: string,
  title: string,
  description: string,
  can_read: boolean,
  can_write: boolean,
  alias?: string,
): Collection {
  const id = uuidOf(`${root} ${title}`);
  const info: CollectionInfo = {
    id,
    title,
    description,
    ...(alias === undefined ? {} : { alias }),
    can_read,
    can_write,
  };
  return new Collection(info);
}

const sorted = (all: readonly Collection[]): Collection[] => all.toSorted((a, b) => (a.info.id < b.info.id ? -1 : 1));

/** Clients name a collection by id or alias (§5.2); only the back door also takes the title. */
function isCalled({ info }: Collection, name: string, byTitle: boolean): boolean {
  return info.id === name || info.alias === name || (byTitle && info.title === name);
}

function get(request: SimRequest, answer: () => SimResponse): SimResponse {
  return request.method === 'GET' ? answer() : refusal(405, 'Method not allowed', undefined, { allow: 'GET' });
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The path with its ids replaced, so that requests can be counted by endpoint. */
function routeOf(parts: readonly string[]): string {
  const shown = parts.map((part, place) => {
    if (place === 2 && part !== '') return '{id}';
    return place === 4 && part !== '' ? '{object}' : part;
  });
  return `/${shown.join('/')}`;
}
