// A scripted partner: a log of object versions with an ever growing position, read page by page. It keeps what it
// publishes, so that what a SIEM shall hold can be computed without the store.
import type { ExchangeConnector, ListingPart, Page } from '../../src/core/contracts/exchange-connector.ts';
import type { IncomingIndicator } from '../../src/core/model/entry.ts';
import { retryable } from '../../src/core/model/failure.ts';
import { entryKey } from '../../src/core/model/observable.ts';
import { anIndicator } from '../builders/store.ts';
import type { Draw } from './draw.ts';

type Facts = Parameters<typeof anIndicator>[0];

export class Partner {
  readonly name: string;
  /** Everything ever published, oldest first; the cursor is a position in it. */
  readonly log: IncomingIndicator[] = [];
  /** Newest version by object id, as the standard sees it; absent = vanished. */
  readonly current = new Map<string, IncomingIndicator>();
  /** Entry keys that each object ever named, also of those that vanished. */
  readonly named = new Map<string, Set<string>>();
  readonly #draw: Draw;
  faulty = true;

  constructor(name: string, draw: Draw) {
    this.name = name;
    this.#draw = draw;
  }

  publish(facts: Facts): void {
    const object = anIndicator(facts);
    this.log.push(object);
    const named = this.named.get(object.objectId) ?? new Set();
    for (const { type, value } of object.observables) named.add(entryKey(type, value));
    this.named.set(object.objectId, named);
    const known = this.current.get(object.objectId);
    if (known?.revoked !== true) this.current.set(object.objectId, object);
  }

  connector(): ExchangeConnector {
    return {
      probe: async () => ({ ok: true, message: 'scripted' }),
      pages: (cursor) => this.#pages(typeof cursor === 'number' ? cursor : 0),
      listing: () => this.#listing(),
      close: async () => {},
    };
  }

  async *#pages(from: number): AsyncGenerator<Page> {
    let at = from;
    while (at < this.log.length) {
      if (this.#fails(0.1)) throw retryable('partner: connection reset');
      const to = Math.min(this.log.length, at + this.#draw.below(6) + 1);
      // An overlap repeats older versions, and nothing says in which order a page stands.
      const start = this.#fails(0.3) ? Math.max(0, at - this.#draw.below(8)) : at;
      const objects = this.log.slice(start, to);
      if (this.#fails(0.3)) objects.reverse();
      yield { scope: `${this.name}-all`, objects, refusals: [], cursor: to };
      at = to;
    }
  }

  async *#listing(): AsyncGenerator<ListingPart> {
    const present = [...this.current.values()].map(({ objectId, version }) => ({ objectId, version }));
    const middle = this.#draw.below(present.length + 1);
    yield { scope: `${this.name}-all`, present: present.slice(0, middle), complete: false };
    if (this.#fails(0.3)) throw retryable('partner: listing broke off');
    yield { scope: `${this.name}-all`, present: present.slice(middle), complete: true };
  }

  #fails(share: number): boolean {
    return this.faulty && this.#draw.chance(share);
  }
}
