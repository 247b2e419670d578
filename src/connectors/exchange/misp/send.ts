// Our sightings into the partner's MISP. In bulk under uuids of our own, which the server knows again, so that a second attempt
// makes no second sighting; by the uuid of the attribute, since a value would hit every attribute that holds it. What the server did
// not add is looked up before it counts as refused: "No sightings added" is also said of what it has already. Where it does
// not know that route, one by one; there a refusal is 200 with a message alone.
import type { ExchangeDeps, SendOutcome } from '../../../core/contracts/exchange-connector.ts';
import { ConnectorError, configFailure, permanent, toFailure } from '../../../core/model/failure.ts';
import type { Sighting, SightingKind } from '../../../core/model/sighting.ts';
import { withoutHidden } from '../../../core/model/text.ts';
import { MispClient } from './client.ts';
import type { MispConfig } from './config.ts';
import { AddAnswer, BulkAnswer, SightingsAnswer, type StoredSighting } from './responses.ts';

const TYPES: Readonly<Record<SightingKind, '0' | '1' | '2'>> = { seen: '0', false_positive: '1', expired: '2' };
const MOST_ROWS = 200;

export class MispReports {
  readonly #client: MispClient;
  readonly #who: string;
  /** The server said that it does not know the route. */
  #noBulk = false;

  private constructor(config: MispConfig, deps: ExchangeDeps) {
    this.#client = new MispClient(config, (config.report_auth ?? config.auth).key, deps);
    this.#who = this.#client.who;
  }

  /** Undefined where nothing is reported. */
  static of(config: MispConfig, deps: ExchangeDeps): MispReports | undefined {
    return config.report && deps.identity !== undefined ? new MispReports(config, deps) : undefined;
  }

  /** Throws where the key may send none; returns what a person reads. */
  async probe(signal: AbortSignal): Promise<string> {
    const { perm_sighting: sighting, perm_sync: sync } = await this.#client.version(signal);
    if (sighting === false && sync !== true)
      throw configFailure(
        `${this.#who}: this key may not send sightings (perm_sighting); ask the partner for it, or set report_auth`,
      );
    return 'sends sightings';
  }

  async send(sightings: readonly Sighting[], signal: AbortSignal): Promise<readonly SendOutcome[]> {
    const outcomes: SendOutcome[] = [];
    const elsewhere = sightings.some((one) => one.scope === undefined) ? await this.#anyEvent(signal) : undefined;
    for (const [event, all] of Map.groupBy(sightings, (one) => one.scope ?? elsewhere)) {
      if (event === undefined) outcomes.push(...all.map((one) => this.#gone(one)));
      else
        for (let from = 0; from < all.length; from += MOST_ROWS)
          outcomes.push(...(await this.#toEvent(event, all.slice(from, from + MOST_ROWS), signal)));
    }
    return outcomes;
  }

  close(): void {
    this.#client.close();
  }

  async #toEvent(event: string, all: readonly Sighting[], signal: AbortSignal): Promise<SendOutcome[]> {
    if (this.#noBulk) return await this.#oneByOne(all, signal);
    let added: number;
    try {
      added = await this.#bulk(event, all, signal);
    } catch (error) {
      if (!(error instanceof ConnectorError) || signal.aborted) throw error;
      if (error.status === 404) {
        this.#noBulk = true;
        return await this.#oneByOne(all, signal);
      }
      // The event is gone or hidden (405), and its attributes with it.
      if (error.status === 405) return all.map((one) => this.#gone(one));
      throw this.#worded(error);
    }
    if (added === all.length) return all.map(({ uuid }) => ({ uuid, kind: 'sent' }));
    const there = await this.#stored(event, signal);
    const known = new Set(there.map((one) => one.uuid));
    return all.map((one) => (known.has(one.uuid) ? { uuid: one.uuid, kind: 'sent' } : this.#gone(one)));
  }

  async #bulk(event: string, all: readonly Sighting[], signal: AbortSignal): Promise<number> {
    const rows = all.map((one) => ({
      uuid: one.uuid,
      attribute_uuid: one.objectId,
      date_sighting: Math.floor(one.lastSeen / 1000),
      type: TYPES[one.kind],
      source: '',
    }));
    const path = `sightings/bulkSaveSightings/${event}`;
    const answer = await this.#client.post(path, 'our sightings', BulkAnswer, rows, signal);
    if (answer.saved === undefined)
      throw permanent(
        `${this.#who}: our sightings were answered with a message alone: ${withoutHidden(answer.message ?? '').slice(0, 200)}`,
      );
    return answer.saved ? Number(/^(\d+) /.exec(answer.success ?? '')?.[1] ?? all.length) : 0;
  }

  async #stored(event: string, signal: AbortSignal): Promise<readonly StoredSighting[]> {
    const body = { returnFormat: 'json', last: 0, includeUuid: true, uuid: [event] };
    return await this.#client.post('sightings/restSearch/event', 'our sightings there', SightingsAnswer, body, signal);
  }

  async #oneByOne(all: readonly Sighting[], signal: AbortSignal): Promise<SendOutcome[]> {
    const outcomes: SendOutcome[] = [];
    for (const one of all) outcomes.push(await this.#single(one, signal));
    return outcomes;
  }

  async #single(one: Sighting, signal: AbortSignal): Promise<SendOutcome> {
    const { uuid, objectId } = one;
    const date = Math.floor(one.lastSeen / 1000);
    const type = TYPES[one.kind];
    try {
      // This route knows no uuid of ours: what may be there is looked for before it is sent once more.
      if ((one.attempt ?? 0) > 0) {
        const body = { returnFormat: 'json', last: 0, uuid: objectId };
        const path = 'sightings/restSearch/attribute';
        const there = await this.#client.post(path, 'our sightings there', SightingsAnswer, body, signal);
        if (there.some((known) => known.type === type && known.date === date)) return { uuid, kind: 'sent' };
      }
      const body = { type, timestamp: date, source: '' };
      const answer = await this.#client.post(`sightings/add/${objectId}`, 'a sighting', AddAnswer, body, signal);
      if (answer.Sighting !== undefined) return { uuid, kind: 'sent' };
      const said = withoutHidden(answer.message ?? 'no sighting in the answer').slice(0, 200);
      const failure = permanent(`${this.#who}: the exchange took no sighting of ${objectId} [server: ${said}]`, {
        code: 'value_not_taken',
      });
      return { uuid, kind: 'failed', failure: toFailure(failure) };
    } catch (error) {
      if (!(error instanceof ConnectorError) || signal.aborted) throw error;
      if (error.status !== 404) throw this.#worded(error);
      return this.#gone(one);
    }
  }

  /** Of an object that no event shows any longer: attributes may belong to other events than the one in the path. */
  async #anyEvent(signal: AbortSignal): Promise<string | undefined> {
    const { content } = await this.#client.index({ limit: 1, page: 1 }, signal);
    return content[0]?.uuid;
  }

  #gone({ uuid, objectId }: Sighting): SendOutcome {
    const failure = permanent(
      `${this.#who}: the attribute ${objectId} is no longer there, or hidden from this key, so that its sighting was not taken`,
      { code: 'value_gone' },
    );
    return { uuid, kind: 'failed', failure: toFailure(failure) };
  }

  #worded(error: ConnectorError): ConnectorError {
    if (error.status !== 403 || error.code !== undefined) return error;
    return configFailure(`${error.message}; or set report_auth`, { cause: error, status: 403 });
  }
}
