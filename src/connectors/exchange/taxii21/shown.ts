// Which of our reports a collection shows, by id and exactly the version that was sent: the one proof of delivery that
// needs no status resource. Many are asked for at once by match[id] (TAXII 2.1 §3.4); a server that does not know that
// field is noticed and then asked for some of them singly.
import { ConnectorError } from '../../../core/model/failure.ts';
import type { Posted } from '../../../core/model/sighting.ts';
import { sentAs } from '../../../core/stix/build.ts';
import type { TaxiiClient } from './client.ts';
import { type Collection, Envelope, Versioned } from './responses.ts';
import { collectionUrl, type Root } from './roots.ts';

/** unknown: not asked for this time, or we may not look. */
export type Sight = 'shown' | 'absent' | 'unknown';

export interface Place {
  readonly root: Root;
  readonly collection: Collection;
}

/** Some 5 kB of address. */
const IDS_AT_ONCE = 100;
/** Asked for singly in one go, where the server knows no match[id]. */
const MOST_SINGLY = 10;

interface Name {
  readonly uuid: string;
  readonly id: string;
  readonly modified: string;
}

export class Shown {
  readonly #client: TaxiiClient;
  /** Learnt from a server that shows singly what it did not show by match[id]. */
  #matches = true;

  constructor(client: TaxiiClient) {
    this.#client = client;
  }

  async of(posted: readonly Posted[], place: Place, signal: AbortSignal): Promise<ReadonlyMap<string, Sight>> {
    const names = posted.flatMap((one): Name[] => {
      const name = sentAs(one);
      return name === undefined ? [] : [{ uuid: one.uuid, ...name }];
    });
    const sights = new Map<string, Sight>(posted.map(({ uuid }) => [uuid, 'unknown']));
    if (place.collection.can_read === false) return sights;
    try {
      await this.#look(names, place, sights, signal);
    } catch (error) {
      // The right to read may be less than what the collection says of itself.
      if (!(error instanceof ConnectorError) || error.status !== 403) throw error;
    }
    return sights;
  }

  async #look(names: readonly Name[], place: Place, sights: Map<string, Sight>, signal: AbortSignal): Promise<void> {
    let left = names;
    if (this.#matches && names.length > 1) {
      for (let from = 0; from < names.length; from += IDS_AT_ONCE)
        await this.#many(names.slice(from, from + IDS_AT_ONCE), place, sights, signal);
      left = names.filter(({ uuid }) => sights.get(uuid) !== 'shown');
      const [first] = left;
      if (first === undefined) return;
      sights.set(first.uuid, await this.#one(first, place, signal));
      if (sights.get(first.uuid) === 'absent') return;
      this.#matches = false;
      left = left.slice(1);
    }
    for (const one of left) sights.set(one.uuid, 'unknown');
    for (const one of left.slice(0, MOST_SINGLY)) sights.set(one.uuid, await this.#one(one, place, signal));
  }

  async #many(names: readonly Name[], place: Place, sights: Map<string, Sight>, signal: AbortSignal): Promise<void> {
    const query = { 'match[id]': names.map(({ id }) => id).join(',') };
    const answer = (await this.#asked('objects/', query, place, signal)) ?? { objects: [], more: false };
    for (const one of names)
      sights.set(one.uuid, answer.objects.some((found) => isIt(found, one)) ? 'shown' : 'absent');
    if (answer.more !== true || names.length === 1) return;
    const rest = names.filter(({ uuid }) => sights.get(uuid) !== 'shown');
    // A server that shows none of what it was asked for knows no match[id]; halves would not help.
    if (rest.length === 0 || rest.length === names.length) return;
    await this.#many(rest, place, sights, signal);
  }

  async #one(name: Name, place: Place, signal: AbortSignal): Promise<Sight> {
    const path = `objects/${encodeURIComponent(name.id)}/`;
    const answer =
      (await this.#asked(path, { 'match[version]': name.modified }, place, signal)) ??
      (await this.#asked(path, {}, place, signal));
    return answer?.objects.some((found) => isIt(found, name)) === true ? 'shown' : 'absent';
  }

  /** Undefined where the server does not take the question. */
  async #asked(
    path: string,
    query: Record<string, string>,
    place: Place,
    signal: AbortSignal,
  ): Promise<Envelope | undefined> {
    const url = collectionUrl(place.root, place.collection.id, path);
    try {
      return (await this.#client.get(url, 'a report', Envelope, signal, query)).content;
    } catch (error) {
      if (!(error instanceof ConnectorError)) throw error;
      if (error.status === 404) return { more: false, next: undefined, objects: [] };
      if (error.kind === 'permanent') return undefined;
      throw error;
    }
  }
}

function isIt(found: unknown, { id, modified }: Name): boolean {
  const read = Versioned.safeParse(found);
  return read.success && read.data.id === id && sameTime(read.data.modified, modified);
}

/** Servers cut trailing zeros, or write milliseconds as microseconds. */
const sameTime = (a: string | undefined, b: string): boolean => a !== undefined && plainTime(a) === plainTime(b);
const plainTime = (text: string): string => text.replace(/(\.\d*?)0*Z$/, '$1Z').replace('.Z', 'Z');
