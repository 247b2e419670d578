// attributes/restSearch, events/restSearch, the event index and a whole event. The counts in X-Result-Count are those of the
// reference: of attributes not a total but a hint whether there is more, of events the total.
import type { SimResponse } from '../server.ts';
import { json, refusal } from './answers.ts';
import { attributeTests, deletedTest, eventTests, type Filters, orderOf } from './filters.ts';
import type { Quirks } from './quirks.ts';
import { attributeOut, eventHeadOut, eventOut, foundAttributeOut, orgOut, type Shape } from './shapes.ts';
import type { MispState, SimAttribute, SimEvent } from './state.ts';
import type { Warninglists } from './warninglists.ts';
import { word } from './words.ts';

const ATTRIBUTE_ORDER = {
  id: (one: SimAttribute) => one.id,
  event_id: (one: SimAttribute) => one.event.id,
  object_id: (one: SimAttribute) => one.object?.id ?? 0,
  type: (one: SimAttribute) => one.type,
  category: (one: SimAttribute) => one.category,
  value: (one: SimAttribute) => one.value,
  distribution: (one: SimAttribute) => one.distribution,
  timestamp: (one: SimAttribute) => one.timestamp,
  object_relation: (one: SimAttribute) => one.relation ?? '',
  'Event.publish_timestamp': (one: SimAttribute) => one.event.publishTimestamp,
};
const EVENT_ORDER = {
  id: (one: SimEvent) => one.id,
  info: (one: SimEvent) => one.info,
  analysis: (one: SimEvent) => one.analysis,
  threat_level_id: (one: SimEvent) => one.threatLevel,
  distribution: (one: SimEvent) => one.distribution,
  timestamp: (one: SimEvent) => one.timestamp,
  publish_timestamp: (one: SimEvent) => one.publishTimestamp,
  'Event.publish_timestamp': (one: SimEvent) => one.publishTimestamp,
};

const FORMATS = new Set(['json', 'csv', 'text', 'count', 'cache', 'stix2', 'xml']);
const isSet = (value: unknown): boolean => value !== undefined && /^(1|true)$/i.test(word(value));

export class Search {
  readonly #state: MispState;
  readonly #quirks: Quirks;

  readonly #lists: Warninglists;

  constructor(state: MispState, quirks: Quirks, lists: Warninglists) {
    this.#lists = lists;
    this.#state = state;
    this.#quirks = quirks;
  }

  shape(target: string): Shape {
    return {
      numbers: this.#quirks.take('numbers', target) !== undefined,
      flags: this.#quirks.take('flags', target) !== undefined,
    };
  }

