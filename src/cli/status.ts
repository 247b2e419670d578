// The command `status`, and its report for people.
import { statusReport } from '../app/status.ts';
import type { Config } from '../core/config/load.ts';
import { ConnectorError } from '../core/model/failure.ts';
import type { CollectionReport, PartReport, State, StatusReport } from '../core/model/status.ts';
import { placeOf } from '../app/specs.ts';
import { holderOf, StateAway } from '../core/store/state/open.ts';
import { stateConfigOf } from './config-of.ts';
import type { Command, Context } from './command.ts';
import { DONE, LEFT, USAGE } from './exit.ts';
import { statusOfDaemon } from './daemon-status.ts';
import { type Output, timeText, when } from './output.ts';
import { clockOf, mayRead, readerOf, sightingsOf } from './state.ts';

export const status: Command = {
  name: 'status',
  summary: 'State, counts and next action of every exchange and SIEM.',
  usage: 'status [--json]',
  example: 'entente status',
  flags: {},
  async run(context) {
    const config = stateConfigOf(context);
    if (config === undefined) return USAGE;
    const found = holding(config);
    const holder = 'away' in found ? undefined : found.holder;
    const told = 'away' in found || holder !== undefined ? await statusOfDaemon(config) : undefined;
    // The daemon that waits for it says more than that it is away.
    if ('away' in found && told === undefined) throw found.away;
    const silence = told === undefined ? silenceOf(holder) : undefined;
    const report = told ?? storedStatus(context, config);
    if (report === undefined) {
      context.out.note(`there is no state at ${config.state} yet; start with: entente run`);
      return LEFT;
    }
    const whole = silence === undefined ? report : { ...report, reasons: [silence, ...report.reasons] };
    if (silence !== undefined) context.out.note(`${silence[0]!.toUpperCase()}${silence.slice(1)}.`);
    if (context.json) context.out.json(whole);
    else printStatus(context.out, report, silence === undefined);
    return silence === undefined && report.state !== 'failing' ? DONE : LEFT;
  },
};

function holding(config: Config): { readonly holder: string | undefined } | { readonly away: Error } {
  try {
    mayRead(config);
    return { holder: holderOf(placeOf(config)) };
  } catch (error) {
    if (error instanceof StateAway || error instanceof ConnectorError) return { away: error };
    throw error;
  }
}

/** Why what follows is only what the last run left. */
const silenceOf = (holder: string | undefined): string =>
  holder === undefined
    ? 'no daemon runs on this state; this is how the last run left it'
    : `no daemon answers; the state is held by ${holder}, and this is what stands in it`;

function storedStatus({ parts }: Context, config: Config): StatusReport | undefined {
  const reader = readerOf(config);
  if (reader === undefined) return undefined;
  const sightings = sightingsOf(config);
  try {
    const clock = clockOf(config);
    const source = { config, reader, exchanges: new Map(), deliverers: new Map(), now: () => clock.now() };
    return statusReport(sightings === undefined ? source : { ...source, sightings }, parts.version);
  } finally {
    sightings?.close();
    reader.close();
  }
}

const COLOURS = { ok: 'green', paused: 'dim', recovering: 'yellow', failing: 'red' } as const;
const word = (out: Output, state: State): string => out.colour(state, COLOURS[state]);

