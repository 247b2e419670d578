// One bad value, or a SIEM that refuses everything: what is done until that is known.
import { describe, expect, it } from 'vitest';
import { delivering, signal } from '../../../test/builders/delivering.ts';
import { HOUR, indicators, MINUTE } from '../../../test/builders/store.ts';
import { permanent } from '../model/failure.ts';

describe('a SIEM that refuses everything', () => {
  const closed = { kind: 'permanent', message: 'index closed', code: 'index_closed_exception' } as const;

  it('is failing with nothing parked, and goes on by itself once it is mended', async () => {
    const { rig, siem, at, deliverer, values } = delivering();
    rig.commit(indicators(0, 2));
    await deliverer.cycle(signal);
    siem.refuse = () => closed;
    rig.commit(indicators(2, 5));

    await deliverer.cycle(signal);

    expect(deliverer.history.failure).toMatchObject({ kind: 'config', code: 'index_closed_exception' });
    expect(deliverer.history.failure?.message).toContain('refuses every change: index closed');
    expect(rig.read((reader) => reader.parked(10))).toEqual([]);
    expect(deliverer.totals.parked).toBe(0);
    siem.refuse = undefined;
    at.now += MINUTE;
    await deliverer.cycle(signal);
    expect(values()).toHaveLength(5);
    expect(deliverer.history.failure).toBeUndefined();
  });

  it('gives back what was parked alone for the same cause', async () => {
    const { rig, siem, at, deliverer, values } = delivering();
    siem.refuse = () => closed;
    rig.commit(indicators(0, 1));
    await deliverer.cycle(signal);
    expect(rig.read((reader) => reader.parked(10))).toHaveLength(1);

    rig.commit(indicators(1, 2));
    await deliverer.cycle(signal);

    expect(rig.read((reader) => reader.parked(10))).toEqual([]);
    siem.refuse = undefined;
    at.now += MINUTE;
    await deliverer.cycle(signal);
    expect(values()).toEqual(['198.18.0.0', '198.18.0.1']);
  });

  it('is told from one bad value, too, by a sound one that is sent along', async () => {
    const { rig, siem, at, deliverer, values } = delivering();
    rig.commit(indicators(0, 2));
    await deliverer.cycle(signal);
    siem.refuse = () => closed;
    rig.commit(indicators(2, 3));

    await deliverer.cycle(signal);

    expect(deliverer.history.failure).toMatchObject({ kind: 'config', code: 'index_closed_exception' });
    expect(rig.read((reader) => reader.parked(10))).toEqual([]);
    siem.refuse = undefined;
    at.now += MINUTE;
    await deliverer.cycle(signal);
    expect(values()).toHaveLength(3);
    siem.refuse = ({ key }) => (key.endsWith('.0.3') ? closed : undefined);
    rig.commit(indicators(3, 4));
    await deliverer.cycle(signal);
    expect(deliverer.history.failure).toBeUndefined();
    expect(rig.read((reader) => reader.parked(10)).map((one) => one.value)).toEqual(['198.18.0.3']);
  });

  it('is told from two bad values by a sound one that is sent along', async () => {
    const { rig, siem, deliverer, values } = delivering();
    rig.commit(indicators(0, 2));
    await deliverer.cycle(signal);
    siem.refuse = ({ key }) => (/\.[23]$/.test(key) ? closed : undefined);
    rig.commit(indicators(2, 4));

    await deliverer.cycle(signal);

    expect(deliverer.failure).toBeUndefined();
    expect(values()).toEqual(['198.18.0.0', '198.18.0.1']);
    expect(rig.read((reader) => reader.parked(10)).map((one) => one.value)).toEqual(['198.18.0.2', '198.18.0.3']);
  });

  it('parks values that only can be bad themselves, however many', async () => {
    const { rig, siem, deliverer } = delivering();
    siem.refuse = () => ({ ...closed, code: 'value_held_by_other' });
    rig.commit(indicators(0, 3));

    await deliverer.cycle(signal);

    expect(deliverer.failure).toBeUndefined();
    expect(rig.read((reader) => reader.parked(10))).toHaveLength(3);
  });

  it('is not asked a thousand times over by whole batches that are refused', async () => {
    const { rig, siem, at, deliverer, values, onApply, batches } = delivering();
    rig.commit(indicators(0, 400));
    onApply(() => {
      throw permanent('refused by something in between (403, a web page)', { code: 'between_403' });
    });

    await deliverer.cycle(signal);

    expect(batches.length).toBeLessThan(30);
    expect(deliverer.history.failure).toMatchObject({ kind: 'config', code: 'between_403' });
    expect(rig.read((reader) => reader.parked(10))).toEqual([]);
    siem.hook = undefined;
    at.now += MINUTE;
    await deliverer.cycle(signal);
    expect(values()).toHaveLength(400);
  });

  it('has one value parked where only that is refused on the way, and later ones are not held up', async () => {
    const { rig, deliverer, values, onApply } = delivering();
    rig.commit(indicators(0, 9));
    onApply((batch) => {
      if (batch.changes.some((one) => one.key.endsWith('.0.4')))
        throw permanent('refused by something in between (403, a web page)', { code: 'between_403' });
    });
    await deliverer.cycle(signal);
    rig.commit(indicators(9, 11));
    await deliverer.cycle(signal);

    expect(values()).toHaveLength(10);
    expect(rig.read((reader) => reader.parked(10))).toMatchObject([
      { value: '198.18.0.4', reason: expect.stringContaining('something in between (403, a web page)') },
    ]);
    expect(deliverer.failure).toBeUndefined();
  });

  it('tries what was parked again with the next audit', async () => {
    const { rig, siem, at, deliverer, values } = delivering();
    rig.commit(indicators(0, 1));
    await deliverer.cycle(signal);
    siem.refuse = () => closed;
    rig.commit(indicators(1, 2));
    await deliverer.cycle(signal);
    siem.refuse = undefined;

    at.now += 6 * HOUR;
    await deliverer.cycle(signal);
    await deliverer.cycle(signal);

    expect(values()).toHaveLength(2);
  });
});
