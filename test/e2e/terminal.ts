// A person at a terminal: Entente under a pseudo terminal, which util-linux `script` makes, and answers to what it asks.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { moment, Running, type Site } from './site.ts';

const LAUNCHER = join(import.meta.dirname, '../../bin/entente.mjs');

export interface Person {
  readonly running: Running;
  /** Waits until what was printed since the last answer ends as `question` says, and types. */
  answer(question: RegExp, text: string, end?: string): Promise<void>;
}

export function terminal(site: Site, args: readonly string[], env: Readonly<Record<string, string>> = {}): Person {
  const words = [process.execPath, LAUNCHER, ...args].map((one) => `'${one}'`).join(' ');
  const child: ChildProcess = spawn('script', ['-qfec', `stty cols 100; ${words}`, '/dev/null'], {
    cwd: site.folder,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', HOME: site.folder, TERM: 'xterm', NO_COLOR: '1', ...env },
  });
  const running = new Running(child, 110_000, () => {});
  let read = 0;
  return {
    running,
    async answer(question, text, end = '\r') {
      for (const limit = performance.now() + 60_000; ; ) {
        const printed = stripVTControlCharacters(running.stdout).slice(read);
        if (question.test(printed)) break;
        if (performance.now() > limit || child.exitCode !== null)
          throw new Error(`never asked ${question}, but:\n${stripVTControlCharacters(running.stdout)}`);
        await moment();
      }
      read = stripVTControlCharacters(running.stdout).length;
      child.stdin?.write(`${text}${end}`);
    },
  };
}
