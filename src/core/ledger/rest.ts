// What becomes of a stand while no call of it is under way: it is refused or tried again, has to be written anew, and comes
// into a watchlist that takes only so many, or leaves it.
import { AT_ONCE, isKept, phaseOf, rests, type Stand, withReason } from './stand.ts';

/** It cannot be sent. An older version that stands there stays until it expires or is withdrawn: it was vouched for. */
export const refused = (stand: Stand, reason: string): Stand =>
  withReason({ ...stand, wait: { ...stand.wait, at: undefined } }, reason, undefined);

/** It has a place, and what left it still stands in the SIEM. */
export const waitsForRoom = (stand: Stand, reason: string): Stand => ({
  ...refused(stand, reason),
  place: stand.place,
});

/** Parked, and tried once more. */
export const retried = (stand: Stand): Stand => ({ ...stand, parked: undefined, wait: AT_ONCE });

/** Not before then. */
export const postponed = (stand: Stand, at: number | undefined): Stand => ({ ...stand, wait: { ...stand.wait, at } });

/** It stands there as it should, and is written once more to see whether anything is taken. */
export const sentAgain = (stand: Stand, revision: number): Stand => ({
  ...postponed(stand, undefined),
  wanted: { ...stand.wanted, revision },
});

/** Another key that stands in the same row of the product went by being forgotten: the row may show that one's words. */
export const inherits = (stand: Stand, revision: number): Stand => ({
  ...stand,
  wanted: { ...stand.wanted, revision },
  present: { ...stand.present, is: 'maybe' },
  again: stand.call === undefined && rests(stand),
});

/** Whether it is what takes over a row of the product that others share, so that its removal would take the row away. */
export const isHeir = (stand: Stand): boolean =>
  (stand.wanted.is || isKept(stand)) && stand.hold?.kind !== 'addition' && phaseOf(stand) !== 'parked';

/** Words of ours in a row of the product that several entries share. */
export interface Words {
  readonly revision: number;
  readonly entryId: number;
}

/** Of those in one row: a batch is made by entries, so that of one revision the later entry wrote last. */
export const cameBefore = (one: Words, other: Words): boolean =>
  one.revision < other.revision || (one.revision === other.revision && one.entryId < other.entryId);

/** It is to be written over the words of another key, and the later of two is told by revisions. */
export const writtenOver = (stand: Stand, revision: number): Stand => ({
  ...stand,
  wanted: { ...stand.wanted, revision },
});

/** A hold keeps it, and its row in the product shows these words of another key, which were written later. */
export const isSpokenOver = (stand: Stand, entryId: number, words: Words): boolean =>
  isKept(stand) && stand.call === undefined && cameBefore({ revision: stand.present.revision, entryId }, words);

/** There is room for it now. */
export function letIn(stand: Stand, revision: number, now: number): Stand {
  const { place, wanted } = stand;
  if (place?.out !== true) return stand;
  return {
    ...stand,
    place: { ...place, out: false },
    wanted: { ...wanted, is: true, revision, cause: 'none', since: now },
    adopted: false,
    wait: AT_ONCE,
  };
}

/** Better ones have its place. */
export function putOut(stand: Stand, revision: number, now: number): Stand {
  const { place, wanted } = stand;
  if (place === undefined || place.out || stand.hold !== undefined) return stand;
  return {
    ...stand,
    place: { ...place, out: true },
    wanted: { ...wanted, is: false, revision, cause: 'full', since: now },
    parked: stand.call === undefined ? undefined : stand.parked,
    wait: AT_ONCE,
  };
}
