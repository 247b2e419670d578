// `record`: takes what the exchanges publish now into a file, for `rehearse`.

import { rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { exchangeConnector } from '../app/peers.ts';
import { head, type RecordLine, recorded } from '../app/recording.ts';
import { ConnectorError } from '../core/model/failure.ts';
import { numberOf } from './args.ts';
import type { Command } from './command.ts';
import { commandLog } from './command-log.ts';
import { doing, usage } from './doing.ts';
import { DONE, LEFT } from './exit.ts';
import { ownerAlone } from './owner-alone.ts';
import { clockOf } from './state.ts';
import { unwritten } from './writing.ts';

const MOST_MB = 1024;

export const record: Command = {
  name: 'record',
  summary: 'Takes what the exchanges publish now into a file, without secrets; for rehearse.',
  usage: 'record --out FILE [--max-mb N]',
  example: 'entente record --out monday.jsonl',
  flags: {
    out: { type: 'string', value: 'FILE', help: 'Is made, for its owner alone; never overwritten.' },
    'max-mb': { type: 'string', value: 'N', help: `Gives up beyond so many megabytes (${MOST_MB}).` },
  },
  run: (context) =>
    doing(
      context,
      async (config) => {
        const { out, flags, json, signal, parts } = context;
        const file = flags['out'];
        const most = numberOf(flags['max-mb'], MOST_MB) * 1_000_000;
        if (typeof file !== 'string') return usage(context, 'record needs --out FILE');
        if (!(most > 0)) return usage(context, '--max-mb needs a number of megabytes');
        const clock = clockOf(config);
        const log = commandLog(config);
        ownerAlone();
        const made = await open(file, 'wx', 0o600).catch((error: unknown) => {
          throw unwritten(file, error);
        });
        let bytes = 0;
        let objects = 0;
        const failed: string[] = [];
        const write = async (line: RecordLine): Promise<void> => {
          const text = `${JSON.stringify(line)}\n`;
          bytes += Buffer.byteLength(text);
          if (bytes > most)
            throw new ConnectorError(
              'permanent',
              `more than ${most / 1_000_000} MB are published; --max-mb allows more`,
            );
          await made.writeFile(text).catch((error: unknown) => {
            throw unwritten(file, error);
          });
        };
        const progress = out.progress('Recording');
        try {
          await write(head(clock.now(), parts.version));
          for (const { name, enabled } of config.exchanges) {
            if (!enabled) continue;
            const connector = await exchangeConnector(config, name, clock, log);
            try {
              for await (const line of recorded(
                name,
                connector,
                () => clock.now(),
                signal,
                (why) => failed.push(why),
              )) {
                await write(line);
                if (!('page' in line)) continue;
                objects += line.page.objects.length;
                progress.at(objects);
              }
            } finally {
              await connector.close();
            }
          }
          if (signal.aborted) throw new ConnectorError('permanent', 'interrupted; nothing was kept');
          await write({ end: true, objects });
        } catch (error) {
          // Half a record would be taken for what a partner publishes.
          rmSync(file, { force: true });
          throw error;
        } finally {
          await made.close();
          progress.end();
          await log.close();
        }
        if (json) out.json({ file, objects, bytes, failed });
        else
          out.line(
            `Recorded ${objects} objects into ${file} (${Math.ceil(bytes / 1000)} kB), marked as the partner marks them.`,
          );
        for (const one of failed) out.note(`not recorded: ${one}`);
        return failed.length === 0 ? DONE : LEFT;
      },
      'peers',
    ),
};
