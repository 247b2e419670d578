import { expect, it } from 'vitest';
import { anIndicator, ipv4, NOW, Rig, aSiem } from '../../../../test/builders/store.ts';
import { claimSummary } from './summary.ts';

it('counts what is refused by its code, however many reasons there are', () => {
  const siem = aSiem();
  const rules = siem.rules['partner']!;
  const neverBlock = { actions: {}, own: { networks: ['192.0.2.0/24'], domains: [] } };
  const rig = new Rig({
    siems: [{ ...siem, rules: { partner: { ...rules, intake: { ...rules.intake, neverBlock } } } }],
  });
  const one = (i: number, given: object = {}) =>
    anIndicator({ objectId: `indicator--${i}`, observables: [ipv4(`192.0.2.${i}`)], ...given });

  rig.commit([one(1), one(2), one(3), one(4, { observables: [], refusal: 'pattern type sigma' })]);
  const { refused, refusedAs } = claimSummary(rig.spec, 'siem', NOW);

  expect(Object.keys(refused)).toHaveLength(4);
  expect(refusedAs).toEqual({
    never_block_own_hosts: { claims: 3, reason: expect.stringContaining('192.0.2.1'), otherReasons: 2 },
    'pattern type sigma': { claims: 1, reason: 'pattern type sigma', otherReasons: 0 },
  });
});
