// Named ways to misbehave, with their counts: what the simulated exchanges share of their quirks. They come on top of the HTTP
// faults of server.ts, which know nothing of a protocol.

export interface SomeQuirk {
  readonly kind: string;
  /** Only for requests whose method, path and query contain this text. */
  readonly match?: string;
  /** Begins after so many requests that it would have changed. */
  readonly after?: number;
  /** Ends after so many; for ever otherwise. */
  readonly times?: number;
}

/** The quirks of one server with their counts. */
export class QuirkBox<Q extends SomeQuirk> {
  readonly #known: object;
  #all: { quirk: Q; seen: number }[] = [];

  /** `known`: an object with a member for each name. */
  constructor(known: object, quirks: readonly Q[] = []) {
    this.#known = known;
    this.set(quirks);
  }

  /** Replaces all quirks. Throws at an unknown name, so that a misspelt one does not pass for good behaviour. */
  set(quirks: readonly Q[]): void {
    for (const { kind } of quirks)
      if (!Object.hasOwn(this.#known, kind))
        throw new Error(`unknown quirk ${kind}; known: ${Object.keys(this.#known).join(', ')}`);
    this.#all = quirks.map((quirk) => ({ quirk, seen: 0 }));
  }

  /** The quirk of this kind if it holds for the request now; asking counts, so ask once per request. */
  take(kind: Q['kind'], target: string): Q | undefined {
    for (const one of this.#all) {
      const { quirk } = one;
      if (quirk.kind !== kind || (quirk.match !== undefined && !target.includes(quirk.match))) continue;
      one.seen += 1;
      const place = one.seen - (quirk.after ?? 0);
      if (place > 0 && place <= (quirk.times ?? Number.POSITIVE_INFINITY)) return quirk;
    }
    return undefined;
  }
}
