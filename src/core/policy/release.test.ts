import { describe, expect, it } from 'vitest';
import type { ReleaseFacts } from '../model/sighting.ts';
import { release, type ReleaseRule } from './release.ts';

const NOW = Date.UTC(2026, 10, 23);
const DAY = 86_400_000;

const facts = (given: Partial<ReleaseFacts> = {}): ReleaseFacts => ({
  to: 'cert-eu',
  from: 'cert-eu',
  kind: 'seen',
  tlp: 'green',
  statements: [],
  types: ['ipv4-addr'],
  count: 3,
  last: NOW,
  ...given,
});
const SHARE: ReleaseRule = { to: 'cert-eu', tlp: ['clear', 'green', 'amber'], action: 'share' };
const decide = (given: Partial<ReleaseFacts>, ...rules: ReleaseRule[]) => release(facts(given), rules, 1, NOW);

describe('release', () => {
  it('denies what no rule allows', () => {
    expect(decide({})).toEqual({
      action: 'deny',
      reason: 'no rule allows a sighting, count 3, of an object from cert-eu to cert-eu (TLP:GREEN)',
    });
  });

  it('follows the first rule that matches, and names it', () => {
    const decision = decide({}, { ...SHARE, tlp: ['clear'] }, { ...SHARE, action: 'hold' }, SHARE);

    expect([decision.action, decision.rule]).toEqual(['hold', 2]);
    expect(decision.reason).toBe('rule 2 holds a sighting, count 3, of an object from cert-eu to cert-eu (TLP:GREEN)');
  });

  it('names the terms that it decides under, few of many and each cut to length', () => {
    const of = (...statements: string[]) => decide({ statements }, SHARE).reason;

    expect(of('sharing group: Blue')).toMatch(/\(TLP:GREEN, under "sharing group: Blue"\)$/);
    expect(of('a', 'b', 'c', 'd', 'e')).toMatch(/\(TLP:GREEN, under "a", "b", "c" and 2 more\)$/);
    expect(of('x'.repeat(1000))).toMatch(/under "x{80}…"\)$/);
  });

  it('never takes an unmarked object for amber', () => {
    const { tlp: _, ...unmarked } = facts();

    expect(release(unmarked, [SHARE], 1, NOW).action).toBe('deny');
    expect(release(unmarked, [{ ...SHARE, tlp: ['red'] }], 1, NOW).action).toBe('share');
  });

  it('takes an object without PAP for the strictest where a rule looks at PAP', () => {
    expect(decide({}, { ...SHARE, pap: ['clear', 'green'] }).action).toBe('deny');
    expect(decide({ pap: 'green' }, { ...SHARE, pap: ['clear', 'green'] }).action).toBe('share');
  });

  it('goes back to the originator only, unless the rule names where objects come from', () => {
    expect(decide({ from: 'misp-be' }, SHARE).action).toBe('deny');
    expect(decide({ from: 'misp-be' }, { ...SHARE, from: ['misp-be'] }).action).toBe('share');
    expect(decide({}, { ...SHARE, from: ['misp-be'] }).action).toBe('deny');
    expect(decide({ from: 'misp-be' }, { ...SHARE, to: '*' }).action).toBe('deny');
  });

  it('lets a denial reach objects of every origin', () => {
    expect(decide({ from: 'misp-be' }, { to: '*', action: 'deny' }, { ...SHARE, from: ['misp-be'] }).rule).toBe(1);
  });

  it('lets a denial by terms of use reach objects under a marking that nothing explains', () => {
    const unknown = 'marking-definition--22222222-2222-4222-8222-222222222222';
    const rules = [{ to: '*', statements: ['for nobody'], action: 'deny' }, SHARE] as const;

    expect(decide({ statements: [unknown] }, ...rules).rule).toBe(1);
    expect(decide({ statements: ['for members'] }, ...rules).rule).toBe(2);
  });

  it('is for the partner it names alone', () => {
    expect(decide({ to: 'other', from: 'other' }, SHARE).action).toBe('deny');
  });

  it.each<[string, Partial<ReleaseFacts>, Partial<ReleaseRule>, string]>([
    ['a count below the minimum', { count: 2 }, { minCount: 3 }, 'deny'],
    ['a count at the minimum', { count: 3 }, { minCount: 3 }, 'share'],
    ['an old hit', { last: NOW - 3 * DAY }, { maxAgeDays: 2 }, 'deny'],
    ['a hit just as old as that', { last: NOW - 2 * DAY }, { maxAgeDays: 2 }, 'share'],
    ['a young hit', { last: NOW - DAY }, { maxAgeDays: 2 }, 'share'],
    ['a type that is named', {}, { types: ['ipv4-addr'] }, 'share'],
    ['a family that is named', { types: ['file:hashes.MD5'] }, { types: ['file'] }, 'share'],
    ['an object with one type that is not named', { types: ['ipv4-addr', 'url'] }, { types: ['url'] }, 'deny'],
    ['terms of use that are named', { statements: ['a'] }, { statements: ['a', 'b'] }, 'share'],
    ['terms of use that are not named', { statements: ['a', 'c'] }, { statements: ['a', 'b'] }, 'deny'],
    ['a false positive without leave', { kind: 'false_positive' }, {}, 'deny'],
    ['a false positive with leave', { kind: 'false_positive' }, { falsePositives: true }, 'share'],
  ])('%s', (_what, given, rule, action) => {
    expect(decide(given, { ...SHARE, ...rule }).action).toBe(action);
  });

  it('uses the general minimum count where the rule has none', () => {
    expect(release(facts({ count: 4 }), [SHARE], 5, NOW).action).toBe('deny');
    expect(release(facts({ count: 5 }), [SHARE], 5, NOW).action).toBe('share');
  });

  it('denies when a rule cannot be evaluated, though a later one would allow', () => {
    // Not a list: as after a wrong conversion.
    const broken = { ...SHARE, tlp: 7 } as unknown as ReleaseRule;

    expect(decide({}, broken, SHARE)).toEqual({ action: 'deny', rule: 1, reason: 'rule 1 could not be evaluated' });
  });
});
