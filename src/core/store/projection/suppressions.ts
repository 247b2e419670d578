// What people took off, by value: small, so that it is kept in memory and asked before every write.
import { type Observable, OBSERVABLE_TYPES } from '../../model/observable.ts';
import type { StoreContext } from '../unit/context.ts';

export class Suppressions {
  readonly #store: StoreContext;
  /** Ends by "type value". Undefined: to be read. */
  #known: Map<string, number> | undefined;

  constructor(store: StoreContext) {
    this.#store = store;
  }

  /** A person decided, or a unit failed: they are read again when somebody asks. */
  forget(): void {
    this.#known = undefined;
  }

  /** Until when; of several the latest. */
  until({ type, value }: Observable): number | undefined {
    const known = this.#all();
    return known.size === 0 ? undefined : known.get(`${OBSERVABLE_TYPES.indexOf(type)} ${value}`);
  }

  has(observable: Observable, now: number): boolean {
    return (this.until(observable) ?? 0) > now;
  }

  /** All of them, as of now. */
  at(now: number): Observable[] {
    return [...this.#all()].flatMap(([key, until]) => {
      const at = key.indexOf(' ');
      return until > now ? [{ type: OBSERVABLE_TYPES[Number(key.slice(0, at))]!, value: key.slice(at + 1) }] : [];
    });
  }

  #all(): Map<string, number> {
    this.#known ??= new Map(
      this.#store.db
        .all<{ type: number; value: string; until: number }>(
          'SELECT type, value, max(until) AS until FROM suppression WHERE lifted IS NULL GROUP BY type, value',
        )
        .map((row) => [`${row.type} ${row.value}`, row.until]),
    );
    return this.#known;
  }
}
