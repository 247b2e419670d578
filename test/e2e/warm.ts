// Commands in a process that is there already. To start one takes a second of a processor's time and its work a few
// hundredths, and these tests type a thousand commands. It has the launcher's flags and environment, and in between
// only the folder and the variables change. by-launcher.test.ts holds the two ways against each other.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { NODE_FLAGS, nodeEnvironment } from '../../bin/flags.mjs';

export interface Order {
  readonly folder: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const ROOT = join(import.meta.dirname, '../..');

let child: ChildProcess | undefined;
let busy = false;

/** Undefined while the process carries out another command: whoever asks then needs one of his own. */
export function inWarmProcess(order: Order, limitMs: number): Promise<Result> | undefined {
  if (busy) return undefined;
  busy = true;
  const warm = child ?? started(order.env);
  child = warm;
  warm.ref();
  warm.channel?.ref();
  return new Promise<Result>((resolve, reject) => {
    const limit = setTimeout(() => warm.kill('SIGKILL'), limitMs);
    const ended = (code: number | null, signal: NodeJS.Signals | null) => {
      child = undefined;
      if (signal === 'SIGKILL') over(() => resolve({ code: null, stdout: '', stderr: '' }));
      else over(() => reject(new Error(`the process of entente ${order.args.join(' ')} ended with ${code ?? signal}`)));
    };
    const over = (tell: () => void) => {
      clearTimeout(limit);
      busy = false;
      warm.removeAllListeners();
      // Nobody waits for it when the tests are over.
      warm.unref();
      warm.channel?.unref();
      tell();
    };
    warm.once('message', (result: Result) => over(() => resolve(result)));
    warm.once('exit', ended);
    warm.once('error', reject);
    warm.send(order);
  });
}

function started(env: Order['env']): ChildProcess {
  return spawn(process.execPath, [...NODE_FLAGS, join(import.meta.dirname, 'warm-process.ts')], {
    cwd: ROOT,
    env: nodeEnvironment(ROOT, env) as Record<string, string>,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}
