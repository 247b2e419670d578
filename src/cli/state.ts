// How a command gets at the state: reading beside anybody, acting through the daemon when one holds the state, and
// by itself when none does.
import { accessSync, chmodSync, constants, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { userInfo } from 'node:os';
import type { RequestArguments } from '../app/requests.ts';
import { placeOf, storeSpec } from '../app/specs.ts';
import type { Config } from '../core/config/load.ts';
import { ConnectorError } from '../core/model/failure.ts';
import type { Json } from '../core/model/json.ts';
import { withoutHidden } from '../core/model/text.ts';
import { shiftedClock, systemClock } from '../core/runtime/clock.ts';
import { hasState, openBeside, takeLock } from '../core/store/state/open.ts';
import { StoreReader } from '../core/store/read/status.ts';
import { SightingsReader } from '../core/store/read/sightings.ts';
import { insertRequest, REQUEST_LIFE_MS, requestOutcome, withdrawRequest } from '../core/store/unit/requests.ts';
import { isBusy, stateFailure } from '../core/store/sql/state-failure.ts';
import type { Context } from './command.ts';
import { daemonAnswers } from './daemon-status.ts';
import { frozen, holderName } from './holder.ts';
import { ownerAlone } from './owner-alone.ts';

export const clockOf = (config: Config) =>
  config.clockStart === undefined ? systemClock : shiftedClock(config.clockStart);

/** One that this user may not read is there all the same, and who asks must not be told that nothing is known. */
export function mayRead(config: Config): void {
  if (config.server !== undefined) return;
  try {
    accessSync(config.state, constants.R_OK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EACCES' || code === 'EPERM')
      throw new ConnectorError(
        'permanent',
        `the state ${config.state} may not be read by this user (${code}); ask as the user of the daemon, or as root`,
        { cause: error },
      );
  }
}

export function hasStateOf(config: Config): boolean {
  mayRead(config);
  return hasState(placeOf(config));
}

/** Undefined when there is no state yet. The caller closes it. */
export function readerOf(config: Config): StoreReader | undefined {
  return hasStateOf(config) ? new StoreReader(storeSpec(config)) : undefined;
}

/** To be closed by who opened it. */
export function openReader(config: Config): StoreReader {
  const reader = readerOf(config);
  if (reader === undefined)
    throw new ConnectorError('permanent', `there is no state at ${config.state} yet; start with: entente run`);
  return reader;
}

export function withReader<T>(config: Config, read: (reader: StoreReader) => T): T {
  const reader = openReader(config);
  try {
    return read(reader);
  } finally {
    reader.close();
  }
}

/** As readerOf, for hits and sightings. */
export function sightingsOf(config: Config): SightingsReader | undefined {
  return hasStateOf(config) ? new SightingsReader(storeSpec(config)) : undefined;
}

/** Undefined when there is no state yet. */
export function withSightings<T>(config: Config, read: (reader: SightingsReader) => T): T | undefined {
  const reader = sightingsOf(config);
  try {
    return reader === undefined ? undefined : read(reader);
  } finally {
    reader?.close();
  }
}

/** The state holds what partners marked, so it and all that SQLite makes beside it are for their owner alone. */
export function prepareState(config: Config): void {
  ownerAlone();
  if (config.server !== undefined) return;
  const folder = dirname(config.state);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK);
    for (const beside of ['', '-wal', '-shm', '-journal', '.lock', '.lock-journal'])
      closeToOthers(config.state + beside);
  } catch (error) {
    throw stateFailure(error, config.state) ?? error;
  }
}

function closeToOthers(file: string): void {
  const mode = statSync(file, { throwIfNoEntry: false })?.mode;
  if (mode !== undefined && (mode & 0o077) !== 0) chmodSync(file, 0o600);
}

/** Who asks, for the record. */
export function caller({ flags }: Context): string {
  const by = typeof flags['by'] === 'string' ? withoutHidden(flags['by']).trim() : '';
  if (by !== '') return by;
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}

const ASK_EVERY_MS = 200;
/** A daemon takes a request within a second; one that does not is asked whether it lives. */
const UNCLAIMED_MS = 3_000;
/** Once claimed, a listing of a large SIEM takes its time. */
const LONGEST_MS = 30 * 60_000;

/** Has it done by the daemon, or does it here. Throws a ConnectorError with the daemon's own words. */
export async function act(context: Context, config: Config, args: RequestArguments): Promise<Json> {
  prepareState(config);
  const holder = holderName(args.kind, clockOf(config).now());
  const lock = takeLock(placeOf(config), holder);
  if ('heldBy' in lock) return ask(context, config, args, lock.heldBy);
  try {
    // Most often a daemon holds the state: what it takes to do the work is loaded where it is done.
    const { actHere } = await import('./act-here.ts');
    return await actHere(context, config, args, caller(context), holder);
  } finally {
    lock.release();
  }
}

async function ask(context: Context, config: Config, args: RequestArguments, heldBy: string): Promise<Json> {
  const { kind, ...rest } = args;
  const db = openBeside(placeOf(config));
  let claimed = false;
  let lives = false;
  let id: number | undefined;
  // How far it has come stands in the daemon's log; here only that it is at it.
  const waiting = context.out.waiting(() => (claimed ? 'The daemon is at it' : 'Waiting for the daemon'));
  try {
    const clock = clockOf(config);
    const start = clock.monotonic();
    // Plain values that zod has checked: they survive the round trip through JSON.
    id = insertRequest(db, kind, JSON.parse(JSON.stringify(rest)) as Json, caller(context), clock.now());
    for (;;) {
      const outcome = requestOutcome(db, id) as { ok: boolean; value?: Json; message?: string } | undefined;
      if (outcome !== undefined) {
        if (outcome.ok) return outcome.value ?? null;
        throw new ConnectorError('permanent', outcome.message ?? 'the daemon gave no reason');
      }
      claimed ||= db.get('SELECT 1 AS one FROM request WHERE id = ? AND claimed IS NOT NULL', id) !== undefined;
      const waited = clock.monotonic() - start;
      if (!claimed && !lives && waited > UNCLAIMED_MS) {
        lives = await daemonAnswers(config);
        if (!lives && withdrawRequest(db, id)) throw new ConnectorError('permanent', frozen(config.state, heldBy));
      }
      if (!claimed && waited > REQUEST_LIFE_MS) {
        throw new ConnectorError(
          'permanent',
          `${heldBy} holds the state and did not take the request within a minute; nothing was done`,
        );
      }
      if (waited > LONGEST_MS || context.signal.aborted)
        throw new ConnectorError('permanent', 'the daemon is still at it; look at entente status');
      waiting.tick();
      await clock.sleep(ASK_EVERY_MS);
    }
  } catch (error) {
    // Stopped in the middle of a write, it holds the file too.
    const done = id === undefined ? undefined : 'the request waits for a minute, then it is dropped';
    if (isBusy(error)) throw new ConnectorError('permanent', frozen(config.state, heldBy, done), { cause: error });
    throw error;
  } finally {
    waiting.end();
    db.close();
  }
}
