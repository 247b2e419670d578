// Our sightings into the partner's collection (TAXII 2.1 §5.5). An object counts as delivered when the server says so
// or shows it; "failed" alone is no verdict, because servers count an identical re-post as a failure, and neither is a
// success without a status resource. What may be there already is looked for before it is posted once more. A refused
// envelope is halved until the object that spoils it stands alone.
import type { ExchangeDeps, SendOutcome } from '../../../core/contracts/exchange-connector.ts';
import { ConnectorError, permanent, toFailure } from '../../../core/model/failure.ts';
import type { Identity, Posted, Sighting } from '../../../core/model/sighting.ts';
import { buildIdentity, buildSighting, sentAs, type StixOut } from '../../../core/stix/build.ts';
import { cleanText, isStixId } from '../../../core/stix/raw.ts';
import { TaxiiClient } from './client.ts';
import type { Taxii21Config } from './config.ts';
import { Status } from './responses.ts';
import { collectionUrl, findRoot, reportCollection } from './roots.ts';
import { type Place, Shown } from './shown.ts';

const MAX_OBJECTS = 500;
/** Where the API root states none. */
const MAX_BYTES = 1024 * 1024;
const FRAME = '{"objects":[]}'.length;

interface Outgoing {
  readonly posted: Sighting;
  readonly object: StixOut;
  readonly text: string;
}

export class TaxiiReports {
  readonly #client: TaxiiClient;
  readonly #shown: Shown;
  readonly #url: string;
  readonly #to: string;
  readonly #identity: Identity;
  readonly #whereSighted: boolean;
  readonly #who: string;
  #place: Place | undefined;
  #introduced = false;

  private constructor(config: Taxii21Config, deps: ExchangeDeps, to: string, identity: Identity) {
    const auth = config.report_auth ?? config.auth;
    this.#client = new TaxiiClient({ ...config, ...(auth === undefined ? {} : { auth }) }, deps);
    this.#shown = new Shown(this.#client);
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
    const outgoing = sightings.flatMap((one): Outgoing[] => {
      const object = isStixId(one.objectId) ? buildSighting(one, this.#identity, this.#whereSighted) : undefined;
      if (object !== undefined) return [{ posted: one, object, text: JSON.stringify(object) }];
      outcomes.push(refused(one.uuid, `${this.#who}: STIX has no form for this (${one.kind} of ${one.objectId})`));
      return [];
    });
    const fresh = await this.#withoutThose(outgoing, place, outcomes, signal);
    const envelopes = split(fresh, place.root.maxContentLength ?? MAX_BYTES);
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
            .flatMap((rest) => rest.map(({ posted }) => ({ uuid: posted.uuid, kind: 'failed', failure }) as const)),
        );
        break;
      }
    }
    return outcomes;
  }

  /** Where the server has forgotten the status resource (§4.3), the objects themselves tell. */
  async settle(
    receipt: string,
    posted: readonly Posted[],
    signal: AbortSignal,
  ): Promise<readonly SendOutcome[] | 'pending'> {
    const place = await this.#find(signal);
    const url = new URL(`status/${encodeURIComponent(receipt)}/`, place.root.url);
    let status: Status;
    try {
      status = (await this.#client.get(url, 'the status of a report', Status, signal)).content;
    } catch (error) {
      if (!(error instanceof ConnectorError)) throw error;
      if (error.status === 404 || error.kind === 'permanent')
        return await this.#lookedUp(posted, place, KEPT_NO_STATUS, signal);
      if (error.status === undefined || error.status < 500) throw error;
      // A status that breaks the server need not hide what the collection shows.
      const outcomes = await this.#lookedUp(posted, place, KEPT_NO_STATUS, signal);
      if (outcomes.every((one) => one.kind === 'sent')) return outcomes;
      throw error;
    }
    return status.status === 'complete' ? await this.#outcomes(status, posted, place, signal) : 'pending';
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
      await this.#client.post(objectsUrl(place), 'our identity', envelopeOf([text]), signal);
    } catch (error) {
      if (!(error instanceof ConnectorError) || error.kind !== 'permanent') throw this.#lost(error);
    }
    this.#introduced = true;
  }

  /** Of what was tried before, only what the collection does not show goes again. */
  async #withoutThose(
    outgoing: readonly Outgoing[],
    place: Place,
    outcomes: SendOutcome[],
    signal: AbortSignal,
  ): Promise<readonly Outgoing[]> {
    const tried = outgoing.filter(({ posted }) => (posted.attempt ?? 0) > 0);
    if (tried.length === 0 || place.collection.can_read === false) return outgoing;
    const sights = await this.#shown.of(
      tried.map(({ posted }) => posted),
      place,
      signal,
    );
    return outgoing.filter(({ posted: { uuid } }) => {
      const sight = sights.get(uuid);
      if (sight === 'shown') outcomes.push({ uuid, kind: 'sent' });
      else if (sight === 'unknown') outcomes.push({ uuid, kind: 'unseen', reason: `${this.#who}: ${NOT_LOOKED}` });
      return sight === undefined || sight === 'absent';
    });
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
      return [refused(first.posted.uuid, `${this.#who}: the server takes no ${type} (422); ask the partner`)];
    const posted = envelope.map((one) => one.posted);
    let status: Status | undefined;
    try {
      const body = envelopeOf(envelope.map((one) => one.text));
      status = await this.#client.post(objectsUrl(place), 'a report', body, signal);
    } catch (error) {
      // A permanent refusal of many is one of a few among them.
      if (!(error instanceof ConnectorError) || error.kind !== 'permanent') throw this.#lost(error);
      if (envelope.length > 1) {
        const half = Math.ceil(envelope.length / 2);
        const left = await this.#post(envelope.slice(0, half), place, refusedTypes, signal);
        return [...left, ...(await this.#post(envelope.slice(half), place, refusedTypes, signal))];
      }
      const sight = (await this.#shown.of(posted, place, signal)).get(first.posted.uuid);
      if (sight === 'shown') return [{ uuid: first.posted.uuid, kind: 'sent' }];
      if (error.status === 422) refusedTypes.add(type);
      return [refused(first.posted.uuid, error.message)];
    }
    if (status === undefined) return await this.#lookedUp(posted, place, GAVE_NO_STATUS, signal);
    if (status.status === 'complete') return await this.#outcomes(status, posted, place, signal);
    const receipt = status.id;
    return posted.map(({ uuid }) => ({ uuid, kind: 'accepted', receipt }));
  }

  /** A success that says nothing of the objects. Where we may not look, it is all the word we shall ever have. */
  async #lookedUp(posted: readonly Posted[], place: Place, why: string, signal: AbortSignal): Promise<SendOutcome[]> {
    const sights = await this.#shown.of(posted, place, signal);
    const blind = place.collection.can_read === false && why === GAVE_NO_STATUS;
    return posted.map(({ uuid }): SendOutcome => {
      if (blind || sights.get(uuid) === 'shown') return { uuid, kind: 'sent' };
      return { uuid, kind: 'unseen', reason: `${this.#who}: ${why}` };
    });
  }

  async #outcomes(
    status: Status,
    posted: readonly Posted[],
    place: Place,
    signal: AbortSignal,
  ): Promise<SendOutcome[]> {
    const succeeded = new Set(status.successes.map((one) => one.id));
    const failed = new Map(status.failures.map((one) => [one.id, one.message]));
    // Some servers give counts and no lists; a count of less than all says nothing of any one.
    const all = status.failure_count === 0 && (status.success_count ?? 0) >= posted.length;
    const named = posted.map((one) => ({ one, id: sentAs(one)?.id ?? '' }));
    const doubtful = named.filter(({ id }) => failed.has(id) || !(all || succeeded.has(id)));
    const sights = await this.#shown.of(
      doubtful.map(({ one }) => one),
      place,
      signal,
    );
    return named.map(({ one: { uuid }, id }): SendOutcome => {
      const sight = sights.get(uuid);
      if (sight === undefined || sight === 'shown') return { uuid, kind: 'sent' };
      const refusing = failed.has(id) || status.failure_count > failed.size;
      if (!refusing) return { uuid, kind: 'unseen', reason: `${this.#who}: ${COUNTED_NONE}` };
      const said = cleanText(failed.get(id), 200);
      const words = said === undefined ? '' : ` [server: ${said}]`;
      return refused(uuid, `${this.#who}: the server took the report but not this object${words}`);
    });
  }

  /** After a refusal of the whole place it is looked up anew: rights, root and collection may have changed. */
  #lost(error: unknown): unknown {
    if (error instanceof ConnectorError && error.kind === 'config') this.#place = undefined;
    return error;
  }
}

