import { describe, expect, it } from 'vitest';
import {
  NOW,
  FIRST,
  ANEW,
  LATER,
  REMOVAL,
  fresh,
  wished,
  withdrawn,
  answer,
  TERMS,
  FOUND,
  applied,
  lostCall,
  inFlight,
  there,
  going,
} from '../../../test/builders/stands.ts';
import { type Outcome, recovered, settled, taken } from './call.ts';
import { readBack } from './found.ts';
import { held } from './holds.ts';
import { inherits } from './rest.ts';
import { phaseOf } from './stand.ts';

describe('a call that goes the usual way', () => {
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

  it('an heir that a hold keeps is written until that has been done', () => {
    const writing = taken(inherits(held(withdrawn(there), REMOVAL, undefined, ANEW, NOW), ANEW), 5);
    const retry: Outcome = { kind: 'retry', retryAt: LATER };

    expect(phaseOf(settled(writing, { op: 'upsert', before: 'maybe' }, retry, TERMS)!)).toBe('upsert');
    expect(phaseOf(answer('upsert', lostCall)(writing)!)).toBe('upsert');
    expect(phaseOf(recovered(writing, true, LATER))).toBe('upsert');
    expect(phaseOf(readBack(recovered(writing, false, LATER), undefined, true, NOW)!)).toBe('upsert');
    expect(phaseOf(readBack(recovered(writing, false, LATER), FOUND, true, NOW)!)).toBe('held');
  });
});
