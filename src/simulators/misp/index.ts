// A MISP server on loopback, after the facts of MISP core 2.5: what a partner would run, with its traps always there and the
// others behind named switches (quirks.ts).
import { systemClock } from '../../core/runtime/clock.ts';
import { type Fault, type RunningSimulator, type SimulatorOptions, startServer } from '../server.ts';
import type { SimKey } from './access.ts';
import type { Act } from './acts.ts';
import type { Quirk } from './quirks.ts';
import { MispService } from './service.ts';
import type { WarninglistData } from './warninglists.ts';

export type { SimKey } from './access.ts';
export type { Act } from './acts.ts';
export type { Quirk } from './quirks.ts';

export interface MispOptions {
  readonly port?: number;
  readonly tls?: NonNullable<SimulatorOptions['tls']>;
  /** Who may come in; default one that reads and sends sightings, and one that only reads. */
  readonly keys?: readonly SimKey[];
  /** Events in any wrapping, or the path of a file or folder of them. */
  readonly data?: unknown;
  readonly faults?: readonly Fault[];
  readonly quirks?: readonly Quirk[];
  readonly version?: string;
  readonly warninglists?: readonly WarninglistData[];
  /** Epoch milliseconds, for publish_timestamp and the Date header. */
  readonly clock?: () => number;
  readonly latencyMs?: number;
}

/** One of our sightings as the server keeps it. */
export interface KeptSighting {
  readonly uuid: string;
  readonly attribute_uuid: string;
  readonly event_uuid: string;
  readonly value: string;
  readonly type: string;
  readonly date_sighting: number;
  readonly source: string;
  readonly org: string;
}

export interface RunningMisp extends RunningSimulator {
  readonly key: string;
  readonly readKey: string | undefined;
  load(data: unknown): { events: number; attributes: number };
  /** Edits at the partner's, each without and, with `publish`, with a publication after it. */
  act(what: Act | readonly Act[]): void;
  setQuirks(quirks: readonly Quirk[]): void;
  sightings(): readonly KeptSighting[];
  state(): unknown;
}

const KEYS: readonly SimKey[] = [
  { key: 'EntenteSimulatedMispKey0123456789abcdefg' },
  { key: 'EntenteSimulatedReadKey0123456789abcdefg', readOnly: true },
];

export async function startMisp(options: MispOptions = {}): Promise<RunningMisp> {
  const keys = options.keys ?? KEYS;
  const service = new MispService({
    keys,
    version: options.version ?? '2.5.1',
    quirks: options.quirks ?? [],
    clock: options.clock ?? (() => systemClock.now()),
    warninglists: options.warninglists ?? [],
  });
  if (options.data !== undefined) service.load(options.data);
  const server = await startServer(service, {
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    ...(options.faults === undefined ? {} : { faults: options.faults }),
    ...(options.latencyMs === undefined ? {} : { latencyMs: options.latencyMs }),
  });
  return {
    ...server,
    key: keys[0]?.key ?? '',
    readKey: keys.find((one) => one.readOnly === true)?.key,
    load: (data) => service.load(data),
    act: (what) => service.act(what),
    setQuirks: (quirks) => service.quirks.set(quirks),
    sightings: () => service.sightings() as readonly KeptSighting[],
    state: () => service.state(),
  };
}

/** The one line a simulator prints when it listens. */
export function announcement({ url, key, readKey }: RunningMisp): string {
  return JSON.stringify({ kind: 'misp', url, key, ...(readKey === undefined ? {} : { read_key: readKey }) });
}
