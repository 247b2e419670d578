import { expect, it } from 'vitest';
import { aSiem } from '../../../../test/builders/store.ts';
import { areAlike } from './alike.ts';

const changed = (intake: object, lifetime: object = {}) => {
  const siem = aSiem({ name: 'other' });
  const { partner } = siem.rules;
  return {
    ...siem,
    rules: {
      partner: { intake: { ...partner!.intake, ...intake }, lifetime: { ...partner!.lifetime, ...lifetime } },
    },
  };
};
const own = { own: { networks: [], domains: [] } } as never;

it('takes SIEMs for alike that differ in nothing but their names', () => {
  expect(
    areAlike(aSiem(), aSiem({ name: 'other', brake: { removal: { share: 1, atLeast: 1, windowHours: 1 } } })),
  ).toBe(true);
});

it.each([
  ['what they may hold', changed({ clearance: 'green' })],
  ['how long', changed({}, { maxDays: 1 })],
  ['the lists of one', changed({ neverBlock: own })],
  ['what one adds to them', changed({ neverBlockAlso: [] })],
  ['whom they listen to', aSiem({ listensTo: [] })],
  ['one more of these', aSiem({ listensTo: ['partner', 'second'] })],
  ['what they take', aSiem({ observables: ['url'] })],
])('does not where they differ in %s', (_, other) => {
  expect(areAlike(aSiem(), other)).toBe(false);
  expect(areAlike(other, aSiem())).toBe(false);
});
