// One connection to the server and what hangs on it: the lock of the state, and the way back after it is lost.
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { ConnectorError } from '../../model/failure.ts';
import { systemClock } from '../../runtime/clock.ts';
import { randomHex, sha256 } from '../../runtime/ids.ts';
import { StateAway } from '../sql/away.ts';
import type { ServerPlace } from '../sql/place.ts';
import { StateFailure } from '../sql/state-failure.ts';
import { GONE, serverFailure } from './faults.ts';
import { Link } from './link.ts';
import type { ConnectRequest, Rows, Step } from './messages.ts';
import { Statements } from './statements.ts';

/** The oldest major version that is still looked after by its makers. */
const OLDEST = 14;
const CONNECT_MS = 10_000;
/** Who reads does it on the thread that answers others. */
const READER_CONNECT_MS = 2_000;
const SOONEST_AGAIN_MS = 200;
const LATEST_AGAIN_MS = 5_000;
/** A command that holds the state is over soon, and so is a connection of ours that is being ended. */
const LOCK_PATIENCE_MS = 5_000;
/** "ente", so that nobody else's locks in the database are met. */
const LOCK_CLASS = 0x656e7465;

export interface SessionOptions {
  /** `work` holds the lock of the state. `beside` only leaves requests. */
  readonly role: 'work' | 'beside' | 'read';
  readonly holder?: string;
  /** How long the server may be away at a time; for ever, unless it is said. */
  readonly patienceMs?: number;
  /** Told why nothing goes on, and with undefined that it does again. */
  readonly onAway?: (reason: string | undefined) => void;
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
      this.#link.connect(this.#request());
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

