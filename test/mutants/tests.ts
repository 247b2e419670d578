// Tests in a process beside, which is ended where a fault makes a test wait for ever.
import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Outcome } from './table.ts';

/** What is not told by then has no end. */
const LONGEST_MS = 240_000;

/** `folder`: the copy of the sources; `tests`: the likeliest to notice first. */
export async function outcomeOf(folder: string, tests: readonly string[]): Promise<Outcome> {
  const child = fork(join(folder, 'test/mutants/trying.ts'), {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  let limit: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Outcome>((resolve) => {
      limit = setTimeout(() => resolve({ result: 'caught', by: 'the run had no end' }), LONGEST_MS);
      child.once('message', (one) => resolve(one as Outcome));
      child.once('exit', () => resolve({ result: 'broken', by: 'the process of the tests ended' }));
      child.send(tests);
    });
  } finally {
    clearTimeout(limit);
    child.kill('SIGKILL');
  }
}
