// Events taken in by the back door, or over events/add: an event as it stands at the partner now, in any of the wrappings of
// files and feeds. It takes the place of an earlier one of the same uuid: an attribute that it lacks was deleted for good. Times
// of origin are kept, as with an arrival by synchronisation; a published event is published now by this server's clock.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { uuidV5 } from '../../core/model/digest.ts';
import { HOST, type MispState, type SimAttribute, type SimEvent, type SimObject, type SimTag } from './state.ts';

type Raw = Readonly<Record<string, unknown>>;
const isRaw = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value);
const list = (value: unknown): readonly Raw[] => (Array.isArray(value) ? value.filter(isRaw) : []);
const text = (value: unknown, otherwise: string): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : otherwise;
const time = (value: unknown): number | undefined => {
  const number = Number(value);
  return value === undefined || value === null || value === '' || !Number.isFinite(number) ? undefined : number;
};
export const truth = (value: unknown): boolean =>
  value === true || value === 1 || (typeof value === 'string' && /^(1|true)$/i.test(value));

/** The events in `value`. Throws where it holds something else. */
export function* eventsOf(value: unknown): Generator<Raw> {
  if (typeof value === 'string') yield* fromPath(value);
  else if (Array.isArray(value)) for (const one of value) yield* eventsOf(one);
  else if (!isRaw(value)) throw new Error('neither a MISP event nor a list of them');
  else if (value['response'] !== undefined) yield* eventsOf(value['response']);
  else if (isRaw(value['Event'])) yield value['Event'];
  else if (Array.isArray(value['Event'])) yield* eventsOf(value['Event']);
  else if (typeof value['uuid'] === 'string' || value['info'] !== undefined) yield value;
  else throw new Error('neither a MISP event nor a list of them');
}

