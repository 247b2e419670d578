// A TAXII 2.1 exchange on loopback, after the OASIS standard of June 2021: what a partner would run, with the ways in
// which real ones misbehave behind named switches (quirks.ts).
import { systemClock } from '../../core/runtime/clock.ts';
import { type Fault, type RunningSimulator, type SimulatorOptions, startServer } from '../server.ts';
import type { StixObject } from '../stix-object.ts';
import { uuidOf } from './collection.ts';
import { objectsOf, type TaxiiData } from './data.ts';
import type { Quirk } from './quirks.ts';
import { TaxiiService } from './service.ts';
import type { User } from './users.ts';

export type { TaxiiData } from './data.ts';
export type { Quirk } from './quirks.ts';
export type { User } from './users.ts';

export interface TaxiiOptions {
  readonly port?: number;
  readonly tls?: NonNullable<SimulatorOptions['tls']>;
  /** Who may come in; default one user with a password. An empty list lets everybody in. */
  readonly users?: readonly User[];
  /** No page is longer, whatever limit says. */
  readonly pageCap?: number;
  /** Octets of a POST. */
  readonly maxContentLength?: number;
  /** What the read collection holds at start. */
  readonly data?: TaxiiData;
  readonly faults?: readonly Fault[];
  readonly quirks?: readonly Quirk[];
  /** Titles of further readable collections of the first API root. */
  readonly more?: readonly string[];
  /** A status stays pending for so many polls, and its objects unseen. */
  readonly pendingPolls?: number;
  /** Epoch milliseconds, for date_added and the Date header. */
  readonly clock?: () => number;
  /** Date added of the first object of `data`, epoch milliseconds; default an hour ago. Each next is 1 µs later. */
  readonly dataAddedFrom?: number;
  /** Makes status ids differ between servers. */
  readonly seed?: number;
  readonly latencyMs?: number;
}

export interface RunningTaxii extends RunningSimulator {
  readonly apiRoot: string;
  readonly discovery: string;
  readonly username: string;
  readonly password: string;
  /** Ids of the collection with indicators and of the one that takes sightings. */
  readonly collections: { readonly read: string; readonly write: string };
  /** Id of one of the collections in `more`. */
  idOf(title: string): string;
  load(data: TaxiiData, where?: { collection?: string; dateAdded?: string }): { added: number };
  remove(ids: readonly string[], collection?: string): { removed: number };
  setQuirks(quirks: readonly Quirk[]): void;
  /** Sightings taken over from POSTs, in order of arrival. */
  sightings(): readonly StixObject[];
  state(): unknown;
}

const USER = { username: 'entente', password: 'simulated' };
const HOUR_MS = 3_600_000;

export async function startTaxii(options: TaxiiOptions = {}): Promise<RunningTaxii> {
  const clock = options.clock ?? (() => systemClock.now());
  const users = options.users ?? [USER];
  const service = new TaxiiService({
    users,
    pageCap: options.pageCap ?? 1000,
    maxContentLength: options.maxContentLength ?? 10_485_760,
    pendingPolls: options.pendingPolls ?? 0,
    seed: options.seed ?? 1,
    clock,
    quirks: options.quirks ?? [],
    more: options.more ?? [],
    scheme: options.tls === undefined ? 'http' : 'https',
  });
  if (options.data !== undefined) service.fill(objectsOf(options.data), options.dataAddedFrom ?? clock() - HOUR_MS);
  const server = await startServer(service, {
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    ...(options.faults === undefined ? {} : { faults: options.faults }),
    ...(options.latencyMs === undefined ? {} : { latencyMs: options.latencyMs }),
  });
  const named = users.find((user) => 'username' in user);
  return {
    ...server,
    apiRoot: `${server.url}/api1/`,
    discovery: `${server.url}/taxii2/`,
    username: named?.username ?? '',
    password: named?.password ?? '',
    collections: { read: service.read.info.id, write: service.write.info.id },
    idOf: (title) => uuidOf(`api1 ${title}`),
    load: (data, where) => service.load(objectsOf(data), where),
    remove: (ids, collection) => service.remove(ids, collection),
    setQuirks: (quirks) => service.quirks.set(quirks),
    sightings: () => service.sightings,
    state: () => service.state(),
  };
}

/** The one line a simulator prints when it listens. */
export function announcement(taxii: RunningTaxii): string {
  const { apiRoot, discovery, username, password, collections } = taxii;
  return JSON.stringify({ kind: 'taxii', url: apiRoot, discovery, username, password, collections });
}
