// When a sighting goes, which of its versions, and how its sending ends.
import { describe, expect, it } from 'vitest';
import {
  addressAt,
  aHit,
  anIndicator,
  aSiem,
  aStore,
  aStoreOf,
  NOW,
  reading,
  RELEASE,
  sendAll,
  take,
} from '../../../../test/builders/sightings.ts';
import { RecordReader } from '../read/record.ts';

describe('the outbox', () => {
  it('makes a newer version of the same sighting when hits come later, and none when nothing changes', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    const [first] = sendAll(test);
    test.store.commitHits('two', [aHit(1)], 'x', NOW);
    const between = take(test);
    test.store.commitHits('one', [aHit(1, { dedupe: 'later' })], 'x', NOW);

    const [second] = take(test);

    expect(between).toEqual([]);
    expect(second?.uuid).toBe(first?.uuid);
    expect(second?.count).toBe(2);
    expect(second?.modified).toBeGreaterThan(first?.modified ?? 0);
  });

  it('sends what came while a version was on its way', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    const [first] = take(test);
    test.store.commitHits('one', [aHit(1, { dedupe: 'meanwhile' })], 'x', NOW);
    const meanwhile = take(test);
    test.store.settleSightings('partner', [{ uuid: first!.uuid, kind: 'sent' }], NOW);

    expect(meanwhile).toEqual([]);
    expect(take(test)[0]?.count).toBe(2);
  });

  it('is recorded as told once, also where its end is reported again', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    const [one] = sendAll(test);

    for (const kind of ['sent', 'sent'] as const)
      test.store.settleSightings('partner', [{ uuid: one!.uuid, kind }], NOW + 1);

    const record = new RecordReader(test.spec);
    const told = [...record.records()].filter(({ body }) => body.includes('"tell"'));
    record.close();
    expect(told).toHaveLength(1);
  });

  it('sends again, to the byte, what was on its way at a crash', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    const before = take(test);
    test.reopen();

    // It may have arrived, which is said.
    expect(take(test)).toEqual(before.map((one) => ({ ...one, attempt: 1 })));
  });

  it('keeps a receipt over a crash and asks no second time before it is settled', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    const [one] = take(test);
    test.store.settleSightings('partner', [{ uuid: one!.uuid, kind: 'accepted', receipt: 'r1' }], NOW);
    test.reopen();

    expect(take(test)).toEqual([]);
    expect(test.store.sendReceipts('partner')).toMatchObject([
      { receipt: 'r1', posted: [{ uuid: one!.uuid, modified: one!.modified }] },
    ]);
  });

  it('waits as long as the failure asks', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    const [one] = take(test);
    test.store.settleSightings('partner', [{ uuid: one!.uuid, kind: 'again', at: NOW + 5000 }], NOW);

    expect([take(test, NOW + 4999).length, test.store.nextSending('partner'), take(test, NOW + 5000).length]).toEqual([
      0,
      NOW + 5000,
      1,
    ]);
  });

  it('waits for the delay of the rule', () => {
    using test = aStore({ release: { rules: [{ to: '*', tlp: ['green'], delayMinutes: 15, action: 'share' }] } });
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);

    expect([take(test, NOW).length, take(test, NOW + 15 * 60_000).length]).toEqual([0, 1]);
  });

  it('waits for the delay that the rules ask at the moment of sending', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    test.store.close();
    const rules = [{ to: '*', tlp: ['green'], delayMinutes: 60, action: 'share' }] as const;
    test.store = aStoreOf({ ...test.spec, release: { ...RELEASE, rules } });

    expect([take(test, NOW).length, test.store.nextSending('partner')]).toEqual([0, NOW + 3_600_000]);
    expect(take(test, NOW + 3_600_000)).toHaveLength(1);
  });

  it('draws a jitter that the id of the sighting does not tell, and that a restart does not draw again', () => {
    const rules = [{ to: '*', tlp: ['green'], jitterMinutes: 60, action: 'share' }] as const;
    const dueOf = (again = false) => {
      using test = aStore({ release: { rules } });
      test.publish([anIndicator(1)]);
      test.store.commitHits('one', [aHit(1)], 'x', NOW);
      if (again) test.reopen();
      expect(take(test, NOW)).toEqual([]);
      const due = test.store.nextSending('partner');
      expect(due).toBe(test.reopen().nextSending('partner'));
      return due;
    };

    expect(dueOf()).not.toBe(dueOf(true));
  });

  it('never goes back to an older version when a SIEM leaves the configuration', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1, { count: 5 })], 'x', NOW);
    const [first] = sendAll(test);
    test.store.close();
    test.store = aStoreOf({ ...test.spec, siems: [aSiem('two')] });
    test.store.commitHits('two', [aHit(1)], 'x', NOW);

    expect([first?.count, take(test)]).toEqual([5, []]);
    expect(reading(test, (reader) => reader.releases(addressAt(1)))[0]).toMatchObject({ state: 'sent', count: 5 });
  });

  it('keeps a refusal of the partner until a person asks to try again', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    const [one] = take(test);
    test.store.settleSightings('partner', [{ uuid: one!.uuid, kind: 'refused', reason: '422' }], NOW);

    expect(take(test)).toEqual([]);
    expect(reading(test, (reader) => reader.counts())).toEqual({
      hits: 1,
      held: 0,
      denied: 0,
      queued: 0,
      sent: 0,
      failed: 1,
    });
    expect(test.store.retrySightings(undefined, NOW)).toBe(1);
    expect(take(test)).toHaveLength(1);
  });
});
