// Work that grows with the feed, in steps: a sweep is a row that says what is gone through, how far it has come and
// what is done on the way. Each step is one unit of work over some thousand rows at most, so that nobody waits long
// behind it; a crash costs the running step alone. The first step belongs to the unit that begins the sweep: what is
// small is over when it begins, and no row is written for it. Of kinds that come as very many small ones, one step takes
// those that stand one behind the other, and goes through their subjects as a set.
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

/** Sweeps of one set. */
const MOST_TOGETHER = 250;

const KEYS = ['kind', 'owner', 'subject'] as const;
/** What a step, or a new beginning, changes. */
const CHANGED = ['position', 'argument', 'done', 'turn'] as const;

type Work = (sweep: Sweep, most: number, now: number) => SweepStep;

/**
 * Sweeps of one kind and owner, the longest waiting first. Returns a step for each of the first so many, and for the first
 * at least: as many as fit into `most` rows, of which each takes one or more.
 */
type WorkTogether = (sweeps: readonly Sweep[], most: number, now: number) => readonly SweepStep[];

/** Projections one step makes at most, over all SIEMs. */
const STEP = 2500;

/** Entries that one step handles at most. */
export const mostOfStep = (siems: number): number => Math.max(250, Math.ceil(STEP / Math.max(1, siems)));

export class Sweeps {
  readonly #store: StoreContext;
  readonly #works = new Map<SweepKind, WorkTogether>();
  /** Kinds of which one step takes several. */
  readonly #many = new Set<SweepKind>();
  readonly #stride: Stride;
  /** Rows that first steps may still handle in the running unit. */
  #atOnce: number;

  constructor(store: StoreContext, stride: Stride) {
    this.#store = store;
    this.#stride = stride;
    this.#atOnce = stride.rows;
  }

  register(kind: SweepKind, work: Work): void {
    this.#works.set(kind, ([sweep], most, now) => [work(sweep!, most, now)]);
  }

  /** For a kind of which there may be very many small ones. */
  registerTogether(kind: SweepKind, work: WorkTogether): void {
    this.#works.set(kind, work);
    this.#many.add(kind);
  }

  /** A unit begins. */
  refill(): void {
    this.#atOnce = this.#stride.rows;
  }

  /** Begins, or begins anew: one that is under way for the same subject starts over with the new argument. */
  begin(kind: SweepKind, owner: number, subject: string, argument: Json, now: number): void {
    const one = fresh(kind, owner, subject, argument);
    if (this.find(kind, owner, subject) === undefined && this.#atOnce > 0) this.#first([one], now);
    else this.#put(one, now);
  }

  /** Those of a kind that one step takes several of. A set of them begins in this unit, which has work of its own besides. */
  beginAll(kind: SweepKind, owner: number, subjects: readonly string[], argument: Json, now: number): void {
    const under = this.#underWay(kind, owner, subjects);
    const all = Map.groupBy(
      subjects.map((one) => fresh(kind, owner, one, argument)),
      (one) => under.has(one.subject),
    );
    let left = all.get(false) ?? [];
    if (left.length > 0 && this.#atOnce > 0) left = left.slice(this.#first(left.slice(0, MOST_TOGETHER), now));
    this.#putAll([...(all.get(true) ?? []), ...left], now);
  }

  /** Begins with the next step of any sweep. */
  later(kind: SweepKind, owner: number, subject: string, argument: Json, now: number): void {
    this.#put(fresh(kind, owner, subject, argument), now);
  }

  /** Steps over what waits, the longest waiting first, until one step's worth of rows is handled. How many, and whether more waits. */
  step(now: number): { readonly rows: number; readonly more: boolean } {
    let rows = 0;
    for (let next = this.#next(); next.length > 0; next = this.#next()) {
      if (rows >= this.#stride.rows) return { rows, more: true };
      rows += this.#take(next, this.#stride.rows - rows, now);
    }
    return { rows, more: false };
  }

  /** One step of one sweep. Returns it as it stands then; undefined once it is over. */
  stepOf(kind: SweepKind, owner: number, subject: string, now: number): Sweep | undefined {
    const sweep = this.find(kind, owner, subject);
    if (sweep !== undefined) this.#take([sweep], this.#stride.rows, now);
    return this.find(kind, owner, subject);
  }

  find(kind: SweepKind, owner: number, subject: string): Sweep | undefined {
    const row = this.#store.db.get<SweepRow>(
      'SELECT * FROM sweep WHERE kind = ? AND owner = ? AND subject = ?',
      kind,
      owner,
      subject,
    );
    return row === undefined ? undefined : parsed(row);
  }

  #underWay(kind: SweepKind, owner: number, subjects: readonly string[]): ReadonlySet<string> {
    const rows = this.#store.db.byKeys<{ subject: string }>(
      'SELECT subject FROM sweep WHERE kind = ? AND owner = ? AND subject IN ($keys)',
      subjects,
      kind,
      owner,
    );
    return new Set(rows.map((row) => row.subject));
  }

