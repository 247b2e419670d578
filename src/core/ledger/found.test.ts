import { describe, expect, it } from 'vitest';
import { NOW, FIRST, ANEW, LATER, REMOVAL, wished, withdrawn, inFlight, there } from '../../../test/builders/stands.ts';
import { recovered } from './call.ts';
import { lost, released, seen, unknown, untold } from './found.ts';
import { held } from './holds.ts';
import { inherits, refused } from './rest.ts';
import { phaseOf } from './stand.ts';

describe('what is found in the SIEM', () => {
  const found = { revision: 50, until: NOW + 5, handle: 'h' };

  it('and was not known waits for the partners, or goes where it was ours a moment ago', () => {
    const adopted = unknown(found, 'adopted', ANEW, NOW, undefined);
    const late = unknown(found, 'late', ANEW, NOW, 'slot');

    expect(phaseOf(adopted)).toBe('held');
    expect(phaseOf(released(adopted))).toBe('remove');
    expect(released(adopted).wanted.due).toBe(NOW + 5);
    expect([phaseOf(late), late.slot]).toEqual(['remove', 'slot']);
  });

  it('in another revision goes to work under one above it, unless it is the one that is wanted', () => {
    expect(seen(there, { revision: 50, handle: undefined }, ANEW)).toMatchObject({
      wanted: { revision: ANEW },
      present: { is: 'yes', revision: 50 },
    });
    const maybe = recovered(inFlight, true, LATER);
    expect(phaseOf(seen(maybe, { revision: FIRST, handle: undefined }, ANEW))).toBe('settled');
    expect(seen(there, { revision: FIRST, handle: undefined }, ANEW)).toBe(there);
  });

  it('of what was adopted before goes on waiting', () => {
    const adopted = unknown(found, 'adopted', ANEW, NOW, undefined);

    expect(phaseOf(seen(adopted, { revision: 60, handle: undefined }, ANEW))).toBe('held');
  });

  it('not at all: what is wanted is written anew, the rest is gone', () => {
    expect(lost(there, false, ANEW, NOW)).toMatchObject({
      present: { is: 'no', revision: 0 },
      wanted: { revision: ANEW },
    });
    expect(lost(withdrawn(there), false, ANEW, NOW)).toBeUndefined();
  });

  it('not at all, of a parked one: it stays parked for its reason', () => {
    const parked = refused(wished(there, { revision: ANEW }), 'the watchlist is full');

    expect(lost(parked, false, ANEW, NOW)!.parked?.reason).toBe('the watchlist is full');
    const place = { at: 5, out: false };
    expect(lost({ ...there, place }, false, ANEW, NOW)!.place).toEqual(place);
    expect(lost({ ...parked, place }, false, ANEW, NOW)!.place).toBeUndefined();
  });

  it('what a hold keeps and nobody can tell any more is not asked for again and again', () => {
    const kept = held(withdrawn(there), REMOVAL, undefined, ANEW, NOW);
    const again = inherits(kept, ANEW);
    const missing = lost(kept, true, ANEW, NOW)!;

    expect([again, missing].map(phaseOf)).toEqual(['upsert', 'upsert']);
    expect(phaseOf(untold(again, ANEW, NOW)!)).toBe('held');
    expect(untold(missing, ANEW, NOW)).toBeUndefined();
    expect(untold(there, ANEW, NOW)).toBe(there);
    expect(untold(kept, ANEW, NOW)).toBe(kept);
  });
});
