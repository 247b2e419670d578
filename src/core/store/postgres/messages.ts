// What the asker and the thread of a connection say to each other.
import type { MessagePort } from 'node:worker_threads';

/** One statement of a pipeline. */
export interface Step {
  /** Of the prepared statement, which lives as long as its connection. */
  readonly name: string;
  readonly sql: string;
  /** Object ids of the types of its values; 0 leaves one to the server. */
  readonly types: readonly number[];
  readonly values: readonly (string | null)[];
  /** `nothing` asks for no description of rows either. */
  readonly wants: 'rows' | 'changes' | 'nothing';
}

export interface Rows {
  readonly columns: readonly string[];
  /** All values, row after row. */
  readonly values: readonly (string | number | null)[];
}

/** One for each step. */
export type Result = Rows | number;

export interface ConnectRequest {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password: string;
  readonly applicationName: string;
  readonly timeoutMs: number;
  readonly tls?: {
    readonly ca?: readonly string[];
    readonly cert?: string;
    readonly key?: string;
    readonly passphrase?: string;
    readonly serverName?: string;
    readonly fingerprintSha256?: string;
  };
}

export type Request = { readonly id: number; readonly connection: number } & (
  | { readonly kind: 'connect'; readonly to: ConnectRequest }
  | { readonly kind: 'ask'; readonly steps: readonly Step[] }
  /** Several statements without values, in the simple protocol. */
  | { readonly kind: 'script'; readonly text: string }
  | { readonly kind: 'drop' }
);

export interface Fault {
  readonly message: string;
  /** SQLSTATE of the server, or the code of the system. */
  readonly code?: string;
  /** The connection is gone: what was sent last may have been done, or not. */
  readonly lost: boolean;
  readonly step?: number;
}

export interface Reply {
  readonly id: number;
  readonly results?: readonly Result[];
  readonly fault?: Fault;
}

/** Places in the memory that both share: how many answers were given, and how much was heard of other connections. */
export const ANSWERS = 0;
export const NEWS = 1;
/** Goes up with each connection that was lost. */
export const LOSSES = 2;

export interface Start {
  readonly port: MessagePort;
  readonly shared: SharedArrayBuffer;
}
