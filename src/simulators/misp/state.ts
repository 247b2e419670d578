// What a simulated MISP holds, and what each kind of edit does to its two clocks: `timestamp` is the origin's and travels
// with the data, `publish_timestamp` is this server's own.
import { uuidV5 } from '../../core/model/digest.ts';

export interface SimTag {
  readonly id: string;
  readonly name: string;
  readonly local: boolean;
}

export interface SimOrg {
  readonly id: string;
  readonly name: string;
  readonly uuid: string;
}

export interface SimAttribute {
  readonly id: number;
  readonly uuid: string;
  readonly event: SimEvent;
  object: SimObject | undefined;
  relation: string | null;
  type: string;
  category: string;
  value: string;
  toIds: boolean;
  timestamp: number;
  distribution: string;
  sharingGroup: string;
  comment: string;
  deleted: boolean;
  firstSeen: string | null;
  lastSeen: string | null;
  tags: SimTag[];
  /** As it was loaded; shown where includeDecayScore is set. */
  decay: readonly { readonly score: number; readonly decayed: boolean }[] | undefined;
}

export interface SimObject {
  readonly id: number;
  readonly uuid: string;
  name: string;
  metaCategory: string;
  timestamp: number;
  deleted: boolean;
  distribution: string;
  sharingGroup: string;
  comment: string;
}

export interface SimEvent {
  readonly id: number;
  readonly uuid: string;
  info: string;
  date: string;
  analysis: string;
  threatLevel: string;
  timestamp: number;
  publishTimestamp: number;
  sightingTimestamp: number;
  published: boolean;
  distribution: string;
  sharingGroup: string;
  /** Shown in the events' own answers alone. */
  group: { readonly name: string; readonly releasability: string; readonly uuid: string } | undefined;
  orgc: SimOrg;
  tags: SimTag[];
  attributes: SimAttribute[];
  objects: SimObject[];
  /** Its key list lacks this server's key: left out of the index after counting. */
  protected: boolean;
  /** Access was revoked: it is there and answers 404 to everybody. */
  hidden: boolean;
}

export interface SimSighting {
  readonly id: number;
  readonly uuid: string;
  readonly attribute: SimAttribute;
  readonly date: number;
  readonly type: string;
  readonly source: string;
  readonly org: SimOrg;
}

/** The organisation that runs the simulated server. */
export const HOST: SimOrg = { id: '1', name: 'EXCHANGE', uuid: '0b1f0d5e-5f0a-4e3a-9d53-6f1f5c0e0001' };

export class MispState {
  readonly events = new Map<string, SimEvent>();
  readonly attributes = new Map<string, SimAttribute>();
  readonly sightings: SimSighting[] = [];
  readonly #now: () => number;
  readonly #tagIds = new Map<string, string>();
  readonly #orgIds = new Map<string, string>([[HOST.uuid, HOST.id]]);
  #lastId = { event: 0, attribute: 0, object: 0, sighting: 0 };

  /** `now`: this server's clock, epoch seconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  get now(): number {
    return Math.floor(this.#now());
  }

  id(of: 'event' | 'attribute' | 'object' | 'sighting'): number {
    this.#lastId = { ...this.#lastId, [of]: this.#lastId[of] + 1 };
    return this.#lastId[of];
  }

  tag(name: string, local = false): SimTag {
    const id = this.#tagIds.get(name) ?? String(this.#tagIds.size + 1);
    this.#tagIds.set(name, id);
    return { id, name, local };
  }

  org(name: string, uuid?: string): SimOrg {
    const known = uuid ?? uuidV5('0b1f0d5e-5f0a-4e3a-9d53-6f1f5c0e00ff', name);
    const id = this.#orgIds.get(known) ?? String(this.#orgIds.size + 1);
    this.#orgIds.set(known, id);
    return { id, name, uuid: known };
  }

  /** By uuid or number. */
  event(name: string): SimEvent | undefined {
    const found = this.events.get(name.toLowerCase());
    if (found !== undefined) return found;
    if (!/^\d+$/.test(name)) return undefined;
    for (const event of this.events.values()) if (event.id === Number(name)) return event;
    return undefined;
  }

  attribute(name: string): SimAttribute | undefined {
    const found = this.attributes.get(name.toLowerCase());
    if (found !== undefined) return found;
    if (!/^\d+$/.test(name)) return undefined;
    for (const attribute of this.attributes.values()) if (attribute.id === Number(name)) return attribute;
    return undefined;
  }

  /** Any edit unpublishes: the time of publication stays until it is published again. */
  touch(event: SimEvent): void {
    event.timestamp = Math.max(this.now, event.timestamp + 1);
    event.published = false;
  }

  publish(event: SimEvent): void {
    event.published = true;
    event.publishTimestamp = Math.max(this.now, event.publishTimestamp);
  }

  edited(attribute: SimAttribute): void {
    attribute.timestamp = Math.max(this.now, attribute.timestamp + 1);
    this.touch(attribute.event);
  }

  /** No trace of it is left. */
  hardDelete(attribute: SimAttribute): void {
    this.attributes.delete(attribute.uuid);
    attribute.event.attributes = attribute.event.attributes.filter((one) => one !== attribute);
  }

  deleteEvent(event: SimEvent): void {
    for (const attribute of event.attributes) this.attributes.delete(attribute.uuid);
    this.events.delete(event.uuid);
  }
}
