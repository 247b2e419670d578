// Adding objects (TAXII 2.1 §5.5): the status resource tells what became of each; it may stay pending for some polls,
// and then the objects appear only when it completes.
import { type StixObject, textOf } from '../stix-object.ts';
import { type Collection, uuidOf, versionOf } from './collection.ts';
import { formatStamp, parseStamp } from './stamp.ts';

interface Entry {
  readonly id: string;
  readonly version: string;
  readonly message?: string;
}

interface Post {
  readonly id: string;
  readonly at: number;
  readonly entries: readonly { readonly object: StixObject; readonly entry: Entry }[];
  readonly collection: Collection;
  readonly partial: boolean;
  pollsLeft: number;
  done: { successes: Entry[]; failures: Entry[] } | undefined;
}

export interface PostsOptions {
  readonly seed: number;
  readonly pendingPolls: number;
  readonly nextDate: () => number;
}

export class Posts {
  readonly #options: PostsOptions;
  readonly #posts = new Map<string, Post>();
  #given = 0;
  readonly #sightings: { collection: string; object: StixObject }[] = [];

  constructor(options: PostsOptions) {
    this.#options = options;
  }

  /** Every sighting that was taken over from a POST, in order of arrival. */
  get sightings(): readonly { readonly collection: string; readonly object: StixObject }[] {
    return this.#sightings;
  }

  /** A status that says complete and counts nothing, as if the objects had been lost on the way. */
  drop(count: number, at: number): object {
    const counts = { total_count: count, success_count: 0, failure_count: 0, pending_count: 0 };
    return { id: this.#nextId(), status: 'complete', request_timestamp: formatStamp(at), ...counts };
  }

  #nextId(): string {
    return uuidOf(`status ${this.#options.seed} ${this.#given++}`);
  }

  accept(
    root: string,
    collection: Collection,
    objects: readonly StixObject[],
    at: number,
    how: { partial: boolean; lags: boolean },
  ): object {
    const id = this.#nextId();
    const post: Post = {
      id,
      at,
      collection,
      partial: how.partial,
      entries: objects.map((object) => ({
        object,
        entry: { id: object.id, version: versionOf(object) ?? formatStamp(at) },
      })),
      pollsLeft: this.#options.pendingPolls,
      done: undefined,
    };
    this.#posts.set(`${root} ${id}`, post);
    if (post.pollsLeft === 0) this.#finish(post);
    return how.lags ? lagging(post) : resource(post);
  }

  poll(root: string, id: string): object | undefined {
    const post = this.#posts.get(`${root} ${id}`);
    if (post === undefined) return undefined;
    if (post.done === undefined) {
      post.pollsLeft -= 1;
      if (post.pollsLeft <= 0) this.#finish(post);
    }
    return resource(post);
  }

  #finish(post: Post): void {
    const done: { successes: Entry[]; failures: Entry[] } = { successes: [], failures: [] };
    for (const [place, { object, entry }] of post.entries.entries()) {
      const problem = post.partial && place % 2 === 1 ? 'refused by local policy' : this.#add(post.collection, object);
      if (problem === undefined) done.successes.push(entry);
      else done.failures.push({ ...entry, message: problem });
    }
    post.done = done;
  }

  #add(collection: Collection, object: StixObject): string | undefined {
    const problem = fault(object);
    if (problem !== undefined) return problem;
    const result = collection.add(object, this.#options.nextDate());
    if (result === 'another content under this version') return 'this version exists with another content';
    // Sending an identical object again is no error (§5.5), and no second sighting.
    if (result === 'added' && object.type === 'sighting')
      this.#sightings.push({ collection: collection.info.title, object });
    return undefined;
  }
}

const lagging = (post: Post): object => resource({ ...post, done: undefined });

function resource(post: Post): object {
  const { done } = post;
  const pendings = done === undefined ? post.entries.map(({ entry }) => entry) : [];
  const { successes, failures } = done ?? { successes: [], failures: [] };
  return {
    id: post.id,
    status: done === undefined ? 'pending' : 'complete',
    request_timestamp: formatStamp(post.at),
    total_count: post.entries.length,
    success_count: successes.length,
    failure_count: failures.length,
    pending_count: pendings.length,
    ...(successes.length === 0 ? {} : { successes }),
    ...(failures.length === 0 ? {} : { failures }),
    ...(pendings.length === 0 ? {} : { pendings }),
  };
}

/** Only domain objects can be sighted (STIX 2.1 §5.2); custom ones are taken as such. */
const SIGHTABLE =
  /^(attack-pattern|campaign|course-of-action|grouping|identity|incident|indicator|infrastructure|intrusion-set|location|malware|malware-analysis|note|observed-data|opinion|report|threat-actor|tool|vulnerability|x-[a-z0-9-]+)--/;

const RELATIONS = { sighting: ['sighting_of_ref'], relationship: ['relationship_type', 'source_ref', 'target_ref'] };

/** What a careful exchange checks of a STIX 2.1 object: form of the id, times, required references. */
function fault(object: StixObject): string | undefined {
  if (!new RegExp(`^${object.type}--[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).test(object.id))
    return 'id is not the type, two dashes and a UUID';
  for (const name of ['created', 'modified', 'first_seen', 'last_seen', 'valid_from', 'valid_until']) {
    const value = object[name];
    if (value !== undefined && (typeof value !== 'string' || parseStamp(value) === undefined))
      return `${name} is not a timestamp`;
  }
  if (object['modified'] !== undefined && object['created'] === undefined) return 'created is missing';
  const needed = RELATIONS[object.type as keyof typeof RELATIONS] ?? [];
  const missing = needed.find((name) => typeof object[name] !== 'string');
  if (missing !== undefined) return `${missing} is missing`;
  if (object.type === 'sighting' && !SIGHTABLE.test(textOf(object, 'sighting_of_ref')))
    return 'sighting_of_ref is no domain object';
  return undefined;
}

export type Body =
  | { readonly objects: readonly StixObject[] }
  | { readonly status: 400 | 422; readonly problem: string };

/** An envelope holds at least one object with a type and an id, and is no bundle (§3.7). */
export function readEnvelope(body: Buffer): Body {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    return { status: 400, problem: 'the body is not JSON' };
  }
  if (typeof value !== 'object' || value === null || 'type' in value)
    return { status: 422, problem: 'the body is no envelope; a bundle is none' };
  const objects = 'objects' in value ? value.objects : undefined;
  if (!Array.isArray(objects) || objects.length === 0) return { status: 422, problem: 'the envelope has no objects' };
  if (!objects.every(isStixObject)) return { status: 422, problem: 'an object has no type or no id' };
  return { objects };
}

export function isStixObject(value: unknown): value is StixObject {
  if (typeof value !== 'object' || value === null) return false;
  const { type, id } = value as Partial<StixObject>;
  return typeof type === 'string' && /^[a-z0-9-]+$/.test(type) && typeof id === 'string';
}
