// Our sightings into the partner's collection (TAXII 2.1 §5.5). An object counts as delivered when the server says so
// or shows it; "failed" alone is no verdict, because servers count an identical re-post as a failure. A refused
// envelope is halved until the object that spoils it stands alone.
import type { ExchangeDeps, SendOutcome } from '../../../core/contracts/exchange-connector.ts';
import { ConnectorError, permanent, toFailure } from '../../../core/model/failure.ts';
import type { Identity, Sighting } from '../../../core/model/sighting.ts';
import { buildIdentity, buildSighting, type StixOut } from '../../../core/stix/build.ts';
import { cleanText, isStixId } from '../../../core/stix/raw.ts';
import { TaxiiClient } from './client.ts';
import type { Taxii21Config } from './config.ts';
import { type Collection, Envelope, Status, Versioned } from './responses.ts';
import { collectionUrl, findRoot, reportCollection, type Root } from './roots.ts';

const MAX_OBJECTS = 500;
/** Where the API root states none. */
const MAX_BYTES = 1024 * 1024;
const FRAME = '{"objects":[]}'.length;

interface Outgoing {
  readonly uuid: string;
  readonly object: StixOut;
  readonly text: string;
}

interface Place {
  readonly root: Root;
  readonly collection: Collection;
}

export class TaxiiReports {
  readonly #client: TaxiiClient;
  readonly #url: string;
  readonly #to: string;
  readonly #identity: Identity;
  readonly #whereSighted: boolean;
  readonly #who: string;
  /** What a receipt stands for, while this process lives; after a crash the lists of the status tell. */
  readonly #underway = new Map<string, readonly Outgoing[]>();
  #place: Place | undefined;
  #introduced = false;

  private constructor(config: Taxii21Config, deps: ExchangeDeps, to: string, identity: Identity) {
    const auth = config.report_auth ?? config.auth;
    this.#client = new TaxiiClient({ ...config, ...(auth === undefined ? {} : { auth }) }, deps);
    this.#url = config.url;
    this.#to = to;
    this.#identity = identity;
    this.#whereSighted = config.report_where_sighted;
    this.#who = `exchange ${deps.name}`;
  }

  /** Undefined where nothing is reported. */
  static of(config: Taxii21Config, deps: ExchangeDeps): TaxiiReports | undefined {
    if (config.report_to === undefined || deps.identity === undefined) return undefined;
    return new TaxiiReports(config, deps, config.report_to, deps.identity);
  }

  async probe(signal: AbortSignal): Promise<string> {
    this.#place = undefined;
    const { collection } = await this.#find(signal);
    return `reports to ${collection.title ?? collection.id} (${collection.id})`;
  }

