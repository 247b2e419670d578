// The endpoints of a MISP server and the back door. Every request is judged in the order a real one does: a guard in front,
// credentials, form of the answer, existence, rights.
import type { SimRequest, SimResponse, SimulatorHandler } from '../server.ts';
import { type Permissions, passesGuard, permissionsOf, type SimKey } from './access.ts';
import { type Act, act } from './acts.ts';
import { forbiddenByGuard, hugeAnswer, json, loginPage, NO_KEY, NO_PERMISSION, refusal } from './answers.ts';
import { attributeOf, eventsOf, loadEvent } from './load.ts';
import type { Filters } from './filters.ts';
import { type Quirk, quirkBox, type Quirks } from './quirks.ts';
import { Search } from './search.ts';
import { Sightings } from './sightings.ts';
import { MispState, type SimEvent, type SimSighting } from './state.ts';
import { Warninglists, type WarninglistData } from './warninglists.ts';
import { word } from './words.ts';

export interface ServiceOptions {
  readonly keys: readonly SimKey[];
  readonly version: string;
  readonly quirks: readonly Quirk[];
  /** Epoch milliseconds. */
  readonly clock: () => number;
  readonly warninglists: readonly WarninglistData[];
}

const RATE_WINDOW_SECS = 900;

interface Asked {
  readonly request: SimRequest;
  readonly target: string;
  readonly body: unknown;
  readonly by: Permissions;
  /** Parts of the path, and what stands behind as `name:value` or `name[]:value`. */
  readonly parts: readonly string[];
  readonly named: Readonly<Record<string, string | readonly string[]>>;
}

export class MispService implements SimulatorHandler {
  readonly partner: MispState;
  readonly quirks: Quirks;
  readonly #options: ServiceOptions;
  readonly #search: Search;
  readonly #sightings: Sightings;
  readonly #lists: Warninglists;
  #window = { start: 0, used: 0 };

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.quirks = quirkBox(options.quirks);
    this.partner = new MispState(() => this.#clock() / 1000);
    this.#lists = new Warninglists(options.warninglists);
    this.#search = new Search(this.partner, this.quirks, this.#lists);
    this.#sightings = new Sightings(this.partner);
  }

  async handle(request: SimRequest): Promise<SimResponse> {
    const target = `${request.method} ${request.path}`;
    const answer = this.#judge(request, target);
    const slow = this.quirks.take('slow', target);
    if (slow !== undefined && /restSearch|events\/view/.test(target)) {
      const thousands = (String(answer.body ?? '').match(/"to_ids":/g)?.length ?? 0) / 1000;
      await new Promise((go) => setTimeout(go, (slow.ms ?? 1000) * thousands));
    }
    const date = new Date(this.#clock()).toUTCString();
    return { ...answer, headers: { ...answer.headers, date }, route: `${request.method} ${routeOf(request.path)}` };
  }

  state(): unknown {
    return {
      events: [...this.partner.events.values()].map((event) => ({
        uuid: event.uuid,
        info: event.info,
        published: event.published,
        timestamp: event.timestamp,
        publish_timestamp: event.publishTimestamp,
        attributes: event.attributes.length,
      })),
      sightings: this.sightings(),
    };
  }

  sightings(): unknown[] {
    return this.partner.sightings.map((one: SimSighting) => ({
      uuid: one.uuid,
      attribute_uuid: one.attribute.uuid,
      event_uuid: one.attribute.event.uuid,
      value: one.attribute.value,
      type: one.type,
      date_sighting: one.date,
      source: one.source,
      org: one.org.name,
    }));
  }

  load(data: unknown): { events: number; attributes: number } {
    let events = 0;
    let attributes = 0;
    for (const raw of eventsOf(data)) {
      attributes += loadEvent(this.partner, raw).attributes.length;
      events += 1;
    }
    return { events, attributes };
  }

  act(what: Act | readonly Act[]): void {
    for (const one of Array.isArray(what) ? (what as readonly Act[]) : [what as Act]) act(this.partner, one);
  }

  readonly backdoor: Readonly<Record<string, (body: unknown) => unknown>> = {
    load: (body) => this.load(body),
    // As the other simulators: `[{time, fields}]`, where the fields are an event.
    events: (body) => this.load((body as readonly { fields?: unknown }[]).map((one) => one.fields ?? one)),
    act: (body) => {
      this.act(body as Act | readonly Act[]);
      return { ok: true };
    },
    quirks: (body) => {
      this.quirks.set(body as readonly Quirk[]);
      return { ok: true };
    },
  };

  #clock(): number {
    const off = this.quirks.take('clock-off', 'clock');
    return this.#options.clock() + (off === undefined ? 0 : (off.secs ?? 600) * 1000);
  }

