import { describe, expect, it } from 'vitest';
import { delivering, revoked, signal } from '../../../test/builders/delivering.ts';
import { HOUR, indicators, MINUTE, NOW } from '../../../test/builders/store.ts';
import { permanent, retryable } from '../model/failure.ts';

const PRODUCTS = [{ versioned: true }, { versioned: false }] as const;
const POISON = '198.18.0.5';
const error500 = () => retryable('500 Internal Server Error', { status: 500, code: 'http_500' });

/** A SIEM that fails at each call that holds the value, whatever stands beside it. */
function poisoned(product: (typeof PRODUCTS)[number]) {
  const world = delivering(product);
  world.onApply((batch) => {
    if (batch.changes.some((one) => one.key.endsWith(POISON))) throw error500();
  });
  const goOn = async (minutes: number, step = MINUTE) => {
    for (const end = world.at.now + minutes * MINUTE; world.at.now < end; ) {
      await world.deliverer.cycle(signal);
      world.at.now += step;
    }
  };
  return { ...world, goOn };
}

describe('a value that makes the SIEM fail each time', () => {
  it.each(PRODUCTS)('holds up nothing but itself after some tries (%j)', async (product) => {
    const { rig, deliverer, values, goOn, batches } = poisoned(product);
    rig.commit(indicators(0, 12));

    await goOn(2, 5_000);

    expect(values()).toHaveLength(11);
    expect(values()).not.toContain(POISON);
    expect(rig.read((reader) => reader.parked(10))).toEqual([]);
    expect(deliverer.failure).toBeUndefined();
    expect(deliverer.history.failure).toBeUndefined();
    // Three times as it is, then halved to the one.
    expect(batches.filter((size) => size === 12)).toHaveLength(4);

    batches.length = 0;
    rig.commit(indicators(20, 23));
    await deliverer.cycle(signal);
    expect(values()).toHaveLength(14);
  });

  it.each(PRODUCTS)('is tried ever later, and taken once the SIEM takes it (%j)', async (product) => {
    const { rig, siem, at, goOn, values, batches } = poisoned(product);
    rig.commit(indicators(0, 12));
    await goOn(2, 5_000);
    batches.length = 0;

    await goOn(180, 10 * MINUTE);

    expect(batches.length).toBeGreaterThan(1);
    expect(batches.length).toBeLessThan(10);
    siem.hook = undefined;
    at.now += HOUR;
    await goOn(2);
    expect(values()).toContain(POISON);
    expect(values()).toHaveLength(12);
  });

  it.each(PRODUCTS)(
    'makes the SIEM failing where it is to be removed, and holds up no other removal (%j)',
    async (product) => {
      const { rig, siem, at, deliverer, values, goOn } = poisoned(product);
      const { hook } = siem;
      siem.hook = undefined;
      rig.commit(indicators(0, 12));
      await deliverer.cycle(signal);
      siem.hook = hook;
      rig.commit([3, 4, 5, 6].flatMap(revoked), at.now);

      await goOn(2, 5_000);

      expect(values()).toHaveLength(9);
      expect(deliverer.history.failure).toMatchObject({
        kind: 'config',
        message: expect.stringContaining('a removal is refused: 500'),
      });
      siem.hook = undefined;
      await goOn(60, 5 * MINUTE);
      expect(values()).toHaveLength(8);
      expect(deliverer.history.failure).toBeUndefined();
    },
  );

  it.each(PRODUCTS)('that was in a call which may have done a part is looked at again (%j)', async (product) => {
    const { rig, siem, at, goOn, values } = poisoned(product);
    rig.commit(indicators(0, 4), at.now);
    rig.commit(indicators(5, 6), at.now);
    // It fails behind the effect.
    siem.hook = (call, when, batch) => {
      if (call === 'apply' && when === 'after' && batch?.changes.some((one) => one.key.endsWith(POISON)))
        throw error500();
    };
    await goOn(2, 5_000);
    siem.hook = undefined;

    rig.commit(revoked(5), at.now);
    await goOn(2);

    expect(values()).not.toContain(POISON);
    expect(values()).toHaveLength(4);
  });
});

describe('a SIEM that fails at everything', () => {
  it('is failing as before, gives up nothing, and is asked a handful of times more for each try', async () => {
    const { rig, siem, at, deliverer, values, onApply, batches } = delivering();
    rig.commit(indicators(0, 200));
    onApply(() => {
      throw error500();
    });
    for (let i = 0; i < 8; i++) {
      deliverer.wake();
      await deliverer.cycle(signal);
      at.now += MINUTE;
    }

    expect(deliverer.history.failure).toMatchObject({ kind: 'retryable', message: expect.stringContaining('500') });
    expect(batches.length).toBeLessThan(3 + 5 * 22);
    siem.hook = undefined;
    at.now += HOUR;
    await deliverer.cycle(signal);
    expect(values()).toHaveLength(200);
  });

  it.each([
    ['busy', retryable('503', { status: 503 })],
    ['silent', retryable('time-out')],
    ['refusing', permanent('400')],
  ])('is divided no other than before where it is %s', async (_what, error) => {
    const { rig, at, deliverer, onApply, batches } = delivering();
    rig.commit(indicators(0, 2), NOW);
    onApply(() => {
      throw error;
    });

    for (let i = 0; i < 6; i++) {
      deliverer.wake();
      await deliverer.cycle(signal);
      at.now += MINUTE;
    }

    if (error.kind === 'retryable') expect(new Set(batches)).toEqual(new Set([2]));
    else expect(batches).toContain(1);
  });
});
