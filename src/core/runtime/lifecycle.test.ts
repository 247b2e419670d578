import { describe, expect, it } from 'vitest';
import { systemClock } from './clock.ts';
import { createLifecycle } from './lifecycle.ts';
import { silentLog } from './log.ts';

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

function aLifecycle(graceMs = 1000) {
  const crashes: string[] = [];
  const lifecycle = createLifecycle({
    clock: systemClock,
    log: silentLog,
    graceMs,
    onCrash: (name, error) => crashes.push(`${name}: ${String(error)}`),
  });
  return { lifecycle, crashes };
}

describe('the lifecycle', () => {
  it('starts in order, ends loops first, and stops parts in reverse', async () => {
    const { lifecycle } = aLifecycle();
    const seen: string[] = [];
    const part = (name: string) => ({
      name,
      start: async () => void seen.push(`start ${name}`),
      stop: async () => void seen.push(`stop ${name}`),
    });
    await lifecycle.add(part('store'));
    await lifecycle.add(part('web'));
    lifecycle.own('loop', async (signal) => {
      await untilAborted(signal);
      seen.push('loop ended');
    });

    expect(await lifecycle.stop('test')).toBe(true);
    expect(seen).toEqual(['start store', 'start web', 'loop ended', 'stop web', 'stop store']);
  });

  it('stops what had started when a later part does not start', async () => {
    const { lifecycle } = aLifecycle();
    let stopped = 0;
    await lifecycle.add({
      name: 'store',
      stop: async () => {
        stopped++;
      },
    });

    await expect(lifecycle.add({ name: 'web', start: () => Promise.reject(new Error('port taken')) })).rejects.toThrow(
      'port taken',
    );
    expect(stopped).toBe(1);
  });

  it('does not wait for ever for a loop or a part that hangs, and says that it was not clean', async () => {
    const { lifecycle } = aLifecycle(20);
    let closed = false;
    await lifecycle.add({
      name: 'store',
      stop: async () => {
        closed = true;
      },
    });
    await lifecycle.add({ name: 'web', stop: () => new Promise(() => {}) });
    lifecycle.own('loop', () => new Promise(() => {}));

    expect(await lifecycle.stop('test')).toBe(false);
    expect(closed).toBe(true);
  });

  it('closes the other parts when one throws', async () => {
    const { lifecycle } = aLifecycle();
    let closed = false;
    await lifecycle.add({
      name: 'store',
      stop: async () => {
        closed = true;
      },
    });
    await lifecycle.add({ name: 'web', stop: () => Promise.reject(new Error('no')) });

    expect(await lifecycle.stop('test')).toBe(false);
    expect(closed).toBe(true);
  });

  it('reports a loop that dies, but not one that dies of being stopped', async () => {
    const { lifecycle, crashes } = aLifecycle();
    lifecycle.own('broken', () => Promise.reject(new Error('oops')));
    lifecycle.own('told', async (signal) => {
      await untilAborted(signal);
      throw new Error('aborted');
    });
    await new Promise((go) => setImmediate(go));

    await lifecycle.stop('test');

    expect(crashes).toEqual(['broken: Error: oops']);
  });

  it('stops once, however often it is asked', async () => {
    const { lifecycle } = aLifecycle();
    let stopped = 0;
    await lifecycle.add({
      name: 'store',
      stop: async () => {
        stopped++;
      },
    });

    await Promise.all([lifecycle.stop('a'), lifecycle.stop('b')]);

    expect(stopped).toBe(1);
  });
});
