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
import { STATE } from '../rows/rows.ts';

const braked = (share = 0.2, atLeast = 3) =>
  new Rig({ siems: [aSiem({ brake: { removal: { share, atLeast, windowHours: 24 } } })] });
const withdraw = (from: number, to: number, now = NOW) =>
  indicators(from, to, { revoked: true, version: versionAt(now) });

function armed(rig: Rig, n: number): Rig {
  rig.commit(indicators(0, n));
  rig.store.pollCompleted('partner', NOW);
  rig.deliver();
  return rig;
}
const held = (rig: Rig) => rig.read((reader) => reader.held());

describe('the removal brake', () => {
  it('lets a small share go', () => {
    const rig = armed(braked(), 20);

    rig.commit(withdraw(0, 4));

    expect(rig.deliver()).toHaveLength(4);
  });

  it('holds what goes beyond the share, all of the same commit', () => {
    const rig = armed(braked(), 20);

    rig.commit(withdraw(0, 5));

    expect(rig.deliver()).toEqual([]);
    expect(held(rig)).toMatchObject([{ kind: 'removal', siem: 'siem', exchange: 'partner', count: 5 }]);
  });

  it('counts over the window, not per commit', () => {
    const rig = armed(braked(), 20);
    for (let i = 0; i < 4; i++) rig.commit(withdraw(i, i + 1));
    expect(rig.deliver()).toHaveLength(4);

    rig.commit(withdraw(4, 5, NOW + HOUR), NOW + HOUR);
    expect(rig.deliver(NOW + HOUR)).toEqual([]);
    rig.commit(withdraw(5, 6, NOW + 30 * HOUR), NOW + 30 * HOUR);

    expect(rig.deliver(NOW + 30 * HOUR)).toEqual(['remove 198.18.0.5']);
  });

  it('never holds expiry', () => {
    const rig = braked();
    rig.commit(indicators(0, 20, { validUntil: NOW + HOUR }));
    rig.deliver();

    rig.tick(NOW + HOUR);

    expect(rig.deliver(NOW + HOUR)).toHaveLength(20);
  });

  it('lets a held removal go at the expiry the entry had', () => {
    const rig = braked();
    rig.commit(indicators(0, 20, { validUntil: NOW + 2 * HOUR }));
    rig.deliver();
    rig.commit(withdraw(0, 20));
    expect(rig.deliver()).toEqual([]);

    rig.tick(NOW + 2 * HOUR);

    expect(rig.deliver(NOW + 2 * HOUR)).toHaveLength(20);
    expect(held(rig)).toEqual([]);
  });

  it('never holds what a person suppresses', () => {
    const rig = armed(braked(), 20);
    rig.commit(withdraw(0, 20));

    rig.store.suppress([ipv4('198.18.0.3')], NOW + DAY, 'false positive', 'op', NOW);

    expect(rig.deliver()).toEqual(['remove 198.18.0.3']);
  });

  it('holds what a partner marks benign', () => {
    const rig = armed(braked(), 20);

    rig.commit(indicators(0, 20, { benign: true, version: versionAt(NOW) }));

    expect(rig.deliver()).toEqual([]);
  });

  it('holds the claims of an exchange that left the configuration', () => {
    const rig = armed(braked(), 20);
    const other = anExchange({ name: 'other' });
    const brake = { removal: { share: 0.2, atLeast: 3, windowHours: 24 } };
    rig.restart({ exchanges: [other], siems: [aSiem({ listensTo: ['other'], brake })] });

    rig.tick(NOW);

    expect(rig.deliver()).toHaveLength(0);
    rig.restart({ exchanges: [anExchange(), other], siems: [aSiem()] });
    rig.tick(NOW);
    rig.deliver();
    expect(rig.rows().every((row) => row.wanted === 1 && row.state === STATE.settled)).toBe(true);
  });

  it('holds a row that was in flight once its call has ended', () => {
    const rig = armed(braked(), 20);
    rig.commit(indicators(0, 20, { version: versionAt(NOW - HOUR) }));
    const batch = rig.take()!;
    rig.commit(withdraw(0, 20));

    rig.store.settleAll(batch.id, NOW);

    expect(rig.take()).toBeUndefined();
    expect(held(rig)).toMatchObject([{ count: 20 }]);
  });

  it('measures by what this exchange vouches for in this SIEM', () => {
    const rig = new Rig({
      exchanges: [anExchange(), anExchange({ name: 'other' })],
      siems: [
        aSiem({ listensTo: ['partner', 'other'], brake: { removal: { share: 0.2, atLeast: 3, windowHours: 24 } } }),
      ],
    });
    rig.commit(indicators(0, 10));
    rig.commit(indicators(100, 200), NOW, 'other');
    rig.deliver();

    rig.commit(withdraw(0, 5));

    expect(rig.deliver()).toEqual([]);
  });
});

