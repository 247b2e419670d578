// What a call that was given up did later.
import { describe, expect, it } from 'vitest';
import { delivering, revoked, signal } from '../../../test/builders/delivering.ts';
import { anIndicator, HOUR, indicators, ipv4, NOW, versionAt } from '../../../test/builders/store.ts';
import type { MemorySiemOptions } from '../../../test/contract/memory-siem.ts';

describe('a call that was given up and lands late', () => {
  const UNVERSIONED: MemorySiemOptions[] = [
    { versioned: false },
    { versioned: false, receipts: true },
    { versioned: false, foldsSlots: true },
  ];

  it.each(UNVERSIONED)('leaves no revoked value armed (%j)', async (product) => {
    const { rig, siem, at, deliverer, values } = delivering(product);
    await deliverer.cycle(signal);
    rig.commit(indicators(0, 2));
    siem.losing = 1;
    await deliverer.cycle(signal);
    rig.commit(revoked(0));
    at.now += 2_000;
    await deliverer.cycle(signal);
    expect(values()).not.toContain('198.18.0.0');

    at.now += 9_000;
    siem.land();
    expect(values()).toContain('198.18.0.0');
    at.now += 30_000;
    await deliverer.cycle(signal);

    expect(values()).toEqual(['198.18.0.1']);
    rig.tick(at.now);
    expect(rig.row('198.18.0.0')).toBeUndefined();
  });

  it.each([
    [9, 11],
    [15, 21],
    [25, 31],
  ])('is found soon after it landed, long before it can land no more (%i s, %i s)', async (lands, found) => {
    const { rig, siem, at, deliverer, values } = delivering({ versioned: false });
    await deliverer.cycle(signal);
    rig.commit(indicators(0, 2));
    siem.losing = 1;
    await deliverer.cycle(signal);
    rig.commit(revoked(0));
    for (let second = 1; second <= found; second++) {
      at.now += 1_000;
      if (second === lands) {
        siem.land();
        expect(values()).toContain('198.18.0.0');
      }
      await deliverer.cycle(signal);
    }

    expect(values()).toEqual(['198.18.0.1']);
    expect(rig.read((reader) => reader.siems())).toMatchObject([{ pending: 0 }]);
  });

  it.each(UNVERSIONED)('leaves no marking too open (%j)', async (product) => {
    const { rig, siem, at, deliverer } = delivering(product);
    await deliverer.cycle(signal);
    rig.commit([anIndicator({ objectId: 'indicator--1' })]);
    siem.losing = 1;
    await deliverer.cycle(signal);
    rig.commit([anIndicator({ objectId: 'indicator--1', version: versionAt(NOW), tlp: 'amber' })]);
    at.now += 2_000;
    await deliverer.cycle(signal);
    const body = () => [...siem.rows.values()][0]?.body;
    expect(body()).toContain('amber');

    siem.land();
    expect(body()).toContain('green');
    at.now += 30_000;
    await deliverer.cycle(signal);

    expect(body()).toContain('amber');
  });

  it('is looked at after a kill -9 too, and a removal that lands late takes nothing away for good', async () => {
    const { rig, siem, at, deliverer, start, values } = delivering({ versioned: false });
    rig.commit(indicators(0, 2));
    await deliverer.cycle(signal);
    rig.commit(revoked(0));
    expect(rig.take()?.changes.map((one) => one.op)).toEqual(['remove']);
    siem.lose(() => siem.rows.delete('ipv4-addr|198.18.0.0'));
    rig.restart();

    rig.commit([anIndicator({ objectId: 'indicator--again', observables: [ipv4('198.18.0.0')] })]);
    const second = start('boot-2');
    at.now += 2_000;
    await second.cycle(signal);
    expect(values()).toEqual(['198.18.0.0', '198.18.0.1']);
    siem.land();
    expect(values()).toEqual(['198.18.0.1']);
    at.now += 30_000;
    await second.cycle(signal);

    expect(values()).toEqual(['198.18.0.0', '198.18.0.1']);
  });

  it('is seen by the next audit where it took longer than a call can live', async () => {
    const { rig, siem, at, deliverer, values } = delivering({ versioned: false });
    await deliverer.cycle(signal);
    rig.commit(indicators(0, 2));
    siem.losing = 1;
    await deliverer.cycle(signal);
    rig.commit(revoked(0));
    for (const wait of [2_000, 40_000]) {
      at.now += wait;
      await deliverer.cycle(signal);
    }
    siem.land();
    rig.store.pollCompleted('partner', at.now);

    at.now += 6 * HOUR;
    await deliverer.cycle(signal);
    rig.store.pollCompleted('partner', at.now);
    await deliverer.cycle(signal);

    expect(values()).toEqual(['198.18.0.1']);
  });
});
