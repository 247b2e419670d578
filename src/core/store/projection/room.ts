// How many more entries each container of a SIEM takes at this moment (`max_entries`). Who shall stand there is decided
// before (seats.ts); this keeps a container from holding more while others leave it, or while what a lost state wrote still
// stands there. What finds no room waits for those that leave, or is parked with that reason until there is some.
import { OBSERVABLE_TYPES, type ObservableType } from '../../model/observable.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import { waitingFor } from '../rows/full-containers.ts';
import { STATE } from '../rows/rows.ts';

export class Room {
  readonly #siem: SiemState;
  readonly #left = new Map<string, number>();
  readonly #store: StoreContext;
  #leaving: boolean | undefined;

  constructor(store: StoreContext, siem: SiemState) {
    this.#siem = siem;
    this.#store = store;
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

  /** Something is on its way out of this SIEM, which makes room by itself. */
  get leaving(): boolean {
    this.#leaving ??=
      this.#store.db.get(
        `SELECT 1 AS one FROM projection INDEXED BY projection_work WHERE siem_id = ? AND state <> 0
         AND state IN (${STATE.remove}, ${STATE.flight}, ${STATE.accepted}, ${STATE.uncertain}) AND wanted = 0 LIMIT 1`,
        this.#siem.id,
      ) !== undefined;
    return this.#leaving;
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
