// What one step takes of several sweeps.
import { describe, expect, it } from 'vitest';
import type { Sweep } from '../unit/sweeps.ts';
import { membersOf } from './members.ts';

const sweep = (subject: string, position = ''): Sweep => ({
  kind: 'marking',
  owner: 1,
  subject,
  position,
  argument: null,
  done: 0,
});

/** Members are numbers; of each subject so many, in order. */
function step(
  sweeps: readonly Sweep[],
  most: number,
  many: Readonly<Record<string, number>>,
  rows: (member: number) => number = () => 1,
) {
  const asked: string[] = [];
  const count = (subject: string) => Array.from({ length: many[subject] ?? 0 }, (_, i) => i + 1);
  const members = membersOf<number>(sweeps, most, {
    // As a database answers: by the subjects, in an order of its own.
    ofAll: (subjects, limit) => {
      asked.push(subjects.join(' '));
      return subjects
        .toSorted()
        .flatMap((one) => count(one).map((member) => [one, member] as const))
        .slice(0, limit);
    },
    ofOne: ({ subject, position }, limit) => {
      asked.push(`${subject}>${position}`);
      return count(subject)
        .filter((one) => one > Number(position))
        .slice(0, limit);
    },
  });
  const worked: number[] = [];
  const steps = members.steps((member) => {
    worked.push(member);
    return rows(member);
  });
  // Whatever it works on was foretold, so that it could be read as a set.
  expect(members.first.slice(0, worked.length)).toEqual(worked);
  return { asked, steps: steps.map(({ rows: n, position }) => [n, position]) };
}

describe('several sweeps in one step', () => {
  const [a, b, c] = [sweep('a'), sweep('b'), sweep('c')];

  it('are read at once and are all over where they are small, also those of which nobody waits any more', () => {
    expect(step([c, a, b], 100, { a: 2, c: 1 })).toEqual({
      asked: ['c a b'],
      steps: [
        [1, undefined],
        [2, undefined],
        [0, undefined],
      ],
    });
  });

  it('end where the rows of the step do, the longest waiting first', () => {
    expect(step([c, a, b], 4, { a: 5, b: 5, c: 2 }).steps).toEqual([
      [2, undefined],
      [2, '2'],
    ]);
    // What was the last of its own is over, and the next one is not begun.
    expect(step([c, a, b], 2, { a: 5, c: 2 }).steps).toEqual([[2, undefined]]);
    // Those without members take a row each.
    expect(step([c, a, b], 2, { b: 5 }).steps).toEqual([
      [0, undefined],
      [0, undefined],
    ]);
  });

  it('count what each member takes', () => {
    expect(step([a, b], 10, { a: 3, b: 3 }, () => 4).steps).toEqual([[12, undefined]]);
    expect(step([a, b], 10, { a: 4, b: 3 }, () => 4).steps).toEqual([[12, '3']]);
    expect(step([a, b], 10, { a: 1, b: 3 }, (one) => (one === 1 ? 0 : 9)).steps).toEqual([
      [1, undefined],
      [10, '2'],
    ]);
  });

  it('leave a very large one to a step of its own, and are not held up by it', () => {
    const large = { a: 10_000, b: 1, c: 1 };

    expect(step([b, c, a, sweep('d')], 2500, large)).toEqual({
      asked: ['b c a d', 'b c'],
      steps: [
        [1, undefined],
        [1, undefined],
      ],
    });
    expect(step([a, b], 2500, large)).toEqual({ asked: ['a b', 'a>'], steps: [[2500, '2500']] });
  });

  it('go on by themselves where they were under way', () => {
    expect(step([sweep('a', '7'), b], 100, { a: 9, b: 1 })).toEqual({ asked: ['a>7'], steps: [[2, undefined]] });
    expect(step([b, sweep('a', '7')], 100, { a: 9, b: 1 })).toEqual({ asked: ['b>'], steps: [[1, undefined]] });
  });
});
