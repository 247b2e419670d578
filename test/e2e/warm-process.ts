// The far half of warm.ts: carries out commands as src/main.ts does, one after the other, without ending between them.
import { runCli } from '../../src/cli/cli.ts';
import { BUG } from '../../src/cli/exit.ts';
import { createOutput } from '../../src/cli/output.ts';
import { parts } from '../../src/cli/parts.ts';
import { environment } from '../../src/core/config/environment.ts';
import { systemClock } from '../../src/core/runtime/clock.ts';
import type { Order, Result } from './warm.ts';

const printed = { stdout: '', stderr: '' };
// Logs go to the stream itself.
for (const name of ['stdout', 'stderr'] as const)
  process[name].write = (text: string | Uint8Array, ...more: unknown[]): boolean => {
    printed[name] += typeof text === 'string' ? text : Buffer.from(text).toString('utf8');
    for (const one of more) if (typeof one === 'function') one();
    return true;
  };

let bug: (error: unknown) => void = () => {};
process.on('uncaughtException', (error) => bug(error));
process.on('unhandledRejection', (error) => bug(error));
process.once('disconnect', () => process.exit(0));
process.on('message', (order: Order) => void carryOut(order).then((result) => process.send?.(result)));

async function carryOut({ folder, args, env: given }: Order): Promise<Result> {
  process.chdir(folder);
  // As a shell has it: one that was closed to others by the command before would hide what a next one leaves open.
  process.umask(0o022);
  for (const name of Object.keys(process.env)) if (given[name] === undefined) delete process.env[name];
  Object.assign(process.env, given);
  Object.assign(printed, { stdout: '', stderr: '' });
  const env = environment();
  const out = createOutput(process.stdout, process.stderr, env, systemClock);
  const { signal } = new AbortController();
  const code = await new Promise<number>((done) => {
    bug = (error) => void out.bug(error).then(() => done(BUG));
    runCli(args, { parts, out, env, signal }).then(done, bug);
  });
  return { code, ...printed };
}
