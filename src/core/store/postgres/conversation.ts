// What is asked of the server, in which transaction, and what becomes of it when the connection is lost. What gives no answer
// waits for what does, or for the COMMIT, and goes with it in one message: a journey is paid for answers alone.
import { StateAway } from '../sql/away.ts';
import type { Value } from '../sql/port.ts';
import { StateFailure } from '../sql/state-failure.ts';
import type { Growth } from './growth.ts';
import type { Rows, Step } from './messages.ts';
import type { Session } from './session.ts';
import type { ArrayValue } from './statements.ts';

/** Characters of a set that does not wait for the next question. */
const WORTH_SENDING = 4_000;

/**
 * Over 200 lines, because what waits, the transaction it belongs to and the loss of the connection are one state: whoever asks
 * anything has to know all three.
 */
export class Conversation {
  readonly #session: Session;
  readonly #name: string;
  readonly #growth: Growth;
  /** Each transaction leaves a mark, so that the outcome of one whose answer was lost can be looked up. */
  readonly #marks: boolean;
  #waiting: Step[] = [];
  #depth = 0;
  #begun = false;
  #unit = 0;
  /** The mark of the unit that was committed last, here or by who worked before. */
  #last: string | undefined;

  constructor(session: Session, name: string, growth: Growth, marks: boolean) {
    this.#session = session;
    this.#name = name;
    this.#growth = growth;
    this.#marks = marks;
  }

  /** Where the state stands when work begins. */
  begins(): void {
    if (this.#marks) this.#last = this.#marked();
  }

  get inTransaction(): boolean {
    return this.#depth > 0;
  }

  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    this.begin();
    try {
      const result = work();
      this.#commit();
      return result;
    } catch (error) {
      if (this.#depth > 0) this.rollback();
      throw error;
    }
  }

  /** Sleeps until the server is back, with the state in which it was left. */
  back(why: StateAway): void {
    for (let away = why; ; ) {
      this.#session.back(away);
      if (!this.#marks) return;
      try {
        const found = this.#marked();
        if (found !== this.#last) throw this.#another();
        return;
      } catch (error) {
        if (!(error instanceof StateAway)) throw error;
        away = error;
      }
    }
  }

  /** Goes with what is asked first. */
  begin(): void {
    this.#waiting = [this.#session.statements.step('BEGIN', [], 'nothing', false)];
    this.#begun = false;
    this.#depth = 1;
  }

  #commit(): void {
    this.#depth = 0;
    const steps = this.#waiting;
    this.#waiting = [];
    // Nothing was asked and nothing is to be written.
    if (!this.#begun && steps.length === 1) return;
    for (const table of this.#growth.due())
      steps.push(this.#session.statements.step(`ANALYZE ${table}`, [], 'nothing', false));
    const mark = `${this.#session.token} ${++this.#unit}`;
    if (this.#marks)
      steps.push(
        this.#session.statements.step(
          "INSERT INTO server_state (name, value) VALUES ('unit', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
          [mark],
          'nothing',
          false,
        ),
      );
    steps.push(this.#session.statements.step('COMMIT', [], 'nothing', false));
    try {
      this.#session.ask(steps);
    } catch (error) {
      if (!(error instanceof StateAway)) {
        this.#leave();
        throw error;
      }
      if (!this.#marks || !this.#happened(error, mark)) throw error;
    }
    if (this.#marks) {
      this.#last = mark;
      this.#session.worked();
    }
    this.#session.succeeded();
  }

  /**
   * The connection went away with a COMMIT on its way: what became of it is looked up, never guessed. The lock is ours
   * again by then, so the connection before is over and so is whatever it did.
   */
  #happened(lost: StateAway, mark: string): boolean {
    const before = this.#last;
    for (let away = lost; ; ) {
      this.#session.back(away);
      try {
        const found = this.#marked();
        if (found !== mark && found !== before) throw this.#another();
        return found === mark;
      } catch (error) {
        // Lost once more before it was seen.
        if (!(error instanceof StateAway)) throw error;
        away = error;
      }
    }
  }

  #marked(): string | undefined {
    return this.#session.rows<{ value: string }>("SELECT value FROM server_state WHERE name = 'unit'")[0]?.value;
  }

  /** What is in memory here follows from the last unit: with another state it would be mixed up. */
  #another(): StateFailure {
    return new StateFailure(
      `the state ${this.#name} is not the one that it was before its server was away: an older one was put back there, or the server lost what it had confirmed; start again, which takes it as it is and compares the SIEMs with it`,
    );
  }

  /** What was not sent yet is forgotten. */
  rollback(): void {
    this.#depth = 0;
    this.#waiting = [];
    if (this.#begun) this.#leave();
  }

  #leave(): void {
    try {
      this.#session.leave();
    } catch (error) {
      // Lost: the server rolls it back by itself.
      if (!(error instanceof StateAway)) throw error;
    }
  }

  /** Outside of a transaction a write is one of its own, and is done again until it is done. */
  write<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    for (;;) {
      try {
        return this.transaction(work);
      } catch (error) {
        if (!this.#marks || !(error instanceof StateAway)) throw error;
        this.back(error);
      }
    }
  }

  /** Goes with the next question, or with the COMMIT. */
  later(sql: string, values: readonly Value[]): void {
    this.#waiting.push(this.#session.statements.step(sql, values, 'nothing'));
  }

  /** A set: large ones go to the server at once. */
  set(sql: string, values: readonly (Value | ArrayValue)[]): void {
    this.write(() => {
      const step = this.#session.statements.step(sql, values, 'nothing', false);
      this.#waiting.push(step);
      let size = 0;
      for (const value of step.values) size += value?.length ?? 0;
      if (size < WORTH_SENDING) return;
      // The server writes them while the next ones are made.
      this.#begun = true;
      this.#session.send(this.#waiting, size);
      this.#waiting = [];
    });
  }

  answer(step: Step): Rows {
    const result = this.ask([step]).at(-1);
    return typeof result === 'object' ? result : { columns: [], values: [] };
  }

  /** With all that waits before it. */
  ask(steps: readonly Step[]): readonly (Rows | number)[] {
    if (this.#depth > 0) {
      const all = [...this.#waiting, ...steps];
      this.#waiting = [];
      this.#begun = true;
      return this.#session.ask(all);
    }
    for (;;) {
      try {
        const results = this.#session.ask(steps);
        this.#session.succeeded();
        return results;
      } catch (error) {
        // Reading again changes nothing.
        if (!this.#marks || !(error instanceof StateAway)) throw error;
        this.back(error);
      }
    }
  }

  flush(): void {
    if (this.#waiting.length > 0) this.ask([]);
  }
}
