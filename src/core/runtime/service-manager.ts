// The service manager hears that we are ready, and from then on that we live. Its socket takes datagrams, which Node cannot
// send, so systemd's own `systemd-notify` is started for each word: a short process a minute, and no native module. Only a
// unit that asks for it (NOTIFY_SOCKET) costs anything.
import { spawn } from 'node:child_process';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

export interface ServiceManager {
  ready(): void;
  /** Until the signal: says that we live as often as the unit asks, as long as `live` says so. */
  watch(live: () => boolean, signal: AbortSignal): Promise<void>;
}

/** Undefined where none started us. */
export function serviceManager(
  env: { readonly [name: string]: string | undefined },
  clock: Clock,
  log: Log,
): ServiceManager | undefined {
  const socket = env['NOTIFY_SOCKET'];
  if (socket === undefined || socket === '') return undefined;
  const everyMs = Number(env['WATCHDOG_USEC'] ?? 0) / 1000 / 3;
  let told = false;
  const say = (word: string): void => {
    const child = spawn('systemd-notify', [word], {
      stdio: 'ignore',
      env: { PATH: env['PATH'] ?? '/usr/bin:/bin', NOTIFY_SOCKET: socket },
    });
    const failed = (why: string): void => {
      if (!told) log.warn('The service manager could not be told that Entente lives.', { why });
      told = true;
    };
    child.on('error', (error) => failed(error.message));
    child.on('exit', (code) => {
      if (code !== 0) failed(`systemd-notify ended with ${code ?? 'a signal'}`);
    });
    child.unref();
  };
  return {
    ready: () => say('--ready'),
    async watch(live, signal) {
      if (!(everyMs > 0)) return;
      while (!signal.aborted) {
        if (live()) say('WATCHDOG=1');
        await clock.sleep(everyMs, signal).catch(() => undefined); // ends early when stopping begins
      }
    },
  };
}
