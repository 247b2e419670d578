import { describe, expect, it } from 'vitest';
import type { Clock } from '../core/runtime/clock.ts';
import { createLog } from '../core/runtime/log.ts';
import { systemClock } from '../core/runtime/clock.ts';
import { PassThrough } from 'node:stream';
import { unlessStoreIsSilent } from './stopping.ts';

/** A second of the code is a millisecond of the test. */
const fast: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 1000, signal) };
const never = new Promise<never>(() => {});

function stopping(dataVersion: () => Promise<unknown>) {
  const stream = new PassThrough();
  const log = createLog({ level: 'info', format: 'json', stream });
  return { clock: fast, log, store: { dataVersion }, told: () => String(stream.read() ?? '') };
}

describe('stopping', () => {
  it('does not wait for a store that is silent, and says why', async () => {
    const app = stopping(() => never);

    expect(await unlessStoreIsSilent(app, never)).toBeUndefined();

    await systemClock.sleep(20);
    expect(app.told()).toContain('The store is in the middle of long work');
  });

  it('waits for what is in hand while the store answers, however long that takes', async () => {
    let asked = 0;
    let end: (said: string) => void;
    const inHand = new Promise<string>((resolve) => {
      end = resolve;
    });
    const app = stopping(async () => {
      if (++asked === 20) end('done');
      return asked;
    });

    expect(await unlessStoreIsSilent(app, inHand)).toBe('done');

    await systemClock.sleep(20);
    expect(app.told()).toBe('');
  });

  it('takes a store that is gone for none that is silent', async () => {
    const app = stopping(() => Promise.reject(new Error("the store's thread ended")));

    expect(
      await unlessStoreIsSilent(
        app,
        systemClock.sleep(20).then(() => true),
      ),
    ).toBe(true);
  });
});
