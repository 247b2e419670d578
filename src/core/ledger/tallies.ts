// What is counted so that nobody has to count rows: the sum over all stands of one SIEM, kept by what changes between
// before and after. Nothing else changes a count.
import { phaseOf, type Stand } from './stand.ts';

export interface Tally {
  n: number;
}

/** Counts of one SIEM, those by type for the type of the entry. */
export interface Tallies {
  readonly wanted: Tally;
  readonly wantedOfType: Tally;
  readonly delivered: Tally;
  readonly presentOfType: Tally;
  readonly parked: Tally;
  readonly held: Tally;
  /** Wait for the partners, not for a person. */
  readonly adopted: Tally;
  readonly pending: Tally;
  /** Of a watchlist that takes only so many: those that have a place, and those that wait for one. */
  readonly seatedOfType: Tally;
  readonly outOfType: Tally;
  /** Wanted ones by the exchange that vouches for them. */
  readonly armed: readonly (readonly [bit: number, tally: Tally])[];
}

export function count(of: Tallies, before: Stand | undefined, after: Stand | undefined): void {
  if (before !== undefined) add(of, before, -1);
  if (after !== undefined) add(of, after, 1);
}

function add(of: Tallies, stand: Stand, by: 1 | -1): void {
  const { wanted, present, hold, place } = stand;
  if (place !== undefined) (place.out ? of.outOfType : of.seatedOfType).n += by;
  if (wanted.is) {
    of.wanted.n += by;
    of.wantedOfType.n += by;
    if (present.is === 'yes' && present.revision === wanted.revision) of.delivered.n += by;
    for (const [bit, armed] of of.armed) if ((wanted.vouchers & bit) !== 0) armed.n += by;
  }
  if (present.is !== 'no') of.presentOfType.n += by;
  const phase = phaseOf(stand);
  if (phase === 'parked') of.parked.n += by;
  else if (phase === 'held') (hold === undefined ? of.adopted : of.held).n += by;
  else if (phase !== 'settled') of.pending.n += by;
}
