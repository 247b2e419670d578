// How many more entries each container of a SIEM may take (`max_entries`). What finds no room is parked with that
// reason and goes to work again when there is some.
import { OBSERVABLE_TYPES, type ObservableType } from '../model/observable.ts';
import type { SiemState, StoreContext } from './context.ts';

/** Begins the reason of a row that waits for room. */
const FULL = 'the watchlist is full';

export const isFull = (reason: string): boolean => reason.startsWith(`${FULL}: `);

export class Room {
  readonly #siem: SiemState;
  readonly #left = new Map<string, number>();

  constructor(store: StoreContext, siem: SiemState) {
    this.#siem = siem;
    const { maxEntries } = siem.spec;
    if (maxEntries === undefined) return;
    for (const type of OBSERVABLE_TYPES) {
      const container = this.#container(type);
      const before = this.#left.get(container) ?? maxEntries;
      this.#left.set(container, before - store.tally(`siem:${siem.id}`, `present:${type}`));
    }
  }

  #container(type: ObservableType): string {
    return this.#siem.encoder.container(type, this.#siem.spec.settings);
  }

  has(type: ObservableType): boolean {
    return (this.#left.get(this.#container(type)) ?? Number.POSITIVE_INFINITY) > 0;
  }

  take(type: ObservableType): void {
    const container = this.#container(type);
    const left = this.#left.get(container);
    if (left !== undefined) this.#left.set(container, left - 1);
  }

  reason(type: ObservableType): string {
    return `${waitingFor(this.#container(type))} max_entries ${this.#siem.spec.maxEntries}`;
  }

  /** Containers that take more, with the beginning of the reason of what waits for them. */
  open(): { reason: string; left: number }[] {
    const names = new Set(OBSERVABLE_TYPES.map((type) => this.#container(type)));
    return [...names]
      .map((name) => ({ reason: waitingFor(name), left: this.#left.get(name) ?? Number.POSITIVE_INFINITY }))
      .filter(({ left }) => left > 0);
  }
}

const waitingFor = (container: string): string => `${FULL}: ${container} holds`;