  #judge(request: SimRequest, target: string): SimResponse {
    const { path } = request;
    if (this.quirks.take('guard', target) !== undefined && !passesGuard(request)) return forbiddenByGuard();
    if (this.quirks.take('login-page', target) !== undefined) return loginPage();
    if (!/application\/json/.test(request.headers['accept'] ?? '') && !path.endsWith('.json')) return loginPage();
    const by = permissionsOf(request, this.#options.keys);
    if (by === undefined) return refusal(403, NO_KEY, path);
    if (this.quirks.take('key-expired', target) !== undefined) return refusal(403, 'Auth key is expired', path);
    if (this.quirks.take('ip-not-allowed', target) !== undefined)
      return refusal(403, 'It is not possible to use this Auth key from your IP address', path);
    const isJson = /json/.test(request.headers['content-type'] ?? '');
    let body: unknown;
    try {
      // Without its type a body is no filter: everything comes back.
      body = request.body.length === 0 || !isJson ? undefined : JSON.parse(request.body.toString('utf8'));
    } catch {
      return refusal(
        400,
        'Invalid JSON input. Make sure that the JSON input is a correctly formatted JSON string.',
        path,
      );
    }
    const parts = path
      .replace(/\.json$/, '')
      .split('/')
      .filter((one) => one !== '')
      .map(decoded);
    const plain = parts.filter((one) => !one.includes(':'));
    if (plain.length < parts.length && this.quirks.take('no-named', target) !== undefined)
      return refusal(404, 'Not Found', path);
    const asked: Asked = { request, target, body, by, parts: plain, named: namedIn(parts) };
    const search = /^\/(attributes|events)\/restSearch/i.test(path);
    if (search) {
      if (this.quirks.take('no-search', target) !== undefined)
        return refusal(405, 'API searches are not allowed for this user role.', path);
      const limited = this.#rateLimit(target, path);
      if (limited !== undefined) return limited;
      const huge = this.quirks.take('huge', target);
      if (huge !== undefined) return hugeAnswer(huge.bytes);
    }
    return this.#route(asked);
  }

  #route(asked: Asked): SimResponse {
    const [controller = '', action = '', third, fourth] = asked.parts;
    const { request, by, target, body } = asked;
    const { path } = request;
    switch (`${controller.toLowerCase()}/${action.toLowerCase()}`) {
      case 'servers/getversion':
        return json(this.#version(by));
      case 'servers/getpymispversion':
        return json({ version: this.#options.version });
      case 'users/view':
        return json(me(by));
      case 'attributes/describetypes':
        return json({ result: describeTypes() });
      case 'attributes/restsearch':
        return this.#restSearch(asked, (filters) => this.#attributes(filters, target));
      case 'events/restsearch':
        return this.#restSearch(asked, (filters) => this.#search.events(filters, target));
      case 'events/index':
      case 'events/':
        return this.#search.index(filtersOf(body) ?? asked.named, target);
      case 'events/view':
        return this.#view(asked, third ?? '');
      case 'attributes/view': {
        const one = this.partner.attribute(third ?? '');
        return one === undefined || one.event.hidden
          ? refusal(404, 'Invalid attribute', path)
          : this.#search.attribute(one, target);
      }
      case 'events/add':
        return this.#writing(by, path, () => this.#added(body, path, target));
      case 'events/publish':
      case 'events/alert':
      case 'events/unpublish':
      case 'events/delete':
        return this.#writing(by, path, () => this.#onEvent(action.toLowerCase(), third ?? '', path));
      case 'attributes/add':
        return this.#writing(by, path, () => this.#addedAttribute(body, third ?? '', path, target));
      case 'sightings/add':
        return this.#sightings.add(body, third, by, path);
      case 'sightings/bulksavesightings': {
        if (this.quirks.take('no-bulk', target) !== undefined) return refusal(404, 'Invalid controller.', path);
        const keep = this.quirks.take('drops-sightings', target) === undefined;
        return this.#sightings.bulk(body, third ?? '', by, keep, path);
      }
      case 'sightings/listsightings':
        return this.#sightings.list(body, third, fourth, path);
      case 'sightings/restsearch':
        return this.#sightings.search(body, third, path);
      case 'warninglists/index':
      case 'warninglists/':
        return json({ Warninglists: this.#lists.index() });
      case 'warninglists/checkvalue':
        return json(this.#lists.check(body));
      default:
        return refusal(404, 'Invalid controller.', path);
    }
  }

  #restSearch({ request, body, named }: Asked, answer: (filters: Filters) => SimResponse): SimResponse {
    const { method, path } = request;
    if (method === 'GET' && Object.keys(named).length === 0) return refusal(400, 'No search parameters given.', path);
    if (method === 'POST' && request.body.length === 0) return refusal(400, 'No JSON body given.', path);
    return answer(filtersOf(body) ?? named);
  }

  #attributes(filters: Filters, target: string): SimResponse {
    const answer = this.#search.attributes(filters, target);
    const moves = this.quirks.take('moves-while-read', target);
    const event = this.partner.event(word([filters['eventid']].flat()[0] ?? ''));
    if (moves !== undefined && event !== undefined) {
      this.partner.touch(event);
      this.partner.publish(event);
    }
    return answer;
  }

  #rateLimit(target: string, path: string): SimResponse | undefined {
    const quirk = this.quirks.take('rate-limit', target);
    if (quirk === undefined) return undefined;
    const now = this.partner.now;
    if (now - this.#window.start >= RATE_WINDOW_SECS) this.#window = { start: now, used: 0 };
    this.#window.used += 1;
    const most = quirk.most ?? 5;
    if (this.#window.used <= most) return undefined;
    const answer = refusal(429, 'Rate limit exceeded.', path);
    return {
      ...answer,
      headers: {
        ...answer.headers,
        'x-rate-limit-limit': String(most),
        'x-rate-limit-remaining': '0',
        'x-rate-limit-reset': String(this.#window.start + RATE_WINDOW_SECS - now),
      },
    };
  }

  #view({ request, named, body, by, target }: Asked, name: string): SimResponse {
    const event = this.partner.event(name);
    if (event === undefined || event.hidden) return refusal(404, 'Invalid event', request.path);
    if (this.quirks.take('huge', target) !== undefined) return hugeAnswer();
    const deleted = filtersOf(body)?.['deleted'] ?? named['deleted'];
    return this.#search.view(event, { deleted, sync: by.sync }, target);
  }

  #writing(by: Permissions, path: string, answer: () => SimResponse): SimResponse {
    return by.write ? answer() : refusal(403, NO_PERMISSION, path);
  }

  #added(body: unknown, path: string, target: string): SimResponse {
    let event: SimEvent | undefined;
    for (const raw of eventsOf(body)) {
      const known = typeof raw['uuid'] === 'string' ? this.partner.event(raw['uuid']) : undefined;
      if (known !== undefined)
        return refusal(403, 'Event already exists', path, { saved: false, errors: { uuid: ['not unique'] } });
      event = loadEvent(this.partner, { ...raw, published: false });
    }
    if (event === undefined) return refusal(400, 'No event given.', path);
    return this.#search.view(event, { deleted: undefined, sync: true }, target);
  }

  #addedAttribute(body: unknown, name: string, path: string, target: string): SimResponse {
    const event = this.partner.event(name);
    if (event === undefined) return refusal(404, 'Invalid event', path);
    const given = filtersOf(body) ?? {};
    const one = attributeOf(this.partner, event, given, undefined);
    event.attributes.push(one);
    this.partner.touch(event);
    return this.#search.attribute(one, target);
  }

  #onEvent(action: string, name: string, path: string): SimResponse {
    const event = this.partner.event(name);
    if (event === undefined) return refusal(404, 'Invalid event', path);
    if (action === 'delete') this.partner.deleteEvent(event);
    else if (action === 'unpublish') event.published = false;
    else this.partner.publish(event);
    return json({ name: 'Done', message: 'Job queued', url: path });
  }

