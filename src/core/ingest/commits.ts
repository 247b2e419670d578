// Pages on their way into the store. One commit at a time, so that none moves a cursor beyond one that failed. While
// it runs the pages of the next gather, so that the store need not wait for the network; a reader further ahead waits.
import type { PackedPage } from '../store/ingest/wire.ts';
import { COMMIT_CLAIMS } from './parts.ts';

/** Objects per commit: 1,000-object commits run at 0.7 of this. */
export const COMMIT_OBJECTS = 5000;

interface Sized {
  readonly page: PackedPage;
  readonly objects: number;
  readonly claims: number;
}

export class Commits {
  readonly #commit: (pages: readonly PackedPage[]) => Promise<unknown>;
  readonly #waiting: Sized[] = [];
  /** Sums over what waits: a server may send its objects one to a page. */
  #objects = 0;
  #claims = 0;
  #running: Promise<void> | undefined;
  #failed: { readonly error: unknown } | undefined;

  constructor(commit: (pages: readonly PackedPage[]) => Promise<unknown>) {
    this.#commit = commit;
  }

  /** Resolves when the next page may be read. Throws what a commit threw; nothing is committed after that. */
  async add(page: PackedPage, objects: number, claims: number): Promise<void> {
    this.#waiting.push({ page, objects, claims });
    this.#objects += objects;
    this.#claims += claims;
    this.#start(1);
    while (this.#running !== undefined && this.#holds(2)) await this.#running;
    this.#check();
  }

  /** Commits what waits. Throws as `add` does. */
  async drain(): Promise<void> {
    for (;;) {
      this.#start(0);
      if (this.#running === undefined) break;
      await this.#running;
    }
    this.#check();
  }

  /** Begins a commit if none runs and so many commits' worth wait. */
  #start(worth: number): void {
    if (this.#running !== undefined || this.#failed !== undefined || this.#waiting.length === 0) return;
    if (!this.#holds(worth)) return;
    this.#running = this.#commit(this.#head())
      .catch((error: unknown) => {
        this.#failed = { error };
      })
      .then(() => {
        this.#running = undefined;
        this.#start(1);
      });
  }

  #check(): void {
    if (this.#failed !== undefined) throw this.#failed.error;
  }

  #holds(commits: number): boolean {
    return this.#objects >= commits * COMMIT_OBJECTS || this.#claims >= commits * COMMIT_CLAIMS;
  }

  /** One commit's worth from the front. */
  #head(): PackedPage[] {
    let count = 0;
    let objects = 0;
    let claims = 0;
    for (const one of this.#waiting) {
      if (objects >= COMMIT_OBJECTS || claims >= COMMIT_CLAIMS) break;
      count++;
      objects += one.objects;
      claims += one.claims;
    }
    this.#objects -= objects;
    this.#claims -= claims;
    return this.#waiting.splice(0, count).map((one) => one.page);
  }
}
