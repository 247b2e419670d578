// From rows of a MISP server to what core takes in: the configured filter, and the reading of core/misp. Pure.
import type { IncomingObject, ObjectRefusal } from '../../../core/model/entry.ts';
import { digest48 } from '../../../core/model/digest.ts';
import { type AttributeRead, readAttribute } from '../../../core/misp/attribute.ts';
import { attributesOf } from '../../../core/misp/event.ts';
import { listOf } from '../../../core/misp/fields.ts';
import { type EventHead, nameOf, type ObjectHead } from '../../../core/misp/head.ts';
import { tagsOf } from '../../../core/misp/tags.ts';
import { isRecord } from '../../../core/stix/raw.ts';
import type { MispConfig } from './config.ts';
import { type SplitEvent, TOO_LONG } from './split.ts';

export interface Read {
  readonly objects: IncomingObject[];
  readonly refusals: ObjectRefusal[];
}

const TOO_LARGE: AttributeRead = { refusal: { objectId: undefined, reason: 'attribute or object is too large' } };

/** In an object whose name the answer does not give. */
const UNNAMED: ObjectHead = { name: undefined, deleted: false, timestamp: 0, comment: undefined, terms: [] };

export class Mapping {
  readonly #filter: MispConfig['filter'];
  readonly #tags: ReadonlySet<string>;
  readonly #notTags: ReadonlySet<string>;
  readonly #types: ReadonlySet<string>;
  readonly #orgs: ReadonlySet<string>;

  constructor(filter: MispConfig['filter']) {
    const small = (texts: readonly string[]) => new Set(texts.map((text) => text.toLowerCase()));
    this.#filter = filter;
    this.#tags = small(filter.tags);
    this.#notTags = small(filter.not_tags);
    this.#types = small(filter.types);
    this.#orgs = small(filter.orgs);
  }

  /** Whether anything of an event by this organisation is wanted at all. */
  wantsOrg(org: EventHead['orgc']): boolean {
    if (this.#orgs.size === 0) return true;
    return org !== undefined && (this.#orgs.has(org.uuid) || this.#orgs.has(org.name?.toLowerCase() ?? ''));
  }

  /** Rows of attributes/restSearch, one after the other. `now`: epoch milliseconds. */
  *rows(rows: readonly unknown[], head: EventHead, now: number): Generator<AttributeRead, void, undefined> {
    if (!this.wantsOrg(head.orgc)) return;
    const readAt = Math.floor(now / 1000);
    for (const row of rows)
      if (this.#wants(row, head, now)) yield readAttribute(row, head, inObject(row) ? UNNAMED : undefined, { readAt });
  }

  /** The attributes of a whole event, one after the other. */
  *whole({ attributes, objects }: SplitEvent, head: EventHead, now: number): Generator<AttributeRead, void, undefined> {
    if (!this.wantsOrg(head.orgc)) return;
    for (const one of attributes)
      if (one === TOO_LONG) yield TOO_LARGE;
      else if (this.#wants(one, head, now)) yield* attributesOf({ Attribute: [one] }, head);
    for (const one of objects)
      if (one === TOO_LONG) yield TOO_LARGE;
      else yield* attributesOf({ Object: [isRecord(one) ? this.#wantedOf(one, head, now) : one] }, head);
  }

  #wantedOf(object: Readonly<Record<string, unknown>>, head: EventHead, now: number): unknown {
    return { ...object, Attribute: listOf(object['Attribute']).filter((one) => this.#wants(one, head, now)) };
  }

  /** With the name of who made it, and nothing else. */
  begun(head: EventHead): Read {
    const name = nameOf(head);
    return { objects: name === undefined ? [] : [name], refusals: [] };
  }

  #wants(row: unknown, head: EventHead, now: number): boolean {
    if (!isRecord(row)) return true;
    const { max_age_days: days } = this.#filter;
    if (this.#types.size > 0 && !this.#types.has(String(row['type']).toLowerCase())) return false;
    if (days > 0 && Number(row['timestamp']) * 1000 < now - days * 86_400_000) return false;
    if (this.#tags.size === 0 && this.#notTags.size === 0) return true;
    const tags = [...head.tags, ...tagsOf(row, head.tags)].map((tag) => tag.toLowerCase());
    if (tags.some((tag) => this.#notTags.has(tag))) return false;
    return this.#tags.size === 0 || tags.some((tag) => this.#tags.has(tag));
  }
}

export function put({ objects, refusals }: Read, one: AttributeRead): void {
  if ('indicator' in one) objects.push(one.indicator);
  else if ('refusal' in one) refusals.push(one.refusal);
}

/** Belongs to an object of the event, of which attributes/restSearch tells the number alone. */
export function inObject(row: unknown): boolean {
  if (!isRecord(row)) return false;
  const id = row['object_id'];
  return (typeof id === 'string' && id !== '' && id !== '0') || (typeof id === 'number' && id !== 0);
}

const WRAPS = 2 ** 48;

/** Of what was read of one event, part by part, however it was divided: the same where nothing changed. */
export function digestOf({ objects, refusals }: Read, before = 0): number {
  let sum = before;
  for (const one of objects) if (one.kind === 'indicator') sum = (sum + one.digest) % WRAPS;
  for (const one of refusals) sum = (sum + digest48(JSON.stringify(one))) % WRAPS;
  return sum;
}
