// Commands that change something in the state: held, parked, backup.
import { resolve } from 'node:path';
import { ConnectorError } from '../core/model/failure.ts';
import { backup as copyState, Database } from '../core/store/database.ts';
import { stateFailure } from '../core/store/state-failure.ts';
import type { Command } from './command.ts';
import { BY, doing, usage } from './doing.ts';
import { DONE } from './exit.ts';
import { decideSightings, failedSightings, heldSightings, isSightingId, showSighting } from './held-sightings.ts';
import { when } from './output.ts';
import { act, caller, withReader } from './state.ts';

const HELD_KINDS = ['removal', 'addition', 'sighting'] as const;
/** Rows a list prints; `--json` gives the same. */
const MOST_ROWS = 1000;

export const held: Command = {
  name: 'held',
  summary: 'What waits for a person: mass removals and additions, and sightings.',
  usage:
    'held list | held show ID | held approve ID | held reject ID  [--reason TEXT] [--by NAME] [--exchange X] [--kind K]',
  example: 'entente held approve 3 --reason "confirmed with the partner by phone"',
  mostArgs: 2,
  flags: {
    ...BY,
    exchange: { type: 'string', value: 'NAME', help: 'Only holds of this exchange.' },
    kind: { type: 'string', value: 'KIND', help: `Only this kind: ${HELD_KINDS.join(', ')}.` },
  },
  run: (context) =>
    doing(context, async (config) => {
      const { args, flags, out, json } = context;
      const [verb = 'list', idText] = args;
      const { kind } = flags;
      // A name of the public interface; a claim that intake holds is shown by why.
      if (kind === 'intake') return usage(context, 'not yet: --kind intake comes with a later release; why shows them');
      if (kind !== undefined && !HELD_KINDS.some((one) => one === kind))
        return usage(context, `--kind ${String(kind)} is none; there is ${HELD_KINDS.join(', ')}`);
      const sets = withReader(config, (reader) => reader.held()).filter(
        (one) =>
          (flags['exchange'] === undefined || one.exchange === flags['exchange']) &&
          (kind === undefined || one.kind === kind) &&
          (idText === undefined || String(one.id) === idText),
      );
      const sightings = heldSightings(context, config, idText);
      switch (verb) {
        case 'list':
          if (json) out.json({ held: [...sets, ...sightings] });
          else if (sets.length + sightings.length === 0) out.line('Nothing waits for a person.');
          else
            out.table(
              ['ID', 'KIND', 'SIEM', 'EXCHANGE', 'ENTRIES', 'SINCE', 'WHY'],
              sets
                .map((one) => [
                  String(one.id),
                  one.kind,
                  one.siem,
                  one.exchange,
                  String(one.count),
                  when(one.created),
                  one.reason,
                ])
                .concat(
                  sightings.map((one) => [
                    one.id,
                    one.kind,
                    '',
                    one.exchange,
                    String(one.count),
                    when(one.since),
                    one.reason,
                  ]),
                ),
            );
          return DONE;
        case 'show': {
          if (idText === undefined) return usage(context, 'held show needs an ID; see held list');
          if (isSightingId(idText)) {
            showSighting(context, config, idText);
            return DONE;
          }
          const [set] = sets;
          if (set === undefined)
            throw new ConnectorError('permanent', `nothing is held under ${idText}; see entente held list`);
          const entries = withReader(config, (reader) => [...reader.heldEntries(set.id)]);
          if (json) out.json({ ...set, shown: entries });
          else {
            out.line(`${set.kind} of ${set.count} entries at ${set.siem}: ${set.reason}`);
            for (const one of entries) out.line(`  ${one.value}  (${one.type})`);
            if (entries.length < set.count) out.line(`  and ${set.count - entries.length} more`);
          }
          return DONE;
        }
        case 'approve':
        case 'reject': {
          if (idText === undefined && flags['exchange'] === undefined && flags['kind'] === undefined) {
            return usage(context, `held ${verb} needs an ID, or --exchange or --kind for all of them`);
          }
          const decided: string[] = await decideSightings(context, config, verb, sightings);
          if (sets.length === 0 && sightings.length === 0)
            throw new ConnectorError('permanent', 'nothing that fits is waiting; see entente held list');
          for (const set of sets) {
            await act(context, config, {
              kind: 'decide',
              id: set.id,
              decision: verb,
              digest: set.set,
              by: caller(context),
              reason: typeof flags['reason'] === 'string' ? flags['reason'] : '',
            });
            decided.push(String(set.id));
            if (json) continue;
            out.line(
              `${verb === 'approve' ? 'Approved' : 'Rejected'} ${set.id}: ${set.kind} of ${set.count} entries at ${set.siem}.`,
            );
          }
          if (json) out.json({ decision: verb, decided });
          return DONE;
        }
        default:
          return usage(context, `held ${verb} is no command; there is list, show, approve, reject`);
      }
    }),
};

export const parked: Command = {
  name: 'parked',
  summary: 'What a SIEM, the mapping or an exchange (a sighting of ours) refused for good.',
  usage: 'parked list | parked retry [ID]',
  example: 'entente parked list',
  mostArgs: 2,
  flags: {},
  run: (context) =>
    doing(context, async (config) => {
      const { args, out, json } = context;
      const [verb = 'list', id] = args;
      if (verb === 'retry') {
        const answer = await act(context, config, { kind: 'retry-parked', ...(id === undefined ? {} : { id }) });
        if (json) out.json(answer);
        else {
          // The shape is made by app/requests.ts in this same version.
          const { entries, sightings: sent } = answer as { entries: number; sightings: number };
          out.line(
            entries + sent === 0 ? 'Nothing is parked.' : `${entries + sent} are tried again at the next cycle.`,
          );
        }
        return DONE;
      }
      if (verb !== 'list') return usage(context, `parked ${verb} is no command; there is list and retry`);
      const rows = withReader(config, (reader) => reader.parked(MOST_ROWS));
      const sightings = failedSightings(config);
      if (json) out.json({ parked: rows, sightings });
      else if (rows.length + sightings.length === 0) out.line('Nothing is parked.');
      else
        out.table(
          ['ID', 'AT', 'VALUE', 'TYPE', 'REASON'],
          rows
            .map((row) => [row.id, row.siem, row.value, row.type, row.reason])
            .concat(sightings.map((one) => [one.id, one.exchange, one.object_id, 'sighting', one.reason])),
        );
      return DONE;
    }),
};

export const backup: Command = {
  name: 'backup',
  summary: 'A consistent copy of the state while running.',
  usage: 'backup FILE',
  example: 'entente backup /var/backups/entente.db',
  mostArgs: 1,
  flags: {},
  run: (context) =>
    doing(context, async (config) => {
      const [file] = context.args;
      if (file === undefined) return usage(context, 'backup needs a FILE');
      withReader(config, () => undefined);
      // It holds what the partner marked, so it is the owner's alone, as the state is.
      process.umask(0o077);
      const db = new Database(config.state, { readOnly: true });
      try {
        copyState(db, resolve(file));
      } catch (error) {
        // The error speaks of the file it could not write, which is not the state.
        const failed = stateFailure(error, resolve(file));
        if (failed === undefined) throw error;
        throw new ConnectorError('permanent', `no backup was made: ${(failed.cause as Error).message}`, {
          cause: error,
        });
      } finally {
        db.close();
      }
      if (context.json) context.out.json({ file: resolve(file) });
      else context.out.line(`Copied the state to ${file}.`);
      return DONE;
    }),
};
