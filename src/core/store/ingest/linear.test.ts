// Work is linear in what arrives: whatever shape a partner gives to so many objects, they cost at most four times the
// processor time of as many ordinary ones.
import { describe, expect, it } from 'vitest';
import { indicators, ipv4, NOW, Rig, versionAt } from '../../../../test/builders/store.ts';
import type { IncomingObject } from '../../model/entry.ts';

const MOST = 4;

/** Milliseconds of processor time until all is taken in, swept and delivered. */
function cost(rig: Rig, commits: readonly (readonly IncomingObject[])[]): number {
  const start = process.cpuUsage();
  for (const objects of commits) rig.commit(objects);
  rig.tick(NOW);
  rig.deliver();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

const inCommits = (objects: readonly IncomingObject[], size = 1000): IncomingObject[][] =>
  Array.from({ length: Math.ceil(objects.length / size) }, (_, i) => objects.slice(i * size, (i + 1) * size));

function ordinary(n: number): number {
  const rig = new Rig();
  try {
    return cost(rig, inCommits(indicators(0, n)));
  } finally {
    rig.close();
  }
}

describe('a partner that sends', () => {
  it('one value in ten thousand objects', () => {
    const rig = new Rig();
    const same = indicators(0, 10_000).map((one) => ({ ...one, observables: [ipv4('192.0.2.1')] }));

    const ratio = cost(rig, inCommits(same)) / ordinary(same.length);

    expect(rig.row()).toMatchObject({ wanted: 1, present: 1, state: 0 });
    expect(ratio).toBeLessThan(MOST);
  });

  it('one malware in a thousand versions that a thousand indicators name', () => {
    const rig = new Rig();
    const named = indicators(0, 1000);
    const relations = named.map((one, i) => ({
      kind: 'relationship' as const,
      objectId: `relationship--${i}`,
      version: versionAt(NOW),
      revoked: false,
      relation: 'indicates',
      source: one.objectId,
      target: 'malware--1',
    }));
    const versions = Array.from({ length: 1000 }, (_, i) => ({
      kind: 'name' as const,
      objectId: 'malware--1',
      type: 'malware',
      version: versionAt(NOW + i),
      name: `Name ${i}`,
    }));

    const ratio = cost(rig, [...inCommits([...named, ...relations]), versions]) / ordinary(3000);

    expect(ratio).toBeLessThan(MOST);
  });

  it('objects under markings that nobody defines, beside as many definitions of others', () => {
    const rig = new Rig();
    const n = 5000;
    const marked = indicators(0, n).map((one, i) => ({ ...one, openMarkings: [`marking-definition--open-${i}`] }));
    const definitions = Array.from({ length: n }, (_, i) => ({
      kind: 'marking' as const,
      objectId: `marking-definition--other-${i}`,
      tlp: 'green' as const,
    }));

    const ratio = cost(rig, [...inCommits(marked), ...inCommits(definitions)]) / ordinary(2 * n);

    expect(ratio).toBeLessThan(MOST);
  });

  it('definitions for each of its marked objects, later', () => {
    const rig = new Rig();
    const n = 5000;
    const marked = indicators(0, n).map((one, i) => ({ ...one, openMarkings: [`marking-definition--${i}`] }));
    const definitions = Array.from({ length: n }, (_, i) => ({
      kind: 'marking' as const,
      objectId: `marking-definition--${i}`,
      statement: 'for members',
    }));

    const ratio = cost(rig, [...inCommits(marked), ...inCommits(definitions)]) / ordinary(2 * n);

    expect(rig.rows()).toHaveLength(n);
    expect(ratio).toBeLessThan(MOST);
  });
});