const AGAIN = 'it is looked for again, and sent again if it is not there';
const KEPT_NO_STATUS = `the server keeps no status of a report that it took, and does not show it; ${AGAIN}`;
const GAVE_NO_STATUS = `the server took a report without a status resource, and does not show it; ${AGAIN}`;
const COUNTED_NONE = `the server calls a report complete without counting it as a success, and does not show it; ${AGAIN}`;
const NOT_LOOKED = `whether a report arrived could not be looked up yet; ${AGAIN}`;

const objectsUrl = ({ root, collection }: Place): URL => collectionUrl(root, collection.id, 'objects/');
const envelopeOf = (texts: readonly string[]): Buffer => Buffer.from(`{"objects":[${texts.join(',')}]}`);

const refused = (uuid: string, message: string): SendOutcome => ({
  uuid,
  kind: 'failed',
  failure: toFailure(permanent(message)),
});

/** Bounded by number and bytes, and of one marking each: whoever passes an envelope on need not look into it. */
function split(outgoing: readonly Outgoing[], maxBytes: number): Outgoing[][] {
  const envelopes: Outgoing[][] = [];
  const open = new Map<string, { readonly envelope: Outgoing[]; size: number }>();
  for (const one of outgoing) {
    const bytes = Buffer.byteLength(one.text) + 1;
    let current = open.get(one.posted.tlp);
    if (current === undefined || current.envelope.length === MAX_OBJECTS || current.size + bytes > maxBytes) {
      current = { envelope: [], size: FRAME };
      open.set(one.posted.tlp, current);
      envelopes.push(current.envelope);
    }
    current.envelope.push(one);
    current.size += bytes;
  }
  return envelopes;
}
