// Where the state of a world is kept, and what becomes of it there: it is backed up, put back older than it was, lost.
import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerPlace, StatePlace } from '../../src/core/store/sql/place.ts';
import { copyState, moveState } from '../../src/core/store/state/open.ts';

export interface Keeping {
  readonly place: StatePlace;
  /** Whether there is a state, or a new one is to be made. */
  readonly there: boolean;
  readonly backedUp: boolean;
  backup(): void;
  /** Nobody has the state open. */
  lose(): void;
  /** In the place of one that was lost. */
  restore(): void;
  forget(): void;
}

/** Where the backups of a world stand, whatever keeps its state. */
class Backups {
  readonly file: string;

  constructor(folder: string) {
    this.file = join(folder, 'backup.db');
  }

  get backedUp(): boolean {
    return existsSync(this.file);
  }

  protected copy(place: StatePlace): void {
    rmSync(this.file, { force: true });
    copyState(place, this.file);
  }
}

export class InFile extends Backups implements Keeping {
  readonly place: string;

  constructor(folder: string) {
    super(folder);
    this.place = join(folder, 'state.db');
  }

  get there(): boolean {
    return existsSync(this.place);
  }

  backup(): void {
    this.copy(this.place);
  }

  lose(): void {
    for (const suffix of ['', '-wal', '-shm']) rmSync(this.place + suffix, { force: true });
  }

  restore(): void {
    copyFileSync(this.file, this.place);
  }

  forget(): void {}
}

/** Schemas that are emptied between one state and the next, since making one takes long (test/peers/postgres.ts). */
interface Emptied {
  take(): ServerPlace;
  empty(place: ServerPlace): void;
  giveBack(place: ServerPlace): void;
}

export class OnServer extends Backups implements Keeping {
  readonly place: ServerPlace;
  readonly #schemas: Emptied;
  #there = false;

  constructor(folder: string, schemas: Emptied) {
    super(folder);
    this.#schemas = schemas;
    this.place = schemas.take();
  }

  /** Asked before a state is opened, which makes it. */
  get there(): boolean {
    const was = this.#there;
    this.#there = true;
    return was;
  }

  backup(): void {
    this.copy(this.place);
  }

  lose(): void {
    this.#schemas.empty(this.place);
    this.#there = false;
  }

  restore(): void {
    moveState(this.file, this.place, 'simulation', () => {});
    this.#there = true;
  }

  forget(): void {
    this.#schemas.giveBack(this.place);
  }
}
