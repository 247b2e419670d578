// `state copy`: the state moved to another database, while the daemon stands.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { placeOf } from '../app/specs.ts';
import { placeGiven } from '../core/config/state-place.ts';
import { ConnectorError } from '../core/model/failure.ts';
import { moveState } from '../core/store/state/open.ts';
import type { Command } from './command.ts';
import { doing, usage } from './doing.ts';
import { DONE, LEFT } from './exit.ts';
import { holderName } from './holder.ts';
import { clockOf, hasStateOf, prepareState } from './state.ts';
import { lockFor } from './turn.ts';
import { writing } from './writing.ts';

export const state: Command = {
  name: 'state',
  summary: 'Moves the state to another database, while the daemon stands.',
  usage: 'state copy --to URL|FILE [--password-file FILE] [--schema NAME] [--ca-file FILE]',
  example: 'entente state copy --to postgres://entente@db.example/entente --password-file ./db-password',
  mostArgs: 1,
  words: ['copy'],
  flags: {
    to: { type: 'string', value: 'URL|FILE', help: 'A PostgreSQL server or a file, which must hold no state.' },
    'password-file': { type: 'string', value: 'FILE', help: 'Password of the user in the URL.' },
    schema: { type: 'string', value: 'NAME', help: 'Schema on that server (entente).' },
    'ca-file': { type: 'string', value: 'FILE', help: 'Authority of its certificate.' },
  },
  run: (context) =>
    doing(context, async (config) => {
      const { args, flags, out, json } = context;
      if (args[0] !== 'copy') return usage(context, 'there is only: state copy --to URL|FILE');
      const text = (name: string): string | undefined => {
        const given = flags[name];
        return typeof given === 'string' ? given : undefined;
      };
      const to = text('to');
      if (to === undefined) return usage(context, 'state copy needs --to URL|FILE');
      const given = placeGiven(to, text('schema'), text('password-file'), text('ca-file'));
      if ('wrong' in given) return usage(context, given.wrong);
      const target = given.server === undefined ? resolve(to) : placeOf({ state: to, server: given.server });
      if (typeof target === 'string' && existsSync(target))
        throw new ConnectorError('permanent', `${target} exists already; a state is copied over nothing`);
      prepareState(config);
      const lock = await lockFor('state copy', context, config);
      if ('heldBy' in lock) {
        out.failure(`the state ${config.state} is held by ${lock.heldBy}; stop that one first`);
        return LEFT;
      }
      try {
        const from = placeOf(config);
        if (!hasStateOf(config)) throw new ConnectorError('permanent', `there is no state at ${config.state} to copy`);
        const tables: { table: string; rows: number }[] = [];
        const holder = holderName('state copy', clockOf(config).now());
        const move = () => moveState(from, target, holder, (done) => void tables.push(done));
        if (typeof target === 'string') writing(to, move);
        else move();
        const rows = tables.reduce((sum, one) => sum + one.rows, 0);
        if (json) out.json({ from: config.state, to, tables, rows });
        else {
          out.line(`Copied ${rows} rows of ${tables.length} tables to ${to}, and found each table the same there.`);
          out.line(
            'Name that place under state in the configuration, and keep the old state from being started again.',
          );
        }
        return DONE;
      } finally {
        lock.release();
      }
    }),
};
