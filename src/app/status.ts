// The status report: states derived from outcomes, numbers from the store's tallies.
import type { Config } from '../core/config/load.ts';
import { readsHits } from '../core/config/release.ts';
import type { Deliverer } from '../core/delivery/deliverer.ts';
import type { Poller } from '../core/ingest/poller.ts';
import { type Condition, runbookOf } from '../core/model/condition.ts';
import {
  type CollectionReport,
  type ExchangeReport,
  type PartReport,
  type SiemReport,
  type State,
  type StatusReport,
  wholeCondition,
  worstState,
} from '../core/model/status.ts';
import { showingHidden, withoutHidden } from '../core/model/text.ts';
import type { SightingsReader } from '../core/store/read/sightings.ts';
import type { Reporting } from './reporting.ts';
import { fullness } from './fullness.ts';
import { neverBlockReport } from './never-block-report.ts';
import { idlePart, NOTHING_SENT, partReport } from './part-report.ts';
import type { KnownExpiry } from './expiries.ts';
import type { Work } from './work.ts';
import { waitingHolds, type WaitingHold } from './waiting-holds.ts';
import { freshHistory, type Health, healthOf, type HealthSettings, type History } from '../core/runtime/health.ts';
import type { StoreReader } from '../core/store/read/status.ts';
import type { ExchangeStatus, SiemStatus } from '../core/store/read/peers.ts';
import type { StoredScope } from '../core/store/rows/rows.ts';

/** What the report needs of a running daemon; a command beside it has only the reader. */
export interface StatusSource {
  readonly config: Config;
  readonly reader: StoreReader;
  readonly exchanges: ReadonlyMap<string, { readonly poller: Poller }>;
  readonly deliverers: ReadonlyMap<string, Deliverer>;
  readonly reporting?: Pick<Reporting, 'hitsReport' | 'sendReport'>;
  readonly sightings?: Pick<SightingsReader, 'counts' | 'sources' | 'waiting'>;
  now(): number;
  /** Why the clock is not believed. */
  readonly time?: { readonly doubt: string | undefined };
  /** Absent where no daemon does the work. */
  readonly work?: Pick<Work, 'nextPoll' | 'rhythm' | 'secsLeft'>;
  readonly expiries?: { of(role: 'exchange' | 'siem', name: string): readonly KnownExpiry[] };
}

const HOUR_MS = 3_600_000;

