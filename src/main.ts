// Arguments, signals and exit codes. The only place that ends the process.
import { askOf } from './cli/ask.ts';
import { runCli } from './cli/cli.ts';
import { BUG, DONE, LEFT } from './cli/exit.ts';
import { createOutput } from './cli/output.ts';
import { parts } from './cli/parts.ts';
import { environment } from './core/config/environment.ts';
import { systemClock } from './core/runtime/clock.ts';

const stopping = new AbortController();
const stop = (why: string) => stopping.abort(new Error(why));

process.once('SIGTERM', () => stop('SIGTERM'));
process.once('SIGINT', () => stop('SIGINT'));
// The launcher holds a channel open where it could not become this process; its end is our order to stop.
process.once('disconnect', () => stop('the launcher is gone'));
// A reader that went away (`entente status | head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  error.code === 'EPIPE' ? process.exit(DONE) : lost(error),
);
process.stderr.on('error', () => {});

let lostAlready = false;
const ask = askOf(process.stdin, process.stdout);
const env = environment();
const out = createOutput(process.stdout, process.stderr, env, systemClock);
process.on('unhandledRejection', bug);
process.on('uncaughtException', bug);
try {
  finish(await runCli(process.argv.slice(2), { parts, out, env, signal: stopping.signal, ask }));
} catch (error) {
  bug(error);
}

/** What was written to a pipe is handed over first: process.exit alone would lose it. */
function finish(code: number): void {
  process.exitCode = code;
  process.stdout.write('', () => {
    const { errored } = process.stdout;
    if (errored !== null && (errored as NodeJS.ErrnoException).code !== 'EPIPE') lost(errored);
    else process.stderr.write('', () => process.exit(code));
  });
}

/** A disk without room, most often: whoever asked must not take what is there for the answer. */
function lost(error: Error): void {
  if (lostAlready) return;
  lostAlready = true;
  process.stderr.write(`entente: the answer could not be written: ${error.message}\n`, () => process.exit(LEFT));
}

function bug(error: unknown): void {
  const over = () => process.stderr.write('', () => process.exit(BUG));
  out.bug(error).then(over, over);
}
