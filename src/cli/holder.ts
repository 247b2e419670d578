// Who holds the state, in words that lead to the process: another terminal, container or person may have started it.
import { hostname } from 'node:os';

export const holderName = (command: string, now: number): string =>
  `entente ${command}, pid ${process.pid} on ${hostname()}, since ${new Date(now).toISOString()}`;

/** A daemon runs until it is told to end; everything else is over soon. */
export const staysFor = (holder: string): 'good' | 'now' => (holder.startsWith('entente run, ') ? 'good' : 'now');

/** What to do about a holder that does not answer. */
export function frozen(state: string, holder: string, done = 'nothing was done'): string {
  const pid = /, pid (\d+) /.exec(holder)?.[1] ?? 'PID';
  return `${done}: the state ${state} is held by ${holder}, which does not answer; if it is frozen, let it go on (kill -CONT ${pid}), or end it (kill -KILL ${pid}) and start it again: nothing is lost`;
}
