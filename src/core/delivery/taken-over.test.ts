// A state that lost its memory takes over what stands in the SIEM, which lists all of it first. What a person takes off
// meanwhile does not wait for that, nor for the partners.
import { describe, expect, it } from 'vitest';
import { delivering, signal } from '../../../test/builders/delivering.ts';
import { HOUR, indicators, ipv4, NOW } from '../../../test/builders/store.ts';
import { STATE } from '../store/rows/rows.ts';

const PRODUCTS = [
  {},
  { versioned: false },
  { versioned: false, receipts: true },
  { versioned: false, foldsSlots: true },
];

describe.each(PRODUCTS)('what a person takes off while a lost state is taken over (%j)', (product) => {
  const one = ipv4('198.18.0.1');

  /** Three of ours stand there, written by a state that is gone. */
  async function standing() {
    const before = delivering(product);
    const after = delivering(product);
    before.rig.commit(indicators(0, 3));
    await before.deliverer.cycle(signal);
    for (const [slot, row] of before.siem.rows) after.siem.rows.set(slot, row);
    after.siem.mark = { ...before.siem.mark!, at: NOW - HOUR };
    return after;
  }

  it('goes while the listing is still under way, though nobody knows yet that it stands there', async () => {
    const { rig, siem, deliverer, values } = await standing();
    let listed = () => {};
    let asked = () => {};
    const listing = new Promise<void>((resolve) => {
      asked = resolve;
    });
    siem.hook = async (call, when) => {
      if (call !== 'list' || when !== 'before' || listed !== idle) return;
      asked();
      await new Promise<void>((resolve) => {
        listed = resolve;
      });
    };
    const idle = listed;
    const cycle = deliverer.cycle(signal);
    await listing;

    rig.store.suppress([one], NOW + HOUR, 'ours', 'ana', NOW);
    await deliverer.urgent(signal);

    expect(values()).toEqual(['198.18.0.0', '198.18.0.2']);
    listed();
    await cycle;
    expect(values()).toEqual(['198.18.0.0', '198.18.0.2']);
    expect(rig.row('198.18.0.0')).toMatchObject({ state: STATE.held });
  });

  it('goes with the first cycle, where it was taken off before', async () => {
    const { rig, deliverer, values } = await standing();
    rig.store.suppress([one], NOW + HOUR, 'ours', 'ana', NOW);

    await deliverer.cycle(signal);

    expect(values()).toEqual(['198.18.0.0', '198.18.0.2']);
  });

  it('goes at once, where it was taken over and waits for the partners', async () => {
    const { rig, deliverer, values } = await standing();
    await deliverer.cycle(signal);
    expect(values()).toHaveLength(3);

    rig.store.suppress([one], NOW + HOUR, 'ours', 'ana', NOW);
    await deliverer.cycle(signal);

    expect(values()).toEqual(['198.18.0.0', '198.18.0.2']);
    expect(rig.row('198.18.0.2')).toMatchObject({ state: STATE.held });
  });
});
