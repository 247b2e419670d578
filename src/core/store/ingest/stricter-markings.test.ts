// Words of a partner that only make stricter: a second definition of a marking, and levels in labels. From the object as
// it was published to what is armed.
import { describe, expect, it } from 'vitest';
import { aSiem, ipv4, MINUTE, NOW, Rig } from '../../../../test/builders/store.ts';
import type { Tlp } from '../../model/marking.ts';
import { readObject } from '../../stix/objects.ts';

const OWN = 'marking-definition--11111111-1111-4111-8111-111111111111';
const GREEN = 'marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb';
const STATEMENT = { definition_type: 'statement', definition: { statement: 'for members' } };

function read(raw: object) {
  const result = readObject({ spec_version: '2.1', ...raw });
  if (!('object' in result)) throw new Error(JSON.stringify(result));
  return result.object;
}

const marking = (given: object) => read({ type: 'marking-definition', id: OWN, ...given });

const indicator = (given: object) =>
  read({
    type: 'indicator',
    id: 'indicator--11111111-1111-4111-8111-111111111111',
    created: '2026-01-08T12:00:00.000Z',
    modified: '2026-01-08T12:00:00.000Z',
    valid_from: '2026-01-08T12:00:00.000Z',
    pattern: "[ipv4-addr:value = '192.0.2.1']",
    pattern_type: 'stix',
    indicator_types: ['malicious-activity'],
    ...given,
  });

const decision = (rig: Rig) =>
  rig.read((reader) => reader.why(ipv4('192.0.2.1'), NOW))?.claims[0]?.decisions[0]?.reason;

function watched(unmarked: Tlp | 'refuse' = 'amber', clearance: Tlp = 'amber'): Rig {
  const siem = aSiem();
  const rules = siem.rules['partner']!;
  const intake = { ...rules.intake, unmarked, clearance };
  return new Rig({ siems: [{ ...siem, rules: { partner: { ...rules, intake } } }] });
}

describe('a second definition under the same marking id', () => {
  it.each([
    ['red', { definition_type: 'tlp', definition: { tlp: 'red' } }, "TLP:RED is above this SIEM's clearance TLP:AMBER"],
    [
      'of an unknown kind',
      { definition_type: 'iep', definition: { iep: 1 } },
      `refers to ${OWN}, of the kind iep, which we do not know`,
    ],
  ])('takes armed values off where it is %s', (_what, second, reason) => {
    const rig = watched();
    rig.commit([marking({ definition_type: 'tlp', definition: { tlp: 'green' } })]);
    rig.commit([indicator({ object_marking_refs: [OWN] })]);
    expect(rig.deliver()).toEqual(['upsert 192.0.2.1']);

    rig.commit([marking(second)], NOW + MINUTE);
    rig.tick(NOW + MINUTE);

    expect(rig.deliver(NOW + MINUTE)).toEqual(['remove 192.0.2.1']);
    expect(decision(rig)).toBe(reason);
  });

  it('opens nothing where it is milder', () => {
    const rig = watched();
    rig.commit([
      marking({ definition_type: 'tlp', definition: { tlp: 'red' } }),
      indicator({ object_marking_refs: [OWN] }),
    ]);

    rig.commit([marking({ definition_type: 'tlp', definition: { tlp: 'clear' } })]);
    rig.tick(NOW);

    expect(rig.deliver()).toEqual([]);
  });
});

it.each([
  [[5], 'refers to a marking that cannot be read'],
  [[OWN], `refers to ${OWN}, which nobody explained`],
])('a marking that nobody understands keeps out, and is told as that: %j', (object_marking_refs, reason) => {
  const rig = watched('amber', 'red');
  rig.commit([indicator({ object_marking_refs })]);

  expect(rig.deliver()).toEqual([]);
  expect(decision(rig)).toBe(reason);
});

describe('a TLP in labels', () => {
  it.each([
    'tlp:red',
    'TLP:RED',
    'TLP RED',
    'tlp_red',
    'TLP:2.0 amber+strict',
    'misp:tlp="red"',
    'tlp:amber-strict',
    'TLP:VIOLET',
  ])('keeps out what a marking or nothing else would let in: %s', (text) => {
    for (const object_marking_refs of [[GREEN], [], [OWN]]) {
      const rig = watched();
      rig.commit([marking(STATEMENT), indicator({ object_marking_refs, labels: ['botnet', text] })]);
      expect(rig.deliver()).toEqual([]);
    }
  });

  it('is read as well where it is a text alone, or the seventeenth', () => {
    for (const labels of ['tlp:red', [...Array.from({ length: 20 }, (_, i) => `l${i}`), 'tlp:red']]) {
      const rig = watched();
      rig.commit([indicator({ labels, object_marking_refs: [GREEN] })]);
      expect(rig.deliver()).toEqual([]);
    }
  });

  it('never opens', () => {
    const labels = ['tlp:clear'];
    for (const [rig, given] of [
      [watched('amber', 'green'), { labels }],
      [watched('refuse', 'red'), { labels }],
      [watched('clear', 'red'), { labels, object_marking_refs: ['marking-definition--unknown'] }],
    ] as const) {
      rig.commit([indicator(given)]);
      expect(rig.deliver()).toEqual([]);
    }
  });

  it('counts beside a definition that came, and is what why says', () => {
    const rig = watched('clear');
    rig.commit([marking({ definition_type: 'tlp', definition: { tlp: 'green' } })]);
    rig.commit([indicator({ labels: ['TLP:AMBER'], object_marking_refs: [OWN] })]);

    expect(rig.deliver()).toHaveLength(1);
    expect(rig.read((reader) => reader.why(ipv4('192.0.2.1'), NOW))?.claims[0]?.tlp).toBe('amber');
  });

  it('takes off what is armed when it comes in a known version', () => {
    const rig = watched();
    rig.commit([indicator({})]);
    expect(rig.deliver()).toHaveLength(1);

    rig.commit([indicator({ labels: ['tlp:red'] })], NOW + MINUTE);

    expect(rig.deliver(NOW + MINUTE)).toEqual(['remove 192.0.2.1']);
    expect(decision(rig)).toBe(
      "only a label states a TLP, which counts as TLP:RED and is above this SIEM's clearance TLP:AMBER",
    );
  });
});