function* fromPath(path: string): Generator<Raw> {
  const files = statSync(path).isDirectory()
    ? readdirSync(path, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.json') && !/(^|[\\/])manifest\.json$/.test(name))
        .sort()
        .map((name) => join(path, name))
    : [path];
  for (const file of files) {
    try {
      yield* eventsOf(JSON.parse(readFileSync(file, 'utf8')));
    } catch (cause) {
      throw new Error(`${file} does not hold MISP events`, { cause });
    }
  }
}

export function loadEvent(state: MispState, raw: Raw): SimEvent {
  const given = typeof raw['uuid'] === 'string' ? raw['uuid'].toLowerCase() : undefined;
  const uuid = given ?? uuidV5(HOST.uuid, `event ${state.events.size} ${text(raw['info'], '')}`);
  const before = state.events.get(uuid);
  const orgc = isRaw(raw['Orgc']) ? raw['Orgc'] : {};
  const group = isRaw(raw['SharingGroup']) ? raw['SharingGroup'] : undefined;
  const event: SimEvent = before ?? {
    id: state.id('event'),
    uuid,
    info: '',
    date: '',
    analysis: '0',
    threatLevel: '4',
    timestamp: 0,
    publishTimestamp: 0,
    sightingTimestamp: 0,
    published: false,
    distribution: '1',
    sharingGroup: '0',
    group: undefined,
    orgc: HOST,
    tags: [],
    attributes: [],
    objects: [],
    protected: false,
    hidden: false,
  };
  state.events.set(uuid, event);
  Object.assign(event, {
    info: text(raw['info'], 'unnamed'),
    date: text(raw['date'], new Date(state.now * 1000).toISOString().slice(0, 10)),
    analysis: text(raw['analysis'], '0'),
    threatLevel: text(raw['threat_level_id'], '4'),
    timestamp: time(raw['timestamp']) ?? Math.max(state.now, event.timestamp + 1),
    distribution: text(raw['distribution'], '3'),
    sharingGroup: text(raw['sharing_group_id'], '0'),
    group:
      group === undefined
        ? undefined
        : {
            name: text(group['name'], ''),
            releasability: text(group['releasability'], ''),
            uuid: text(group['uuid'], ''),
          },
    orgc: orgc['name'] === undefined ? HOST : state.org(text(orgc['name'], ''), orgc['uuid'] as string | undefined),
    tags: tagsOf(state, raw['Tag']),
    protected: truth(raw['protected']),
    hidden: false,
  } satisfies Partial<SimEvent>);
  fill(state, event, raw);
  event.published = raw['published'] === undefined ? true : truth(raw['published']);
  if (event.published) state.publish(event);
  return event;
}

function fill(state: MispState, event: SimEvent, raw: Raw): void {
  const known = new Map(event.attributes.map((one) => [one.uuid, one]));
  const objects: SimObject[] = [];
  const attributes: SimAttribute[] = [];
  for (const one of list(raw['Attribute'])) attributes.push(attributeOf(state, event, one, undefined, known));
  for (const one of list(raw['Object'])) {
    const object = objectOf(state, event, one);
    objects.push(object);
    for (const inner of list(one['Attribute'])) attributes.push(attributeOf(state, event, inner, object, known));
  }
  for (const gone of known.values()) state.attributes.delete(gone.uuid);
  event.objects = objects;
  event.attributes = attributes;
}

function objectOf(state: MispState, event: SimEvent, raw: Raw): SimObject {
  const uuid = text(raw['uuid'], uuidV5(event.uuid, `object ${JSON.stringify(raw)}`)).toLowerCase();
  return {
    id: event.objects.find((one) => one.uuid === uuid)?.id ?? state.id('object'),
    uuid,
    name: text(raw['name'], 'unnamed'),
    metaCategory: text(raw['meta-category'], 'misc'),
    timestamp: time(raw['timestamp']) ?? state.now,
    deleted: truth(raw['deleted']),
    distribution: text(raw['distribution'], '5'),
    sharingGroup: text(raw['sharing_group_id'], '0'),
    comment: text(raw['comment'], ''),
  };
}

export function attributeOf(
  state: MispState,
  event: SimEvent,
  raw: Raw,
  object: SimObject | undefined,
  known: Map<string, SimAttribute> = new Map(),
): SimAttribute {
  const type = text(raw['type'], 'text');
  const value = text(raw['value'], '');
  const uuid = text(raw['uuid'], uuidV5(event.uuid, `${type} ${value} ${object?.uuid ?? ''}`)).toLowerCase();
  const before = known.get(uuid);
  known.delete(uuid);
  const attribute: SimAttribute = {
    id: before?.id ?? state.id('attribute'),
    uuid,
    event,
    object,
    relation: typeof raw['object_relation'] === 'string' ? raw['object_relation'] : null,
    type,
    category: text(raw['category'], 'Network activity'),
    value,
    toIds: raw['to_ids'] === undefined ? true : truth(raw['to_ids']),
    timestamp: time(raw['timestamp']) ?? state.now,
    distribution: text(raw['distribution'], '5'),
    sharingGroup: text(raw['sharing_group_id'], '0'),
    comment: text(raw['comment'], ''),
    deleted: truth(raw['deleted']),
    firstSeen: typeof raw['first_seen'] === 'string' ? raw['first_seen'] : null,
    lastSeen: typeof raw['last_seen'] === 'string' ? raw['last_seen'] : null,
    tags: tagsOf(state, raw['Tag']),
    decay: Array.isArray(raw['decay_score']) ? (raw['decay_score'] as SimAttribute['decay']) : undefined,
  };
  state.attributes.set(uuid, attribute);
  return attribute;
}

export function tagsOf(state: MispState, tags: unknown): SimTag[] {
  return (Array.isArray(tags) ? tags : []).map((tag: unknown) =>
    isRaw(tag) ? state.tag(text(tag['name'], ''), truth(tag['local'])) : state.tag(String(tag)),
  );
}
