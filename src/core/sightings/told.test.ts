// To whom a hit is owed, to the very moment, and what is judged again before it leaves.
import { describe, expect, it } from 'vitest';
import {
  addressAt,
  aHit,
  anIndicator,
  aSiem,
  aStore,
  minutes,
  objectIdAt,
  type TestStore,
} from '../../../test/builders/sightings.ts';
import type { IncomingObject } from '../model/entry.ts';
import { StoreReader } from '../store/read/status.ts';

const NOW = minutes(30);
const MARKING = 'marking-definition--1';
const definition = (says: object): IncomingObject => ({ kind: 'marking', objectId: MARKING, ...says });

const publishAt = (test: TestStore, exchange: string, at: number, objects: readonly IncomingObject[]) =>
  test.store.commitPages(exchange, [{ scope: 'c', objects, refusals: [], cursor: null }], at);
const taken = (test: TestStore, exchange = 'partner', now = NOW) => test.store.takeSightings(exchange, 10, now);

describe('a hit', () => {
  it('in the moment in which a claim came is owed to it, too', () => {
    using test = aStore({
      release: { reporting: ['partner', 'other'], rules: [{ to: '*', tlp: ['green'], action: 'share' }] },
    });
    const same = { tlp: 'green', observables: [addressAt(1)] } as const;
    publishAt(test, 'partner', minutes(0), [anIndicator(1, same)]);
    publishAt(test, 'other', minutes(10), [anIndicator(2, same)]);

    test.store.commitHits('one', [aHit(1, { first: minutes(10), last: minutes(10) })], 'x', NOW);

    expect(['partner', 'other'].map((to) => taken(test, to).length)).toEqual([1, 1]);
  });

  it.each([
    [minutes(10), 0],
    [minutes(10) + 1, 1],
  ])('in the moment in which a claim ended is not owed to it: %i', (validUntil, told) => {
    using test = aStore();
    publishAt(test, 'partner', minutes(0), [anIndicator(1, { tlp: 'green', validUntil })]);

    test.store.commitHits('one', [aHit(1, { first: minutes(10), last: minutes(10) })], 'x', NOW);

    expect(taken(test)).toHaveLength(told);
  });

  it.each([
    ['above its clearance', { tlp: 'red' }],
    ['called harmless', { tlp: 'green', benign: true }],
  ] as const)('of a SIEM that may not hold the object is told to nobody: %s', (_what, given) => {
    using test = aStore();
    publishAt(test, 'partner', minutes(0), [{ ...anIndicator(1), ...given } as IncomingObject]);

    test.store.commitHits('one', [aHit(1)], 'x', NOW);

    expect(taken(test)).toEqual([]);
  });

  it.each([
    [false, 0],
    [true, 1],
  ])('of a SIEM whose policy holds the entry is told only where a person let it in: %s', (letIn, told) => {
    const plain = aSiem('one');
    const { intake, ...rule } = plain.rules['partner']!;
    const rules = { partner: { ...rule, intake: { ...intake, unknownConfidence: 'hold' } } } as const;
    using test = aStore({ siems: [{ ...plain, rules }] });
    publishAt(test, 'partner', minutes(0), [anIndicator(1)]);
    if (letIn) {
      const reader = new StoreReader(test.spec);
      const holds = reader.held().map(({ id, set }) => ({ id, set }));
      reader.close();
      test.store.decide({ holds, sightings: [] }, 'approve', 'ana', 'known here', minutes(1));
    }

    test.store.commitHits('one', [aHit(1)], 'x', NOW);

    expect(taken(test)).toHaveLength(told);
  });
});

describe('before it leaves', () => {
  const marked = anIndicator(1, { tlp: 'green', openMarkings: [MARKING] });

  it.each([
    ['its level counts as the strictest', [{ to: '*', tlp: ['clear', 'green', 'amber'], action: 'share' }]],
    ['its terms of use are those that no rule names', [{ to: '*', statements: ['for members'], action: 'share' }]],
  ] as const)('a sighting under a marking that is not understood any more stays here: %s', (_what, rules) => {
    using test = aStore({ release: { delayMinutes: 5, rules: [...rules] } });
    publishAt(test, 'partner', minutes(0), [definition({ tlp: 'green', statement: 'for members' }), marked]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    expect(test.store.nextSending('partner')).toBe(NOW + 5 * 60_000);

    publishAt(test, 'partner', NOW, [definition({ unread: 'of a kind that we do not know' })]);
    for (let more = true; more; ) ({ more } = test.store.tick(NOW, false));

    expect(taken(test, 'partner', minutes(40))).toEqual([]);
    expect(test.store.nextSending('partner')).toBeUndefined();
  });

  it('an outcome that comes after a restart settles nothing: it is looked for again', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    const [sent] = taken(test);
    test.reopen();

    test.store.settleSightings('partner', [{ uuid: sent!.uuid, kind: 'sent' }], NOW);

    expect(taken(test)).toMatchObject([{ uuid: sent!.uuid, objectId: objectIdAt(1), attempt: 1 }]);
  });

  it('what goes again is known to have been tried, each time', () => {
    using test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', NOW);
    const attempts = [1, 2, 3].map(() => {
      const [one] = taken(test);
      test.store.settleSightings('partner', [{ uuid: one!.uuid, kind: 'again', at: NOW }], NOW);
      return one!.attempt ?? 0;
    });

    expect(attempts).toEqual([0, 1, 2]);
  });
});
