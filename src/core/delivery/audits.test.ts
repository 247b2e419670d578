// The comparison of ledger and SIEM, by itself and beside others.
import { describe, expect, it } from 'vitest';
import { delivering, signal } from '../../../test/builders/delivering.ts';
import { HOUR, indicators } from '../../../test/builders/store.ts';

describe('the audit', () => {
  it('is due by the stored time of the last one, however often the daemon starts', async () => {
    const { rig, siem, at, start, values } = delivering();
    rig.commit(indicators(0, 2));
    await start('boot-0').cycle(signal);
    siem.rows.delete('ipv4-addr|198.18.0.0');

    for (let hours = 1; hours <= 5; hours++) {
      at.now += HOUR;
      rig.restart();
      await start(`boot-${hours}`).cycle(signal);
    }
    expect(values()).toEqual(['198.18.0.1']);
    at.now += HOUR;
    rig.restart();
    const last = start('boot-6');
    await last.cycle(signal);
    await last.cycle(signal);

    expect(values()).toEqual(['198.18.0.0', '198.18.0.1']);
  });

  it('is not put off by one that only looked', async () => {
    const { rig, siem, at, deliverer, values } = delivering();
    rig.commit(indicators(0, 2));
    await deliverer.cycle(signal);
    siem.rows.delete('ipv4-addr|198.18.0.0');
    at.now += 5 * HOUR;
    await deliverer.audit(signal, false);

    at.now += 2 * HOUR;
    await deliverer.cycle(signal);
    await deliverer.cycle(signal);

    expect(values()).toHaveLength(2);
  });

  it('never runs beside another, a cycle or an adoption', async () => {
    const { rig, siem, at, deliverer } = delivering();
    rig.commit(indicators(0, 50));
    await deliverer.cycle(signal);
    let listing = 0;
    let most = 0;
    siem.hook = async (call, when) => {
      if (call !== 'list') return;
      listing += when === 'before' ? 1 : -1;
      most = Math.max(most, listing);
      await new Promise((go) => setImmediate(go));
    };
    siem.mark = undefined;
    at.now += 7 * HOUR;

    const reports = await Promise.all([
      deliverer.audit(signal, true),
      deliverer.cycle(signal),
      deliverer.audit(signal, false),
      deliverer.cycle(signal),
    ]);

    expect(most).toBe(1);
    expect(reports[0]).toMatchObject({ present: 50, counts: { missing: 0, stale: 0, orphaned: 0 } });
    expect(deliverer.failure).toBeUndefined();
  });
});
