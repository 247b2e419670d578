import { describe, expect, it } from 'vitest';
import {
  anExchange,
  anIndicator,
  aSiem,
  DAY,
  HOUR,
  indicators,
  ipv4,
  NOW,
  Rig,
  versionAt,
} from '../../../../test/builders/store.ts';
import { CAUSE, STATE } from '../rows/rows.ts';

const ID = 'indicator--1';

describe('claims', () => {
  const two = {
    exchanges: [anExchange(), anExchange({ name: 'other' })],
    siems: [aSiem({ listensTo: ['partner', 'other'] })],
  };

  it('are judged per SIEM', () => {
    const rig = new Rig({ siems: [aSiem(), aSiem({ name: 'low', clearance: 'green' })] });
    rig.commit([anIndicator({ objectId: ID, tlp: 'amber' })]);

    expect([rig.deliver(NOW, 'siem'), rig.deliver(NOW, 'low')]).toEqual([['upsert 192.0.2.1'], []]);
  });

  it('of two sources keep an entry while one of them still vouches', () => {
    const rig = new Rig(two);
    rig.commit([anIndicator({ objectId: ID, validUntil: NOW + DAY })]);
    rig.commit([anIndicator({ objectId: 'indicator--2', validUntil: NOW + 3 * DAY })], NOW, 'other');
    expect(rig.row()?.until).toBe(NOW + 3 * DAY);
    rig.deliver();

    rig.commit([anIndicator({ objectId: ID, revoked: true, version: versionAt(NOW) })]);
    expect(rig.deliver()).toEqual(['upsert 192.0.2.1']);
    rig.commit([anIndicator({ objectId: 'indicator--2', revoked: true, version: versionAt(NOW) })], NOW, 'other');
    expect(rig.deliver()).toEqual(['remove 192.0.2.1']);
  });

  it('count by the rules of their own exchange: how long they live, and what they are without a level', () => {
    const siem = aSiem({ listensTo: ['partner', 'other'] });
    const { intake, lifetime } = siem.rules['partner']!;
    const rules = {
      partner: { intake: { ...intake, unmarked: 'clear' as const }, lifetime: { ...lifetime, defaultDays: 10 } },
      other: { intake: { ...intake, unmarked: 'amber' as const }, lifetime: { ...lifetime, defaultDays: 50 } },
    };
    for (const order of [
      ['partner', 'other'],
      ['other', 'partner'],
    ]) {
      const rig = new Rig({ ...two, siems: [{ ...siem, rules }] });
      for (const exchange of order) {
        const { tlp: _, ...unmarked } = anIndicator({ objectId: `indicator--${exchange}` });
        rig.commit([unmarked], NOW, exchange);
      }
      expect(rig.row()?.until).toBe(NOW - DAY + 50 * DAY);
      const { bytes, ends } = rig.take()!;
      expect(new TextDecoder().decode(bytes.subarray(0, ends[0]))).toContain('"tlp":"amber"');
    }
  });

  it('that a SIEM may not hold lend it nothing', () => {
    const rig = new Rig();
    rig.commit([
      anIndicator({ objectId: ID, validUntil: NOW + DAY }),
      anIndicator({ objectId: 'indicator--2', tlp: 'red', validUntil: NOW + 9 * DAY }),
    ]);

    expect(rig.row()?.until).toBe(NOW + DAY);
  });

  it('of a SIEM that does not listen vouch for nothing there', () => {
    const rig = new Rig({ ...two, siems: [aSiem()] });
    rig.commit([anIndicator({ objectId: ID })], NOW, 'other');

    expect(rig.deliver()).toEqual([]);
  });
});

