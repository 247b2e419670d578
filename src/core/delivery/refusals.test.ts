// A bad value, or a SIEM that refuses everything: what a run of calls says.
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../contracts/siem-connector.ts';
import { entryKey } from '../model/observable.ts';
import { refusedAlone, Refusals } from './refusals.ts';

const keyOf = (n: number) => entryKey('ipv4-addr', `192.0.2.${n}`);
const refused = (n: number, code = 'index_closed'): Outcome => ({
  key: keyOf(n),
  kind: 'failed',
  failure: { kind: 'permanent', message: 'refused', code },
});
const taken = (n: number): Outcome => ({ key: keyOf(n), kind: 'applied' });
const busy = (n: number): Outcome => ({
  key: keyOf(n),
  kind: 'failed',
  failure: { kind: 'retryable', message: '503' },
});

describe('everything is refused', () => {
  it.each([
    ['two changes of one call, for one reason', [[refused(0), refused(1)]], true],
    ['two changes, for two reasons', [[refused(0), refused(1, 'mapper_parsing')]], false],
    ['one of two changes', [[refused(0), taken(1)]], false],
    ['two values, each for what it is', [[refused(0, 'value_held'), refused(1, 'value_held')]], false],
    ['a busy SIEM', [[refused(0), busy(1)]], false],
    ['nothing', [[]], false],
    ['one change alone', [[refused(0)]], false],
    ['one change alone and then another', [[refused(0)], [refused(1)]], true],
    ['the same change twice', [[refused(0)], [refused(0)]], false],
    ['one alone, another taken, and one alone again', [[refused(0)], [taken(1)], [refused(2)]], false],
    ['one alone, and another for another reason', [[refused(0)], [refused(1, 'mapper_parsing')]], false],
  ] as const)('by %s', (_what, calls, everything) => {
    const refusals = new Refusals();
    const judged = calls.map((outcomes) => refusals.judge(outcomes));

    expect(judged.at(-1) !== undefined).toBe(everything);
  });
});

it('one change alone is compared, unless only the value can be to blame', () => {
  expect(refusedAlone([refused(0)])).toBe(keyOf(0));
  expect(refusedAlone([refused(0, 'value_held')])).toBeUndefined();
  expect(refusedAlone([refused(0), refused(1)])).toBeUndefined();
  expect(refusedAlone([busy(0)])).toBeUndefined();
});
