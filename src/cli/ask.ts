// A question to the person at the terminal.
import { createInterface } from 'node:readline/promises';
import type { Ask } from './command.ts';

/** Undefined where nobody sits there: a script must not wait for an answer. */
export function askOf(stdin: NodeJS.ReadStream, stdout: NodeJS.WriteStream): Ask | undefined {
  if (!stdin.isTTY || !stdout.isTTY) return undefined;
  return async (question) => {
    const lines = createInterface({ input: stdin, output: stdout });
    try {
      return await lines.question(question);
    } finally {
      lines.close();
    }
  };
}