  #version(by: Permissions): unknown {
    return {
      version: this.#options.version,
      pymisp_recommended_version: this.#options.version,
      perm_sync: by.sync,
      perm_sighting: by.sighting,
      perm_galaxy_editor: false,
      perm_analyst_data: false,
      uuid: by.sync ? '0b1f0d5e-5f0a-4e3a-9d53-6f1f5c0e00aa' : '-',
      request_encoding: ['gzip'],
      filter_sightings: true,
    };
  }
}

const TYPES = (
  'ip-src ip-dst ip-src|port ip-dst|port domain hostname domain|ip hostname|port url uri md5 sha1 sha256 sha512 filename ' +
  'filename|md5 filename|sha1 filename|sha256 email email-src email-dst text comment link'
).split(' ');

function describeTypes(): unknown {
  const categories = ['Network activity', 'Payload delivery', 'Other'];
  return {
    sane_defaults: Object.fromEntries(TYPES.map((type) => [type, { default_category: 'Network activity', to_ids: 1 }])),
    types: TYPES,
    categories,
    category_type_mappings: Object.fromEntries(categories.map((one) => [one, TYPES])),
  };
}

function me(by: Permissions): unknown {
  return {
    User: { id: '1', org_id: by.org.id, email: 'entente@exchange.example', autoalert: false, role_id: '3' },
    Role: {
      id: '3',
      name: 'User',
      perm_add: by.write,
      perm_modify: by.write,
      perm_publish: by.write,
      perm_sync: by.sync,
      perm_sighting: by.sighting,
      perm_auth: true,
    },
    UserSetting: [],
  };
}

/** A flat object, or one inside `request`. */
function filtersOf(body: unknown): Filters | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
  const { request } = body as Record<string, unknown>;
  return typeof request === 'object' && request !== null && !Array.isArray(request)
    ? (request as Filters)
    : (body as Filters);
}

function namedIn(parts: readonly string[]): Record<string, string | string[]> {
  const named: Record<string, string | string[]> = {};
  for (const part of parts) {
    const [, name, list, value = ''] = /^([\w.]+)(\[\])?:(.*)$/.exec(part) ?? [];
    if (name === undefined) continue;
    if (list === undefined) named[name] = value;
    else named[name] = [...[named[name] ?? []].flat(), value];
  }
  return named;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The path with its ids and named parameters taken out, so that requests can be counted by endpoint. */
function routeOf(path: string): string {
  const parts = path.split('/').filter((one) => one !== '' && !one.includes(':') && !/%3A/i.test(one));
  const shown = parts.map((part) => (/^(\d+|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27})$/.test(part) ? '{id}' : part));
  return `/${shown.join('/')}`;
}
