// What holds our entries in the SIEM (an index, a collection, a reference set). Opened and provisioned first; when one
// was deleted or made anew since, its entries are written again.
import type { RefusedRemovals } from './refused-removals.ts';
import type { SiemStanding } from './standing.ts';
import type { Target } from './target.ts';

type Found = readonly { readonly name: string; readonly identity: string }[];

export class Containers {
  readonly #target: Target;
  readonly #standing: SiemStanding;
  readonly #removals: RefusedRemovals;

  constructor(target: Target, standing: SiemStanding, removals: RefusedRemovals) {
    this.#target = target;
    this.#standing = standing;
    this.#removals = removals;
  }

  async check(signal: AbortSignal): Promise<void> {
    if (!this.#standing.negotiated) return await this.#open(signal);
    const { connector, store, name } = this.#target;
    const found = await connector.containers(signal);
    const known = (await store.siemFacts(name)).containers;
    const gone = Object.keys(known).filter((one) => !found.some((other) => other.name === one));
    // Opening again provisions what an administrator deleted, where that is allowed.
    if (gone.length > 0) await this.#open(signal);
    else await this.#note(found);
  }

  async #open(signal: AbortSignal): Promise<void> {
    const { store, connector, name, now } = this.#target;
    const opened = await connector.open(signal);
    await store.opened(name, opened.facts, now());
    await this.#note(opened.containers);
    this.#standing.negotiated = true;
  }

  async #note(found: Found): Promise<void> {
    const { store, name, now, log } = this.#target;
    const identities = Object.fromEntries(found.map((one) => [one.name, one.identity]));
    let rows = 0;
    let step = await store.containers(name, identities, now());
    const { lost } = step;
    while (step.more) {
      rows += step.rows;
      step = await store.containers(name, identities, now());
    }
    rows += step.rows;
    if (lost.length > 0 || rows > 0) this.#removals.clear();
    if (lost.length > 0)
      log.warn('A container was deleted or made anew; its entries are written again.', {
        siem: name,
        containers: lost,
        entries: rows,
      });
  }
}
