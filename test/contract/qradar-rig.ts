// One simulated console and connectors on it, with the short words that tests of the QRadar connector are written in.
import { qradar } from '../../src/connectors/siem/qradar/index.ts';
import type { Batch } from '../../src/core/contracts/batch.ts';
import type { Outcome, OwnedEntry, SiemConnector } from '../../src/core/contracts/siem-connector.ts';
import type { Entry } from '../../src/core/model/entry.ts';
import type { EntryKey } from '../../src/core/model/observable.ts';
import { type QRadarOptions, type RunningQRadar, startQradar } from '../../src/simulators/qradar/index.ts';
import { anEntry } from '../builders/entry.ts';
import { contextFor, encodeBatch, removalBatch } from './batches.ts';
import { INSTANCE, qradarConfig, qradarConnector } from './qradar-harness.ts';

export const signal = new AbortController().signal;

export let sim: RunningQRadar;
export let revision = 1_795_000_000_000_000;
const open: SiemConnector[] = [];

/** For afterEach. */
export async function stop(): Promise<void> {
  for (const connector of open.splice(0)) await connector.close();
  await sim.close();
}

export async function startConsole(options: QRadarOptions = {}): Promise<void> {
  sim = await startQradar(options);
}

/** A console, and an opened connector on it. */
export async function start(options: QRadarOptions = {}, more: Record<string, unknown> = {}): Promise<SiemConnector> {
  await startConsole(options);
  const connector = connect(more);
  await connector.open(signal);
  return connector;
}

export function connect(more: Record<string, unknown> = {}, instance = INSTANCE): SiemConnector {
  const connector = qradarConnector({ url: sim.url, token: sim.token, instance }, more);
  open.push(connector);
  return connector;
}

export const config = () => qradarConfig({ url: sim.url, token: sim.token });
const facts = { version: '26.0', api: 'collections', cidr: true };

export function context(instance = INSTANCE) {
  revision += 1;
  return contextFor(qradar, config(), { revision, facts, instance });
}

export const upserts = (entries: readonly Entry[], instance = INSTANCE): Batch =>
  encodeBatch(qradar, entries, context(instance)).batch;
export const removals = (keys: readonly EntryKey[]): Batch => removalBatch(qradar, keys, context());

export async function settled(connector: SiemConnector, receipt: string): Promise<readonly Outcome[]> {
  for (let turn = 0; turn < 200; turn += 1) {
    const outcomes = await connector.settle!(receipt, signal);
    if (outcomes !== 'pending') return outcomes;
    await new Promise((go) => setTimeout(go, 10));
  }
  throw new Error('never settled');
}

export async function apply(connector: SiemConnector, batch: Batch): Promise<readonly Outcome[]> {
  const done: Outcome[] = [];
  const receipts = new Set<string>();
  for (const outcome of await connector.apply(batch, signal)) {
    if (outcome.kind === 'accepted') receipts.add(outcome.receipt);
    else done.push(outcome);
  }
  for (const receipt of receipts) done.push(...(await settled(connector, receipt)));
  return done;
}

export async function held(connector: SiemConnector, slots?: readonly string[]): Promise<OwnedEntry[]> {
  const rows: OwnedEntry[] = [];
  for await (const page of connector.list(slots === undefined ? {} : { slots }, signal)) rows.push(...page);
  return rows;
}

export const kinds = (outcomes: readonly Outcome[]) => outcomes.map((one) => one.kind);
export const asked = (route: string) =>
  [...sim.requests].filter(([name]) => name.startsWith(route)).reduce((sum, [, n]) => sum + n, 0);
export const addresses = (n: number) =>
  Array.from({ length: n }, (_, i) => anEntry({ value: `198.51.${100 + Math.floor(i / 250)}.${i % 250}` }));
export const values = (suffix: string) =>
  [...(sim.store.byName(`Entente ${suffix}`)?.entries.values() ?? [])].map((row) => row.value);
