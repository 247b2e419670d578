// OpenTAXII of EclecticIQ (Python, SQLite): a TAXII 2.1 server that shares no code with the reference.
import { join } from 'node:path';
import { startServerProcess } from './server-process.ts';
import { PEER_USER, type TaxiiServer } from './taxii-server.ts';

export interface OpenTaxiiOptions {
  readonly python: string;
  /** Objects without `modified` are left out: this server cannot store them. */
  readonly bundles?: readonly unknown[];
  readonly tls?: boolean;
}

/** Beside the user there is `guest`, with the same password and no rights. */
export async function startOpenTaxii(options: OpenTaxiiOptions): Promise<TaxiiServer> {
  const { origin, ca, stop } = await startServerProcess({
    name: 'opentaxii',
    python: options.python,
    script: join(import.meta.dirname, 'servers', 'opentaxii_serve.py'),
    arguments: ['--user', PEER_USER.username, '--password', PEER_USER.password],
    bundles: options.bundles ?? [],
    tls: options.tls ?? false,
  });
  return {
    discovery: `${origin}/taxii2/`,
    apiRoot: `${origin}/taxii2/7d2e8a1b-6c4f-4e63-8b63-1b5b907e2c00/`,
    ...PEER_USER,
    feedCollection: '7d2e8a1b-6c4f-4e63-8b63-1b5b907e2c01',
    sightingsCollection: '7d2e8a1b-6c4f-4e63-8b63-1b5b907e2c02',
    inboxCollection: '7d2e8a1b-6c4f-4e63-8b63-1b5b907e2c03',
    closedCollection: '7d2e8a1b-6c4f-4e63-8b63-1b5b907e2c04',
    ...(ca === undefined ? {} : { ca }),
    known:
      'challenge unknown_root spec_version limit_zero accept_without_version added_are_there add_without_modified delete'.split(
        ' ',
      ),
    stop,
  };
}
