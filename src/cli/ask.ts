// A question to the person at the terminal.
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { ConnectorError } from '../core/model/failure.ts';
import type { Ask } from './command.ts';

/** Undefined where nobody sits there: a script must not wait for an answer. */
export function askOf(stdin: NodeJS.ReadStream, stdout: NodeJS.WriteStream): Ask | undefined {
  if (!stdin.isTTY || !stdout.isTTY) return undefined;
  return async (question, how) => {
    // What is typed is shown by readline itself, so for a secret it gets nowhere to show it.
    const hidden = how === 'hidden';
    const output = hidden ? new Writable({ write: (_chunk, _encoding, done) => done() }) : stdout;
    if (hidden) stdout.write(question);
    const lines = createInterface({ input: stdin, output, terminal: true, historySize: 0 });
    // Ctrl-C and the end of input close it, and the question would wait for ever.
    const gone = new Promise<never>((_, reject) =>
      lines.once('close', () => reject(new ConnectorError('permanent', '\nInterrupted; nothing more was done.'))),
    );
    gone.catch(() => undefined);
    try {
      return await Promise.race([lines.question(hidden ? '' : question), gone]);
    } finally {
      lines.close();
      if (hidden) stdout.write('\n');
    }
  };
}
