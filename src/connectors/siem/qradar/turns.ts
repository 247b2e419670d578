// Readings of a list by position, and changes of it, take turns: several of one sort at once, never both sorts together.

type Sort = 'reading' | 'change';

export class Turns {
  #sort: Sort | undefined;
  #running = 0;
  readonly #waiting: { readonly sort: Sort; readonly go: () => void }[] = [];

  /** Resolves when it is this one's turn; what it gives back ends the turn. In the order of asking. */
  async take(sort: Sort): Promise<() => void> {
    if (this.#running > 0 && (this.#sort !== sort || this.#waiting.length > 0))
      await new Promise<void>((go) => this.#waiting.push({ sort, go }));
    else {
      this.#sort = sort;
      this.#running += 1;
    }
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#running -= 1;
      if (this.#running === 0) this.#next();
    };
  }

  #next(): void {
    const sort = this.#waiting[0]?.sort;
    this.#sort = sort;
    while (sort !== undefined && this.#waiting[0]?.sort === sort) {
      this.#running += 1;
      this.#waiting.shift()?.go();
    }
  }
}
