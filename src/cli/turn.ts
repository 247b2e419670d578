// The turn of a command that needs the state for itself: another command is over soon, so it is waited for.
import type { Config } from '../core/config/load.ts';
import { takeLock } from '../core/store/state.ts';
import type { Context } from './command.ts';
import { holderName, staysFor } from './holder.ts';
import { clockOf } from './state.ts';

const PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 250;

export async function lockFor(
  command: string,
  { out, signal }: Context,
  config: Config,
): Promise<ReturnType<typeof takeLock>> {
  const clock = clockOf(config);
  const start = clock.monotonic();
  const name = holderName(command, clock.now());
  let told = false;
  for (;;) {
    const lock = takeLock(config.state, name);
    const waited = clock.monotonic() - start;
    if (!('heldBy' in lock) || staysFor(lock.heldBy) === 'good' || waited > PATIENCE_MS || signal.aborted) return lock;
    if (!told)
      out.note(`the state ${config.state} is held by ${lock.heldBy}; waiting for it, at most ${PATIENCE_MS / 1000} s`);
    told = true;
    await clock.sleep(LOOK_EVERY_MS);
  }
}
