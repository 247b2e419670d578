// A MISP event, whole or in parts, as indicators: for events/view, for feeds and for files. `eventsIn` takes the wrapping off,
// `readEvent` goes through one event; a reader that gets attributes page by page uses `readEventHead` and `readAttribute`.
import type { IncomingObject, ObjectRefusal } from '../model/entry.ts';
import { isRecord } from '../stix/raw.ts';
import { type AttributeRead, readAttribute, type ReadOptions } from './attribute.ts';
import { listOf, uuid } from './fields.ts';
import { type EventHead, nameOf, readEventHead, readObjectHead } from './head.ts';

/**
 * The events of a parsed answer, file or feed, without their wrapping: `{"Event":…}`, `{"response":[{"Event":…}]}`,
 * `[{"Event":…}]`, and the bare event. Undefined for what is none of these.
 */
export function eventsIn(json: unknown, depth = 0): readonly unknown[] | undefined {
  // Whatever stands so deep was wrapped by nobody, and may be deeper than any stack.
  if (depth > MOST_WRAPPED) return undefined;
  if (Array.isArray(json)) {
    const events = json.map((one) => eventsIn(one, depth + 1));
    return events.every((one) => one !== undefined) ? events.flat() : undefined;
  }
  if (!isRecord(json)) return undefined;
  if (isRecord(json['Event'])) return [json['Event']];
  if (json['response'] !== undefined) return eventsIn(json['response'], depth + 1);
  if (Array.isArray(json['Event'])) return json['Event'];
  return uuid(json['uuid']) !== undefined && (json['info'] !== undefined || json['Attribute'] !== undefined)
    ? [json]
    : undefined;
}

const MOST_WRAPPED = 8;

interface EventRead {
  /** Undefined where it could not be read at all; then `refusals` says why. */
  readonly head: EventHead | undefined;
  /** Indicators, one per attribute that is no tombstone, and the name of the organisation that made the event. */
  readonly objects: readonly IncomingObject[];
  readonly refusals: readonly ObjectRefusal[];
  /** Tombstones: with a snapshot of the event they are gone. */
  readonly deleted: number;
}

/** All of one event. `raw` is the event itself, as `eventsIn` gives it. */
export function readEvent(raw: unknown, options: ReadOptions = {}): EventRead {
  const objects: IncomingObject[] = [];
  const refusals: ObjectRefusal[] = [];
  let deleted = 0;
  const head = readEventHead(raw);
  if ('refusal' in head) return { head: undefined, objects, refusals: [head.refusal], deleted };
  const name = nameOf(head);
  if (name !== undefined) objects.push(name);
  for (const one of attributesOf(raw, head, options)) {
    if ('indicator' in one) objects.push(one.indicator);
    else if ('refusal' in one) refusals.push(one.refusal);
    else deleted++;
  }
  return { head, objects, refusals, deleted };
}

/** Attributes of the event and of its objects, one after the other. */
export function* attributesOf(
  raw: unknown,
  head: EventHead,
  options: ReadOptions = {},
): Generator<AttributeRead, void, undefined> {
  if (!isRecord(raw)) return;
  for (const one of listOf(raw['Attribute'])) yield readAttribute(one, head, undefined, options);
  for (const object of listOf(raw['Object'])) {
    if (!isRecord(object)) {
      yield { refusal: { objectId: undefined, reason: 'not an object of an event' } };
      continue;
    }
    const about = readObjectHead(object);
    for (const one of listOf(object['Attribute'])) yield readAttribute(one, head, about, options);
  }
}
