// medallion, the TAXII 2.1 reference server of OASIS (Python, memory back end).
import { join } from 'node:path';
import { startServerProcess } from './server-process.ts';
import { PEER_USER, type TaxiiServer } from './taxii-server.ts';

export interface MedallionOptions {
  readonly python: string;
  readonly bundles?: readonly unknown[];
  /** Largest page. */
  readonly page?: number;
  /** Seconds that a `next` stays good. */
  readonly session?: number;
  /** So many objects share one date_added. */
  readonly group?: number;
  /** Date added of the first object, with six digits; one millisecond between groups. */
  readonly start?: string;
  readonly tls?: boolean;
  readonly port?: number;
}

export async function startMedallion(options: MedallionOptions): Promise<TaxiiServer> {
  const { origin, ca, stop } = await startServerProcess({
    name: 'medallion',
    python: options.python,
    script: join(import.meta.dirname, 'servers', 'medallion_serve.py'),
    arguments: [
      '--user',
      PEER_USER.username,
      '--password',
      PEER_USER.password,
      '--page',
      String(options.page ?? 100),
      '--session',
      String(options.session ?? 30),
      '--group',
      String(options.group ?? 1),
      '--start',
      options.start ?? '2026-01-05T10:00:00.000000Z',
    ],
    bundles: options.bundles ?? [],
    tls: options.tls ?? false,
    ...(options.port === undefined ? {} : { port: options.port }),
  });
  return {
    discovery: `${origin}/taxii2/`,
    apiRoot: `${origin}/api1/`,
    ...PEER_USER,
    feedCollection: '5c1f7f0a-3d0f-4b52-9a52-0a4a8f6f1c01',
    sightingsCollection: '5c1f7f0a-3d0f-4b52-9a52-0a4a8f6f1c02',
    inboxCollection: '5c1f7f0a-3d0f-4b52-9a52-0a4a8f6f1c03',
    closedCollection: '5c1f7f0a-3d0f-4b52-9a52-0a4a8f6f1c04',
    ...(ca === undefined ? {} : { ca }),
    known: ['added_after_word', 'accept_without_version', 'add_again'],
    stop,
  };
}
