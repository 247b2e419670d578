// A real PostgreSQL, from the system's package, and states of tests on it.
import type { ServerPlace, StatePlace } from '../../src/core/store/sql/place.ts';
import { openBeside } from '../../src/core/store/state.ts';
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

export function placeOn(server: Pick<ScriptPeer, 'port' | 'password'>, schema: string): ServerPlace {
  return {
    name: `postgres://entente@127.0.0.1:${server.port}/entente (schema ${schema})`,
    host: '127.0.0.1',
    port: server.port,
    user: 'entente',
    database: 'entente',
    schema,
    password: { text: server.password },
  };
}

/** Schemas for one state after the other: making one takes longer than emptying it. */
export class Schemas {
  readonly #server: Pick<ScriptPeer, 'port' | 'password'>;
  readonly #prefix: string;
  readonly #free: ServerPlace[] = [];
  #made = 0;

  constructor(server: Pick<ScriptPeer, 'port' | 'password'>, prefix: string) {
    this.#server = server;
    this.#prefix = prefix;
  }

  take(): ServerPlace {
    return this.#free.pop() ?? placeOn(this.#server, `${this.#prefix}_${++this.#made}`);
  }

  /** Empty again, but for the schema's version. */
  giveBack(place: StatePlace): void {
    if (typeof place === 'string') return;
    const db = openBeside(place);
    const tables = db.all<{ name: string }>(
      'SELECT tablename AS name FROM pg_tables WHERE schemaname = ?',
      place.schema,
    );
    db.transaction(() => {
      for (const { name } of tables) if (name !== 'server_state') db.run(`DELETE FROM ${name}`);
      db.run('DROP INDEX IF EXISTS presence_scope');
    });
    db.close();
    this.#free.push(place);
  }

  /** Where the states of builders/store.ts are kept from now on. */
  use(where: typeof statePlaces): void {
    where.onServer = true;
    where.place = () => this.take();
    where.forget = (place) => this.giveBack(place);
  }
}
