import { describe, expect, it } from 'vitest';
import {
  gone,
  held,
  type Hold,
  inherits,
  isAsNoted,
  isHeir,
  lost,
  type Outcome,
  phaseOf,
  planned,
  postponed,
  readBack,
  recovered,
  refused,
  released,
  retried,
  seen,
  sentAgain,
  settled,
  type Stand,
  taken,
  unknown,
  untold,
  type Wanted,
} from './stand.ts';

const NOW = 1_768_046_400_000;
/** Of what is wanted first, and of every wish after it. */
const [FIRST, ANEW] = [100, 200];
const LATER = NOW + 60_000;
const REMOVAL: Hold = { id: 1, kind: 'removal' };
const ADDITION: Hold = { id: 2, kind: 'addition' };

const WANTED: Wanted = {
  is: true,
  revision: FIRST,
  content: 7,
  vouchers: 2,
  until: NOW + 1000,
  due: NOW + 1000,
  cause: 'none',
  since: NOW,
};

const fresh = planned(WANTED, undefined);
const wished = (stand: Stand, wanted: Partial<Wanted>): Stand => ({ ...stand, wanted: { ...stand.wanted, ...wanted } });
/** Withdrawn, and waiting for no moment to come. */
const withdrawn = (stand: Stand): Stand =>
  wished(stand, { is: false, revision: ANEW, due: undefined, cause: 'withdrawn' });

interface Product {
  readonly versioned?: boolean;
}
const answer =
  (op: 'upsert' | 'remove', outcome: Outcome, { versioned = true }: Product = {}) =>
  (stand: Stand): Stand | undefined =>
    settled(stand, { op, before: op === 'upsert' ? 'no' : 'yes' }, outcome, { revision: ANEW, versioned, lookAt: NOW });
const TERMS = { revision: ANEW, versioned: true, lookAt: NOW };
const FOUND = { revision: ANEW, until: undefined, handle: undefined };
const applied: Outcome = { kind: 'applied' };
const lostCall: Outcome = { kind: 'unknown', retryAt: LATER };

const inFlight = taken(fresh, 1);
const there = answer('upsert', applied)(inFlight)!;
const going = taken(withdrawn(there), 2);

describe('a stand that goes the usual way', () => {
  it.each([
    ['wanted and not there', fresh, 'upsert'],
    ['taken', inFlight, 'flight'],
    ['written', there, 'settled'],
    ['withdrawn', withdrawn(there), 'remove'],
    ['taken away', going, 'flight'],
    ['wanted in newer words', wished(there, { revision: ANEW }), 'upsert'],
    ['wanted no more and never there', withdrawn(fresh), 'settled'],
  ] as const)('is, %s, %s', (_what, stand, phase) => {
    expect(phaseOf(stand)).toBe(phase);
  });

  it('may be there from the moment its call is under way', () => {
    expect(inFlight.present.is).toBe('maybe');
    expect(taken(withdrawn(there), 2).present.is).toBe('yes');
  });

  it('holds what was sent once that was applied, whatever is wanted by then', () => {
    const overtaken = answer('upsert', applied)(wished(inFlight, { revision: ANEW }))!;

    expect(overtaken.present).toMatchObject({ is: 'yes', revision: FIRST });
    expect(phaseOf(overtaken)).toBe('upsert');
  });

  it('is over once its removal was applied, unless it waits for a moment to come', () => {
    const waits = wished(going, { due: LATER });

    expect(answer('remove', applied)(going)).toBeUndefined();
    expect(answer('remove', applied)(waits)).toMatchObject({ present: { is: 'no' }, wanted: { due: NOW } });
  });

  it('goes again when it was wanted anew while its removal flew', () => {
    const back = answer('remove', applied)(wished(going, { is: true, revision: ANEW + 1 }))!;

    expect(phaseOf(back)).toBe('upsert');
    expect(back.present.is).toBe('no');
  });

  it('keeps the handle it had where the answer names none', () => {
    const named = answer('upsert', { kind: 'applied', handle: 'row 1' })(inFlight)!;
    const again = answer('upsert', applied)(taken(wished(named, { revision: ANEW }), 3))!;

    expect(again.present.handle).toBe('row 1');
  });
});

