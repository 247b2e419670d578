import { describe, expect, it } from 'vitest';
import {
  addressAt,
  aHit,
  anIndicator,
  aStore,
  minutes,
  NOW,
  objectIdAt,
  reading,
  sendAll,
  take,
} from '../../../../test/builders/sightings.ts';

describe('a false positive', () => {
  it('goes only where a rule lets verdicts go, and once', () => {
    const rules = [{ to: '*', tlp: ['green'], falsePositives: true, action: 'share' }] as const;
    using test = aStore({ release: { rules } });
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1, { verdict: 'false_positive' })], 'x', NOW);
    const sent = sendAll(test);
    test.store.commitHits('one', [aHit(1, { verdict: 'false_positive', dedupe: 'again' })], 'x', NOW);

    expect(sent.map((one) => one.kind)).toEqual(['false_positive']);
    expect(take(test)).toEqual([]);
  });

  it('is what a person says who suppresses a value as one', () => {
    const rules = [{ to: '*', tlp: ['green'], falsePositives: true, action: 'share' }] as const;
    using test = aStore({ release: { rules } });
    test.publish([anIndicator(1), anIndicator(2)]);
    test.store.suppress([addressAt(1)], minutes(120), 'our mail relay', 'ann', NOW, true);
    test.store.suppress([addressAt(2)], minutes(120), 'CANARY-maintenance', 'ann', NOW);

    expect(take(test).map((one) => [one.objectId, one.kind])).toEqual([[objectIdAt(1), 'false_positive']]);
    expect(reading(test, (reader) => reader.hits(addressAt(1)))).toMatchObject([
      { siem: 'by hand', verdict: 'false_positive', count: 1 },
    ]);
  });

  it('after the alert was counted leaves the count as told, and says so besides', () => {
    const rules = [{ to: '*', tlp: ['green'], falsePositives: true, action: 'share' }] as const;
    using test = aStore({ release: { rules } });
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    sendAll(test);
    test.store.commitHits('one', [aHit(1, { verdict: 'false_positive', dedupe: 'closed' })], 'x', NOW);

    expect(take(test).map((one) => one.kind)).toEqual(['false_positive']);
    expect(reading(test, (reader) => reader.releases(addressAt(1))).map((one) => [one.kind, one.state])).toEqual([
      ['seen', 'sent'],
      ['false_positive', 'sending'],
    ]);
  });

  it('stays here under a rule for sightings', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1, { verdict: 'false_positive' })], 'x', NOW);

    expect(take(test)).toEqual([]);
  });
});
