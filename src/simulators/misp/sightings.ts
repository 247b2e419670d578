// Sightings, read and taken. A refusal of sightings/add is 200 with a message alone; bulkSaveSightings knows a uuid again and
// says "No sightings added." for all that it knows, and for all that it does not find.
import { uuidV5 } from '../../core/model/digest.ts';
import type { SimResponse } from '../server.ts';
import type { Permissions } from './access.ts';
import { json, NO_PERMISSION, refusal } from './answers.ts';
import { halvesOf } from './filters.ts';
import { orgOut, sightingOut } from './shapes.ts';
import { HOST, type MispState, type SimAttribute, type SimSighting } from './state.ts';
import { word } from './words.ts';

type Raw = Readonly<Record<string, unknown>>;
const isRaw = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value);
const listOf = (value: unknown): unknown[] =>
  value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];

const MONTH_SECS = 30 * 86_400;
const BULK_KEYS = ['uuid', 'attribute_uuid', 'date_sighting', 'type', 'source'] as const;

export class Sightings {
  readonly #state: MispState;

  constructor(state: MispState) {
    this.#state = state;
  }

  add(body: unknown, named: string | undefined, by: Permissions, url: string): SimResponse {
    if (!by.sighting) return refusal(403, NO_PERMISSION, url);
    const outer = isRaw(body) ? body : {};
    const given = isRaw(outer['request']) ? outer['request'] : isRaw(outer['Sighting']) ? outer['Sighting'] : outer;
    const failed = (why: string): SimResponse => json({ message: `Could not add the Sighting. Reason: ${why}` });
    const type = word(given['type'] ?? '0');
    if (!['0', '1', '2'].includes(type))
      return failed('Invalid type, please change it before you POST 1000000 sightings.');
    const found = this.#meant(given, named);
    if (found.length === 0) return failed('No valid attributes found that match the criteria.');
    let last: SimSighting | undefined;
    for (const attribute of found)
      last = this.#store(attribute, {
        type,
        date: Number(given['timestamp'] ?? this.#state.now),
        source: word(given['source'] ?? ''),
        by,
        // An own earlier expiration gives way, where the type is a text.
        replaces: given['type'] === '2',
      });
    return json({ Sighting: sightingOut(last!) });
  }

  bulk(body: unknown, event: string, by: Permissions, keep: boolean, url: string): SimResponse {
    if (!by.sync && !by.sighting) return refusal(403, NO_PERMISSION, url);
    const into = this.#state.event(event);
    if (into === undefined || into.hidden) return refusal(405, 'Invalid event', url);
    const rows = listOf(isRaw(body) && body['Sighting'] !== undefined ? body['Sighting'] : body);
    for (const row of rows)
      if (!isRaw(row) || BULK_KEYS.some((key) => row[key] === undefined))
        return refusal(500, 'An Internal Error Has Occurred.', url);
    let added = 0;
    for (const row of rows as Raw[]) {
      const uuid = word(row['uuid']).toLowerCase();
      const attribute = this.#visible(word(row['attribute_uuid']));
      if (attribute === undefined || this.#state.sightings.some((one) => one.uuid === uuid)) continue;
      added += 1;
      if (!keep) continue;
      this.#store(attribute, {
        uuid,
        type: word(row['type']),
        date: Number(row['date_sighting']),
        source: word(row['source']),
        by,
        replaces: false,
      });
    }
    return json(
      added === 0
        ? { saved: false, success: 'No sightings added.' }
        : { saved: true, success: `${added} sightings added.` },
    );
  }

  list(body: unknown, id: string | undefined, context: string | undefined, url: string): SimResponse {
    const given = isRaw(body) ? body : {};
    const kind = context ?? word(given['context'] ?? 'attribute');
    const name = id ?? word(given['id'] ?? '');
    const rows = this.#of(kind, [name]);
    if (rows === undefined) return refusal(404, kind === 'event' ? 'Invalid event' : 'Invalid attribute', url);
    return json(rows.map((one) => ({ Sighting: { ...sightingOut(one), Organisation: orgOut(one.org) } })));
  }

  search(body: unknown, context: string | undefined, url: string): SimResponse {
    const outer = isRaw(body) ? body : {};
    const given = isRaw(outer['request']) ? outer['request'] : outer;
    let rows: readonly SimSighting[] = this.#state.sightings;
    if (context !== undefined) {
      const names = listOf(given['uuid'] ?? given['id']).map(word);
      if (names.length === 0) return refusal(400, 'An id or uuid is needed.', url);
      rows = this.#of(context, names) ?? [];
    }
    const last = given['last'] === undefined && given['from'] === undefined ? MONTH_SECS : Number(given['last'] ?? 0);
    const since = last === 0 ? Number(given['from'] ?? 0) : this.#state.now - last;
    const until = given['to'] === undefined ? Number.POSITIVE_INFINITY : Number(given['to']);
    const types = listOf(given['type']).map(word);
    const shown = rows.filter(
      (one) =>
        one.date >= since &&
        one.date <= until &&
        (types.length === 0 || types.includes(one.type)) &&
        (given['source'] === undefined || one.source === word(given['source'])),
    );
    return json({
      response: shown.map((one) => ({
        Sighting: {
          ...sightingOut(one),
          value: one.attribute.value,
          attribute_uuid: one.attribute.uuid,
          event_uuid: one.attribute.event.uuid,
          Organisation: orgOut(one.org),
        },
      })),
    });
  }

  #of(context: string, names: readonly string[]): SimSighting[] | undefined {
    const wanted = new Set(
      names.map((name) => (context === 'event' ? this.#state.event(name)?.uuid : this.#state.attribute(name)?.uuid)),
    );
    if (wanted.has(undefined) && wanted.size === 1) return undefined;
    return this.#state.sightings.filter(({ attribute }) =>
      wanted.has(context === 'event' ? attribute.event.uuid : attribute.uuid),
    );
  }

  /** By uuid or number of one attribute, or by value: then all that hold it, in either half. */
  #meant(given: Raw, named: string | undefined): SimAttribute[] {
    const name = named ?? given['uuid'] ?? given['id'];
    if (name !== undefined) {
      const one = this.#visible(word(name));
      return one === undefined ? [] : [one];
    }
    const values = new Set([...listOf(given['value']), ...listOf(given['values'])].map(word));
    if (values.size === 0) return [];
    return [...this.#state.attributes.values()].filter(
      (one) => !one.event.hidden && (values.has(one.value) || halvesOf(one).some((half) => values.has(half))),
    );
  }

  #visible(name: string): SimAttribute | undefined {
    const one = this.#state.attribute(name);
    return one === undefined || one.event.hidden ? undefined : one;
  }

  #store(
    attribute: SimAttribute,
    what: { uuid?: string; type: string; date: number; source: string; by: Permissions; replaces: boolean },
  ): SimSighting {
    const { sightings } = this.#state;
    if (what.replaces)
      for (const old of sightings.filter(
        (one) => one.attribute === attribute && one.type === '2' && one.org.id === what.by.org.id,
      ))
        sightings.splice(sightings.indexOf(old), 1);
    const id = this.#state.id('sighting');
    const one: SimSighting = {
      id,
      uuid: what.uuid ?? uuidV5(HOST.uuid, `sighting ${id}`),
      attribute,
      date: what.date,
      type: what.type,
      source: what.source,
      org: what.by.org,
    };
    sightings.push(one);
    attribute.event.sightingTimestamp = this.#state.now;
    return one;
  }
}