export function printStatus(out: Output, report: StatusReport, living = true): void {
  const state = `${word(out, report.state)} since ${when(report.since)}`;
  out.line(`${report.instance}: ${living ? state : `no daemon answers; last known: ${state}`}`);
  for (const reason of report.reasons) out.line(`  ${reason}`);
  out.line('');
  out.table(
    ['EXCHANGE', 'STATE', 'SINCE', 'INDICATORS', 'REFUSED', 'UNREADABLE', 'LAST SUCCESS', 'NEXT'],
    report.exchanges.map((one) => [
      one.name,
      word(out, one.state),
      when(one.since),
      String(one.indicators),
      String(one.refused),
      String(one.parked),
      when(one.last_success) ?? 'never',
      when(one.next_attempt ?? one.next_poll) ?? '',
    ]),
  );
  const files = report.exchanges.flatMap(({ name, files: counts }) => (counts === undefined ? [] : [{ name, counts }]));
  if (files.length > 0) {
    out.line('');
    out.table(
      ['FILES OF', 'ACCEPTED', 'REFUSED', 'WAITING'],
      files.map(({ name, counts }) => [name, String(counts.accepted), String(counts.refused), String(counts.waiting)]),
    );
  }
  const collections = report.exchanges.flatMap(({ name, collections: all }) =>
    showsEach(all) ? all.map((one) => ({ name, one })) : [],
  );
  if (collections.length > 0) {
    out.line('');
    out.table(
      ['COLLECTION', 'OF', 'STATE', 'SINCE', 'LAST SUCCESS', 'NEXT', 'REASON'],
      collections.map(({ name, one }) => [
        one.title,
        name,
        word(out, one.state),
        when(one.since) ?? '',
        when(one.last_success) ?? 'never',
        when(one.next_attempt) ?? '',
        one.reason ?? '',
      ]),
    );
  }
  out.line('');
  out.table(
    ['SIEM', 'STATE', 'SINCE', 'WANTED', 'DELIVERED', 'PENDING', 'OLDEST', 'PARKED', 'HELD', 'LAST SUCCESS', 'NEXT'],
    report.siems.map((one) => [
      one.name,
      word(out, one.state),
      when(one.since),
      String(one.wanted),
      String(one.delivered),
      String(one.pending),
      one.pending === 0 ? '' : timeText(one.oldest_pending_secs),
      String(one.parked),
      String(one.held),
      when(one.last_success) ?? 'never',
      one.next_attempt !== null
        ? when(one.next_attempt)
        : (one.secs_left ?? 0) > 0
          ? `${timeText(one.secs_left!)} left`
          : '',
    ]),
  );
  out.line('');
  out.table(
    ['WAY BACK', 'STATE', 'SINCE', 'LAST SUCCESS', 'REASON'],
    waysBack(report).map(({ name, part }) => [
      name,
      word(out, part.state),
      when(part.since) ?? '',
      when(part.last_success) ?? '',
      part.reason ?? '',
    ]),
  );
  const { hits, held, denied, queued, sent, failed } = report.sightings;
  out.line(
    `\nSightings: ${hits} hits; ${sent} sent, ${queued} queued, ${held} held, ${denied} denied, ${failed} refused`,
  );
  const met = report.never_block.filter((one) => one.refused + one.noted > 0);
  if (met.length > 0) {
    out.line('');
    out.table(
      ['NEVER-BLOCK LIST', 'ACTION', 'REFUSED', 'NOTED'],
      met.map((one) => [one.list, one.action, String(one.refused), String(one.noted)]),
    );
  }
  for (const { kind, of, done } of report.sweeps)
    out.line(`Under way: ${kind}${of === null ? '' : ` of ${of}`}, ${done} rows so far`);
  for (const { reason, next_action: action, runbook } of report.conditions ?? [])
    out.line(`\nNext, for the daemon: ${action} (${reason})${runbook === null ? '' : `\n  ${runbook}`}`);
  const next = [
    ...[...report.exchanges, ...report.siems].map((one) => ({
      name: one.name,
      action: one.next_action,
      at: one.runbook,
    })),
    ...waysBack(report).map(({ name, part }) => ({ name, action: part.next_action ?? null, at: part.runbook })),
  ];
  for (const { name, action, at } of next)
    if (action !== null) out.line(`\nNext, for ${name}: ${action}${at == null ? '' : `\n  ${at}`}`);
}

/** One that is well says no more than its exchange. */
const showsEach = (all: readonly CollectionReport[]): boolean =>
  all.length > 1 || all.some((one) => one.reason !== null);

/** Hits and reports have rows of their own: a SIEM may take entries and refuse its hits. */
function waysBack({ siems, exchanges }: StatusReport): { name: string; part: PartReport }[] {
  return [
    ...siems.map((one) => ({ name: `hits of ${one.name}`, part: one.hits })),
    ...exchanges.map((one) => ({ name: `reports to ${one.name}`, part: one.report })),
  ];
}
