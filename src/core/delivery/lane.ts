// Who works at a SIEM, and when. One at a time: cycles, audits and whoever else works there would spoil each other's
// listing. A long listing holds the lane and changes nothing, so what must go goes beside it: the store leaves rows that
// are sent meanwhile out of the comparison.
export class Lane {
  #turn: Promise<unknown> = Promise.resolve();
  /** Listings that hold the lane and let others work beside them. */
  #listings = 0;
  /** Ends well, whatever came of it: that is told to who asked for it. */
  #beside: Promise<void> = Promise.resolve();

  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** By who has the lane. */
  async listing<T>(work: () => Promise<T>): Promise<T> {
    this.#listings++;
    try {
      return await work();
    } finally {
      this.#listings--;
    }
  }

  /** Where a listing holds the lane it is not waited for. Without one, nothing is done: who has the lane next does it. */
  beside(work: () => Promise<void>): Promise<void> {
    const turn = this.#beside.then(() => (this.#listings === 0 ? undefined : work()));
    this.#beside = turn.catch(() => {});
    return turn;
  }

  /** What went beside a listing is over. */
  get besideEnded(): Promise<void> {
    return this.#beside;
  }
}
