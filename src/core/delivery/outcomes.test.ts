// From a connector's words to what is written of each row, in tables.
import { describe, expect, it } from 'vitest';
import { Batch } from '../contracts/batch.ts';
import type { Change, Outcome } from '../contracts/siem-connector.ts';
import type { Failure } from '../model/failure.ts';
import { entryKey } from '../model/observable.ts';
import type { Applied } from './dividing.ts';
import { settleApplied, settleOutcomes } from './outcomes.ts';

const NOW = Date.UTC(2026, 0, 10, 12);
const keyOf = (n: number) => entryKey('ipv4-addr', `192.0.2.${n}`);
const batchOf = (count: number, op: 'upsert' | 'remove' = 'upsert'): Batch =>
  Batch.of(
    Array.from({ length: count }, (_, n): Change => ({ op, key: keyOf(n), slot: keyOf(n), revision: 7 })),
    Array.from({ length: count }, () => '{}'),
  );
const failed = (n: number, kind: Failure['kind'], message: string = kind): Outcome => ({
  key: keyOf(n),
  kind: 'failed',
  failure: { kind, message },
});
const applied = (n: number, handle?: string): Outcome => ({
  key: keyOf(n),
  kind: 'applied',
  ...(handle === undefined ? {} : { handle }),
});
const settle = (batch: Batch, outcomes: readonly Outcome[]) => settleOutcomes(batch, outcomes, NOW, 1, 1);

describe('what a connector says of a change', () => {
  it('is kept without what nobody sees, whatever the peer put into its words', () => {
    const said = 'bad\u202e value\u200b\u001b[31m';

    expect(settle(batchOf(1), [failed(0, 'permanent', said)]).settlements).toEqual([
      { kind: 'park', reason: 'bad value[31m' },
    ]);
    expect(settle(batchOf(1), [failed(0, 'config', said)]).worst?.message).toBe('bad value[31m');
  });

  it.each([
    ['retryable', 'upsert', 'unknown'],
    ['bug', 'upsert', 'unknown'],
    ['config', 'upsert', 'retry'],
    ['permanent', 'upsert', 'park'],
    ['retryable', 'remove', 'unknown'],
    ['config', 'remove', 'retry'],
    ['permanent', 'remove', 'retry'],
  ] as const)('%s, of an %s: %s', (kind, op, settled) => {
    const { settlements } = settle(batchOf(1, op), [failed(0, kind)]);

    expect(settlements).toMatchObject([{ kind: settled }]);
  });

  it('is nothing at all: the change may have been carried out, and the connector has a bug', () => {
    const { settlements, worst } = settle(batchOf(2), [applied(0)]);

    expect(settlements?.map(({ kind }) => kind)).toEqual(['applied', 'unknown']);
    expect(worst).toMatchObject({ kind: 'bug' });
  });

  it('is matched by key, in whatever order it comes', () => {
    const { settlements } = settle(batchOf(3), [failed(2, 'permanent'), applied(1, 'row 9'), applied(0)]);

    expect(settlements).toEqual([
      { kind: 'applied' },
      { kind: 'applied', handle: 'row 9' },
      { kind: 'park', reason: 'permanent' },
    ]);
  });

  it('is one word for the whole batch where each was applied and none has a handle', () => {
    expect(settle(batchOf(2), [applied(1), applied(0)]).settlements).toBeUndefined();
    expect(settle(batchOf(1), [applied(0, 'row 9')]).settlements).toEqual([{ kind: 'applied', handle: 'row 9' }]);
  });

  it('of what is newer there is told to the engine, which lists everything', () => {
    const superseded: Outcome = { key: keyOf(0), kind: 'superseded', revision: 99 };

    expect(settle(batchOf(1), [superseded])).toMatchObject({
      superseded: true,
      settlements: [{ kind: 'superseded', revision: 99 }],
    });
  });

  it('of the target is the failure that a person has to mend, before what heals by itself', () => {
    const several = [failed(0, 'retryable'), failed(1, 'config', 'no rights'), failed(2, 'retryable')];

    expect(settle(batchOf(3), several).worst).toMatchObject({ message: 'no rights' });
    expect(settle(batchOf(3, 'upsert'), [failed(0, 'permanent'), applied(1), applied(2)]).worst).toBeUndefined();
  });
});

describe('what all calls of a batch came to', () => {
  const none: Applied = {
    outcomes: [applied(0), applied(1)],
    failure: undefined,
    unknown: new Set(),
    undone: new Set(),
    broken: undefined,
    breaking: new Map(),
    divided: false,
  };
  const down: Failure = { kind: 'retryable', message: '503' };
  const retry = { now: NOW, attempt: 1, chance: 1, cap: undefined, waitMs: 5_000 };
  const again = () => ({ kind: 'retry', retryAt: NOW }) as const;
  const settle = (more: Partial<Applied>, delayed: ReadonlyMap<string, number> = new Map(), open = false) =>
    settleApplied(batchOf(2), { ...none, ...more }, delayed, open ? { ...retry, again } : retry);

  it('is one word where it took one call and each change was applied', () => {
    expect(settle({}).settlements).toBe('all applied');
  });

  it('is told row by row where it took several: the first one may still be sending its bytes', () => {
    expect(settle({ divided: true }).settlements).toEqual([{ kind: 'applied' }, { kind: 'applied' }]);
  });

  it('is unknown or left undone, as the failed call has it, and waits for the target', () => {
    const landing = settle({
      outcomes: [failed(0, 'retryable'), failed(1, 'retryable')],
      failure: down,
      unknown: new Set([keyOf(0)]),
      undone: new Set([keyOf(1)]),
    });

    expect(landing.settlements).toEqual([
      { kind: 'unknown', retryAt: NOW + 5_000 },
      { kind: 'retry', retryAt: NOW + 5_000 },
    ]);
    expect(landing.failure).toEqual(down);
  });

  it('says nothing of the target for the one change that makes the SIEM fail, which waits for a time of its own', () => {
    const landing = settle(
      {
        outcomes: [failed(0, 'retryable'), applied(1)],
        unknown: new Set([keyOf(0)]),
        breaking: new Map([[keyOf(0), down]]),
      },
      new Map([[keyOf(0), NOW + 60_000]]),
    );

    expect(landing.settlements).toEqual([{ kind: 'unknown', retryAt: NOW + 60_000 }, { kind: 'applied' }]);
    expect(landing.failure).toBeUndefined();
  });

  it('parks nothing while it is open who is to blame', () => {
    const refused = { outcomes: [failed(0, 'permanent'), failed(1, 'permanent')] };

    expect(settle(refused).settlements).toMatchObject([{ kind: 'park' }, { kind: 'park' }]);
    expect(settle(refused, new Map(), true).settlements).toEqual([again(), again()]);
  });
});
