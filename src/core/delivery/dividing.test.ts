// One batch in as many calls as it takes, and what is known of each change afterwards.
import { describe, expect, it } from 'vitest';
import { Batch } from '../contracts/batch.ts';
import type { Change, Outcome } from '../contracts/siem-connector.ts';
import { configFailure, ConnectorError, permanent, retryable } from '../model/failure.ts';
import { entryKey } from '../model/observable.ts';
import { applyDivided } from './dividing.ts';

const keyOf = (n: number) => entryKey('ipv4-addr', `192.0.2.${n}`);
const batchOf = (count: number): Batch =>
  Batch.of(
    Array.from({ length: count }, (_, n): Change => ({ op: 'upsert', key: keyOf(n), slot: keyOf(n), revision: 7 })),
    Array.from({ length: count }, () => '{}'),
  );
const numbersOf = (batch: Batch) => batch.changes.map(({ key }) => Number(key.slice(key.lastIndexOf('.') + 1)));

/** `call` throws for the changes of one call, or lets them be applied. */
async function divide(count: number, call: (numbers: number[]) => void) {
  const calls: number[][] = [];
  const bugs: unknown[] = [];
  const applied = await applyDivided(batchOf(count), {
    apply: async (batch): Promise<readonly Outcome[]> => {
      calls.push(numbersOf(batch));
      call(numbersOf(batch));
      return batch.changes.map(({ key }) => ({ key, kind: 'applied' }));
    },
    onSplit: () => {},
    onBug: (error) => bugs.push(error),
  });
  const numbers = (keys: Iterable<string>) => [...keys].map((key) => Number(key.slice(key.lastIndexOf('.') + 1)));
  return { calls, bugs, applied, unknown: numbers(applied.unknown), undone: numbers(applied.undone) };
}

describe('a call that fails', () => {
  it.each([
    ['an answer that was lost', () => retryable('504'), [0, 1], []],
    ['a busy SIEM that says that nothing was done', () => retryable('429', { uncertain: false }), [], [0, 1]],
    ['a missing right', () => configFailure('403'), [], [0, 1]],
    ['anything that is no failure of a connector', () => new TypeError('undefined'), [0, 1], []],
  ])('leaves its changes as open as it is: %s', async (_what, error, unknown, undone) => {
    const result = await divide(2, () => {
      throw error();
    });

    expect([result.unknown, result.undone, result.calls.length]).toEqual([unknown, undone, 1]);
    expect(result.applied.outcomes.every(({ kind }) => kind === 'failed')).toBe(true);
  });

  it('in the middle leaves undone what comes behind it, and says so of each change', async () => {
    // Divided in two by the limit that the SIEM names; the second half is lost.
    const result = await divide(8, (numbers) => {
      if (numbers.length > 2) throw new ConnectorError('permanent', '413', { split: { maxItems: 2 } });
      if (numbers.includes(2)) throw retryable('504');
    });

    expect(result.calls.slice(-2)).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect([result.unknown, result.undone]).toEqual([
      [2, 3],
      [4, 5, 6, 7],
    ]);
    expect(result.applied.outcomes).toHaveLength(8);
    expect(result.applied.failure).toMatchObject({ message: '504' });
  });
});

describe('the search for a bad value', () => {
  it('ends with that value refused, and the target is well', async () => {
    const result = await divide(8, (numbers) => {
      if (numbers.includes(5)) throw permanent('400');
    });

    const refused = result.applied.outcomes.filter(({ kind }) => kind === 'failed');
    expect(refused).toMatchObject([{ key: keyOf(5) }]);
    expect([result.applied.failure, result.applied.divided]).toEqual([undefined, true]);
  });

  it('ends soon where nothing at all is taken', async () => {
    const result = await divide(400, () => {
      throw permanent('403', { code: 'between_403' });
    });

    expect(result.calls.length).toBeLessThan(30);
    expect(result.applied.outcomes).toHaveLength(400);
  });

  it('goes on to all of them while others are taken', async () => {
    // Every other one of many is bad: more than the search would bear if nothing were taken.
    const result = await divide(64, (numbers) => {
      if (numbers.some((n) => n % 2 === 1)) throw permanent('400');
    });

    const refused = result.applied.outcomes.filter(({ kind }) => kind === 'failed');
    expect([refused.length, result.applied.outcomes.length]).toEqual([32, 64]);
    expect(result.calls.filter((one) => one.length === 1)).toHaveLength(64);
  });
});