  /** The longest waiting, and what of its like stands right behind it. */
  #next(): readonly Sweep[] {
    const [first] = this.#inTurn(1);
    if (first === undefined) return [];
    if (!this.#many.has(first.kind)) return [first];
    const all = this.#inTurn(MOST_TOGETHER);
    const end = all.findIndex((one) => one.kind !== first.kind || one.owner !== first.owner);
    return end < 0 ? all : all.slice(0, end);
  }

  #inTurn(most: number): Sweep[] {
    return this.#store.db.all<SweepRow>('SELECT * FROM sweep ORDER BY turn LIMIT ?', most).map(parsed);
  }

  #work(kind: SweepKind): WorkTogether {
    const work = this.#works.get(kind);
    if (work === undefined) throw new Error(`nobody does sweeps of kind ${kind}`);
    return work;
  }

  /** First steps. Returns of how many. */
  #first(sweeps: readonly Sweep[], now: number): number {
    const steps = this.#work(sweeps[0]!.kind)(sweeps, this.#atOnce, now);
    for (const [i, step] of steps.entries()) {
      this.#atOnce -= Math.max(1, step.rows);
      if (step.position !== undefined) this.#put(after(sweeps[i]!, step), now);
    }
    return steps.length;
  }

  /** Returns how many rows that took. */
  #take(sweeps: readonly Sweep[], most: number, now: number): number {
    const steps = this.#work(sweeps[0]!.kind)(sweeps, most, now);
    const over = sweeps.filter((_, i) => steps[i] !== undefined && steps[i].position === undefined);
    this.#store.db.deleteRows(
      'sweep',
      KEYS,
      over.map(({ kind, owner, subject }) => [kind, owner, subject]),
    );
    for (const [i, step] of steps.entries()) if (step.position !== undefined) this.#put(after(sweeps[i]!, step), now);
    return steps.reduce((sum, step) => sum + Math.max(1, step.rows), 0);
  }

  /** `put` for fresh ones. */
  #putAll(sweeps: readonly Sweep[], now: number): void {
    if (sweeps.length === 0) return;
    const { turn } = this.#store.db.get<{ turn: number }>('SELECT coalesce(max(turn), 0) AS turn FROM sweep')!;
    this.#store.db.insertRows(
      'sweep',
      [...KEYS, 'since', ...CHANGED],
      sweeps.map(({ kind, owner, subject, position, argument, done }, i) => [
        kind,
        owner,
        subject,
        now,
        position,
        JSON.stringify(argument),
        done,
        turn + 1 + i,
      ]),
      { keys: KEYS, update: CHANGED },
    );
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

const fresh = (kind: SweepKind, owner: number, subject: string, argument: Json): Sweep => ({
  kind,
  owner,
  subject,
  position: '',
  argument,
  done: 0,
});

const after = (sweep: Sweep, { rows, position, argument }: SweepStep): Sweep => ({
  ...sweep,
  position: position ?? '',
  argument: argument ?? sweep.argument,
  done: sweep.done + rows,
});

// Written by `put` above.
const parsed = (row: SweepRow): Sweep => ({ ...row, argument: JSON.parse(row.argument) as Json });