describe('time', () => {
  it('brings an entry whose claim begins later', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID, validFrom: NOW + HOUR })]);
    expect(rig.deliver()).toEqual([]);
    expect(rig.store.tick(NOW, false).nextDue).toBe(NOW + HOUR);

    rig.tick(NOW + HOUR);

    expect(rig.deliver(NOW + HOUR)).toEqual(['upsert 192.0.2.1']);
  });

  it('keeps the begin of a later claim though the entry is removed meanwhile', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID }), anIndicator({ objectId: 'indicator--2', validFrom: NOW + DAY })]);
    rig.deliver();
    rig.commit([anIndicator({ objectId: ID, revoked: true, version: versionAt(NOW) })]);
    expect(rig.deliver()).toEqual(['remove 192.0.2.1']);

    rig.tick(NOW + DAY);

    expect(rig.deliver(NOW + DAY)).toEqual(['upsert 192.0.2.1']);
  });

  it('latches expiry with a revision above that of the entry', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID, validUntil: NOW + HOUR })]);
    rig.deliver();
    const before = rig.row()!.rev;

    rig.tick(NOW + HOUR);

    expect(rig.row()).toMatchObject({ wanted: 0, cause: CAUSE.expired });
    expect(rig.take(NOW + HOUR)?.changes[0]?.revision).toBeGreaterThan(before);
  });

  it('does not pass for expiry while it is in doubt', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID, validUntil: NOW + HOUR })]);
    rig.tick(NOW);
    rig.deliver();

    expect(rig.store.tick(NOW + DAY, true)).toMatchObject({ changed: 0, nextDue: undefined });
    expect(rig.deliver(NOW + DAY)).toEqual([]);
  });

  it('touches entries again before a product forgets them, spread over a tenth of the time', () => {
    const rig = new Rig({ siems: [aSiem({ refreshAfterDays: 10 })] });
    rig.commit(indicators(0, 500));
    rig.deliver();

    rig.tick(NOW + 9.75 * DAY);
    const first = rig.deliver(NOW + 9.75 * DAY).length;
    rig.tick(NOW + 10 * DAY);
    const rest = rig.deliver(NOW + 10 * DAY).length;

    expect(first).toBeGreaterThan(100);
    expect(rest).toBeGreaterThan(100);
    expect(first + rest).toBe(500);
  });
});

describe('a suppression', () => {
  it('takes the value off, and its end brings it back', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);
    rig.deliver();

    const [id] = rig.store.suppress([ipv4('192.0.2.1')], NOW + HOUR, 'false positive', 'op', NOW);
    expect(rig.deliver()).toEqual(['remove 192.0.2.1']);
    rig.tick(NOW + HOUR);
    expect(rig.deliver(NOW + HOUR)).toEqual(['upsert 192.0.2.1']);
    expect(id).toBe(1);
  });

  it('that is lifted brings it back at once, and lifting twice is refused', () => {
    const rig = new Rig();
    const [id] = rig.store.suppress([ipv4('192.0.2.1')], NOW + HOUR, 'false positive', 'op', NOW);
    rig.commit([anIndicator({ objectId: ID })]);
    expect(rig.deliver()).toEqual([]);

    rig.store.lift(id!, NOW);

    expect(rig.deliver()).toEqual(['upsert 192.0.2.1']);
    expect(() => rig.store.lift(id!, NOW)).toThrow(/no suppression/);
  });
});

describe('changed rules', () => {
  it('send only what they change', () => {
    const rig = new Rig();
    rig.commit([
      anIndicator({ objectId: ID, tlp: 'amber' }),
      anIndicator({ objectId: 'indicator--2', observables: [ipv4('192.0.2.2')] }),
    ]);
    rig.deliver();

    rig.restart({ siems: [aSiem({ clearance: 'green', fingerprint: 'b' })] });
    rig.tick(NOW);

    expect(rig.deliver()).toEqual(['remove 192.0.2.1']);
  });

  it('of the mapping send everything again', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 3));
    rig.deliver();

    rig.restart({ siems: [aSiem({ settings: { index: 'other' }, fingerprint: 'b' })] });
    rig.tick(NOW);

    expect(rig.deliver()).toHaveLength(3);
  });

  it('bring entries to a SIEM that is new', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 3));

    rig.restart({ siems: [aSiem(), aSiem({ name: 'new' })] });
    rig.tick(NOW);

    expect(rig.deliver(NOW, 'new')).toHaveLength(3);
  });
});

describe('a refused row', () => {
  it('is tried again when asked for, and when the product changed', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);
    rig.deliver(NOW, 'siem', () => ({ kind: 'park', reason: 'too long' }));
    expect(rig.row()?.state).toBe(STATE.parked);

    expect(rig.store.retryParked(undefined, NOW)).toBe(1);
    rig.deliver(NOW, 'siem', () => ({ kind: 'park', reason: 'too long' }));
    rig.store.opened('siem', { version: 9 }, NOW);

    expect(rig.deliver()).toEqual(['upsert 192.0.2.1']);
    expect(() => rig.store.retryParked('1-1', NOW)).toThrow(/nothing is parked/);
  });
});
