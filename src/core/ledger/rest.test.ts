import { describe, expect, it } from 'vitest';
import {
  ANEW,
  LATER,
  NOW,
  REMOVAL,
  ADDITION,
  fresh,
  withdrawn,
  answer,
  applied,
  inFlight,
  there,
} from '../../../test/builders/stands.ts';
import { taken } from './call.ts';
import { held } from './holds.ts';
import {
  inherits,
  isHeir,
  isSpokenOver,
  letIn,
  postponed,
  putOut,
  refused,
  retried,
  sentAgain,
  waitsForRoom,
} from './rest.ts';
import { phaseOf, type Stand } from './stand.ts';

describe('at rest', () => {
  const parked = refused(postponed(fresh, LATER), 'x'.repeat(1000));

  it('a refused one is parked, under a reason of bounded length, and goes when it is tried again', () => {
    expect(phaseOf(parked)).toBe('parked');
    expect(parked.parked!.reason).toHaveLength(500);
    expect(parked.wait.at).toBeUndefined();
    expect(phaseOf(retried(parked))).toBe('upsert');
  });

  it('a sound one can be sent again as it is', () => {
    expect(phaseOf(sentAgain(there, ANEW))).toBe('upsert');
  });

  it('an heir writes the row of the product anew, also one that a hold keeps', () => {
    const kept = held(withdrawn(there), REMOVAL, undefined, ANEW, NOW);

    expect([there, kept].map(isHeir)).toEqual([true, true]);
    expect([withdrawn(there), held(fresh, ADDITION, undefined, ANEW, NOW), parked].map(isHeir)).toEqual([
      false,
      false,
      false,
    ]);
    expect([inherits(there, ANEW), inherits(kept, ANEW)].map(phaseOf)).toEqual(['upsert', 'upsert']);
    const wrote = kept.present.revision;
    const over = (stand: Stand, entryId: number, later: number) =>
      isSpokenOver(stand, 7, { entryId, revision: wrote + later });
    expect([over(kept, 6, 1), over(kept, 8, 0), over(kept, 6, 0), over(kept, 8, -1), over(there, 8, 1)]).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(over({ ...kept, call: inFlight.call }, 8, 1)).toBe(false);
    // Cut short, and kept for as long as it was: it is wanted, and shows the other one's words all the same.
    const cut = held(there, REMOVAL, LATER, ANEW, NOW);
    expect([phaseOf(cut), phaseOf(inherits(cut, ANEW))]).toEqual(['held', 'upsert']);
    expect(phaseOf(answer('upsert', applied)(taken(inherits(cut, ANEW), 5))!)).toBe('held');
    expect(phaseOf(inherits(inFlight, ANEW))).toBe('flight');
    expect(phaseOf(answer('upsert', applied)(taken(inherits(kept, ANEW), 5))!)).toBe('held');
  });
});

describe('in a watchlist that takes only so many', () => {
  const seated = { ...there, place: { at: 5, out: false } };
  const outside = putOut(seated, ANEW, NOW);

  it('is not wanted while better ones have its place, and wanted again once it is let in', () => {
    expect(outside).toMatchObject({
      place: { at: 5, out: true },
      wanted: { is: false, revision: ANEW, cause: 'full' },
    });
    expect(phaseOf(outside)).toBe('remove');
    expect(letIn(outside, ANEW + 1, NOW)).toMatchObject({
      place: { at: 5, out: false },
      wanted: { is: true, revision: ANEW + 1, cause: 'none' },
    });
  });

  it.each([
    ['has a place already', seated, letIn],
    ['needs none', there, letIn],
    ['needs none', there, putOut],
    ['is out already', outside, putOut],
    ['is kept by a hold', held(seated, REMOVAL, undefined, ANEW, NOW), putOut],
  ] as const)('stays as it is where it %s', (_what, stand, step) => {
    expect(step(stand, ANEW, NOW)).toBe(stand);
  });

  it('keeps its place where it waits for what left it, and loses it where it was refused', () => {
    const unsent = { ...fresh, place: { at: 5, out: false } };

    expect(waitsForRoom(unsent, 'full').place).toEqual({ at: 5, out: false });
    expect(refused(unsent, 'too long').place).toBeUndefined();
  });
});
