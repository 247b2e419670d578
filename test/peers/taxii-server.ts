/** A foreign TAXII 2.1 server that was started for a test. */
export interface TaxiiServer {
  readonly discovery: string;
  readonly apiRoot: string;
  readonly username: string;
  readonly password: string;
  /** Read only; holds the bundles it was started with. */
  readonly feedCollection: string;
  /** Read and write; empty. */
  readonly sightingsCollection: string;
  /** Write only. */
  readonly inboxCollection: string;
  /** Neither. */
  readonly closedCollection: string;
  /** Of its throw-away authority, when started with TLS. */
  readonly ca?: string;
  /** Checks of taxii2client/check.py that this server fails, measured in November 2026. */
  readonly known: readonly string[];
  readonly stop: () => Promise<void>;
}

export const PEER_USER = { username: 'entente', password: 'Entente-peer-1' } as const;