describe('a call that was not applied', () => {
  it('waits when it is still the newest wish, and goes at once when it was overtaken', () => {
    const again = answer('upsert', { kind: 'retry', retryAt: LATER });

    expect(again(inFlight)).toMatchObject({ call: undefined, present: { is: 'no' }, wait: { attempt: 1, at: LATER } });
    expect(again(wished(inFlight, { revision: ANEW }))).toMatchObject({ wait: { attempt: 1, at: undefined } });
  });

  it('leaves nothing of what was withdrawn before it ever stood there', () => {
    expect(answer('upsert', { kind: 'retry', retryAt: LATER })(withdrawn(inFlight))).toBeUndefined();
    expect(answer('upsert', { kind: 'park', reason: 'no' })({ ...withdrawn(inFlight), hold: REMOVAL })).toBeUndefined();
  });

  it('is parked with reason and code, for as long as it is what is wanted', () => {
    const parks = answer('upsert', { kind: 'park', reason: 'too long', code: 'value_long' });

    expect(parks(inFlight)).toMatchObject({ parked: { reason: 'too long', code: 'value_long' } });
    expect(phaseOf(parks(inFlight)!)).toBe('parked');
    expect(phaseOf(parks(wished(inFlight, { revision: ANEW }))!)).toBe('upsert');
  });

  it('is never parked when it was a removal', () => {
    const stands = answer('remove', { kind: 'park', reason: 'no' })(going)!;

    expect(stands.parked).toBeUndefined();
    expect(phaseOf(stands)).toBe('remove');
    expect(phaseOf({ ...withdrawn(there), parked: { reason: 'no', code: undefined } })).toBe('remove');
  });

  it('was superseded: the wish is raised above what the SIEM holds', () => {
    const next = answer('upsert', { kind: 'superseded', revision: 150 })(inFlight)!;

    expect(next).toMatchObject({ wanted: { revision: ANEW }, present: { is: 'maybe', revision: 150 } });
    expect(phaseOf(next)).toBe('upsert');
  });

  it('was superseded: it goes at once, however long it waited before', () => {
    const waited = { ...inFlight, wait: { attempt: 3, at: LATER } };

    expect(answer('upsert', { kind: 'superseded', revision: 150 })(waited)!.wait.at).toBeUndefined();
  });

  it('is left as it is when its intent stands no more', () => {
    expect(answer('upsert', applied)(fresh)).toBe(fresh);
  });
});

describe('a call of which nobody knows what came', () => {
  it('is sent again on a product with versions, and read back on others', () => {
    const versions = answer('upsert', lostCall)(inFlight)!;
    const none = answer('upsert', lostCall, { versioned: false })(inFlight)!;

    expect([phaseOf(versions), versions.present.is]).toEqual(['upsert', 'maybe']);
    expect([phaseOf(none), none.present.is, none.wait.at]).toEqual(['uncertain', 'maybe', LATER]);
  });

  it('is looked at without delay where what stands there must go', () => {
    const none = answer('upsert', lostCall, { versioned: false })(withdrawn(inFlight))!;

    expect([phaseOf(none), none.wait.at]).toEqual(['uncertain', undefined]);
  });

  it('of what stood there for certain leaves a maybe, of a removal it leaves it there', () => {
    const rewritten = taken(wished(there, { revision: ANEW }), 3);

    expect(answer('upsert', lostCall)(rewritten)!.present.is).toBe('maybe');
    expect(answer('remove', lostCall)(going)!.present.is).toBe('yes');
  });

  it.each([
    ['after a crash on a product with versions', true, 'upsert', undefined],
    ['after a crash on one without', false, 'uncertain', LATER],
  ] as const)('may have had its effect %s', (_what, versioned, phase, at) => {
    const next = recovered(inFlight, versioned, LATER);

    expect([phaseOf(next), next.present.is, next.wait.at]).toEqual([phase, 'maybe', at]);
    expect(recovered(there, versioned, LATER)).toBe(there);
  });

  it('is read back: as found, in the slot of another, or not there', () => {
    const doubted = recovered(inFlight, false, LATER);

    expect(phaseOf(readBack(doubted, { revision: FIRST, handle: 'h' }, false, NOW)!)).toBe('settled');
    expect(readBack(doubted, undefined, true, NOW)!.present).toEqual({ is: 'maybe', revision: 0, handle: undefined });
    expect(phaseOf(readBack(doubted, undefined, false, NOW)!)).toBe('upsert');
    expect(readBack(withdrawn(doubted), undefined, false, NOW)).toBeUndefined();
    expect(readBack(there, undefined, false, NOW)).toBe(there);
  });

  it('waits for its task, which outlives a crash', () => {
    const accepted = answer('upsert', { kind: 'accepted', receipt: 'task 1' })(inFlight)!;

    expect(accepted.call).toEqual({ kind: 'accepted', sent: FIRST, op: 'upsert', receipt: 'task 1' });
    expect(recovered(accepted, false, LATER)).toBe(accepted);
    expect(phaseOf(answer('upsert', applied)(accepted)!)).toBe('settled');
  });

  it('leaves it open what stands there while a task has it, also of one that stood there for certain', () => {
    const writing = taken(wished(there, { revision: ANEW }), 5);
    expect(writing.present.is).toBe('yes');

    expect(answer('upsert', { kind: 'accepted', receipt: 'task 1' })(writing)!.present.is).toBe('maybe');
    expect(answer('remove', { kind: 'accepted', receipt: 'task 1' })(going)!.present.is).toBe('maybe');
  });
});

