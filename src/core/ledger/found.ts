// What becomes of a stand by what is found in the SIEM, or is not found there.
import { AT_ONCE, gone, isKept, phaseOf, planned, type Presence, rests, type Stand } from './stand.ts';

/** As a SIEM reports it. */
export interface Found {
  readonly revision: number;
  readonly until: number | undefined;
  readonly handle: string | undefined;
}

/** What the read-back of an uncertain one showed. `shared`: another key of ours stands in its slot. */
export function readBack(
  stand: Stand,
  found: Omit<Found, 'until'> | undefined,
  shared: boolean,
  lookAt: number,
): Stand | undefined {
  if (stand.call?.kind !== 'uncertain') return stand;
  const present: Presence =
    found !== undefined
      ? { is: 'yes', revision: found.revision, handle: found.handle }
      : { is: shared ? 'maybe' : 'no', revision: 0, handle: undefined };
  // What never stood there a hold cannot keep.
  if (!stand.wanted.is && present.is === 'no' && (stand.hold === undefined || stand.present.revision === 0))
    return gone(stand, lookAt);
  // The row may show the words of the other.
  const again = rests(stand) && present.is === 'maybe';
  return { ...stand, present, call: undefined, again, wait: AT_ONCE };
}

/**
 * The ledger did not know it. It waits for the partners (`adopted`), or goes: where it was ours a moment ago (`late`), or a
 * person took it off (`suppressed`).
 */
export function unknown(
  found: Found,
  cause: 'adopted' | 'late' | 'suppressed',
  revision: number,
  now: number,
  slot: string | undefined,
): Stand {
  const { until } = found;
  const wanted = { is: false, revision, content: 0, vouchers: 0, until, due: undefined, cause, since: now };
  return {
    ...planned(wanted, slot),
    present: { is: 'yes', revision: found.revision, handle: found.handle },
    adopted: cause === 'adopted',
  };
}

/** A person took it off, and nobody knows yet what stands there: it is removed as what may be there. */
export function takenOff(stand: Stand | undefined, revision: number, now: number, slot: string | undefined): Stand {
  if (stand !== undefined && (stand.present.is !== 'no' || stand.call !== undefined)) return stand;
  const before =
    stand ?? unknown({ revision: 0, until: undefined, handle: undefined }, 'suppressed', revision, now, slot);
  return {
    ...before,
    wanted: { ...before.wanted, is: false, revision, cause: 'suppressed' },
    present: { ...before.present, is: 'maybe' },
    place: undefined,
    wait: AT_ONCE,
  };
}

/** It stands there in another state than the ledger said, which follows. */
export function seen(stand: Stand, found: Omit<Found, 'until'>, revision: number): Stand {
  const { wanted, present } = stand;
  if (present.is === 'yes' && present.revision === found.revision) return stand;
  const asWanted = wanted.is && wanted.revision === found.revision && present.is !== 'no';
  return {
    ...stand,
    wanted: asWanted ? wanted : { ...wanted, revision },
    present: { is: 'yes', revision: found.revision, handle: found.handle ?? present.handle },
    call: undefined,
    parked: undefined,
    again: false,
    wait: AT_ONCE,
  };
}

/**
 * What stood there is lost. What is wanted, and what a held removal keeps armed, is written anew, as far as anybody can
 * still tell what it was (`told`); the rest is gone.
 */
export function lost(stand: Stand, told: boolean, revision: number, lookAt: number): Stand | undefined {
  const kept = isKept(stand);
  if (!stand.wanted.is && !(kept && told)) return gone(stand, lookAt);
  return {
    ...stand,
    wanted: { ...stand.wanted, revision },
    present: { is: 'no', revision: kept ? stand.present.revision : 0, handle: undefined },
    // What is not there and cannot be sent has no place: another may have it.
    place: stand.parked === undefined ? stand.place : undefined,
    call: undefined,
    again: false,
    wait: AT_ONCE,
  };
}

/** One that only may have stood there, does not, and is written anyway: at its time. Undefined for any other. */
export function notThere(stand: Stand): Stand | undefined {
  const { wanted, present, wait } = stand;
  const written = wanted.is && phaseOf(stand) === 'upsert' && wait.at !== undefined;
  return written && present.is === 'maybe' ? { ...stand, present: { ...present, is: 'no' } } : undefined;
}

/**
 * Nobody can tell any more what it was that a hold keeps. What stands there, or may, stays as it is; what does not is over.
 * One that is wanted otherwise by now is none of these.
 */
export function untold(stand: Stand, revision: number, lookAt: number): Stand | undefined {
  if (!rests(stand) || phaseOf(stand) !== 'upsert') return stand;
  return stand.present.is === 'no' && !stand.wanted.is
    ? lost(stand, false, revision, lookAt)
    : { ...stand, again: false };
}

/** Every partner was polled, and nobody vouches for what was adopted. From here its expiry counts, should a brake hold it. */
export const released = (stand: Stand): Stand => ({
  ...stand,
  adopted: false,
  wanted: { ...stand.wanted, due: stand.wanted.until },
});
