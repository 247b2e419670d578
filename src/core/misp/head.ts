// What surrounds an attribute: its event and, where it has one, its object. Read once, and shared by all attributes.
import type { IncomingContext, ObjectRefusal } from '../model/entry.ts';
import { cleanText, isRecord } from '../stix/raw.ts';
import { count, flag, type Raw, uuid } from './fields.ts';
import { readTags, tagNames, type TagFacts } from './tags.ts';
import { versionOf } from './version.ts';

export interface EventHead {
  readonly uuid: string;
  readonly info: string | undefined;
  /** Undefined where it is not said, as in hand-made files. */
  readonly published: boolean | undefined;
  /** Epoch seconds by the clock of its origin; 0 where it states none. */
  readonly timestamp: number;
  /** Epoch seconds by the clock of the server that it was read from. */
  readonly publishTimestamp: number | undefined;
  readonly orgc: { readonly uuid: string; readonly name: string | undefined } | undefined;
  readonly tags: readonly string[];
  /** Terms of the sharing group, where it is shared in one. */
  readonly terms: readonly string[];
  /** Facts of the tags that attributes of this event carry, by those tags: most carry the same few, or none. */
  readonly facts: Map<string, TagFacts>;
}

/** The object of an attribute, as far as anybody said it. */
export interface ObjectHead {
  /** Undefined where only its number is known (attributes/restSearch): it may be a victim's. */
  readonly name: string | undefined;
  /** `null` where what stands there is neither. */
  readonly deleted: boolean | null;
  readonly timestamp: number;
  readonly comment: string | undefined;
  readonly terms: readonly string[];
}

const MAX_NAME = 256;
const MAX_TERM = 128;
const FACTS_KEPT = 1024;

/** An event without its attributes; the `Event` of any wrapping, or the `Event` part of an attribute with its context. */
export function readEventHead(raw: unknown): EventHead | { readonly refusal: ObjectRefusal } {
  if (!isRecord(raw)) return { refusal: { objectId: undefined, reason: 'not an event' } };
  const id = uuid(raw['uuid']);
  if (id === undefined)
    return { refusal: { objectId: cleanText(raw['uuid'], MAX_NAME), reason: 'event without a readable uuid' } };
  const name = cleanText(raw['info'], MAX_NAME);
  const timestamp = count(raw['timestamp']);
  if (timestamp === null)
    return { refusal: { objectId: id, reason: 'timestamp of the event is no time', ...(name && { name }) } };
  return {
    uuid: id,
    info: name,
    published: flag(raw['published']) ?? undefined,
    timestamp: timestamp ?? 0,
    publishTimestamp: count(raw['publish_timestamp']) ?? undefined,
    orgc: orgOf(raw['Orgc'] ?? raw['orgc']),
    tags: [...tagNames(raw['Tag'], false), ...tagNames(raw['Tag'], true), ...tagNames(raw['EventTag'], false)],
    terms: termsOf(raw),
    facts: new Map(),
  };
}

export function readObjectHead(raw: Raw): ObjectHead {
  const deleted = flag(raw['deleted']);
  return {
    name: cleanText(raw['name'], MAX_NAME)?.toLowerCase(),
    deleted: deleted === undefined ? false : deleted,
    timestamp: count(raw['timestamp']) ?? 0,
    comment: cleanText(raw['comment'], MAX_NAME),
    terms: termsOf(raw),
  };
}

/** Facts of the event's tags together with those of one attribute. */
export function tagFacts(event: EventHead, ofAttribute: readonly string[]): TagFacts {
  const key = ofAttribute.join('\n');
  let facts = event.facts.get(key);
  if (facts === undefined) {
    facts = readTags(event.tags, ofAttribute);
    if (event.facts.size >= FACTS_KEPT) event.facts.clear();
    event.facts.set(key, facts);
  }
  return facts;
}

/** The name of the organisation that made the event, for those who show its indicators. */
export function nameOf(event: EventHead): IncomingContext | undefined {
  if (event.orgc?.name === undefined) return undefined;
  return {
    kind: 'name',
    objectId: identityOf(event.orgc.uuid),
    version: versionOf(event.timestamp, event.timestamp),
    type: 'identity',
    name: event.orgc.name,
  };
}

export const identityOf = (orgUuid: string): string => `identity--${orgUuid}`;

function orgOf(raw: unknown): EventHead['orgc'] {
  if (!isRecord(raw)) return undefined;
  const id = uuid(raw['uuid']);
  return id === undefined ? undefined : { uuid: id, name: cleanText(raw['name'], MAX_NAME) };
}

const IN_A_SHARING_GROUP = 4;

/** Being shared in a group is a term of its own: whoever passes anything on has to name the group (release rules). */
export function termsOf(raw: Raw): readonly string[] {
  if (count(raw['distribution']) !== IN_A_SHARING_GROUP) return NONE;
  const group = isRecord(raw['SharingGroup']) ? raw['SharingGroup'] : {};
  const name = cleanText(group['name'], MAX_TERM);
  const releasable = cleanText(group['releasability'], MAX_TERM);
  const number = count(raw['sharing_group_id']);
  const known = name ?? (number ? `number ${number}` : 'unnamed');
  return [`sharing group: ${known}`, ...(releasable === undefined ? [] : [`releasable to: ${releasable}`])];
}

const NONE: readonly string[] = [];
