// The command `status`, and its report for people.
import { statusReport } from '../app/status.ts';
import type { StatusReport } from '../core/model/status.ts';
import { holderOf } from '../core/store/database.ts';
import { configOf } from './cli.ts';
import type { Command } from './command.ts';
import { DONE, LEFT, USAGE } from './exit.ts';
import { statusOfDaemon } from './daemon-status.ts';
import { type Output, when } from './output.ts';
import { clockOf, readerOf, sightingsOf } from './state.ts';

export const status: Command = {
  name: 'status',
  summary: 'State, counts and next action of every exchange and SIEM.',
  usage: 'status [--json]',
  example: 'entente status',
  flags: {},
  async run(context) {
    const config = configOf(context);
    if (config === undefined) return USAGE;
    const reader = readerOf(config);
    if (reader === undefined) {
      context.out.note(`there is no state at ${config.state} yet; start with: entente run`);
      return LEFT;
    }
    const sightings = sightingsOf(config);
    try {
      const clock = clockOf(config);
      const holder = holderOf(config.state);
      const report =
        (holder === undefined ? undefined : await statusOfDaemon(config)) ??
        statusReport(
          {
            config,
            reader,
            exchanges: new Map(),
            deliverers: new Map(),
            now: () => clock.now(),
            ...(sightings === undefined ? {} : { sightings }),
          },
          context.parts.version,
        );
      if (holder === undefined) context.out.note('No daemon runs on this state; this is how the last run left it.');
      if (context.json) context.out.json(report);
      else printStatus(context.out, report);
      return DONE;
    } finally {
      sightings?.close();
      reader.close();
    }
  },
};

const COLOURS = { ok: 'green', paused: 'dim', recovering: 'yellow', failing: 'red' } as const;

export function printStatus(out: Output, report: StatusReport): void {
  out.line(`${report.instance}: ${out.colour(report.state, COLOURS[report.state])}`);
  for (const reason of report.reasons) out.line(`  ${reason}`);
  out.line('');
  out.table(
    ['EXCHANGE', 'STATE', 'INDICATORS', 'REFUSED', 'UNREADABLE', 'LAST SUCCESS'],
    report.exchanges.map((one) => [
      one.name,
      one.state,
      String(one.indicators),
      String(one.refused),
      String(one.parked),
      when(one.last_success) ?? 'never',
    ]),
  );
  out.line('');
  out.table(
    ['SIEM', 'STATE', 'WANTED', 'DELIVERED', 'PENDING', 'PARKED', 'HELD', 'LAST SUCCESS'],
    report.siems.map((one) => [
      one.name,
      one.state,
      String(one.wanted),
      String(one.delivered),
      String(one.pending),
      String(one.parked),
      String(one.held),
      when(one.last_success) ?? 'never',
    ]),
  );
  const { hits, held, denied, queued, sent, failed } = report.sightings;
  out.line(
    `\nSightings: ${hits} hits; ${sent} sent, ${queued} queued, ${held} held, ${denied} denied, ${failed} refused`,
  );
  for (const one of [...report.exchanges, ...report.siems])
    if (one.next_action !== null) out.line(`\nNext, for ${one.name}: ${one.next_action}`);
}
