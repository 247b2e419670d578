// Very many explanations that come after what they explain, and what one step takes of them.
import { describe, expect, it } from 'vitest';
import { aSiem, indicators, ipv4, NOW, Rig } from '../../../../test/builders/store.ts';
import type { IncomingObject } from '../../model/entry.ts';

const marking = (n: number): string => `marking-definition--${n}`;
const MARKINGS = 300;
const LARGE = marking(7);

/** Most stand under two or three markings, half of them under one besides that is common to them. */
const marked = [
  ...indicators(0, 500).map((one, i) => ({
    ...one,
    observables: [ipv4(`198.51.100.${i % 250}`), ...one.observables],
    openMarkings: [marking(i % MARKINGS), marking((i * 7) % MARKINGS), ...(i % 2 === 0 ? [LARGE] : [])],
  })),
  ...indicators(500, 520, { openMarkings: [marking(3)] }),
];
const levels = ['clear', 'green', 'amber', 'green', 'red'] as const;
const definitions = Array.from(
  { length: MARKINGS },
  (_, n): IncomingObject => ({ kind: 'marking', objectId: marking(n), tlp: levels[n % 5]! }),
);
const stricter: IncomingObject[] = [3, 5, 9].map((n) => ({ kind: 'marking', objectId: marking(n), tlp: 'red' }));

/** Steps of 200 rows and then of more. */
function inSteps(given: object = {}): Rig {
  const rig = new Rig({ watch: () => 0, ...given });
  rig.tick(NOW);
  return rig;
}

/** What is to stand there, and by what. */
const stateOf = (rig: Rig) => ({
  wanted: rig
    .rows()
    .filter((one) => one.wanted === 1)
    .map(({ value, until }) => ({ value, until })),
  objects: rig.ask('SELECT object_id, tlp, pap, unexplained FROM object ORDER BY object_id'),
  waiting: rig.ask('SELECT marking_id, object_id FROM unexplained'),
  sweeps: rig.ask('SELECT kind FROM sweep'),
});

function tickAndDie(rig: Rig): number {
  for (let steps = 1; ; steps++) {
    const { more } = rig.store.tick(NOW, false);
    if (!more) return steps;
    rig.restart();
  }
}

describe('definitions of very many markings', () => {
  it('come to the same as where they come first, though the process dies between any two steps', () => {
    const after = inSteps();
    after.commit(marked);
    after.commit([definitions[3]!]);
    expect(after.deliver()).toHaveLength(20);
    // Those explained already are judged anew, by a sweep that stands in the middle of the others.
    after.commit([...definitions.slice(0, 250), ...stricter]);
    after.commit([...definitions.slice(250), ...stricter]);
    expect(tickAndDie(after)).toBeGreaterThan(1);

    const before = inSteps();
    before.commit([...definitions, ...stricter, ...marked]);
    expect(stateOf(after)).toEqual(stateOf(before));
    expect(stateOf(after)).toMatchObject({ waiting: [], sweeps: [] });
    expect(after.deliver().length).toBeGreaterThan(10);
  });

  it('are not held up by one for which very many wait', () => {
    const rig = inSteps();
    rig.commit(indicators(0, 2600, { openMarkings: [marking(0)] }));
    const others = Array.from({ length: 400 }, (_, n) => marking(n + 1));
    rig.commit(indicators(2600, 3000).map((one, i) => ({ ...one, openMarkings: [others[i]!] })));

    rig.commit([marking(0), ...others].map((objectId) => ({ kind: 'marking', objectId, tlp: 'green' })));
    const waiting = () => rig.ask<{ id: string }>('SELECT DISTINCT marking_id AS id FROM unexplained');
    for (let steps = 0; waiting().some(({ id }) => id !== marking(0)); steps++) {
      expect(steps).toBeLessThan(4);
      rig.store.tick(NOW, false);
    }

    expect(rig.ask('SELECT kind, subject FROM sweep')).toEqual([{ kind: 'marking', subject: marking(0) }]);
    rig.tick(NOW);
    expect(rig.deliver()).toHaveLength(3000);
  });

  it('are judged by the brake with all that the last of a step still lets in', () => {
    const brake = { addition: { factor: 10, atLeast: 900 } };
    const rig = inSteps({ siems: [aSiem({ brake })] });
    rig.commit([
      ...indicators(0, 100).map((one, i) => ({ ...one, openMarkings: [marking(i)] })),
      ...indicators(100, 1100, { openMarkings: [marking(100)] }),
    ]);
    rig.store.pollCompleted('partner', NOW);

    rig.commit(Array.from({ length: 101 }, (_, n) => ({ kind: 'marking', objectId: marking(n), tlp: 'green' })));
    rig.tick(NOW);

    expect(rig.deliver()).toEqual([]);
    expect(rig.rows()).toHaveLength(1100);
  });
});