  attributes(filters: Filters, target: string): SimResponse {
    const format = word(filters['returnFormat'] ?? 'json').toLowerCase();
    if (!FORMATS.has(format)) return refusal(404, 'Invalid output format.', target);
    const { now } = this.#state;
    const onEvent = eventTests(filters, now);
    const onAttribute = attributeTests(filters, now);
    const rows: SimAttribute[] = [];
    for (const event of this.#events(filters))
      if (onEvent.every((test) => test(event)))
        for (const one of event.attributes) if (onAttribute.every((test) => test(one))) rows.push(one);

    const { page, limit, asked } = this.#page(rows, filters, ATTRIBUTE_ORDER, target);
    const tooLarge = this.#tooLarge(page.length, target);
    if (tooLarge !== undefined) return tooLarge;
    const cut = limit === undefined ? this.#quirks.take('truncated-without-limit', target) : undefined;
    const shown = cut === undefined ? page : page.slice(0, cut.rows ?? 1000);
    const skipping = isSet(filters['excludeDecayed']);
    const kept = skipping ? shown.filter((one) => one.decay?.every((score) => score.decayed) !== true) : shown;
    const shape = this.shape(target);
    const extra = {
      eventTags: isSet(filters['includeEventTags']) && this.#quirks.take('unknown-tags', target) === undefined,
      context: isSet(filters['includeContext']),
      decay: isSet(filters['includeDecayScore']),
      warnings: isSet(filters['includeWarninglistHits']) ? (value: string) => this.#lists.hits(value) : undefined,
      sightings: isSet(filters['includeSightings']) ? this.#state.sightings : undefined,
    };
    const allowlist = this.#quirks.take('skip-rows', target);
    const left = allowlist === undefined ? kept : kept.slice(allowlist.rows ?? 1);
    const body = { response: { Attribute: left.map((one) => foundAttributeOut(one, shape, extra)) } };
    return json(body, this.#counted(resultCount(page.length, kept.length, asked), target));
  }

  events(filters: Filters, target: string): SimResponse {
    const tooLong = this.#tooLong(filters, target);
    if (tooLong !== undefined) return tooLong;
    const rows = this.#matchingEvents(filters);
    const { page } = this.#page(rows, filters, EVENT_ORDER, target);
    const metadata = isSet(filters['metadata']) && this.#quirks.take('no-metadata', target) === undefined;
    const shape = this.shape(target);
    if (metadata) {
      const response = page.map((event) => ({ Event: { ...eventHeadOut(event, shape), Attribute: [], Object: [] } }));
      return json({ response }, this.#counted(rows.length, target));
    }
    const tooLarge = this.#tooLarge(
      page.reduce((sum, event) => sum + event.attributes.length, 0),
      target,
    );
    if (tooLarge !== undefined) return tooLarge;
    // type, category and value only select events; to_ids thins their attributes out, too.
    const shown = attributeTests({ deleted: filters['deleted'], to_ids: filters['to_ids'] }, this.#state.now);
    const response = page.map((event) =>
      eventOut(event, shape, (one) => shown.every((test) => test(one)), filters['deleted'] !== undefined),
    );
    return json({ response }, this.#counted(rows.length, target));
  }

  index(filters: Filters, target: string): SimResponse {
    const tooLong = this.#tooLong(filters, target);
    if (tooLong !== undefined) return tooLong;
    const minimal = isSet(filters['minimal']);
    const tests = eventTests(filters, this.#state.now);
    const timestamp = filters['timestamp'];
    if (timestamp !== undefined) tests.push(...eventTests({ event_timestamp: timestamp }, this.#state.now));
    const counted = [...this.#events(filters)].filter((event) => tests.every((test) => test(event)));
    const order =
      filters['sort'] === undefined ? undefined : `${word(filters['sort'])} ${word(filters['direction'] ?? 'asc')}`;
    const { page } = this.#page(counted, { ...filters, order: order ?? 'id asc' }, EVENT_ORDER, target);
    // Dropped after counting: protected events, and in `minimal` those without an attribute.
    const rows = page.filter((one) => !one.protected && (!minimal || one.attributes.some((row) => !row.deleted)));
    const shape = this.shape(target);
    const out = rows.map((event) => (minimal ? minimalOut(event, shape) : indexOut(event, shape)));
    return json(out, this.#counted(counted.length, target));
  }

  view(event: SimEvent, options: { readonly deleted: unknown; readonly sync: boolean }, target: string): SimResponse {
    const tooLarge = this.#tooLarge(event.attributes.length, target);
    if (tooLarge !== undefined) return tooLarge;
    const wanted = deletedTest(options.deleted);
    // Tombstones of other organisations' attributes are shown to those alone who synchronise.
    const shown = (one: SimAttribute) => wanted(one) && (!one.deleted || options.sync || event.orgc.id === '1');
    return json(eventOut(event, this.shape(target), shown, options.deleted !== undefined));
  }

  attribute(one: SimAttribute, target: string): SimResponse {
    return json({ Attribute: { ...attributeOut(one, this.shape(target)), event_uuid: one.event.uuid } });
  }

  /** Of all events, or of those that are named by id, which is the usual question. */
  *#events(filters: Filters): Generator<SimEvent> {
    const named = filters['eventid'];
    const list = (Array.isArray(named) ? named : [named]).map((one) => word(one));
    if (named === undefined || named === null || list.some((one) => !/^[\w-]+$/.test(one)))
      yield* this.#state.events.values();
    else for (const name of new Set(list)) yield* [this.#state.event(name)].filter((one) => one !== undefined);
  }

  #matchingEvents(filters: Filters): SimEvent[] {
    const { timestamp, uuid, ...rest } = filters;
    const tests = eventTests(
      { ...rest, ...(timestamp === undefined ? {} : { event_timestamp: timestamp }) },
      this.#state.now,
    );
    const selecting = attributeTests(
      {
        type: filters['type'],
        category: filters['category'],
        value: filters['value'],
        tags: filters['tags'],
        deleted: [0, 1],
      },
      this.#state.now,
    );
    const selects = ['type', 'category', 'value', 'tags'].some((key) => filters[key] !== undefined);
    const wanted = uuid === undefined ? undefined : new Set([uuid].flat().map((one) => word(one).toLowerCase()));
    return [...this.#events(filters)].filter((event) => {
      if (!tests.every((test) => test(event))) return false;
      if (wanted !== undefined && !wanted.has(event.uuid) && !event.attributes.some((one) => wanted.has(one.uuid)))
        return false;
      if (!selects) return true;
      return event.attributes.some((one) => selecting.every((test) => test(one)));
    });
  }

  #page<T>(
    rows: readonly T[],
    filters: Filters,
    fields: Readonly<Record<string, (row: T) => number | string>>,
    target: string,
  ): { page: readonly T[]; limit: number | undefined; asked: number | undefined } {
    const ignored = this.#quirks.take('order-ignored', target) !== undefined;
    const order = ignored ? undefined : orderOf(filters['order'], fields);
    const limit = Number(filters['limit']) > 0 ? Number(filters['limit']) : undefined;
    const number = Math.max(1, Number(filters['page'] ?? 1) || 1);
    const sorted = order === undefined ? rows : rows.toSorted(order);
    if (limit === undefined) return { page: sorted, limit, asked: undefined };
    const shifts = ignored || (order === undefined && this.#quirks.take('unsorted', target) !== undefined);
    const shift = shifts && rows.length > 0 ? (number - 1) % rows.length : 0;
    const turned = shift === 0 ? sorted : [...sorted.slice(shift), ...sorted.slice(0, shift)];
    return { page: turned.slice(limit * (number - 1), limit * number), limit, asked: limit };
  }

  #tooLarge(rows: number, target: string): SimResponse | undefined {
    const quirk = this.#quirks.take('too-large', target);
    if (quirk === undefined || rows <= (quirk.rows ?? 1000)) return undefined;
    return refusal(500, 'An Internal Error Has Occurred.', target);
  }

  #tooLong(filters: Filters, target: string): SimResponse | undefined {
    // Those of a few events by uuid are no list.
    if (filters['eventid'] !== undefined) return undefined;
    const quirk = this.#quirks.take('span-too-large', target);
    const [from = 0, to = this.#state.now] = [filters['publish_timestamp']].flat().map(Number);
    if (quirk === undefined || to - from <= (quirk.secs ?? 30 * 86_400)) return undefined;
    return refusal(500, 'An Internal Error Has Occurred.', target);
  }

  #counted(count: number, target: string): Record<string, string> {
    if (this.#quirks.take('no-result-count', target) !== undefined) return {};
    return { 'x-result-count': String(count), 'x-response-format': 'json' };
  }
}

/** The table of the reference: `found` rows on the page before, `kept` after skipping, of `limit` that were asked for. */
function resultCount(found: number, kept: number, limit: number | undefined): number {
  if (limit === undefined) return kept;
  if (found === 0) return 1;
  if (kept === 0) return found + 1;
  if (found < limit) return found;
  return kept < found ? limit : limit + 1;
}

const text = (value: number, { numbers }: Shape): unknown => (numbers ? value : String(value));

function minimalOut(event: SimEvent, shape: Shape): unknown {
  return {
    id: text(event.id, shape),
    timestamp: text(event.timestamp, shape),
    sighting_timestamp: text(event.sightingTimestamp, shape),
    published: event.published,
    uuid: event.uuid,
    orgc_uuid: event.orgc.uuid,
  };
}

function indexOut(event: SimEvent, shape: Shape): unknown {
  const { Tag, SharingGroup, ...head } = eventHeadOut(event, shape);
  return {
    ...head,
    sighting_timestamp: text(event.sightingTimestamp, shape),
    EventTag: (Tag as unknown[]).map((tag) => ({ Tag: tag })),
    ...(SharingGroup === undefined ? {} : { SharingGroup }),
    Orgc: orgOut(event.orgc),
  };
}