describe('a hold', () => {
  const kept = held(withdrawn(there), REMOVAL, undefined);

  it('keeps what stands there, and keeps out what does not', () => {
    expect(phaseOf(kept)).toBe('held');
    expect(phaseOf(held(fresh, ADDITION, undefined))).toBe('held');
  });

  it.each([applied, { kind: 'retry', retryAt: LATER }, lostCall] as const)(
    'is where a row rests whatever became of its call: %o',
    (outcome) => {
      const flies = held(withdrawn(taken(wished(there, { revision: 150 }), 3)), REMOVAL, undefined);
      const next = settled(flies, { op: 'upsert', before: 'yes' }, outcome, {
        revision: ANEW,
        versioned: true,
        lookAt: NOW,
      })!;

      expect(phaseOf(flies)).toBe('flight');
      expect(phaseOf(next)).toBe('held');
    },
  );

  it('has what it keeps written anew where that is lost, as long as somebody can tell what it was', () => {
    const missing = lost(kept, true, ANEW, NOW)!;

    expect(phaseOf(missing)).toBe('upsert');
    expect(phaseOf(answer('upsert', applied)(taken(missing, 4))!)).toBe('held');
    expect(lost(kept, false, ANEW, NOW)).toBeUndefined();
  });

  it('ends with what never stood there', () => {
    const doubted = held(withdrawn(recovered(inFlight, false, LATER)), REMOVAL, undefined);

    expect(readBack(doubted, undefined, false, NOW)).toBeUndefined();
  });

  it('of a validity that was cut short keeps the one it had', () => {
    const short = wished(there, { until: NOW + 10, due: NOW + 10 });

    expect(held(short, REMOVAL, NOW + 500).wanted).toMatchObject({ until: NOW + 500, due: NOW + 10 });
  });

  it('takes only what is as it was when the brake noted it', () => {
    expect(isAsNoted(withdrawn(there), 'removal', undefined)).toBe(true);
    expect(isAsNoted(there, 'removal', undefined)).toBe(false);
    expect(isAsNoted(there, 'removal', NOW + 500)).toBe(true);
    expect(isAsNoted(fresh, 'addition', undefined)).toBe(true);
    expect(isAsNoted(inFlight, 'addition', undefined)).toBe(false);
    expect(isAsNoted(kept, 'removal', undefined)).toBe(false);
  });
});

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
  });
});

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
    const kept = held(withdrawn(there), REMOVAL, undefined);

    expect([there, kept].map(isHeir)).toEqual([true, true]);
    expect([withdrawn(there), held(fresh, ADDITION, undefined), parked].map(isHeir)).toEqual([false, false, false]);
    expect([inherits(there, ANEW), inherits(kept, ANEW)].map(phaseOf)).toEqual(['upsert', 'upsert']);
    // Cut short, and kept for as long as it was: it is wanted, and shows the other one's words all the same.
    const cut = held(there, REMOVAL, LATER);
    expect([phaseOf(cut), phaseOf(inherits(cut, ANEW))]).toEqual(['held', 'upsert']);
    expect(phaseOf(answer('upsert', applied)(taken(inherits(cut, ANEW), 5))!)).toBe('held');
    expect(phaseOf(inherits(inFlight, ANEW))).toBe('flight');
    expect(phaseOf(answer('upsert', applied)(taken(inherits(kept, ANEW), 5))!)).toBe('held');
  });

  it('an heir that a hold keeps is written until that has been done', () => {
    const writing = taken(inherits(held(withdrawn(there), REMOVAL, undefined), ANEW), 5);
    const retry: Outcome = { kind: 'retry', retryAt: LATER };

    expect(phaseOf(settled(writing, { op: 'upsert', before: 'maybe' }, retry, TERMS)!)).toBe('upsert');
    expect(phaseOf(answer('upsert', lostCall)(writing)!)).toBe('upsert');
    expect(phaseOf(recovered(writing, true, LATER))).toBe('upsert');
    expect(phaseOf(readBack(recovered(writing, false, LATER), undefined, true, NOW)!)).toBe('upsert');
    expect(phaseOf(readBack(recovered(writing, false, LATER), FOUND, true, NOW)!)).toBe('held');
  });

  it('what a hold keeps and nobody can tell any more is not asked for again and again', () => {
    const kept = held(withdrawn(there), REMOVAL, undefined);
    const again = inherits(kept, ANEW);
    const missing = lost(kept, true, ANEW, NOW)!;

    expect([again, missing].map(phaseOf)).toEqual(['upsert', 'upsert']);
    expect(phaseOf(untold(again, ANEW, NOW)!)).toBe('held');
    expect(untold(missing, ANEW, NOW)).toBeUndefined();
    expect(untold(there, ANEW, NOW)).toBe(there);
    expect(untold(kept, ANEW, NOW)).toBe(kept);
  });

  it('what is neither wanted nor there is looked at once more where it waits for a moment', () => {
    expect(gone(withdrawn(there), NOW)).toBeUndefined();
    expect(gone({ ...wished(withdrawn(there), { due: LATER }), hold: REMOVAL }, NOW)).toMatchObject({
      hold: undefined,
      wanted: { due: NOW },
    });
  });
});