describe('a hold', () => {
  it('is approved for exactly the set that was shown', () => {
    const rig = armed(braked(), 20);
    rig.commit(withdraw(0, 10));
    const [shown] = held(rig);
    rig.commit(withdraw(10, 11));

    expect(() => rig.decideHold(shown!.id, 'approve', shown!.set, 'op', 'seen', NOW)).toThrow(
      /covered 10 entries then and covers 11 now, 1 more \(among them 198\.18\.0\.10\)/,
    );

    const [now] = held(rig);
    expect(rig.decideHold(now!.id, 'approve', now!.set, 'op', 'seen', NOW)).toMatchObject({ entries: 11 });
    expect(rig.deliver()).toHaveLength(11);
  });

  it('keeps rejected removals armed until the partner says something new', () => {
    const rig = armed(braked(), 20);
    rig.commit(withdraw(0, 10));
    const [hold] = held(rig);
    rig.decideHold(hold!.id, 'reject', hold!.set, 'op', 'a mistake', NOW);

    expect(rig.deliver()).toEqual([]);
    expect(() => rig.decideHold(hold!.id, 'approve', hold!.set, 'op', 'after all', NOW)).toThrow(/no hold/);
  });

  it('releases a row that the partner vouches for again', () => {
    const rig = armed(braked(), 20);
    rig.commit(withdraw(0, 10));

    rig.commit([anIndicator({ objectId: 'indicator--new', observables: [ipv4('198.18.0.2')] })]);

    expect(held(rig)).toMatchObject([{ count: 9 }]);
    expect(rig.deliver()).toEqual(['upsert 198.18.0.2']);
  });
});

describe('the addition brake', () => {
  const synced = () => {
    const rig = new Rig({ siems: [aSiem({ brake: { addition: { factor: 10, atLeast: 20 } } })] });
    rig.commit(indicators(0, 100));
    rig.store.pollCompleted('partner', NOW);
    rig.deliver();
    return rig;
  };

  it('lets the first sync and the small change after it pass', () => {
    const rig = synced();

    rig.commit(indicators(100, 101));

    expect(rig.deliver()).toHaveLength(1);
  });

  it('holds ten times the usual, and a new version of what it holds stays held', () => {
    const rig = synced();
    rig.commit(indicators(200, 260));
    expect(rig.deliver()).toEqual([]);

    rig.commit(indicators(200, 260, { version: versionAt(NOW), confidence: 9 }));

    expect(rig.deliver()).toEqual([]);
    expect(held(rig)).toMatchObject([{ kind: 'addition', count: 60 }]);
  });

  it('lets a withdrawn addition go', () => {
    const rig = synced();
    rig.commit(indicators(200, 260));

    rig.commit(withdraw(200, 210));

    expect(held(rig)).toMatchObject([{ count: 50 }]);
  });

  it('counts nothing that comes and goes within one commit', () => {
    const rig = synced();
    const come = indicators(200, 260);
    const gone = indicators(200, 260, { version: versionAt(NOW), revoked: true });

    rig.commit([...come, ...gone, ...indicators(300, 301)]);

    expect([rig.deliver(), held(rig)]).toEqual([['upsert 198.18.1.44'], []]);
  });

  it('keeps rejected additions out until they change', () => {
    const rig = synced();
    rig.commit(indicators(200, 260));
    const [hold] = held(rig);
    rig.decideHold(hold!.id, 'reject', hold!.set, 'op', 'nonsense', NOW);
    expect(rig.deliver()).toEqual([]);

    const later = NOW + 30 * HOUR;
    rig.commit(indicators(200, 201, { version: versionAt(later), confidence: 9 }), later);

    expect(rig.deliver(later)).toEqual(['upsert 198.18.0.200']);
  });
});
