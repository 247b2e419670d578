// Numbers for Prometheus: ours begin with entente_, those of the process have the names that every dashboard knows; units
// are base units. prom-client lives here alone, in a registry of our own, so that two daemons in one process (tests) do
// not share counters.
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { STATES, type State } from '../model/status.ts';

/** `hits` is reading from a SIEM, `report` sending to an exchange. */
export type Role = 'exchange' | 'siem' | 'hits' | 'report';
type Labels = Readonly<Record<string, string>>;

export interface Metrics {
  /** Objects that came from an exchange. */
  ingested(exchange: string, counts: { readonly objects: number; readonly refused: number }): void;
  /** Changes at a SIEM by what came of them. */
  delivered(siem: string, outcome: 'applied' | 'parked', count: number): void;
  /** A poll, cycle, reading of hits or sending that failed, by kind of failure. */
  failed(role: Role, peer: string, kind: string): void;
  /** One that ended, well or not. */
  ran(role: Role, peer: string, seconds: number): void;
  /** Values that came and stand on a never-block list, all of them so far: the state counts them. */
  neverBlocked(list: string, action: string, total: number): void;
  /** Gauges of a SIEM, replaced as a whole. */
  siem(
    name: string,
    now: {
      readonly wanted: number;
      readonly delivered: number;
      readonly pending: number;
      readonly parked: number;
      readonly kept_out: number;
      readonly held: number;
      readonly rejected: number;
      readonly oldestPendingSecs: number;
      readonly drift: number;
    },
  ): void;
  /** One series per state with 1 for the one that holds. */
  state(role: Role, name: string, state: State): void;
  /** Gauges of the way back, replaced as a whole: hits counted, and sightings by what holds for them. */
  sightings(counts: Readonly<Record<string, number>>): void;
  /** When a certificate or a token ends, where that can be known; ours or that of the peer. */
  expires(what: 'certificate' | 'token', whose: 'own' | 'peer', role: Role, peer: string, atMs: number): void;
  /** Whether the newest configuration is the one that runs. */
  reloaded(successful: boolean): void;
  /** Holds that wait for a decision, by kind. */
  holds(undecided: Readonly<Record<string, number>>): void;
  /** Values called harmless whose day to look again has come. */
  toReview(count: number): void;
  /** The record of what was done, when it was looked at last. `signedAtMs` 0: it never was signed. */
  audit(now: { readonly sound: boolean; readonly records: number; readonly signedAtMs: number }): void;
  /** Epoch seconds of the last success. */
  succeeded(role: Role, peer: string, atMs: number): void;
  text(): Promise<string>;
  readonly contentType: string;
}

/** Gauges of prom-client whose names say that they are counters. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

export function createMetrics(version: string): Metrics {
  const registry = new Registry();
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name: `entente_${name}`, help, labelNames, registers: [registry] });
  const gauge = (name: string, help: string, labelNames: string[]) =>
    new Gauge({ name: `entente_${name}`, help, labelNames, registers: [registry] });

  gauge('build_info', 'Version that runs; always 1.', ['version']).set({ version }, 1);
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  const objects = counter('ingest_objects_total', 'Objects read from an exchange.', ['exchange']);
  const refused = counter('ingest_refused_total', 'Objects that could not be used.', ['exchange']);
  const neverBlock = counter('never_block_total', 'Values that came and stand on a never-block list.', [
    'list',
    'action',
  ]);
  const changes = counter('delivery_changes_total', 'Changes sent to a SIEM by outcome.', ['siem', 'outcome']);
  const failures = counter('peer_failures_total', 'Runs at a peer that failed, by kind of failure.', [
    'role',
    'peer',
    'kind',
  ]);
  const runs = counter('peer_runs_total', 'Polls, cycles, readings of hits and sendings.', ['role', 'peer']);
  const seconds = counter('peer_run_seconds_total', 'Time spent in them.', ['role', 'peer']);
  const entries = gauge('siem_entries', 'Entries of a SIEM by what holds for them.', ['siem', 'kind']);
  const oldest = gauge('siem_oldest_pending_seconds', 'Age of the oldest change that waits.', ['siem']);
  const states = gauge('peer_state', 'State of a peer: 1 for the one that holds.', ['kind', 'name', 'state']);
  const hits = gauge('hits', 'Hits that were counted, since the state began.', []);
  const sightings = gauge('sightings', 'Sightings of ours by what holds for them.', ['kind']);
  const review = gauge('harmless_to_review', 'Values called harmless whose day to look again has come.', []);
  const undecided = gauge('holds_undecided', 'Holds that wait for a person, by kind.', ['kind']);
  const success = gauge('peer_last_success_timestamp_seconds', 'Time of the last success.', ['role', 'peer']);

  const reload = gauge('config_last_reload_successful', '1 when the newest configuration is the one that runs.', []);

  const chain = gauge('audit_chain_ok', '1 when the end of the record is what was written and signed.', []);
  const records = gauge('audit_records', 'Records there were when it was looked at last.', []);
  const signed = gauge('audit_last_checkpoint_timestamp_seconds', 'When the record was signed last; 0: never.', []);

  const drifted = gauge('siem_drift_entries', 'Entries that the last audit found other than they should be.', ['siem']);
  // Most peers have neither a certificate nor a token that says when it ends, and a gauge without numbers is none.
  let ends: Gauge | undefined;

  const listed = new Map<string, number>();
  const add = (target: Counter, labels: Labels, count: number): void => {
    if (count > 0) target.inc(labels, count);
  };
  return {
    ingested(exchange, counts) {
      add(objects, { exchange }, counts.objects);
      add(refused, { exchange }, counts.refused);
    },
    neverBlocked(list, action, total) {
      const key = `${list} ${action}`;
      add(neverBlock, { list, action }, total - (listed.get(key) ?? 0));
      listed.set(key, total);
    },
    delivered: (siem, outcome, count) => add(changes, { siem, outcome }, count),
    failed: (role, peer, kind) => add(failures, { role, peer, kind }, 1),
    ran(role, peer, duration) {
      add(runs, { role, peer }, 1);
      add(seconds, { role, peer }, duration);
    },
    siem(siem, { oldestPendingSecs, drift, ...counts }) {
      drifted.set({ siem }, drift);
      for (const [kind, count] of Object.entries(counts)) entries.set({ siem, kind }, count);
      oldest.set({ siem }, oldestPendingSecs);
    },
    state(role, name, state) {
      for (const one of STATES) states.set({ kind: role, name, state: one }, one === state ? 1 : 0);
    },
    toReview: (count) => review.set(count),
    holds(counts) {
      for (const [kind, count] of Object.entries(counts)) undecided.set({ kind }, count);
    },
    sightings({ hits: counted = 0, ...counts }) {
      hits.set(counted);
      for (const [kind, count] of Object.entries(counts)) sightings.set({ kind }, count);
    },
    expires(what, whose, role, peer, atMs) {
      ends ??= gauge('credential_expiry_timestamp_seconds', 'When a certificate or a token ends.', [
        'what',
        'whose',
        'role',
        'peer',
      ]);
      ends.set({ what, whose, role, peer }, atMs / 1000);
    },
    reloaded: (successful) => reload.set(successful ? 1 : 0),
    audit({ sound, records: count, signedAtMs }) {
      chain.set(sound ? 1 : 0);
      records.set(count);
      signed.set(signedAtMs / 1000);
    },
    succeeded: (role, peer, atMs) => success.set({ role, peer }, atMs / 1000),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
