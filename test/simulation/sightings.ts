// Hits planted in the simulated SIEMs, and what the partners are told of them. Whatever crashes: one sighting an id,
// never more than was seen, nothing of an object whose known marking the rules do not release, nothing to anybody else.
import type { HitPage, HitReader } from '../../src/core/contracts/siem-connector.ts';
import type { SendOutcome } from '../../src/core/contracts/exchange-connector.ts';
import { retryable } from '../../src/core/model/failure.ts';
import type { EntryKey } from '../../src/core/model/observable.ts';
import type { Hit, Sighting } from '../../src/core/model/sighting.ts';
import type { ReleaseSpec } from '../../src/core/store/spec/spec.ts';
import { HOUR, MINUTE } from '../builders/store.ts';
import type { Draw } from './draw.ts';
import type { Partner } from './partner.ts';

export const RELEASE: ReleaseSpec = {
  rules: [{ to: '*', tlp: ['green'], action: 'share' }],
  reporting: ['alpha', 'beta'],
  windowMinutes: 60,
  precisionMinutes: 1,
  delayMinutes: 0,
  minCount: 1,
  holdHours: 72,
  ignore: [],
  hitsDays: 400,
  sightingsDays: 400,
};

/** What one SIEM saw, in the order in which it can be read. */
export class SeenHits {
  readonly all: Hit[] = [];

  plant(key: EntryKey, at: number): void {
    const dedupe = `hit-${this.all.length}`;
    this.all.push({ key, verdict: 'seen', first: at, last: at, count: 1, dedupe });
  }

  /** Reads what stands behind the cursor, and something before it again. */
  reader(draw: Draw, faulty: () => boolean): HitReader {
    const { all } = this;
    return {
      async *read(cursor): AsyncGenerator<HitPage> {
        let at = Math.max(0, (typeof cursor === 'number' ? cursor : 0) - 2);
        while (at < all.length) {
          if (faulty() && draw.chance(0.1)) throw retryable('SIEM: a shard failed');
          const to = Math.min(all.length, at + 1 + draw.below(4));
          yield { hits: all.slice(at, to), cursor: to };
          at = to;
        }
      },
    };
  }
}

/** What one partner was told, newest content by uuid. */
export class Told {
  readonly byUuid = new Map<string, Sighting>();
  readonly #partner: Partner;
  readonly #draw: Draw;
  readonly #knownTlp: (exchange: string, objectId: string) => string | undefined;
  readonly #fail: (message: string) => never;

  constructor(
    partner: Partner,
    draw: Draw,
    knownTlp: (exchange: string, objectId: string) => string | undefined,
    fail: (message: string) => never,
  ) {
    this.#partner = partner;
    this.#draw = draw;
    this.#knownTlp = knownTlp;
    this.#fail = fail;
  }

  async send(sightings: readonly Sighting[]): Promise<readonly SendOutcome[]> {
    const faulty = this.#partner.faulty;
    if (faulty && this.#draw.chance(0.1)) throw retryable('partner: 503');
    for (const one of sightings) this.#take(one);
    if (faulty && this.#draw.chance(0.1)) throw retryable('partner: answer lost');
    return sightings
      .filter(() => !(faulty && this.#draw.chance(0.05)))
      .map(({ uuid }) => ({ uuid, kind: 'sent' }) as const);
  }

  #take(one: Sighting): void {
    const { name, named } = this.#partner;
    if (!named.has(one.objectId)) this.#fail(`${name} is told of ${one.objectId}, which it never published`);
    const tlp = this.#knownTlp(name, one.objectId);
    if (tlp !== 'green') this.#fail(`${name} is told of ${one.objectId}, which is ${tlp}`);
    const known = this.byUuid.get(one.uuid);
    if (known !== undefined && (known.objectId !== one.objectId || known.created !== one.created))
      this.#fail(`two sightings under ${one.uuid}`);
    if (known === undefined || known.modified <= one.modified) this.byUuid.set(one.uuid, one);
  }

  /** Undefined when no sighting says more than was seen of the values its object ever named. */
  exaggerated(seen: readonly SeenHits[]): string | undefined {
    for (const one of this.byUuid.values()) {
      const keys = this.#partner.named.get(one.objectId)!;
      const end = one.created + HOUR + MINUTE;
      const most = seen
        .flatMap(({ all }) => all)
        .filter(({ key, last }) => keys.has(key) && last >= one.created && last < end).length;
      if (one.count > most) return `${one.objectId} was seen ${most} times and ${one.count} were told`;
    }
    return undefined;
  }

  /** How often an object was said to be seen, all windows together. */
  countOf(objectId: string): number {
    return [...this.byUuid.values()]
      .filter((one) => one.objectId === objectId)
      .reduce((sum, one) => sum + one.count, 0);
  }
}
