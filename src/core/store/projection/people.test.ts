import { describe, expect, it } from 'vitest';
import {
  anExchange,
  anIndicator,
  aSiem,
  DAY,
  HOUR,
  ipv4,
  NOW,
  Rig,
  versionAt,
} from '../../../../test/builders/store.ts';

const VALUE = ipv4('192.0.2.1');

describe('a value that is called harmless', () => {
  it('is off until it is lifted, whatever the partner says and however long it takes', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: 'indicator--1' })]);
    rig.deliver();

    const [id] = rig.store.callHarmless([VALUE], NOW + 30 * DAY, 'our own updater', 'ana', NOW);
    expect(rig.deliver()).toEqual(['remove 192.0.2.1']);
    rig.commit([anIndicator({ objectId: 'indicator--1', version: versionAt(NOW), confidence: 90 })], NOW + HOUR);
    rig.restart();
    rig.tick(NOW + 60 * DAY);
    expect(rig.deliver(NOW + 60 * DAY)).toEqual([]);

    rig.store.lift(id!, NOW + 60 * DAY, 'harmless');
    expect(rig.deliver(NOW + 60 * DAY)).toEqual(['upsert 192.0.2.1']);
  });

  it('asks for another look at its date, and is told apart from what is suppressed for a time', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: 'indicator--1' })]);
    const [id] = rig.store.callHarmless([VALUE], NOW + DAY, 'ours', 'ana', NOW);
    const [other] = rig.store.suppress([VALUE], NOW + HOUR, 'for now', 'bo', NOW);

    rig.read((reader) => {
      expect(reader.harmless()).toMatchObject([{ id, value: '192.0.2.1', reason: 'ours', by: 'ana' }]);
      expect(reader.suppressions(NOW).map((one) => one.id)).toEqual([other]);
      expect([reader.toReview(NOW), reader.toReview(NOW + DAY)]).toEqual([0, 1]);
      expect(reader.why(VALUE, NOW + 2 * HOUR)!.siems[0]!.reason).toMatch(/^called harmless by ana .*: ours$/);
    });
    expect(() => rig.store.lift(id!, NOW)).toThrow(/no suppression/);
    expect(() => rig.store.lift(other!, NOW, 'harmless')).toThrow(/no harmless value/);
  });

  it('is looked at again by saying it again', () => {
    const rig = new Rig();
    rig.store.callHarmless([VALUE], NOW + DAY, 'ours', 'ana', NOW);
    const [again] = rig.store.callHarmless([VALUE], NOW + 90 * DAY, 'still ours', 'bo', NOW + 2 * DAY);

    expect(rig.read((reader) => reader.harmless())).toMatchObject([{ id: again, reason: 'still ours' }]);
    expect(rig.read((reader) => reader.toReview(NOW + 3 * DAY))).toBe(0);
  });
});

it('a push is what only this exchange vouches for, since then', () => {
  const rig = new Rig({
    exchanges: [anExchange(), anExchange({ name: 'other' })],
    siems: [aSiem({ listensTo: ['partner', 'other'] })],
  });
  const of = (objectId: string, ...values: string[]) => anIndicator({ objectId, observables: values.map(ipv4) });
  rig.commit([of('indicator--old', '192.0.2.1', '192.0.2.2')], NOW);
  rig.commit([of('indicator--else', '192.0.2.3')], NOW, 'other');
  rig.commit([of('indicator--bad', '192.0.2.2', '192.0.2.3', '192.0.2.4', '192.0.2.5')], NOW + HOUR);
  rig.commit([of('indicator--worse', '192.0.2.4')], NOW + 2 * HOUR);
  rig.deliver(NOW + 2 * HOUR);

  rig.read((reader) => {
    const { values, shared } = reader.pushed('partner', NOW + HOUR, 10);
    expect([values.map((one) => one.value), shared]).toEqual([['192.0.2.4', '192.0.2.5'], 2]);
    expect(reader.standing(values)).toEqual({ siem: 2 });
    // Of one poll: what came again later stays.
    expect(reader.pushed('partner', NOW + HOUR, 10, NOW + HOUR)).toEqual({ values: [ipv4('192.0.2.5')], shared: 3 });
    expect(reader.pushed('partner', NOW + 3 * HOUR, 10)).toEqual({ values: [], shared: 0 });
    expect(reader.pushed('other', NOW, 10).values).toEqual([]);
  });
});

describe('what is off for one value', () => {
  it('is found by the value, and what asks for another look by its day, however much is off', () => {
    const rig = new Rig();
    rig.store.suppress([ipv4('192.0.2.1'), ipv4('192.0.2.2')], NOW + DAY, 'noise', 'ann', NOW);
    rig.store.callHarmless([ipv4('192.0.2.3')], NOW + DAY, 'ours', 'ann', NOW);
    const [two, three] = [ipv4('192.0.2.2'), ipv4('192.0.2.3')];

    const found = rig.read((reader) => [
      reader.suppressions(NOW, two).map(({ value }) => value),
      reader.suppressions(NOW, three),
      reader.harmless(three).map(({ value }) => value),
      reader.harmless(two),
      [reader.toReview(NOW), reader.toReview(NOW + 2 * DAY)],
    ]);

    expect(found).toEqual([['192.0.2.2'], [], ['192.0.2.3'], [], [0, 1]]);
  });
});
