// A sighting that waits for a person, who decides about what was shown.
import { describe, expect, it } from 'vitest';
import {
  addressAt,
  aHit,
  anIndicator,
  aStore,
  aStoreOf,
  NOW,
  reading,
  sendAll,
  take,
  type TestStore,
} from '../../../../test/builders/sightings.ts';
import type { ReleaseSpec } from '../spec/spec.ts';

const decideSighting = (
  { store }: TestStore,
  id: number,
  decision: 'approve' | 'reject',
  set: string,
  by: string,
  reason: string,
  now: number,
) => store.decide({ holds: [], sightings: [{ id, set }] }, decision, by, reason, now);

describe('a held sighting', () => {
  const holding: Partial<ReleaseSpec> = { rules: [{ to: '*', tlp: ['green'], action: 'hold' }] };
  const held = (test: TestStore) => reading(test, (reader) => [...reader.held()]);
  const withOne = () => {
    const test = aStore({ release: holding });
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    return test;
  };

  it('leaves when a person approves it', () => {
    using test = withOne();
    const [one] = held(test);
    expect(take(test)).toEqual([]);
    const shown = reading(test, (reader) => reader.heldSighting(one!.id));

    decideSighting(test, 1, 'approve', one!.set, 'ann', 'known campaign', NOW);

    // With it goes where the object was shown, which no person decides by.
    expect(take(test)).toEqual([{ ...shown?.sighting, scope: 'c' }]);
  });

  it('leaves after the delay of its rule, however soon a person approves it', () => {
    using test = aStore({ release: { rules: [{ to: '*', tlp: ['green'], delayMinutes: 60, action: 'hold' }] } });
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    decideSighting(test, 1, 'approve', held(test)[0]!.set, 'ann', '', NOW + 60_000);

    expect([take(test, NOW + 60_000).length, take(test, NOW + 3_600_000).length]).toEqual([0, 1]);
  });

  it('is approved as it was shown: what came later is shown again', () => {
    using test = withOne();
    const [one] = held(test);
    test.store.commitHits('one', [aHit(1, { dedupe: 'more' })], 'x', NOW);

    expect(() => decideSighting(test, 1, 'approve', one!.set, 'ann', '', NOW)).toThrow(/changed since/);
    decideSighting(test, 1, 'approve', held(test)[0]!.set, 'ann', '', NOW);
    sendAll(test);
    test.store.commitHits('one', [aHit(1, { dedupe: 'yet more' })], 'x', NOW);
    expect(held(test)).toHaveLength(1);
  });

  it('stays here for good when a person rejects it', () => {
    using test = withOne();
    decideSighting(test, 1, 'reject', held(test)[0]!.set, 'ann', 'too telling', NOW);
    test.store.commitHits('one', [aHit(1, { dedupe: 'more' })], 'x', NOW);

    expect([take(test), held(test)]).toEqual([[], []]);
    expect(reading(test, (reader) => reader.releases(addressAt(1)))[0]).toMatchObject({
      state: 'denied',
      decided_by: 'ann',
    });
  });

  it('is not approved for other markings than were shown', () => {
    using test = aStore({ release: { rules: [{ to: '*', tlp: ['green', 'amber'], action: 'hold' }] } });
    test.publish([anIndicator(1, { tlp: 'amber' })]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    const [one] = held(test);
    const looser = anIndicator(1, { tlp: 'green', version: '2026-01-02T00:00:00.000000000Z' });

    test.publish([looser]);
    expect(() => decideSighting(test, 1, 'approve', one!.set, 'ann', '', NOW)).toThrow(/changed since/);
    decideSighting(test, 1, 'approve', held(test)[0]!.set, 'ann', '', NOW);
    test.publish([anIndicator(1, { tlp: 'amber', version: '2026-01-03T00:00:00.000000000Z' })]);

    expect([take(test), held(test).length]).toEqual([[], 1]);
  });

  it('is not approved for another form than was shown: identity, place or precision', () => {
    using test = withOne();
    decideSighting(test, 1, 'approve', held(test)[0]!.set, 'ann', '', NOW);
    test.store.close();
    const release = { ...test.spec.release!, forms: { partner: 'another identity' } };
    test.store = aStoreOf({ ...test.spec, release });

    expect([take(test), held(test).length]).toEqual([[], 1]);
  });

  it('is not approved after its time, though the loop that ends holds has not come by', () => {
    using test = withOne();
    const [one] = held(test);
    const late = NOW + 73 * 3_600_000;

    expect(() => decideSighting(test, 1, 'approve', one!.set, 'ann', '', late)).toThrow(/hold_hours/);
    expect(take(test, late)).toEqual([]);
  });

  it('that nobody decides on is denied when its time is up', () => {
    using test = withOne();
    test.store.retainSightings(NOW + 71 * 3_600_000);
    const before = held(test).length;
    test.store.retainSightings(NOW + 73 * 3_600_000);

    expect([before, held(test).length]).toEqual([1, 0]);
    expect(reading(test, (reader) => reader.counts())).toMatchObject({ held: 0, denied: 1 });
  });
});
