// Commands that change something in the state: parked, backup.
import { existsSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { placeOf } from '../app/specs.ts';
import { ConnectorError } from '../core/model/failure.ts';
import { copyState } from '../core/store/state/open.ts';
import { stateFailure } from '../core/store/sql/state-failure.ts';
import type { Command } from './command.ts';
import { doing, usage } from './doing.ts';
import { DONE } from './exit.ts';
import { failedSightings } from './held-sightings.ts';
import { ownerAlone } from './owner-alone.ts';
import { act, withReader } from './state.ts';

/** Rows a list prints; `--json` gives the same. */
const MOST_ROWS = 1000;

export const parked: Command = {
  name: 'parked',
  summary: 'What a SIEM, the mapping or an exchange (a sighting of ours) refused for good.',
  usage: 'parked list | parked retry [ID]',
  example: 'entente parked list',
  mostArgs: 2,
  words: ['list', 'retry'],
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
      const found = withReader(config, (reader) => reader.parked(MOST_ROWS + 1));
      const rows = found.slice(0, MOST_ROWS);
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
      if (found.length > MOST_ROWS)
        out.note(`only the first ${MOST_ROWS.toLocaleString('en')} are shown; entente status counts them all`);
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
      ownerAlone();
      const fresh = !existsSync(file);
      try {
        copyState(placeOf(config), resolve(file));
      } catch (error) {
        // The error speaks of the file it could not write, which is not the state.
        const failed = stateFailure(error, resolve(file));
        if (failed === undefined) throw error;
        // Half of one would be taken for a backup, and an empty file even starts as a state.
        if (fresh && existsSync(file)) rmSync(file);
        const why = (failed.cause as Error).message;
        const where = why.includes(file) ? '' : `: ${file}`;
        throw new ConnectorError('permanent', `no backup was made: ${why}${where}`, { cause: error });
      }
      if (context.json) context.out.json({ file: resolve(file) });
      else context.out.line(`Copied the state to ${file}.`);
      return DONE;
    }),
};
