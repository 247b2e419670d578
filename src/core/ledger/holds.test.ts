// When a hold ends by itself, in tables, and what it does to a row.
import { describe, expect, it } from 'vitest';
import {
  NOW,
  ANEW,
  LATER,
  REMOVAL,
  ADDITION,
  fresh,
  wished,
  withdrawn,
  answer,
  applied,
  lostCall,
  inFlight,
  there,
} from '../../../test/builders/stands.ts';
import { firm, placeOf } from './capacity.ts';
import { cutsShort, held, type HeldRow, holdStays, isAsNoted, isCommon, questionOf } from './holds.ts';
import { recovered, settled, taken } from './call.ts';
import { lost, readBack } from './found.ts';
import { phaseOf, type Stand } from './stand.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A removal that is held: withdrawn, of an entry that would have stood for another week. */
const removal: HeldRow = {
  kind: 'removal',
  rejected: false,
  wasWanted: false,
  wanted: false,
  changed: false,
  offered: undefined,
  kept: NOW + 7 * DAY,
  now: NOW,
  suppressed: false,
  allowed: true,
};
const addition: HeldRow = { ...removal, kind: 'addition', wasWanted: true, wanted: true, offered: NOW + DAY };

describe('a held removal', () => {
  it.each([
    ['as long as nobody vouches', {}, true],
    ['once rejected, as long as nobody vouches', { rejected: true }, true],
    ['without an end of its own', { kept: undefined }, true],
    ['a millisecond before its end', { kept: NOW + 1 }, true],
    ['not beyond its end', { kept: NOW }, false],
    ['not of a value that is suppressed', { suppressed: true }, false],
    ['not of what policy forbids', { allowed: false }, false],
    ['not where a partner vouches again for a day', { wanted: true, offered: NOW + DAY }, false],
    ['where one vouches again for less', { wanted: true, offered: NOW + DAY - 1 }, true],
    ['not where one vouches again to the old end', { wanted: true, offered: NOW + HOUR, kept: NOW + HOUR }, false],
  ])('stays %s', (_what, given, stays) => {
    expect(holdStays({ ...removal, ...given })).toBe(stays);
  });

  it.each([
    ['a shorter validity', NOW + 6 * DAY, NOW + 7 * DAY, true],
    ['the old one again', NOW + 7 * DAY, NOW + 7 * DAY, false],
    ['a longer one', NOW + 8 * DAY, NOW + 7 * DAY, false],
    ['any end where there was none', NOW + 8 * DAY, undefined, true],
  ])('of what was cut short stays with %s: %i, %s', (_what, offered, kept, stays) => {
    expect(holdStays({ ...removal, wasWanted: true, wanted: true, offered, kept })).toBe(stays);
  });
});

describe('a held addition', () => {
  it.each([
    ['while it waits', {}, true],
    ['in a new version', { changed: true }, true],
    ['once rejected', { rejected: true }, true],
    ['once rejected, not in a new version', { rejected: true, changed: true }, false],
    ['not when it is withdrawn', { wanted: false }, false],
  ])('stays %s', (_what, given, stays) => {
    expect(holdStays({ ...addition, ...given })).toBe(stays);
  });
});

describe('a validity', () => {
  const before = { from: NOW, until: NOW + DAY };

  it.each([
    ['the same', {}, false],
    ['an earlier end', { until: NOW + DAY - 1 }, true],
    ['a later end', { until: NOW + DAY + 1 }, false],
    ['no end', { until: undefined }, false],
    ['a later beginning', { from: NOW + 1 }, true],
    ['an earlier beginning', { from: NOW - 1 }, false],
  ])('is cut short by %s: %j', (_what, given, cut) => {
    expect(cutsShort(before, { ...before, ...given })).toBe(cut);
  });

  it('without an end is cut short by any, and not by none', () => {
    expect(cutsShort({ ...before, until: undefined }, before)).toBe(true);
    expect(cutsShort({ ...before, until: undefined }, { ...before, until: undefined })).toBe(false);
  });
});

it('asks of all at once that no confidence is stated, and of a marking by itself', () => {
  expect(isCommon(questionOf(1, 'confidence_unknown', 'it states none'))).toBe(true);
  expect(isCommon(questionOf(1, 'marking_unexplained', 'it refers to a marking'))).toBe(false);
});

describe('a row in a hold', () => {
  const kept = held(withdrawn(there), REMOVAL, undefined, ANEW, NOW);

  it('keeps what stands there, and keeps out what does not', () => {
    expect(phaseOf(kept)).toBe('held');
    expect(phaseOf(held(fresh, ADDITION, undefined, ANEW, NOW))).toBe('held');
  });

  it.each([applied, { kind: 'retry', retryAt: LATER }, lostCall] as const)(
    'is where a row rests whatever became of its call: %o',
    (outcome) => {
      const flies = held(withdrawn(taken(wished(there, { revision: 150 }), 3)), REMOVAL, undefined, ANEW, NOW);
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
    const doubted = held(withdrawn(recovered(inFlight, false, LATER)), REMOVAL, undefined, ANEW, NOW);

    expect(readBack(doubted, undefined, false, NOW)).toBeUndefined();
  });

  it('of a validity that was cut short keeps the one it had', () => {
    const short = wished(there, { until: NOW + 10, due: NOW + 10 });

    expect(held(short, REMOVAL, NOW + 500, ANEW, NOW).wanted).toMatchObject({ until: NOW + 500, due: NOW + 10 });
  });

  it('is wanted anew where it waited for a place: what left for want of one is known there by the revision it had', () => {
    const waits: Stand = { ...wished(fresh, { is: false, revision: 150, cause: 'full' }), place: { at: 5, out: true } };

    const asked = held(waits, ADDITION, undefined, ANEW, NOW);

    expect(asked).toMatchObject({ wanted: { is: true, revision: ANEW, cause: 'none', since: NOW }, place: undefined });
  });

  it('has a place that nobody takes where it stands there or may, and none where it is kept out', () => {
    const at = placeOf(3, { confidence: 80, modified: NOW });
    const kept = { at: firm(at), out: false };
    const doubted: Stand = { ...fresh, present: { ...fresh.present, is: 'maybe' }, place: { at, out: false } };

    // Withdrawn in the same moment: it had left its place.
    expect(held(withdrawn(there), REMOVAL, undefined, ANEW, NOW, at).place).toEqual(kept);
    expect(held(doubted, ADDITION, undefined, ANEW, NOW, at).place).toEqual(kept);
    expect(held({ ...fresh, place: kept }, ADDITION, undefined, ANEW, NOW, at).place).toBeUndefined();
    expect(held(withdrawn(there), REMOVAL, undefined, ANEW, NOW, undefined).place).toBeUndefined();
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
