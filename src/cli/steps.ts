// Shows how far long work at SIEMs has come, one after the other.
import type { Step } from '../app/reconcile.ts';
import type { Output, Progress } from './output.ts';

const DOING = { listed: 'Listing', removed: 'Removing from' } as const;

export class Steps {
  readonly #out: Output;
  #name = '';
  #progress: Progress | undefined;
  #last = 0;
  #written = 0;

  constructor(out: Output) {
    this.#out = out;
  }

  at({ siem, what, done, of }: Step): void {
    this.#show(`${DOING[what]} ${siem}`, done, of);
  }

  /** `pending`: what is still to be written there. */
  written(siem: string, more: number, pending: () => number): void {
    const name = `Writing to ${siem}`;
    this.#written = name === this.#name ? this.#written + more : more;
    this.#show(name, this.#written, () => this.#written + pending());
  }

  end(): void {
    this.#progress?.end();
    this.#progress = undefined;
  }

  #show(name: string, done: number, of: () => number): void {
    // A second listing of the same SIEM counts from the start again.
    if (name !== this.#name || done < this.#last) {
      this.end();
      this.#name = name;
      this.#progress = this.#out.progress(name, 'ifLong');
    }
    this.#last = done;
    this.#progress?.at(done, of);
  }
}
