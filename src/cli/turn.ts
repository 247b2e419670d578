// The turn of a command that needs the state for itself: another command is over soon, so it is waited for.
import { placeOf } from '../app/specs.ts';
import type { Config } from '../core/config/load.ts';
import { StateAway, takeLock } from '../core/store/state/open.ts';
import type { Context } from './command.ts';
import { holderName, staysFor } from './holder.ts';
import { clockOf } from './state.ts';

const PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 250;
const SERVER_EVERY_MS = 1_000;

export async function lockFor(
  command: string,
  { out, signal }: Context,
  config: Config,
  /** How long the server of the state may be away; for ever, unless it is said. */
  serverPatienceMs = Number.POSITIVE_INFINITY,
): Promise<ReturnType<typeof takeLock>> {
  const clock = clockOf(config);
  const start = clock.monotonic();
  const name = holderName(command, clock.now());
  let told = false;
  for (;;) {
    const waited = clock.monotonic() - start;
    let lock: ReturnType<typeof takeLock>;
    try {
      lock = takeLock(placeOf(config), name);
    } catch (error) {
      if (!(error instanceof StateAway) || waited > serverPatienceMs || signal.aborted) throw error;
      if (!told) out.note(`${error.message}; waiting for it`);
      told = true;
      await clock.sleep(SERVER_EVERY_MS, signal).catch(() => {});
      continue;
    }
    if (!('heldBy' in lock) || staysFor(lock.heldBy) === 'good' || waited > PATIENCE_MS || signal.aborted) return lock;
    if (!told)
      out.note(`the state ${config.state} is held by ${lock.heldBy}; waiting for it, at most ${PATIENCE_MS / 1000} s`);
    told = true;
    await clock.sleep(LOOK_EVERY_MS);
  }
}
