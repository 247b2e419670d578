import { describe, expect, it } from 'vitest';
import type { Change, Outcome } from '../contracts/siem-connector.ts';
import { entryKey } from '../model/observable.ts';
import { RefusedRemovals } from './refused-removals.ts';

const keyOf = (n: number) => entryKey('ipv4-addr', `192.0.2.${n}`);
const change = (n: number, op: Change['op'] = 'remove') => ({ key: keyOf(n), op });
const refused = (n: number): Outcome => ({
  key: keyOf(n),
  kind: 'failed',
  failure: { kind: 'permanent', message: `may not delete ${n}` },
});
const busy = (n: number): Outcome => ({
  key: keyOf(n),
  kind: 'failed',
  failure: { kind: 'retryable', message: '503' },
});
const done = (n: number): Outcome => ({ key: keyOf(n), kind: 'applied' });
const accepted = (n: number): Outcome => ({ key: keyOf(n), kind: 'accepted', receipt: 'task' });

describe('a removal that was refused', () => {
  it.each<readonly [string, (removals: RefusedRemovals) => void, string | undefined]>([
    ['is why the SIEM is failing', () => {}, 'may not delete 0'],
    ['is over when it is carried out', (all) => all.called([change(0)], [done(0)]), undefined],
    ['is over when such a value is written again', (all) => all.called([change(0, 'upsert')], [done(0)]), undefined],
    ['is over when the SIEM is only busy the next time', (all) => all.called([change(0)], [busy(0)]), undefined],
    ['stands while others are carried out', (all) => all.called([change(1)], [done(1)]), 'may not delete 0'],
    ['stands while a task has it', (all) => all.called([change(0)], [accepted(0)]), 'may not delete 0'],
    ['is over when its task carried it out', (all) => all.ended([done(0)], undefined), undefined],
    ['stands where its task was lost in an outage', (all) => all.ended([busy(0)], undefined), 'may not delete 0'],
    ['is over when everything is looked at anew', (all) => all.clear(), undefined],
  ])('%s', (_what, then, why) => {
    const removals = new RefusedRemovals();
    removals.called([change(0)], [refused(0)]);

    then(removals);

    if (why === undefined) expect(removals.failure).toBeUndefined();
    else expect(removals.failure).toEqual({ kind: 'config', message: `a removal is refused: ${why}` });
  });

  it('by a task is told from an upsert that a task refused', () => {
    const [removal, upsert] = [new RefusedRemovals(), new RefusedRemovals()];

    removal.ended([refused(0)], keyOf(0));
    upsert.ended([refused(0)], undefined);

    expect([removal.failure?.kind, upsert.failure]).toEqual(['config', undefined]);
  });

  it('as an upsert is none', () => {
    const removals = new RefusedRemovals();

    removals.called([change(0, 'upsert')], [refused(0)]);

    expect(removals.failure).toBeUndefined();
  });

  it('is counted as often as it was refused in a row', () => {
    const removals = new RefusedRemovals();
    const times = [refused, refused, done, refused].map((outcome) => {
      removals.called([change(0)], [outcome(0)]);
      return removals.times;
    });

    expect(times).toEqual([1, 2, 0, 1]);
  });
});
