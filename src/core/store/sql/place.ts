// Where a state is kept: a file of SQLite, or a schema on a PostgreSQL server. Plain values: they cross to the store's
// thread.

export type StatePlace = string | ServerPlace;

export interface ServerPlace {
  /** What people know it by: the URL without a password, and the schema where it is not the usual one. */
  readonly name: string;
  /** A host name, an address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly schema: string;
  readonly password?: Password;
  readonly tls?: ServerTls;
}

/** Printed by nobody. A file is read again at each connection, so that a renewed password needs no restart. */
type Password = { readonly file: string } | { readonly text: string };

interface ServerTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
  readonly serverName?: string;
  readonly fingerprintSha256?: string;
}

export const nameOf = (place: StatePlace): string => (typeof place === 'string' ? place : place.name);