  async send(sightings: readonly Sighting[], signal: AbortSignal): Promise<readonly SendOutcome[]> {
    const place = await this.#find(signal);
    await this.#introduce(place, signal);
    const outcomes: SendOutcome[] = [];
    const refusedTypes = new Set<string>();
    const outgoing = sightings.flatMap((one) => {
      const object = isStixId(one.objectId) ? buildSighting(one, this.#identity, this.#whereSighted) : undefined;
      if (object !== undefined) return [{ uuid: one.uuid, object, text: JSON.stringify(object) }];
      outcomes.push(refused(one.uuid, `${this.#who}: STIX has no form for this (${one.kind} of ${one.objectId})`));
      return [];
    });
    const envelopes = split(outgoing, place.root.maxContentLength ?? MAX_BYTES);
    for (const [at, envelope] of envelopes.entries()) {
      try {
        outcomes.push(...(await this.#post(envelope, place, refusedTypes, signal)));
      } catch (error) {
        // What came before is settled; the rest waits for what hinders it now.
        if (outcomes.length === 0) throw error;
        const failure = toFailure(error);
        outcomes.push(
          ...envelopes
            .slice(at)
            .flatMap((rest) => rest.map(({ uuid }) => ({ uuid, kind: 'failed', failure }) as const)),
        );
        break;
      }
    }
    return outcomes;
  }

  /** Empty when the server has forgotten it: the sightings go out again, which changes nothing there. */
  async settle(receipt: string, signal: AbortSignal): Promise<readonly SendOutcome[] | 'pending'> {
    const place = await this.#find(signal);
    const url = new URL(`status/${encodeURIComponent(receipt)}/`, place.root.url);
    let status: Status;
    try {
      status = (await this.#client.get(url, 'the status of a report', Status, signal)).content;
    } catch (error) {
      if (!(error instanceof ConnectorError) || error.status !== 404) throw error;
      this.#underway.delete(receipt);
      return [];
    }
    if (status.status !== 'complete') return 'pending';
    const sent = this.#underway.get(receipt) ?? [...status.successes, ...status.failures].flatMap(fromStatus);
    const outcomes = await this.#outcomes(status, sent, place, signal);
    this.#underway.delete(receipt);
    return outcomes;
  }

  close(): void {
    this.#client.close();
  }

  async #find(signal: AbortSignal): Promise<Place> {
    if (this.#place !== undefined) return this.#place;
    const root = await findRoot(this.#client, this.#url, this.#who, signal);
    const collection = await reportCollection(this.#client, root, this.#to, this.#who, signal);
    this.#place = { root, collection };
    return this.#place;
  }

  /** Who we are goes once per process, alone: a server that has it already may refuse it, and nothing else with it. */
  async #introduce(place: Place, signal: AbortSignal): Promise<void> {
    if (this.#introduced) return;
    const text = JSON.stringify(buildIdentity(this.#identity));
    try {
      await this.#client.post(objectsUrl(place), 'our identity', Status, envelopeOf([text]), signal);
    } catch (error) {
      if (!(error instanceof ConnectorError) || error.kind !== 'permanent') throw this.#lost(error);
    }
    this.#introduced = true;
  }

  async #post(
    envelope: readonly Outgoing[],
    place: Place,
    refusedTypes: Set<string>,
    signal: AbortSignal,
  ): Promise<SendOutcome[]> {
    const [first] = envelope;
    if (first === undefined) return [];
    const type = String(first.object['type']);
    if (envelope.length === 1 && refusedTypes.has(type))
      return [refused(first.uuid, `${this.#who}: the server takes no ${type} (422); ask the partner`)];
    let status: Status;
    try {
      const body = envelopeOf(envelope.map((one) => one.text));
      status = await this.#client.post(objectsUrl(place), 'a report', Status, body, signal);
    } catch (error) {
      // A permanent refusal of many is one of a few among them.
      if (!(error instanceof ConnectorError) || error.kind !== 'permanent') throw this.#lost(error);
      if (envelope.length > 1) {
        const half = Math.ceil(envelope.length / 2);
        const left = await this.#post(envelope.slice(0, half), place, refusedTypes, signal);
        return [...left, ...(await this.#post(envelope.slice(half), place, refusedTypes, signal))];
      }
      if (await this.#isThere(first, place, signal)) return [{ uuid: first.uuid, kind: 'sent' }];
      if (error.status === 422) refusedTypes.add(type);
      return [refused(first.uuid, error.message)];
    }
    if (status.status === 'complete') return await this.#outcomes(status, envelope, place, signal);
    this.#underway.set(status.id, envelope);
    return envelope.map(({ uuid }) => ({ uuid, kind: 'accepted', receipt: status.id }));
  }

  async #outcomes(
    status: Status,
    sent: readonly Outgoing[],
    place: Place,
    signal: AbortSignal,
  ): Promise<SendOutcome[]> {
    const succeeded = new Set(status.successes.map((one) => one.id));
    const failed = new Map(status.failures.map((one) => [one.id, one.message]));
    const outcomes: SendOutcome[] = [];
    for (const one of sent) {
      const id = String(one.object['id']);
      const doubtful = failed.has(id) || (status.failure_count > failed.size && !succeeded.has(id));
      if (!doubtful || (await this.#isThere(one, place, signal))) outcomes.push({ uuid: one.uuid, kind: 'sent' });
      else {
        const said = cleanText(failed.get(id), 200);
        outcomes.push(
          refused(
            one.uuid,
            `${this.#who}: the server took the report but not this object${said === undefined ? '' : ` [server: ${said}]`}`,
          ),
        );
      }
    }
    return outcomes;
  }

  /** Whether the collection shows exactly this version. One that we may not read shows nothing. */
  async #isThere({ object }: Outgoing, place: Place, signal: AbortSignal): Promise<boolean> {
    if (!place.collection.can_read) return false;
    const [id, modified] = [String(object['id']), String(object['modified'])];
    const url = collectionUrl(place.root, place.collection.id, `objects/${encodeURIComponent(id)}/`);
    try {
      const answer = await this.#client.get(url, 'a report', Envelope, signal, { 'match[version]': modified });
      return answer.content.objects.some((found) => {
        const read = Versioned.safeParse(found);
        return read.success && read.data.id === id && sameTime(read.data.modified, modified);
      });
    } catch (error) {
      if (error instanceof ConnectorError && (error.status === 404 || error.kind === 'permanent')) return false;
      throw error;
    }
  }

  /** After a refusal of the whole place it is looked up anew: rights, root and collection may have changed. */
  #lost(error: unknown): unknown {
    if (error instanceof ConnectorError && error.kind === 'config') this.#place = undefined;
    return error;
  }
}

const objectsUrl = ({ root, collection }: Place): URL => collectionUrl(root, collection.id, 'objects/');
const envelopeOf = (texts: readonly string[]): Buffer => Buffer.from(`{"objects":[${texts.join(',')}]}`);

const refused = (uuid: string, message: string): SendOutcome => ({
  uuid,
  kind: 'failed',
  failure: toFailure(permanent(message)),
});

/** Servers cut trailing zeros, or write milliseconds as microseconds. */
const sameTime = (a: string | undefined, b: string): boolean => a !== undefined && plainTime(a) === plainTime(b);
const plainTime = (text: string): string => text.replace(/(\.\d*?)0*Z$/, '$1Z').replace('.Z', 'Z');

/** What a status names, for one that was asked for by a process that is gone. */
function fromStatus({ id, version }: { id: string; version: string | undefined }): Outgoing[] {
  const uuid = /^(?:sighting|opinion)--(.+)$/.exec(id)?.[1];
  return uuid === undefined ? [] : [{ uuid, object: { id, modified: version ?? '' }, text: '' }];
}

function split(outgoing: readonly Outgoing[], maxBytes: number): Outgoing[][] {
  const envelopes: Outgoing[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const one of outgoing) {
    const bytes = Buffer.byteLength(one.text) + 1;
    const current = envelopes.at(-1);
    if (current === undefined || current.length === MAX_OBJECTS || size + bytes > maxBytes) {
      envelopes.push([one]);
      size = FRAME + bytes;
    } else {
      current.push(one);
      size += bytes;
    }
  }
  return envelopes;
}
