// What the claims on crowded entries came to when they were gone through last, per SIEM: the few that the result depends
// on, so that what is sent is made of these alone. In memory: what is not remembered is gone through again.

/** Some kilobytes each. */
const MOST = 2000;

export interface Chosen {
  /** As of when. */
  readonly moment: number;
  /** Row ids. */
  readonly objects: readonly number[];
}

export class ChosenClaims {
  readonly #of = new Map<number, Map<number, Chosen>>();

  get(siem: number, entry: number): Chosen | undefined {
    return this.#of.get(entry)?.get(siem);
  }

  keep(siem: number, entry: number, chosen: Chosen): void {
    const known = this.#of.get(entry) ?? new Map<number, Chosen>();
    // The one that was kept last stands last.
    this.#of.delete(entry);
    this.#of.set(entry, known.set(siem, chosen));
    for (const oldest of this.#of.keys()) {
      if (this.#of.size * known.size <= MOST) break;
      this.#of.delete(oldest);
    }
  }

  forget(entry: number): void {
    this.#of.delete(entry);
  }

  clear(): void {
    this.#of.clear();
  }
}
