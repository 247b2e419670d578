// One connection to the server and what hangs on it: the lock of the state, and the way back after it is lost.
import { ConnectorError } from '../../model/failure.ts';
import { systemClock } from '../../runtime/clock.ts';
import { randomHex } from '../../runtime/ids.ts';
import { StateAway } from '../sql/away.ts';
import type { ServerPlace } from '../sql/place.ts';
import { StateFailure } from '../sql/state-failure.ts';
import { rowsOf } from './answers.ts';
import { ABOUT, type About, NO_LIMITS, refuseUnfit, refuseUnwritable, type Role, settingsOf } from './beginning.ts';
import { quotedName } from './dialect.ts';
import { serverFailure } from './faults.ts';
import { Link, ServerFault } from './link.ts';
import { takeLock } from './lock.ts';
import type { Rows, Step } from './messages.ts';
import { requestFor } from './request.ts';
import { Statements } from './statements.ts';

const CONNECT_MS = 10_000;
/** Who reads does it on the thread that answers others. */
const READER_CONNECT_MS = 2_000;
const SOONEST_AGAIN_MS = 200;
const LATEST_AGAIN_MS = 5_000;

export interface SessionOptions {
  readonly role: Role;
  readonly holder?: string;
  /** How long the server may be away at a time; for ever, unless it is said. */
  readonly patienceMs?: number;
  /** Told why nothing goes on, and with undefined that it does again. */
  readonly onAway?: (reason: string | undefined) => void;
  /** Told which statement the server refused, and its words for it. */
  readonly onFault?: (statement: string, reason: string) => void;
}

export class Session {
  readonly place: ServerPlace;
  readonly #options: SessionOptions;
  readonly #link = new Link();
  #statements = new Statements();
  /** Names this life of the process among those that held the lock. */
  readonly token = randomHex(8);
  #connected = false;
  #opened = false;
  #worked = false;
  #losses = 0;
  #away = false;
  #failures = 0;
  #triedAt = Number.NEGATIVE_INFINITY;
  /** Why the last attempt to connect failed. */
  #refused: unknown;
  #reconnects = 0;

  constructor(place: ServerPlace, options: SessionOptions) {
    this.place = place;
    this.#options = options;
  }

  /** Waits for a server that is away, as long as it may; what a person must put right is thrown at once. */
  open(): void {
    try {
      this.#connect();
    } catch (error) {
      if (!(error instanceof StateAway) || this.#options.role !== 'work') throw error;
      this.back(error);
    }
  }

  get statements(): Statements {
    return this.#statements;
  }

  /** Statements in one message. */
  ask(steps: readonly Step[]): readonly (Rows | number)[] {
    if (!this.#connected) this.#reconnectReader();
    try {
      return this.#link.ask(steps);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** Without waiting for what becomes of them (link.ts). */
  send(steps: readonly Step[], size: number): void {
    if (!this.#connected) this.#reconnectReader();
    try {
      this.#link.send(steps, size);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** Gives up what was done since BEGIN, whatever became of it. */
  leave(): void {
    this.#link.forget();
    this.ask([this.#statements.step('ROLLBACK', [], 'nothing', false)]);
  }

  script(text: string): void {
    if (!this.#connected) this.#reconnectReader();
    try {
      this.#link.script(text);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** Other connections committed something that this one is told of, or it was lost meanwhile. */
  get news(): number {
    return this.#link.news + this.#reconnects;
  }

  /** Something of this thread was lost since the last answer. */
  get suspicious(): boolean {
    return this.#link.losses !== this.#losses;
  }

  /** A unit was committed: the rights are there. */
  worked(): void {
    this.#worked = true;
  }

  /** An answer came: whatever was the matter is over. */
  succeeded(): void {
    this.#failures = 0;
    if (!this.#away) return;
    this.#away = false;
    this.#options.onAway?.(undefined);
  }

  /** Sleeps until the server can be worked with again, lock and all. */
  back(why: StateAway): void {
    const { patienceMs = Number.POSITIVE_INFINITY, onAway } = this.#options;
    const start = systemClock.monotonic();
    let reason = why.message;
    for (;;) {
      this.#away = true;
      onAway?.(reason);
      this.#link.pause(Math.min(LATEST_AGAIN_MS, SOONEST_AGAIN_MS * 2 ** Math.min(10, this.#failures++)));
      try {
        this.#connect();
        return;
      } catch (error) {
        // A password that is renewed there first, a right that was taken: told, and asked again.
        if (!(error instanceof StateAway) && !(error instanceof ConnectorError && error.kind === 'config')) throw error;
        reason = error.message;
      }
      if (systemClock.monotonic() - start > patienceMs) throw new StateFailure(reason, { cause: why });
    }
  }

  close(): void {
    this.#link.close();
  }

  #failed(error: unknown): unknown {
    if (error instanceof ServerFault && error.statement !== undefined)
      this.#options.onFault?.(error.statement, error.message);
    const failure = serverFailure(error, this.place, this.#worked || this.#options.role === 'read');
    if (failure instanceof StateAway) this.#connected = false;
    // It had what it needs, and somebody took it: work waits until it is given back.
    if (this.#worked && failure instanceof ConnectorError && failure.kind === 'config') {
      this.#connected = false;
      return new StateAway(failure.message, { cause: error });
    }
    return failure;
  }

  /** Who reads does not wait for a server that is away, and does not ask it again at every turn. */
  #reconnectReader(): void {
    if (this.#options.role === 'work')
      throw new StateAway(`the connection to the server of the state ${this.place.name} is lost`);
    if (this.#refused !== undefined && systemClock.monotonic() - this.#triedAt < 1_000) throw this.#refused;
    this.#connect();
  }

  #connect(): void {
    this.#triedAt = systemClock.monotonic();
    this.#connected = false;
    if (this.#opened) this.#reconnects++;
    this.#losses = this.#link.losses;
    try {
      this.#link.connect(requestFor(this.place, this.#options.role === 'read' ? READER_CONNECT_MS : CONNECT_MS));
      // Those of the connection before are gone with it.
      this.#statements = new Statements();
      this.#prepare();
    } catch (error) {
      this.#refused = serverFailure(error, this.place);
      throw this.#refused;
    }
    this.#refused = undefined;
    this.#connected = true;
    this.#opened = true;
  }

  #prepare(): void {
    const { place } = this;
    const { role, holder = 'entente' } = this.#options;
    this.#link.script(NO_LIMITS);
    const [about] = this.rows<About>(ABOUT, quotedName(place.schema));
    refuseUnfit(about!, place);
    this.#link.script(settingsOf(place, role));
    refuseUnwritable(about!, role, place, this.#worked);
    if (role !== 'work') return;
    if (about!.schema === null) this.#link.script(`CREATE SCHEMA ${quotedName(place.schema)}`);
    const claim = { place, holder, token: this.token, again: this.#opened, link: this.#link };
    takeLock((sql, ...values) => this.rows(sql, ...values), claim);
    this.#link.script(`LISTEN ${quotedName(`entente_${place.schema}`)}`);
  }

  /** SQL of the server's own, at once. */
  rows<R extends object>(sql: string, ...values: (string | number)[]): R[] {
    try {
      const [result] = this.#link.ask([this.#statements.step(sql, values, 'rows', false)]);
      return typeof result === 'object' ? rowsOf<R>(result) : [];
    } catch (error) {
      throw this.#failed(error);
    }
  }
}
