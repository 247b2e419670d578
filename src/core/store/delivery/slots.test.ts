import { describe, expect, it } from 'vitest';
import { anIndicator, aSiem, HOUR, MINUTE, NOW, Rig, versionAt } from '../../../../test/builders/store.ts';

const ID = 'indicator--1';
const revoked = anIndicator({ objectId: ID, version: versionAt(NOW - HOUR), revoked: true });

describe('two keys in one slot', () => {
  const upper = { type: 'url', value: 'http://a.example/X' } as const;
  const lower = { type: 'url', value: 'http://a.example/x' } as const;
  const folding = { product: { versioned: false, foldsSlots: true } };

  it('lose the slot only with the last one, and the other is written again', () => {
    const rig = new Rig(folding);
    rig.commit([
      anIndicator({ objectId: ID, observables: [upper] }),
      anIndicator({ objectId: 'indicator--2', observables: [lower] }),
    ]);
    rig.deliver();

    rig.commit([revoked]);
    expect(rig.deliver()).toEqual(['upsert http://a.example/x']);

    rig.commit([{ ...revoked, objectId: 'indicator--2' }]);
    expect(rig.deliver()).toEqual(['remove http://a.example/x']);
  });

  it('lose the slot though the other is wanted, where that one is parked or held', () => {
    const published = (n: number, more: object = {}) =>
      anIndicator({ objectId: `indicator--${n}`, observables: [n === 1 ? upper : lower], ...more });
    const parked = new Rig(folding);
    parked.commit([published(1)]);
    parked.deliver();
    parked.commit([published(2)]);
    parked.deliver(NOW, 'siem', () => ({ kind: 'park', reason: 'refused' }));
    const brake = { addition: { factor: 1, atLeast: 1 } };
    const held = new Rig({ ...folding, siems: [aSiem({ brake })] });
    held.commit([published(1)]);
    held.store.pollCompleted('partner', NOW);
    held.deliver();
    held.commit([published(2)]);
    expect(held.read((reader) => reader.held())).toMatchObject([{ kind: 'addition', count: 1 }]);

    for (const rig of [parked, held]) {
      rig.commit([revoked]);
      expect(rig.deliver()).toEqual(['remove http://a.example/X']);
    }
  });

  it('go with the row that the last of them is removed with, where the other stood there and is not written any more', () => {
    const rig = new Rig(folding);
    const other = anIndicator({ objectId: 'indicator--2', observables: [lower] });
    rig.commit([anIndicator({ objectId: ID, observables: [upper] }), other]);
    rig.deliver();
    rig.commit([{ ...other, version: versionAt(NOW - HOUR), confidence: 90 }]);
    rig.deliver(NOW, 'siem', () => ({ kind: 'park', reason: 'refused' }));
    const stood = () => rig.rows().find(({ value }) => value === lower.value)?.present;
    expect(stood()).toBe(1);

    rig.commit([revoked]);

    expect(rig.deliver()).toEqual(['remove http://a.example/X']);
    expect(stood()).toBe(0);
  });

  it('go by a call each where both are withdrawn at once', () => {
    const rig = new Rig(folding);
    const other = { ...revoked, objectId: 'indicator--2' };
    rig.commit([
      anIndicator({ objectId: ID, observables: [upper] }),
      anIndicator({ objectId: 'indicator--2', observables: [lower] }),
    ]);
    rig.deliver();

    rig.commit([revoked, other]);

    expect(rig.deliver()).toEqual(['remove http://a.example/X', 'remove http://a.example/x']);
    expect(rig.rows()).toMatchObject([{ present: 0 }, { present: 0 }]);
  });

  it('leave no orphan when the other is withdrawn before it was written', () => {
    const rig = new Rig(folding);
    rig.commit([anIndicator({ objectId: ID, observables: [upper] })]);
    rig.deliver();
    rig.commit([anIndicator({ objectId: 'indicator--2', observables: [lower] })]);
    rig.commit([revoked]);
    expect(rig.take()?.changes[0]?.op).toBe('upsert');
    rig.restart();
    rig.commit([{ ...revoked, objectId: 'indicator--2' }]);

    const { entryIds } = rig.store.uncertain('siem', 10, NOW);
    rig.store.resolve(
      'siem',
      entryIds,
      [{ key: 'url|http://a.example/X' as never, slot: 'url|http://a.example/x', writer: 'w', revision: 1 }],
      NOW,
    );

    expect(rig.deliver()).toEqual(['remove http://a.example/x']);
  });

  it('are not sent while a call on the same slot is under way', () => {
    const rig = new Rig(folding);
    rig.commit([anIndicator({ objectId: ID, observables: [upper] })]);
    rig.deliver();
    rig.commit([revoked]);
    const removal = rig.take()!;
    rig.commit([anIndicator({ objectId: 'indicator--2', observables: [lower] })]);

    expect(rig.take()).toBeUndefined();
    rig.store.settleAll(removal.id, NOW);
    expect(rig.deliver(NOW + MINUTE)).toEqual(['upsert http://a.example/x']);
  });

  describe('go with the last words that stand in the slot, where a hold keeps the other and nobody can describe it any more', () => {
    const brake = (atLeast: number) => ({ removal: { share: 0.001, atLeast, windowHours: 24 } });
    const published = (n: number, value: string, version = NOW - 3 * HOUR) =>
      anIndicator({
        objectId: `indicator--${n}`,
        version: versionAt(version),
        observables: [{ type: 'url', value }],
      });
    const braked = () => new Rig({ ...folding, siems: [aSiem({ brake: brake(1) })] });
    const keepLower = (rig: Rig) => {
      rig.commit([published(2, 'http://b.example/', NOW - HOUR)]);
      expect(rig.read((reader) => reader.held())).toMatchObject([{ kind: 'removal', count: 1 }]);
      rig.restart({ siems: [aSiem({ brake: brake(1000) })] });
    };
    const isGone = (rig: Rig, now: number) => {
      rig.deliver(now);

      rig.commit([revoked]);

      expect(rig.deliver(now)).toEqual(['remove http://a.example/X']);
      expect(rig.read((reader) => reader.held())).toEqual([]);
    };

    it('written after it was held', () => {
      const rig = braked();
      rig.commit([published(2, lower.value)]);
      rig.deliver();
      keepLower(rig);
      rig.commit([published(1, upper.value)]);

      isGone(rig, NOW);
    });

    it('written behind it in one batch', () => {
      const rig = braked();
      rig.commit([published(2, lower.value), published(1, upper.value)]);
      expect(rig.deliver()).toEqual(['upsert http://a.example/x', 'upsert http://a.example/X']);
      keepLower(rig);

      isGone(rig, NOW);
    });

    it('written far behind it in one batch, though it was wanted before', () => {
      const rig = braked();
      rig.commit([published(2, lower.value)]);
      const many = Array.from({ length: 300 }, (_, n) => published(n + 3, `http://a.example/${n}`));
      rig.commit([...many, published(1, upper.value)]);
      rig.commit([{ ...published(2, lower.value, NOW - 2 * HOUR), confidence: 90 }]);
      const { changes, id } = rig.take()!;
      expect([changes[0]?.key, changes.at(-1)?.key]).toEqual(['url|http://a.example/x', 'url|http://a.example/X']);
      rig.store.settleAll(id, NOW);
      keepLower(rig);

      isGone(rig, NOW);
    });

    it('written later, though it was wanted before', () => {
      const rig = braked();
      rig.commit([published(2, lower.value)]);
      const first = rig.take()!;
      rig.commit([published(1, upper.value)]);
      expect(rig.take()).toBeUndefined();
      rig.store.settleAll(first.id, NOW);
      rig.commit([{ ...published(2, lower.value, NOW - 2 * HOUR), confidence: 90 }]);
      expect(rig.deliver()).toEqual(['upsert http://a.example/x']);
      const second = rig.take(NOW + MINUTE)!;
      expect(second.changes).toMatchObject([
        { key: 'url|http://a.example/X', revision: rig.row(upper.value)!.wanted_rev },
      ]);
      rig.store.settleAll(second.id, NOW + MINUTE);
      keepLower(rig);

      isGone(rig, NOW + MINUTE);
    });
  });
});
