// When a hold ends by itself, in tables.
import { describe, expect, it } from 'vitest';
import { cutsShort, type HeldRow, holdStays, isCommon, questionOf } from './holds.ts';

const NOW = Date.UTC(2026, 0, 10, 12);
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
