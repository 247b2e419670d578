// What a SIEM was sent since the start, and who is told of each step.
export interface Progress {
  readonly siem: string;
  readonly applied: number;
  readonly parked: number;
}

export class Totals {
  applied = 0;
  parked = 0;
  calls = 0;
  readonly #siem: string;
  readonly #onProgress: ((progress: Progress) => void) | undefined;

  constructor(siem: string, onProgress: ((progress: Progress) => void) | undefined) {
    this.#siem = siem;
    this.#onProgress = onProgress;
  }

  add({ applied, parked }: { readonly applied: number; readonly parked: number }): void {
    this.applied += applied;
    this.parked += parked;
    this.#onProgress?.({ siem: this.#siem, applied, parked });
  }
}
