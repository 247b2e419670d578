// What may leave is judged by the rules, once more at the moment of sending.
import { describe, expect, it } from 'vitest';
import {
  addressAt,
  aHit,
  anIndicator,
  aSiem,
  aStore,
  aStoreOf,
  minutes,
  NOW,
  objectIdAt,
  reading,
  RELEASE,
  take,
  type TestStore,
} from '../../../../test/builders/sightings.ts';

describe('the outbox', () => {
  it('judges again at the moment of sending: a marking that turned strict meanwhile keeps it here', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    test.publish([anIndicator(1, { tlp: 'red', version: '2026-01-02T00:00:00.000000000Z' })]);

    expect(take(test)).toEqual([]);
    const [release] = reading(test, (reader) => reader.releases(addressAt(1)));
    expect(release).toMatchObject({ state: 'denied', rule: null });
    expect(release?.reason).toContain('TLP:RED');
  });

  it('lets the object decide, not what another partner says of the same value', () => {
    using test = aStore({ release: { reporting: ['partner', 'other'] } });
    test.publish([anIndicator(1, { tlp: 'amber' })]);
    test.publish([anIndicator(2, { tlp: 'clear', observables: [addressAt(1)] })], 'other');
    test.store.commitHits('one', [aHit(1)], 'x', NOW);

    expect(take(test)[0]?.tlp).toBe('amber');
  });

  it('lets another partner know only where a rule names the origin', () => {
    const rules = [{ to: 'other', from: ['partner'], tlp: ['green'], action: 'share' }] as const;
    using test = aStore({ release: { rules, reporting: ['partner', 'other'] } });
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);

    expect([take(test).length, take(test, NOW, 'other').length]).toEqual([0, 1]);
  });

  it('denies an object under terms of use that no rule names', () => {
    const marking = 'marking-definition--11111111-1111-4111-8111-111111111111';
    const rules = [{ to: '*', statements: ['for members'], action: 'share' }] as const;
    using test = aStore({ release: { rules } });
    test.publish([
      { kind: 'marking', objectId: marking, statement: 'for nobody' },
      anIndicator(1, { tlp: 'green', openMarkings: [marking] }),
      anIndicator(2),
    ]);
    test.store.commitHits('one', [aHit(1), aHit(2)], 'x', NOW);

    expect(take(test).map((one) => one.objectId)).toEqual([objectIdAt(2)]);
  });

  it.each([
    ['no permission names', [{ to: '*', statements: ['sharing group: Blue'], action: 'share' }]],
    [
      'a denial names',
      [
        { to: '*', statements: ['nato:releasability="REL TO BEL"'], action: 'deny' },
        { to: '*', action: 'share' },
      ],
    ],
  ] as const)('keeps a MISP attribute here under terms that %s', (_which, rules) => {
    using test = aStore({ release: { rules } });
    const attribute = (n: number, ...statements: string[]) => ({
      ...anIndicator(n),
      facts: JSON.stringify({ statements }),
    });
    test.publish([
      attribute(1, 'sharing group: Blue', 'nato:releasability="REL TO BEL"'),
      attribute(2, 'sharing group: Blue'),
      anIndicator(3),
    ]);
    test.store.commitHits('one', [aHit(1), aHit(2), aHit(3)], 'x', NOW);

    expect(take(test).map((one) => one.objectId)).toEqual([objectIdAt(2), objectIdAt(3)]);
  });

  it('judges again at the moment of sending: a value that became a canary of ours keeps it here', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    test.store.close();
    const spec = { ...test.spec, release: { ...RELEASE, ignore: [aHit(1).key] } };
    test.store = aStoreOf(spec);

    expect(take(test)).toEqual([]);
    expect(reading(test, (reader) => reader.releases(addressAt(1)))[0]).toMatchObject({
      state: 'denied',
      reason: expect.stringContaining('canaries of ours') as string,
    });
  });

  it('does not count hits on a value that became a canary of ours towards an object of several values', () => {
    using test = aStore();
    test.publish([anIndicator(1, { tlp: 'green', observables: [addressAt(1), addressAt(2)] })]);
    test.store.commitHits('one', [aHit(1, { count: 7 })], 'x', NOW);
    test.store.close();
    test.store = aStoreOf({ ...test.spec, release: { ...RELEASE, ignore: [aHit(1).key] } });

    expect(take(test)).toEqual([]);
    expect(reading(test, (reader) => reader.releases(addressAt(1)))[0]?.reason).toContain('canaries of ours');
    const next = { first: minutes(70), last: minutes(70) };
    test.store.commitHits('one', [aHit(2, next), aHit(1, { ...next, dedupe: 'c' })], 'x', minutes(75));
    expect(take(test, minutes(75)).map((one) => [one.created, one.count])).toEqual([[minutes(60), 1]]);
  });

  it('counts no hits of the same window on a value that became a canary of ours', () => {
    using test = aStore();
    test.publish([anIndicator(1, { tlp: 'green', observables: [addressAt(1), addressAt(2)] })]);
    test.store.commitHits('one', [aHit(1, { count: 7 })], 'x', NOW);
    test.store.close();
    test.store = aStoreOf({ ...test.spec, release: { ...RELEASE, ignore: [aHit(1).key] } });

    test.store.commitHits('one', [aHit(2, { count: 9, last: minutes(20) })], 'x', NOW);

    expect(reading(test, (reader) => reader.releases(addressAt(2)))).toMatchObject([{ count: 9 }]);
  });

  describe('of an exchange whose name was given to another place', () => {
    const elsewhere = (test: TestStore) => {
      test.store.close();
      const exchanges = test.spec.exchanges.map((one) => (one.name === 'partner' ? { ...one, fingerprint: 'g' } : one));
      test.store = aStoreOf({ ...test.spec, exchanges });
    };

    it('holds what was decided for the old one, and what is found on its objects', () => {
      using test = aStore();
      test.publish([anIndicator(1), anIndicator(2)]);
      test.store.commitHits('one', [aHit(1)], 'x', NOW);
      elsewhere(test);
      test.store.commitHits('one', [aHit(2)], 'x', NOW);

      expect(take(test)).toEqual([]);
      const held = reading(test, (reader) => [...reader.held()]);
      expect(held.map((one) => one.reason)).toEqual(Array(2).fill(expect.stringContaining('configured anew')));
    });

    it('tells of objects that it shows as well', () => {
      using test = aStore();
      test.publish([anIndicator(1)]);
      elsewhere(test);
      test.publish([anIndicator(1)]);
      test.store.commitHits('one', [aHit(1)], 'x', NOW);

      expect(take(test)).toHaveLength(1);
    });

    it('holds what came from others and was decided for the old one', () => {
      const rules = [{ to: 'partner', from: ['other'], tlp: ['green'], action: 'share' }] as const;
      using test = aStore({ release: { rules } });
      test.publish([anIndicator(1)], 'other');
      test.store.commitHits('one', [aHit(1)], 'x', NOW);
      elsewhere(test);

      expect(take(test)).toEqual([]);
      expect(reading(test, (reader) => [[...reader.held()].length, reader.counts()])).toMatchObject([
        1,
        { held: 1, queued: 0 },
      ]);
    });
  });

  it('denies, with its own reason, what came from an exchange that is no longer configured', () => {
    using test = aStore({
      release: { reporting: ['other'], rules: [{ to: '*', from: ['partner'], tlp: ['green'], action: 'share' }] },
    });
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    test.store.close();
    const exchanges = test.spec.exchanges.filter((one) => one.name === 'other');
    test.store = aStoreOf({ ...test.spec, exchanges });

    expect(take(test, NOW, 'other')).toEqual([]);
    expect(reading(test, (reader) => reader.releases(addressAt(1)))[0]?.reason).toBe(
      'exchange partner is no longer configured',
    );
  });

  it('denies an object under a marking that nothing explains where a rule names terms of use', () => {
    const rules = [{ to: '*', tlp: ['red'], statements: ['for members'], action: 'share' }] as const;
    const cleared = aSiem('one');
    const rule = cleared.rules['partner']!;
    const partner = { ...rule, intake: { ...rule.intake, clearance: 'red' as const } };
    using test = aStore({ release: { rules }, siems: [{ ...cleared, rules: { partner } }] });
    const open = ['marking-definition--22222222-2222-4222-8222-222222222222'];
    test.publish([anIndicator(1, { tlp: 'red', openMarkings: open }), anIndicator(2, { tlp: 'red' })]);
    test.store.commitHits('one', [aHit(1), aHit(2)], 'x', NOW);

    expect(take(test).map((one) => one.objectId)).toEqual([objectIdAt(2)]);
  });
});
