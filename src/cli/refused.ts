// The command `refused`: objects of the partners that are kept out, page by page, with what they are and why: those that
// cannot be armed, and those that the rules of a SIEM keep out.
import { storeSpec } from '../app/specs.ts';
import { systemClock } from '../core/runtime/clock.ts';
import { inTurns } from '../core/runtime/in-turns.ts';
import { ConnectorError } from '../core/model/failure.ts';
import { type RefusedObject, RefusedReader } from '../core/store/read/refused.ts';
import type { Command } from './command.ts';
import { doing, unknownName, usage } from './doing.ts';
import { DONE } from './exit.ts';
import { hasStateOf } from './state.ts';

export const refused: Command = {
  name: 'refused',
  summary: 'Objects of the partners that are kept out: id, name, pattern and reason.',
  usage: 'refused list [--exchange NAME] [--reason REASON] [--json]',
  example: 'entente refused list --exchange cert-eu --reason pattern_type_sigma',
  mostArgs: 1,
  words: ['list'],
  flags: {
    exchange: { type: 'string', value: 'NAME', help: 'Only objects of this exchange.' },
    reason: { type: 'string', value: 'REASON', help: 'Only this reason: its code, or words of it.' },
  },
  run: (context) =>
    doing(context, async (config) => {
      const { args, flags, out, json } = context;
      if (args[0] !== undefined && args[0] !== 'list')
        return usage(context, `refused ${args[0]} is no command; there is list`);
      if (!hasStateOf(config))
        throw new ConnectorError('permanent', `there is no state at ${config.state} yet; start with: entente run`);
      const reason = typeof flags['reason'] === 'string' ? flags['reason'].toLowerCase() : undefined;
      const reader = new RefusedReader(storeSpec(config));
      // In turns: a reader that went away (`| head`) is heard of between two.
      function* listing(): Generator<undefined, number> {
        let shown = 0;
        for (const one of everyOne(reader)) {
          yield;
          if (flags['exchange'] !== undefined && one.exchange !== flags['exchange']) continue;
          if (reason !== undefined && one.code !== reason && !one.reason.toLowerCase().includes(reason)) continue;
          shown++;
          if (json) out.json(one);
          else {
            out.line(`${one.exchange}: ${one.object_id}  ${one.name ?? ''}`);
            out.line(`  ${one.code}: ${one.reason}`);
            if (one.pattern !== null) out.line(`  ${one.pattern}`);
            if (one.siems !== undefined)
              out.line(`  kept out of ${one.siems.join(', ')}: ${one.values?.join(', ') ?? ''}`);
          }
        }
        return shown;
      }
      try {
        const shown = await inTurns(listing(), systemClock);
        const unknown = shown === 0 ? unknownName('exchange', flags['exchange'], config.exchanges) : undefined;
        if (unknown !== undefined) return usage(context, unknown);
        if (shown === 0 && !json) {
          const any = everyOne(reader).next().done !== true;
          out.line(any ? 'Nothing that fits is refused.' : 'Nothing is refused.');
        }
        return DONE;
      } finally {
        reader.close();
      }
    }),
};

/** What nobody could hold, and what the rules of a SIEM keep out of it. */
function* everyOne(reader: RefusedReader): Generator<RefusedObject> {
  yield* reader.all();
  yield* reader.byPolicy();
}