export function statusReport(source: StatusSource, version: string): StatusReport {
  const { config, reader } = source;
  const now = source.now();
  const holds = reader.held();
  const waiting = waitingHolds(config, holds, now);
  const exchangeRows = new Map(reader.exchanges().map((row) => [row.name, row]));
  const siemRows = new Map(reader.siems().map((row) => [row.name, row]));

  const exchanges = config.exchanges.map((exchange): ExchangeReport => {
    const row = exchangeRows.get(exchange.name);
    const poller = source.exchanges.get(exchange.name)?.poller;
    const history = known(poller?.history, row, now);
    const quiet = quietSince(row, exchange.quiet_after_hours, now);
    const scopes = poller === undefined || poller.scopes.all.length === 0 ? (row?.scopes ?? []) : poller.scopes.all;
    const odd = poller?.warning ?? noteOf(scopes);
    const told = quiet ?? (odd === undefined ? undefined : { since: now, reason: odd });
    const health = healthOf(
      history,
      { staleAfterMs: exchange.stale_after_minutes * 60_000, ...(exchange.enabled ? {} : { paused: 'disabled' }) },
      now,
    );
    const held = holds.filter((hold) => hold.exchange === exchange.name).reduce((sum, hold) => sum + hold.count, 0);
    return {
      name: exchange.name,
      type: exchange.type,
      ...peer(health, history, row),
      ...(health.state === 'ok' && told !== undefined
        ? { reason: told.reason, ...conditioned(quiet === undefined ? 'odd' : 'quiet') }
        : {}),
      objects: row?.objects ?? 0,
      indicators: row?.indicators ?? 0,
      refused: row?.refused ?? 0,
      parked: row?.unreadable ?? 0,
      held,
      cursor: row?.cursor ?? null,
      collections: scopes.map((one) => collection(one, exchange.stale_after_minutes * 60_000, now)),
      ignored: row?.ignored ?? {},
      ...rhythm(source.work, exchange, history.failure !== undefined),
      ...expiries(source, 'exchange', exchange.name),
      report: source.reporting?.sendReport(exchange.name) ?? storedSending(source, exchange),
      ...(exchange.definition.files === undefined
        ? {}
        : { files: exchange.definition.files(reader.cursor(exchange.name)) }),
    };
  });

  const siems = config.siems.map((siem): SiemReport => {
    const row = siemRows.get(siem.name);
    const history = known(source.deliverers.get(siem.name)?.history, row, now);
    const health = healthOf(history, siemSettings(config.instance, siem, row, waiting, now), now);
    const [hold] = waiting.filter((one) => one.siem === siem.name);
    return {
      name: siem.name,
      type: siem.type,
      ...peer(health, history, row),
      ...(health.state === 'ok' && hold !== undefined
        ? { reason: hold.reason, next_action: hold.nextAction, ...conditioned('hold-waits') }
        : {}),
      wanted: row?.wanted ?? 0,
      delivered: row?.delivered ?? 0,
      pending: row?.pending ?? 0,
      parked: row?.parked ?? 0,
      kept_out: row?.keptOut ?? 0,
      held: row?.held ?? 0,
      rejected: row?.rejected ?? 0,
      oldest_pending_secs:
        row?.oldestPending === undefined ? 0 : Math.max(0, Math.round((now - row.oldestPending) / 1000)),
      secs_left: source.work?.secsLeft(siem.name, row?.pending ?? 0) ?? null,
      drift: row?.drift ?? 0,
      ...expiries(source, 'siem', siem.name),
      hits: source.reporting?.hitsReport(siem.name) ?? storedReading(source, siem),
    };
  });

  const neverBlock = neverBlockReport(config, reader);
  const toReview = reader.toReview(now);
  const counts = source.sightings?.counts() ?? { hits: 0, held: 0, denied: 0, queued: 0, sent: 0, failed: 0 };
  const doubt = source.time?.doubt;
  const doubts =
    doubt === undefined
      ? []
      : [
          wholeCondition(
            'clock-doubted',
            `nothing expires: ${doubt}`,
            'correct the clock, or let an exchange confirm the time',
          ),
        ];
  const all = [...exchanges, ...siems];
  const wayBack = [
    ...exchanges.map((one) => ({ ...one.report, name: one.name })),
    ...siems.map((one) => ({ ...one.hits, name: one.name })),
  ].filter((one) => one.state !== 'paused');
  const parts = [...all, ...wayBack];
  const worst = worstState([...parts.map((one) => one.state), ...(doubt === undefined ? [] : (['failing'] as const))]);
  const state = worst === 'paused' && all.some((one) => one.state === 'ok') ? 'ok' : worst;
  return {
    instance: config.instance,
    version,
    state,
    since: sinceOf(
      state,
      parts.filter((one) => one.state === state),
      now,
    ),
    reasons: [
      ...doubts.map(({ reason, next_action: next }) => `${reason}; ${next}`),
      ...parts
        .filter((one) => one.state === 'failing' || one.state === 'recovering')
        .map((one) => named(one.name, one.reason ?? one.state)),
      // Told at once; those that are overdue are their SIEM's reason already.
      ...waiting.filter((one) => !one.overdue).map((one) => named(one.siem, one.reason)),
      ...(toReview === 0
        ? []
        : [
            `${toReview} value${toReview === 1 ? '' : 's'} called harmless ask${toReview === 1 ? 's' : ''} for another look: entente harmless list`,
          ]),
      ...[...exchangeRows.values()].flatMap(({ name, classified }) =>
        classified === 0
          ? []
          : [
              `${name}: ${classified} object${classified === 1 ? '' : 's'} came classified above policy.max_classification and ${classified === 1 ? 'is' : 'are'} kept out of every SIEM: tell whoever answers for this network (why VALUE names it)`,
            ],
      ),
      ...neverBlock.flatMap(({ list, problems, left_out: leftOut }) =>
        problems.length === 0
          ? []
          : [
              `never-block list ${list}: ${leftOut === 0 ? '' : `${leftOut} ${leftOut === 1 ? 'entry is' : 'entries are'} left out, as `}${problems[0]}`,
            ],
      ),
      ...(counts.held === 0 ? [] : [`${counts.held} sightings wait for a person: entente held list --kind sighting`]),
    ],
    conditions: doubts,
    exchanges,
    siems,
    sightings: counts,
    never_block: neverBlock,
    sweeps: reader.sweeps(),
  };
}

/** The whole is failing since its first part is; it is well since the last part is. */
function sinceOf(state: State, parts: readonly { readonly since?: string }[], now: number): string {
  const times = parts.flatMap((one) => one.since ?? []).sort();
  return times.at(state === 'ok' || state === 'paused' ? -1 : 0) ?? new Date(now).toISOString();
}

/** What this run learnt, and before that what the last one left. */
function known(history: History | undefined, row: Stored | undefined, now: number): History {
  if (history === undefined) return storedHistory(row, now);
  const tried = history.lastSuccess !== undefined || history.lastFailure !== undefined;
  if (tried || row === undefined || (row.lastSuccess === undefined && row.lastFailure === undefined)) return history;
  return storedHistory(row, now);
}

/** Most reasons begin with the name of the peer already. */
function named(name: string, reason: string): string {
  const begins = [`${name}:`, `exchange ${name}`, `SIEM ${name}`].some((start) => reason.startsWith(start));
  return begins ? reason : `${name}: ${reason}`;
}

