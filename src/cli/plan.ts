// `plan`: what a run would do, worked out on a copy of the state that is thrown away.
import { join } from 'node:path';
import { App } from '../app.ts';
import { listOut } from '../app/once.ts';
import { placeOf, storeSpec } from '../app/specs.ts';
import { copyState } from '../core/store/state/open.ts';
import { claimSummary } from '../core/store/read/summary.ts';
import type { Config } from '../core/config/load.ts';
import { configOf } from './config-of.ts';
import type { Command, Context } from './command.ts';
import { DONE, LEFT, USAGE } from './exit.ts';
import { commandLog } from './command-log.ts';
import { interruptedBy } from './doing.ts';
import { hasStateOf } from './state.ts';
import { inTemporary } from './writing.ts';

const MOST_LISTED = 10_000;

export const plan: Command = {
  name: 'plan',
  summary: 'What run --once would add, change, remove, hold and refuse per SIEM, with reasons. Writes nothing.',
  usage: 'plan [--offline] [--list]',
  example: 'entente plan --json',
  flags: {
    offline: { type: 'boolean', help: 'From the stored state alone, without polling.' },
    list: { type: 'boolean', help: 'Also each entry.' },
  },
  async run(context) {
    const config = configOf(context);
    if (config === undefined) return USAGE;
    return inTemporary('plan', (folder) => planned(context, config, join(folder, 'plan.db')), config.state);
  },
};

async function planned(context: Context, config: Config, state: string): Promise<number> {
  const { flags, out, json, signal } = context;
  // What the copy warns of, as a hold that is never to be, is told by the plan itself.
  const log = commandLog(config, 'error');
  try {
    if (hasStateOf(config)) copyState(placeOf(config), state);
    const app = await App.open({ config, log, version: context.parts.version, state });
    try {
      const silent: string[] = [];
      const cut: string[] = [];
      if (flags['offline'] !== true) {
        for (const { poller } of app.exchanges.values()) {
          const fromNothing = (await app.store.cursor(poller.name)) === undefined;
          await poller.poll(signal);
          if (poller.failure !== undefined) silent.push(poller.failure.message);
          else if (!fromNothing) await listOut(app, poller, undefined, signal);
        }
      }
      await app.tick(signal);
      interruptedBy(signal);
      const spec = storeSpec(config, state);
      const siems = [];
      for (const siem of spec.siems) {
        // Taking the work out in batches on the copy shows what the mapping refuses.
        while (
          (await app.store.takeBatch(siem.name, { maxItems: 5000, maxBytes: 64_000_000 }, app.now())) !== undefined
        );
        const { parked, byType, ...counts } = app.reader.plan(siem.name);
        const { refused } = claimSummary(spec, siem.name, app.now());
        for (const [reason, n] of Object.entries(parked)) refused[reason] = (refused[reason] ?? 0) + n;
        const entries = flags['list'] === true ? app.reader.planned(siem.name, MOST_LISTED + 1) : [];
        if (entries.length > MOST_LISTED) cut.push(siem.name);
        siems.push({
          name: siem.name,
          ...counts,
          refused,
          by_type: byType,
          ...(flags['list'] === true ? { entries: entries.slice(0, MOST_LISTED) } : {}),
        });
      }
      if (json) out.json({ siems });
      else
        for (const siem of siems) {
          out.line(out.colour(siem.name, 'bold'));
          out.table(
            ['ADD', 'CHANGE', 'REMOVE', 'HELD'],
            [[String(siem.add), String(siem.change), String(siem.remove), String(siem.held)]],
          );
          for (const line of refusedLines(siem.refused)) out.line(`  ${line}`);
          for (const entry of siem.entries ?? []) out.line(`  ${entry.op}  ${entry.value}  (${entry.type})`);
        }
      for (const name of cut) out.note(`${name}: only the first ${MOST_LISTED.toLocaleString('en')} are listed`);
      for (const one of silent) out.note(`not polled: ${one}`);
      return silent.length === 0 ? DONE : LEFT;
    } finally {
      await app.close();
    }
  } finally {
    await log.close();
  }
}

const MOST_REASONS = 12;

/** Reasons that differ by a value or a number alone are one to a person; --json has them apart. */
export function refusedLines(refused: Readonly<Record<string, number>>, where = 'entente plan --json'): string[] {
  const kinds = new Map<string, number>();
  for (const [reason, n] of Object.entries(refused)) {
    const kind = reason.replace(/^\S+ (?=.*\(never-block list )/, '… ').replace(/\bconfidence \d+/, 'confidence …');
    kinds.set(kind, (kinds.get(kind) ?? 0) + n);
  }
  const sorted = [...kinds].sort((a, b) => b[1] - a[1]);
  const rest = sorted.slice(MOST_REASONS);
  return [
    ...sorted.slice(0, MOST_REASONS).map(([reason, n]) => `refused ${n}: ${reason}`),
    ...(rest.length === 0
      ? []
      : [
          `refused ${rest.reduce((sum, [, n]) => sum + n, 0)} for ${rest.length === 1 ? 'another reason' : `${rest.length} other reasons`}: ${where}`,
        ]),
  ];
}
