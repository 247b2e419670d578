// The lock of a state. It is held by the connection, so that the server lets it go at any kind of death, and who holds it
// writes its name beside it.
import { ConnectorError } from '../../model/failure.ts';
import { systemClock } from '../../runtime/clock.ts';
import { sha256 } from '../../runtime/ids.ts';
import type { ServerPlace } from '../sql/place.ts';
import { StateFailure } from '../sql/state-failure.ts';
import type { Link } from './link.ts';

/** A command that holds the state is over soon, and so is a connection of ours that is being ended. */
const PATIENCE_MS = 5_000;
/** "ente", so that nobody else's locks in the database are met. */
const LOCK_CLASS = 0x656e7465;

export type Ask = <R extends object>(sql: string, ...values: (string | number)[]) => R[];

export interface Holder {
  readonly name: string;
  readonly token: string;
  readonly pid: number;
}

export interface Claim {
  readonly place: ServerPlace;
  readonly holder: string;
  /** Names this life of the process among those that held the lock. */
  readonly token: string;
  /** This process held it before its connection was lost. */
  readonly again: boolean;
  readonly link: Pick<Link, 'pause' | 'script'>;
}

export function takeLock(ask: Ask, { place, holder, token, again, link }: Claim): void {
  const start = systemClock.monotonic();
  for (;;) {
    const [{ got } = { got: 0 }] = ask<{ got: number }>(
      `SELECT pg_try_advisory_lock($1::int, $2::int) AS got`,
      ...lockKey(place),
    );
    if (got === 1) break;
    const other = holderIn(ask, place);
    // What is left of a connection of ours that was lost on the way; the server may not have noticed yet.
    if (other?.token === token) ask('SELECT pg_terminate_backend($1::int)', other.pid);
    if (systemClock.monotonic() - start > PATIENCE_MS) {
      const name = other?.name ?? 'another process';
      if (again && other?.token !== token)
        throw new StateFailure(`the state ${place.name} was taken by ${name} while its server was away`);
      throw new ConnectorError('permanent', `the state ${place.name} is held by ${name}`);
    }
    link.pause(100);
  }
  link.script('CREATE TABLE IF NOT EXISTS server_state (name TEXT PRIMARY KEY, value TEXT NOT NULL)');
  const [self] = ask<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  for (const [key, value] of [
    ['holder', holder],
    ['token', token],
    ['pid', String(self!.pid)],
  ])
    ask(
      'INSERT INTO server_state (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      key!,
      value!,
    );
}

/** Who holds the lock of a state, asked over any connection to its server. */
export function holderIn(ask: Ask, place: ServerPlace): Holder | undefined {
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
