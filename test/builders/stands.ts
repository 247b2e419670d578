// Stands as the rules of the ledger make them: one entry in one SIEM, step by step.
import { type Outcome, settled, taken } from '../../src/core/ledger/call.ts';
import { type Hold, planned, type Stand, type Wanted } from '../../src/core/ledger/stand.ts';

export const NOW = 1_768_046_400_000;
/** Of what is wanted first, and of every wish after it. */
export const [FIRST, ANEW] = [100, 200];
export const LATER = NOW + 60_000;
export const REMOVAL: Hold = { id: 1, kind: 'removal' };
export const ADDITION: Hold = { id: 2, kind: 'addition' };

export const WANTED: Wanted = {
  is: true,
  revision: FIRST,
  content: 7,
  vouchers: 2,
  until: NOW + 1000,
  due: NOW + 1000,
  cause: 'none',
  since: NOW,
};

export const fresh = planned(WANTED, undefined);
export const wished = (stand: Stand, wanted: Partial<Wanted>): Stand => ({
  ...stand,
  wanted: { ...stand.wanted, ...wanted },
});
/** Withdrawn, and waiting for no moment to come. */
export const withdrawn = (stand: Stand): Stand =>
  wished(stand, { is: false, revision: ANEW, due: undefined, cause: 'withdrawn' });

interface Product {
  readonly versioned?: boolean;
}
export const answer =
  (op: 'upsert' | 'remove', outcome: Outcome, { versioned = true }: Product = {}) =>
  (stand: Stand): Stand | undefined =>
    settled(stand, { op, before: op === 'upsert' ? 'no' : 'yes' }, outcome, { revision: ANEW, versioned, lookAt: NOW });
export const TERMS = { revision: ANEW, versioned: true, lookAt: NOW };
export const FOUND = { revision: ANEW, until: undefined, handle: undefined };
export const applied: Outcome = { kind: 'applied' };
export const lostCall: Outcome = { kind: 'unknown', retryAt: LATER };

export const inFlight = taken(fresh, 1);
export const there = answer('upsert', applied)(inFlight)!;
export const going = taken(withdrawn(there), 2);
