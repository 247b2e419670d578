// Work that grows with the feed, in steps: a sweep is a row that says what is gone through, how far it has come and
// what is done on the way. Each step is one unit of work over some thousand rows at most, so that nobody waits long
// behind it; a crash costs the running step alone. The first step belongs to the unit that begins the sweep: what is
// small is over when it begins, and no row is written for it.
import type { Json } from '../../model/json.ts';
import type { SweepKind } from '../rows/sweep-kinds.ts';
import type { StoreContext } from './context.ts';
import type { Stride } from './stride.ts';

export interface Sweep {
  readonly kind: SweepKind;
  readonly owner: number;
  readonly subject: string;
  /** Where to go on from; empty at the start. */
  readonly position: string;
  readonly argument: Json;
  /** Rows so far. */
  readonly done: number;
}

/** What one step did: rows handled, and the place behind the last of them; undefined = nothing is left. */
export interface SweepStep {
  readonly rows: number;
  readonly position: string | undefined;
  /** To go on with, where the step changed it. */
  readonly argument?: Json;
}

/** Sweeps that one call begins in the running unit. */
const MOST_AT_ONCE = 4;

type Work = (sweep: Sweep, most: number, now: number) => SweepStep;

/** Projections one step makes at most, over all SIEMs. */
const STEP = 2500;

/** Entries that one step handles at most. */
export const mostOfStep = (siems: number): number => Math.max(250, Math.ceil(STEP / Math.max(1, siems)));

export class Sweeps {
  readonly #store: StoreContext;
  readonly #works = new Map<SweepKind, Work>();
  readonly #stride: Stride;
  /** Rows that first steps may still handle in the running unit. */
  #atOnce: number;

  constructor(store: StoreContext, stride: Stride) {
    this.#store = store;
    this.#stride = stride;
    this.#atOnce = stride.rows;
  }

  register(kind: SweepKind, work: Work): void {
    this.#works.set(kind, work);
  }

  /** A unit begins. */
  refill(): void {
    this.#atOnce = this.#stride.rows;
  }

  /** Begins, or begins anew: one that is under way for the same subject starts over with the new argument. */
  begin(kind: SweepKind, owner: number, subject: string, argument: Json, now: number): void {
    const fresh: Sweep = { kind, owner, subject, position: '', argument, done: 0 };
    if (this.find(kind, owner, subject) === undefined && this.#atOnce > 0) {
      const step = this.#work(kind)(fresh, this.#atOnce, now);
      this.#atOnce -= Math.max(1, step.rows);
      if (step.position !== undefined) this.#put(after(fresh, step), now);
    } else this.#put(fresh, now);
  }

  /** Of many subjects only the first few begin in this unit: each takes look-ups of its own. */
  beginAll(kind: SweepKind, owner: number, subjects: readonly string[], argument: Json, now: number): void {
    const few = subjects.slice(0, MOST_AT_ONCE);
    for (const subject of few) this.begin(kind, owner, subject, argument, now);
    for (const subject of subjects.slice(few.length)) this.later(kind, owner, subject, argument, now);
  }

  /** Begins with the next step of any sweep. */
  later(kind: SweepKind, owner: number, subject: string, argument: Json, now: number): void {
    this.#put({ kind, owner, subject, position: '', argument, done: 0 }, now);
  }

  /** Steps over what waits, the longest waiting first, until one step's worth of rows is handled. How many, and whether more waits. */
  step(now: number): { readonly rows: number; readonly more: boolean } {
    let rows = 0;
    for (let sweep = this.#next(); sweep !== undefined; sweep = this.#next()) {
      if (rows >= this.#stride.rows) return { rows, more: true };
      rows += Math.max(1, this.#take(sweep, this.#stride.rows - rows, now));
    }
    return { rows, more: false };
  }

  /** One step of one sweep. Returns it as it stands then; undefined once it is over. */
  stepOf(kind: SweepKind, owner: number, subject: string, now: number): Sweep | undefined {
    const sweep = this.find(kind, owner, subject);
    if (sweep !== undefined) this.#take(sweep, this.#stride.rows, now);
    return this.find(kind, owner, subject);
  }

  find(kind: SweepKind, owner: number, subject: string): Sweep | undefined {
    return parsed(
      this.#store.db.get<SweepRow>(
        'SELECT * FROM sweep WHERE kind = ? AND owner = ? AND subject = ?',
        kind,
        owner,
        subject,
      ),
    );
  }

  #next(): Sweep | undefined {
    return parsed(this.#store.db.get<SweepRow>('SELECT * FROM sweep ORDER BY turn LIMIT 1'));
  }

  #work(kind: SweepKind): Work {
    const work = this.#works.get(kind);
    if (work === undefined) throw new Error(`nobody does sweeps of kind ${kind}`);
    return work;
  }

  #take(sweep: Sweep, most: number, now: number): number {
    const step = this.#work(sweep.kind)(sweep, most, now);
    if (step.position === undefined)
      this.#store.db.run(
        'DELETE FROM sweep WHERE kind = ? AND owner = ? AND subject = ?',
        sweep.kind,
        sweep.owner,
        sweep.subject,
      );
    else this.#put(after(sweep, step), now);
    return step.rows;
  }

  #put({ kind, owner, subject, position, argument, done }: Sweep, now: number): void {
    // Behind all others, so that a large one does not keep a small one waiting.
    this.#store.db.run(
      `INSERT INTO sweep (kind, owner, subject, position, argument, done, since, turn)
       VALUES (?, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(turn), 0) + 1 FROM sweep))
       ON CONFLICT (kind, owner, subject) DO UPDATE SET position = excluded.position, argument = excluded.argument,
       done = excluded.done, turn = excluded.turn`,
      kind,
      owner,
      subject,
      position,
      JSON.stringify(argument),
      done,
      now,
    );
  }
}

interface SweepRow extends Omit<Sweep, 'argument'> {
  readonly argument: string;
}

const after = (sweep: Sweep, { rows, position, argument }: SweepStep): Sweep => ({
  ...sweep,
  position: position ?? '',
  argument: argument ?? sweep.argument,
  done: sweep.done + rows,
});

// Written by `put` above.
const parsed = (row: SweepRow | undefined): Sweep | undefined =>
  row === undefined ? undefined : { ...row, argument: JSON.parse(row.argument) as Json };