  #request(): ConnectRequest {
    const { host, port, user, database, password, tls } = this.place;
    return {
      host,
      port,
      user,
      database,
      password: password === undefined ? '' : 'text' in password ? password.text : secretOf(password.file),
      applicationName: 'entente',
      timeoutMs: this.#options.role === 'read' ? READER_CONNECT_MS : CONNECT_MS,
      ...(tls === undefined
        ? {}
        : {
            tls: {
              ...(tls.ca === undefined ? {} : { ca: [...rootCertificates, fileOf(tls.ca, 'ca_file')] }),
              ...(tls.cert === undefined ? {} : { cert: fileOf(tls.cert, 'cert_file') }),
              ...(tls.key === undefined ? {} : { key: fileOf(tls.key, 'key_file') }),
              ...(tls.passphrase === undefined ? {} : { passphrase: tls.passphrase }),
              ...(tls.serverName === undefined ? {} : { serverName: tls.serverName }),
              ...(tls.fingerprintSha256 === undefined ? {} : { fingerprintSha256: tls.fingerprintSha256 }),
            },
          }),
    };
  }

  #prepare(): void {
    const { role } = this.#options;
    const { schema, name, user, database } = this.place;
    // Limits that are meant for people would end a unit, or the lock, in the middle of work. Every version knows these.
    this.#link.script(`SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0`);
    const [about] = this.rows<{
      version: number;
      encoding: string;
      standby: number;
      schema: string | null;
      temp: number;
    }>(
      `SELECT current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding,
       pg_is_in_recovery() AS standby, to_regnamespace($1)::text AS schema,
       has_database_privilege(current_database(), 'TEMP') AS temp`,
      quotedName(schema),
    );
    const refuse = (why: string): never => {
      throw new ConnectorError('config', `state ${name}: ${why}`);
    };
    if (about!.version < OLDEST * 10_000)
      refuse(`the server is PostgreSQL ${Math.floor(about!.version / 10_000)}, at least ${OLDEST} is needed`);
    if (about!.encoding !== 'UTF8')
      refuse(
        `the database ${database} is in ${about!.encoding}, which does not hold every text; create one with ENCODING 'UTF8' TEMPLATE template0`,
      );
    // Whether the server may be written to is its administrator's to say, also by what sessions begin with.
    this.#link.script(
      `SET search_path = ${quotedName(schema)}; SET client_min_messages = warning; SET jit = off; SET idle_session_timeout = 0;
       SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3;
       SET enable_seqscan = off; SET default_statistics_target = 10;${role === 'read' ? ' SET default_transaction_read_only = on;' : ''}
       SET default_transaction_isolation = ${role === 'read' ? "'repeatable read'" : "'read committed'"};
       SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'transaction_timeout'`,
    );
    if (role === 'read') return;
    if (about!.standby === 1) throw new StateAway(`the server of the state ${name} takes no writes (it is a standby)`);
    if (role === 'beside') return;
    if (about!.temp !== 1)
      refuse(`${user} may make no temporary tables in ${database}; GRANT TEMPORARY ON DATABASE ${database} TO ${user}`);
    if (about!.schema === null && this.#worked) throw new StateAway(`the schema of the state ${name} is gone; ${GONE}`);
    if (about!.schema === null) this.#link.script(`CREATE SCHEMA ${quotedName(schema)}`);
    this.#lock();
    this.#link.script(`LISTEN ${quotedName(channelOf(schema))}`);
  }

  /** Held by the connection, so that the server lets it go at any kind of death. */
  #lock(): void {
    const start = systemClock.monotonic();
    for (;;) {
      const [{ got } = { got: 0 }] = this.rows<{ got: number }>(
        `SELECT pg_try_advisory_lock($1::int, $2::int) AS got`,
        ...lockKey(this.place),
      );
      if (got === 1) break;
      const holder = this.#holder();
      // What is left of a connection of ours that was lost on the way; the server may not have noticed yet.
      if (holder.token === this.token) this.rows('SELECT pg_terminate_backend($1::int)', holder.pid);
      if (systemClock.monotonic() - start > LOCK_PATIENCE_MS) {
        if (this.#opened && holder.token !== this.token)
          throw new StateFailure(`the state ${this.place.name} was taken by ${holder.name} while its server was away`);
        throw new ConnectorError('permanent', `the state ${this.place.name} is held by ${holder.name}`);
      }
      this.#link.pause(100);
    }
    this.#link.script('CREATE TABLE IF NOT EXISTS server_state (name TEXT PRIMARY KEY, value TEXT NOT NULL)');
    const [self] = this.rows<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    for (const [key, value] of [
      ['holder', this.#options.holder ?? 'entente'],
      ['token', this.token],
      ['pid', String(self!.pid)],
    ])
      this.rows(
        'INSERT INTO server_state (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
        key!,
        value!,
      );
  }

  #holder(): { readonly name: string; readonly token?: string; readonly pid: number } {
    return holderIn((sql, ...values) => this.rows(sql, ...values), this.place) ?? { name: 'another process', pid: 0 };
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

/** Who holds the lock of a state, asked over any connection to its server. */
export function holderIn(
  ask: <R extends object>(sql: string, ...values: (string | number)[]) => R[],
  place: ServerPlace,
): { readonly name: string; readonly token: string; readonly pid: number } | undefined {
  const [lockClass, key] = lockKey(place);
  const [held] = ask<{ pid: number }>(
    `SELECT l.pid FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted AND l.classid::bigint = $1
     AND l.objid::bigint = ($2 & 4294967295) AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    lockClass,
    key,
  );
  if (held === undefined) return undefined;
  const [table] = ask<{ found: string | null }>(`SELECT to_regclass('server_state')::text AS found`);
  const told = table?.found == null ? [] : ask<{ name: string; value: string }>('SELECT name, value FROM server_state');
  const of = (name: string): string | undefined => told.find((one) => one.name === name)?.value;
  const same = Number(of('pid')) === held.pid;
  return {
    name: (same ? of('holder') : undefined) ?? 'another process, which is just starting',
    token: (same ? of('token') : undefined) ?? '',
    pid: held.pid,
  };
}

/** Two numbers of 32 bits: ours, and one for the schema. Locks of a server are by database. */
function lockKey({ schema }: ServerPlace): [number, number] {
  return [LOCK_CLASS, Number.parseInt(sha256(schema).slice(0, 8), 16) | 0];
}

export const channelOf = (schema: string): string => `entente_${schema}`;

export const quotedName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export function rowsOf<R extends object>({ columns, values }: Rows): R[] {
  const made: Record<string, unknown>[] = [];
  for (let at = 0; at < values.length; at += columns.length) {
    const row: Record<string, unknown> = {};
    for (let i = 0; i < columns.length; i++) row[columns[i]!] = values[at + i];
    made.push(row);
  }
  // Columns and row types stand side by side in one statement each.
  return made as R[];
}

function secretOf(file: string): string {
  return fileOf(file, 'password_file').replace(/\r?\n$/, '');
}

function fileOf(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConnectorError('config', `state: cannot read ${what} ${file}`, { cause: error });
  }
}
