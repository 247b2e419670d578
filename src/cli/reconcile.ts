// Commands about what a SIEM really holds of ours: reconcile and purge.
import type { RequestArguments } from '../app/requests.ts';
import type { Command } from './command.ts';
import { doing, unknownName, usage } from './doing.ts';
import { DONE, LEFT } from './exit.ts';
import { act } from './state.ts';

export const reconcile: Command = {
  name: 'reconcile',
  summary: 'Compares wanted, ledger and what each SIEM really holds; --repair puts it right.',
  usage: 'reconcile [--siem NAME] [--repair]',
  example: 'entente reconcile --siem elastic-hq --repair',
  flags: {
    siem: { type: 'string', value: 'NAME', help: 'Only this SIEM.' },
    repair: { type: 'boolean', help: 'Write what is missing, remove what is orphaned; our own entries only.' },
  },
  run: (context) =>
    doing(
      context,
      async (config) => {
        const { flags, out, json } = context;
        const unknown = unknownName('SIEM', flags['siem'], config.siems);
        if (unknown !== undefined) return usage(context, unknown);
        const args: RequestArguments = {
          kind: 'reconcile',
          repair: flags['repair'] === true,
          ...(typeof flags['siem'] === 'string' ? { siem: flags['siem'] } : {}),
        };
        // The shape is made by app/requests.ts in this same version.
        const answer = (await act(context, config, args)) as unknown as {
          siems: {
            name: string;
            wanted: number;
            pending: number;
            present: number;
            foreign: number | null;
            counts: Record<string, number>;
          }[];
        };
        if (json) out.json({ siems: answer.siems.map(({ counts: _counts, ...rest }) => rest) });
        else
          out.table(
            ['SIEM', 'WANTED', 'PENDING', 'PRESENT', 'MISSING', 'STALE', 'ORPHANED', 'FOREIGN'],
            answer.siems.map((one) => [
              one.name,
              String(one.wanted),
              String(one.pending),
              String(one.present),
              String(one.counts['missing'] ?? 0),
              String(one.counts['stale'] ?? 0),
              String(one.counts['orphaned'] ?? 0),
              one.foreign === null ? '?' : String(one.foreign),
            ]),
          );
        if (args.kind === 'reconcile' && args.repair && answer.siems.some((one) => (one.counts['orphaned'] ?? 0) > 0))
          out.note(
            'Orphaned entries are removed once every exchange has been polled to its end: entente run does both.',
          );
        const drift = answer.siems.some((one) => Object.values(one.counts).some((n) => n > 0));
        return drift ? LEFT : DONE;
      },
      'peers',
    ),
};

export const purge: Command = {
  name: 'purge',
  summary: 'Removes everything that carries our mark from a SIEM; without --yes only says what.',
  usage: 'purge --siem NAME [--yes]',
  example: 'entente purge --siem elastic-lab --yes',
  flags: {
    siem: { type: 'string', value: 'NAME', help: 'The SIEM; it must be disabled or in shadow mode.' },
    yes: { type: 'boolean', help: 'Really remove.' },
  },
  run: (context) =>
    doing(
      context,
      async (config) => {
        const { flags, out, json } = context;
        const siem = flags['siem'];
        if (typeof siem !== 'string') return usage(context, 'purge needs --siem NAME');
        const unknown = unknownName('SIEM', siem, config.siems);
        if (unknown !== undefined) return usage(context, unknown);
        if (flags['yes'] !== true) {
          const answer = (await act(context, config, { kind: 'reconcile', siem, repair: false })) as unknown as {
            siems: { present: number }[];
          };
          const present = answer.siems[0]?.present ?? 0;
          if (json) out.json({ would_remove: present });
          else
            out.line(
              `${present} entries of ${config.instance} stand in ${siem}; purge --siem ${siem} --yes removes them.`,
            );
          return DONE;
        }
        const answer = (await act(context, config, { kind: 'purge', siem })) as unknown as {
          removed: number;
          control_records: number;
          stays: string[];
        };
        if (json) out.json(answer);
        else {
          out.line(`Removed ${answer.removed} entries from ${siem}.`);
          out.note(
            `Removed ${answer.control_records} control records. On purpose stays: ${answer.stays.join('; ') || 'nothing'}.`,
          );
        }
        return DONE;
      },
      'peers',
    ),
};
