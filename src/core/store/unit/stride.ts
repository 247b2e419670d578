// How many rows one step of long work takes. A command that comes meanwhile waits until the step is over, so that a step is
// measured by how long it takes and not by its rows: those of one state cost ten times those of another. What one step
// took decides the next; a single slow one is soon made good. Until it is on the disk it takes about as long again, however
// few its rows are: that is not counted, or a slow disk would have it go on in ever shorter steps.

/** So long a step may take. Whatever else a unit does comes on top. */
export const AIM_MS = 15;
/** Less is not worth a unit of its own. The first step, which knows nothing yet and finds nothing ready, takes no more. */
const FEWEST = 200;
const MOST_GROWTH = 1.5;
const MOST_SHRINK = 0.4;

export class Stride {
  readonly #most: number;
  readonly #watch: (() => number) | undefined;
  #rows: number;
  #from = 0;

  /** `watch`: milliseconds that only grow. Without one every step has `most` rows, so that it comes out the same each time. */
  constructor(most: number, watch?: () => number) {
    this.#most = most;
    this.#watch = watch;
    this.#rows = watch === undefined ? most : Math.min(most, FEWEST);
  }

  get rows(): number {
    return this.#rows;
  }

  begins(): void {
    this.#from = this.#watch?.() ?? 0;
  }

  /** A step is over that handled so many. One that found little to do tells nothing of those that find much. */
  ended(rows: number): void {
    if (this.#watch === undefined) return;
    const ms = Math.max(0.1, this.#watch() - this.#from);
    const slow = ms > AIM_MS;
    if (rows < this.#rows / 2 && !slow) return;
    const change = Math.min(MOST_GROWTH, Math.max(MOST_SHRINK, AIM_MS / ms));
    const least = Math.min(FEWEST, this.#most);
    this.#rows = Math.max(least, Math.min(this.#most, Math.round(this.#rows * change)));
  }
}
