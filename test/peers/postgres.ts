// A real PostgreSQL, from the system's package, and states of tests on it.
import type { ServerPlace, StatePlace } from '../../src/core/store/sql/place.ts';
import type { Database } from '../../src/core/store/sql/port.ts';
import { openBeside } from '../../src/core/store/state/open.ts';
import type { statePlaces } from '../builders/states.ts';
import { type ScriptPeer, startScript } from './script-peer.ts';

export interface PostgresOptions {
  readonly tls?: boolean;
  /** Further settings of the server. */
  readonly set?: Readonly<Record<string, string>>;
}

/** A server of its own, for a test that stops, fills or configures it. */
export const startPostgres = (options: PostgresOptions = {}): Promise<ScriptPeer> => start(options, false);

/** The server that all files of a run share. */
export const sharedPostgres = (options: PostgresOptions = {}): Promise<ScriptPeer> => start(options, true);

function start({ tls = false, set = {} }: PostgresOptions, shared: boolean): Promise<ScriptPeer> {
  const settings = Object.entries(set).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  return startScript({
    script: 'postgres.sh',
    prefix: 'POSTGRES',
    options: [...(tls ? ['--tls'] : []), ...settings],
    env: {},
    shared,
  });
}

/** A server and who works on it: by default as scripts/postgres.sh makes them. */
interface Server {
  readonly host?: string;
  readonly port: number;
  readonly user?: string;
  readonly database?: string;
  readonly password: string;
}

/** From a URL that has a password in it, for programs of the tests alone. */
export function serverOf(url: string): Server {
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    host: hostname,
    port: Number(port === '' ? 5432 : port),
    user: decodeURIComponent(username),
    database: decodeURIComponent(pathname.slice(1)),
    password: decodeURIComponent(password),
  };
}

export function placeOn(server: Server, schema: string): ServerPlace {
  const { host = '127.0.0.1', port, user = 'entente', database = 'entente', password } = server;
  return {
    name: `postgres://${user}@${host}:${port}/${database} (schema ${schema})`,
    host,
    port,
    user,
    database,
    schema,
    password: { text: password },
  };
}

/** Schemas for one state after the other: making one takes longer than emptying it. */
export class Schemas {
  readonly #server: Server;
  readonly #prefix: string;
  /** Stays open, so that the thread of the connections does too: a new one for each state costs more than the state. */
  readonly #emptying: Database;
  readonly #tables = new Map<string, readonly string[]>();
  readonly #free: ServerPlace[] = [];
  #made = 0;

  constructor(server: Server, prefix: string) {
    this.#server = server;
    this.#prefix = prefix;
    this.#emptying = openBeside(placeOn(server, 'public'));
  }

  take(): ServerPlace {
    return this.#free.pop() ?? placeOn(this.#server, `${this.#prefix}_${++this.#made}`);
  }

  giveBack(place: StatePlace): void {
    if (typeof place === 'string') return;
    this.empty(place);
    this.#free.push(place);
  }

  /** As it was made, but for the schema's version. */
  empty({ schema }: ServerPlace): void {
    const db = this.#emptying;
    let tables = this.#tables.get(schema);
    if (tables === undefined) {
      tables = db
        .all<{ name: string }>('SELECT tablename AS name FROM pg_tables WHERE schemaname = ?', schema)
        .map(({ name }) => name)
        .filter((name) => name !== 'server_state');
      // Half made: the next look may see more.
      if (tables.length > 0) this.#tables.set(schema, tables);
    }
    db.transaction(() => {
      // What the tables' triggers name is in their schema.
      db.run(`SET LOCAL search_path = ${schema}`);
      for (const name of tables) db.run(`DELETE FROM ${schema}.${name}`);
      db.run(`DROP INDEX IF EXISTS ${schema}.presence_scope`);
    });
  }

  /** Where the states of builders/store.ts are kept from now on. */
  use(where: typeof statePlaces): void {
    where.onServer = true;
    where.place = () => this.take();
    where.forget = (place) => this.giveBack(place);
  }

  close(): void {
    this.#emptying.close();
  }
}
