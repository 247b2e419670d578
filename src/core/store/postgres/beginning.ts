// What every connection begins with: is it a server to work with, and what it is told before anything else.
import { ConnectorError } from '../../model/failure.ts';
import { StateAway } from '../sql/away.ts';
import type { ServerPlace } from '../sql/place.ts';
import { quotedName } from './dialect.ts';
import { GONE } from './faults.ts';

/** The oldest major version that is still looked after by its makers. */
const OLDEST = 14;

/** `work` holds the lock of the state. `beside` only leaves requests. */
export type Role = 'work' | 'beside' | 'read';

export interface About {
  readonly version: number;
  readonly encoding: string;
  readonly standby: number;
  /** Null where it is not there yet. */
  readonly schema: string | null;
  /** Whether temporary tables may be made. */
  readonly temp: number;
}

/** Limits that are meant for people would end a unit, or the lock, in the middle of work. Every version knows these. */
export const NO_LIMITS = `SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0`;

export const ABOUT = `SELECT current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding,
       pg_is_in_recovery() AS standby, to_regnamespace($1)::text AS schema,
       has_database_privilege(current_database(), 'TEMP') AS temp`;

/** Whether the server may be written to is its administrator's to say, also by what sessions begin with. */
export const settingsOf = ({ schema }: ServerPlace, role: Role): string =>
  `SET search_path = ${quotedName(schema)}; SET client_min_messages = warning; SET jit = off; SET idle_session_timeout = 0;
       SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3;
       SET enable_seqscan = off; SET default_statistics_target = 10;${role === 'read' ? ' SET default_transaction_read_only = on;' : ''}
       SET default_transaction_isolation = ${role === 'read' ? "'repeatable read'" : "'read committed'"};
       SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'transaction_timeout'`;

/** Throws where no state of ours can be on that server. */
export function refuseUnfit({ version, encoding }: About, { name, database }: ServerPlace): void {
  if (version < OLDEST * 10_000)
    refuse(name, `the server is PostgreSQL ${Math.floor(version / 10_000)}, at least ${OLDEST} is needed`);
  if (encoding !== 'UTF8')
    refuse(
      name,
      `the database ${database} is in ${encoding}, which does not hold every text; create one with ENCODING 'UTF8' TEMPLATE template0`,
    );
}

/** Throws where it cannot be written to now. `worked`: it could before. */
export function refuseUnwritable(about: About, role: Role, place: ServerPlace, worked: boolean): void {
  const { name, user, database } = place;
  if (role === 'read') return;
  if (about.standby === 1) throw new StateAway(`the server of the state ${name} takes no writes (it is a standby)`);
  if (role === 'beside') return;
  if (about.temp !== 1)
    refuse(
      name,
      `${user} may make no temporary tables in ${database}; GRANT TEMPORARY ON DATABASE ${database} TO ${user}`,
    );
  if (about.schema === null && worked) throw new StateAway(`the schema of the state ${name} is gone; ${GONE}`);
}

function refuse(state: string, why: string): never {
  throw new ConnectorError('config', `state ${state}: ${why}`);
}
