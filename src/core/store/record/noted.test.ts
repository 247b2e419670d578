import { expect, it } from 'vitest';
import { anIndicator, aSiem, HOUR, ipv4, NOW, Rig } from '../../../../test/builders/store.ts';
import type { Entry } from '../../model/entry.ts';
import { labelsOf } from '../../model/entry.ts';
import type { NeverBlockRules } from '../../policy/never-block.ts';

const siemWith = (neverBlock?: NeverBlockRules) => {
  const plain = aSiem();
  const { intake, lifetime } = plain.rules['partner']!;
  return {
    ...plain,
    fingerprint: neverBlock === undefined ? 'none' : 'noting',
    rules: { partner: { intake: { ...intake, ...(neverBlock === undefined ? {} : { neverBlock }) }, lifetime } },
  };
};

it('an entry says on which lists its value stands, and is written again when one comes to name it', () => {
  const labels: string[][] = [];
  const encode = (entry: Entry) => {
    labels.push(labelsOf(entry));
    return { slot: entry.key, body: '{}' };
  };
  const rig = new Rig({ siems: [siemWith()], encoder: { encode } });
  rig.commit([
    anIndicator({ objectId: 'indicator--1', observables: [ipv4('8.8.8.8')], facts: '{"labels":["c2"]}' }),
    anIndicator({ objectId: 'indicator--2', observables: [ipv4('5.6.7.8')] }),
  ]);
  rig.deliver();
  expect(labels).toEqual([['c2'], []]);

  const own = { networks: [], domains: [] };
  rig.restart({ siems: [siemWith({ actions: { public_resolvers: 'note' }, own })] });
  rig.tick(NOW + HOUR);

  expect(rig.deliver(NOW + HOUR)).toEqual(['upsert 8.8.8.8']);
  expect(labels.at(-1)).toEqual(['c2', 'on list public_resolvers']);
});