function siemSettings(
  instance: string,
  siem: Config['siems'][number],
  row: SiemStatus | undefined,
  holds: readonly WaitingHold[],
  now: number,
): HealthSettings {
  const overdue = holds.find((hold) => hold.siem === siem.name && hold.overdue);
  const full = fullness(instance, siem, row, now);
  return {
    ...(full === undefined ? {} : { waiting: full }),
    staleAfterMs: siem.stale_after_minutes * 60_000,
    ...(siem.enabled ? {} : { paused: 'disabled' }),
    ...(siem.enabled && siem.mode === 'shadow' ? { paused: 'shadow mode: plans and writes nothing' } : {}),
    ...(overdue === undefined
      ? {}
      : {
          waiting: {
            condition: 'hold-overdue' as const,
            reason: overdue.reason,
            since: overdue.since,
            nextAction: overdue.nextAction,
          },
        }),
  };
}

type Stored = Pick<SiemStatus, 'lastSuccess' | 'lastFailure' | 'failingSince' | 'failure'>;

function storedHistory(row: Stored | undefined, now: number): History {
  if (row === undefined) return freshHistory(now);
  return {
    since: row.failingSince ?? row.lastSuccess ?? now,
    ...(row.lastSuccess === undefined ? {} : { lastSuccess: row.lastSuccess }),
    ...(row.lastFailure === undefined ? {} : { lastFailure: row.lastFailure }),
    ...(row.failure === undefined ? {} : { failure: row.failure, failingFrom: row.failingSince ?? now }),
  };
}

/** Without a daemon: as the last reading left it. */
function storedReading(source: StatusSource, siem: Config['siems'][number]): PartReport {
  if (!readsHits(source.config, siem)) return idlePart('no hits are read');
  const row = source.sightings?.sources().find((one) => one.siem === siem.name);
  if (row?.idle !== undefined && row.failure === undefined) return idlePart(row.idle);
  const history = row === undefined ? undefined : storedHistory(row, source.now());
  return partReport(history, siem.stale_after_minutes, source.now(), 'no hits were read yet');
}

/** Without a daemon: what was tried in vain still waits. */
function storedSending(source: StatusSource, exchange: Config['exchanges'][number]): PartReport {
  if (!exchange.reports || !exchange.enabled) return idlePart('no sightings are reported');
  const waiting = source.sightings?.waiting(exchange.name) ?? 0;
  const { sent, failed } = source.sightings?.counts() ?? { sent: 0, failed: 0 };
  if (waiting === 0 && sent + failed === 0) return idlePart(NOTHING_SENT);
  if (waiting === 0) return { state: 'ok', ...conditioned('well'), reason: null };
  return {
    state: 'recovering',
    ...conditioned('unreachable'),
    reason: `${waiting} sightings were not taken yet and wait for another attempt`,
  };
}

function quietSince(
  row: ExchangeStatus | undefined,
  hours: number | undefined,
  now: number,
): { since: number; reason: string } | undefined {
  if (hours === undefined || row?.lastNew === undefined || now - row.lastNew < hours * HOUR_MS) return undefined;
  return {
    since: row.lastNew,
    reason: `nothing new was published for ${Math.round((now - row.lastNew) / HOUR_MS)} hours`,
  };
}

function rhythm(work: StatusSource['work'], { name, enabled }: Config['exchanges'][number], failing: boolean) {
  const found = enabled ? work?.rhythm(name, failing) : undefined;
  return {
    next_poll: iso(enabled ? work?.nextPoll(name) : undefined),
    poll_every_secs: found?.everyMs === undefined ? null : Math.round(found.everyMs / 1000),
    polls_late: found?.late ?? 0,
  };
}

function expiries({ expiries: known }: StatusSource, role: 'exchange' | 'siem', name: string) {
  const iso8601 = (at: number) => new Date(Math.min(at, 8.64e15)).toISOString();
  return known === undefined ? {} : { expires: known.of(role, name).map((one) => ({ ...one, at: iso8601(one.at) })) };
}

const conditioned = (condition: Condition) => ({ condition, runbook: runbookOf(condition) });

function peer(health: Health, history: History, row: ExchangeStatus | SiemStatus | undefined) {
  return {
    state: health.state,
    condition: health.condition,
    runbook: runbookOf(health.condition),
    since: new Date(health.since).toISOString(),
    reason: health.reason,
    next_action: health.nextAction,
    last_success: iso(history.lastSuccess ?? row?.lastSuccess),
    last_failure: iso(history.lastFailure ?? row?.lastFailure),
    next_attempt: iso(history.failure === undefined ? undefined : history.nextAttempt),
  };
}

function collection({ scope, title, history, note }: StoredScope, staleAfterMs: number, now: number): CollectionReport {
  const health = healthOf(history, { staleAfterMs }, now);
  const { reason, ...rest } = peer(health, history, undefined);
  return { id: showingHidden(scope), title: withoutHidden(title), ...rest, reason: reason ?? note ?? null };
}

function noteOf(scopes: readonly Pick<StoredScope, 'title' | 'note'>[]): string | undefined {
  const [first] = scopes.flatMap(({ title, note }) => (note === undefined ? [] : [`${title}: ${note}`]));
  return first;
}

const iso = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString());
