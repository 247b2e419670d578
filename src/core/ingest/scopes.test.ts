import { describe, expect, it } from 'vitest';
import type { ExchangeConnector, Page, Reading } from '../contracts/exchange-connector.ts';
import { configFailure, retryable, toFailure } from '../model/failure.ts';
import { silentLog } from '../runtime/log.ts';
import { onThisThread } from '../store/remote.ts';
import { aPage, indicators, MINUTE, NOW, Rig } from '../../../test/builders/store.ts';
import { Poller } from './poller.ts';

const signal = new AbortController().signal;
const NAMES = ['a', 'b', 'c'];

/** An exchange of three collections; those in `sick` fail with what stands there, those in `gone` are none any more. */
function three(sick: Map<string, Error>, gone = new Set<string>()) {
  const rig = new Rig();
  const asked: string[] = [];
  const warnings: { message: string; collection?: string }[] = [];
  const clock = { now: NOW };
  const store = onThisThread(() => rig.store);
  async function* pages(_cursor: unknown, _signal: AbortSignal, reading?: Reading): AsyncGenerator<Page> {
    for (const [n, scope] of NAMES.entries()) {
      if (gone.has(scope) || reading?.due(scope) !== true) continue;
      asked.push(scope);
      const error = sick.get(scope);
      if (error !== undefined) {
        reading.ended({ scope, title: scope.toUpperCase() }, { failure: toFailure(error) });
        continue;
      }
      yield aPage(indicators(n + 1, n + 2), { scope, cursor: n });
      reading.ended({ scope, title: scope.toUpperCase() }, scope === 'c' ? { note: 'in pages of 15' } : {});
    }
  }
  const connector: ExchangeConnector = { probe: async () => ({ ok: true, message: '' }), pages, close: async () => {} };
  const poller = new Poller({
    name: 'partner',
    connector,
    store,
    now: () => clock.now,
    log: { ...silentLog, warn: (message, fields) => void warnings.push({ message, ...fields }) },
    random: () => 1,
    withdrawVanished: true,
  });
  const stands = () => rig.read((reader) => reader.exchanges()[0]);
  return { rig, poller, asked, warnings, clock, stands };
}

describe('the collections of an exchange', () => {
  it('are read though one of them fails, which alone is told and rests', async () => {
    const sick = new Map([['b', retryable('the server answered 500')]]);
    const { rig, poller, asked, warnings, clock, stands } = three(sick);

    expect(await poller.poll(signal)).toMatchObject({ created: 2 });
    await poller.poll(signal);

    expect(rig.rows()).toHaveLength(2);
    expect(asked).toEqual(['a', 'b', 'c', 'a', 'c']);
    expect(poller.failure).toMatchObject({ kind: 'retryable', message: 'the server answered 500' });
    expect(poller.scopes.all.map(({ title, history }) => [title, history.failure?.message])).toEqual([
      ['A', undefined],
      ['B', 'the server answered 500'],
      ['C', undefined],
    ]);
    expect(warnings.map(({ message, collection }) => [message, collection])).toEqual([
      ['A collection of the exchange cannot be read; the others are.', 'B'],
      ['The exchange answers oddly.', 'C'],
    ]);
    expect(stands()?.lastSuccess).toBeUndefined();
    expect(stands()?.scopes.toSorted((a, b) => (a.scope < b.scope ? -1 : 1))).toMatchObject([
      { scope: 'a', title: 'A', history: { lastSuccess: NOW } },
      { scope: 'b', history: { failure: { kind: 'retryable' } } },
      { scope: 'c', note: 'in pages of 15' },
    ]);

    sick.clear();
    clock.now += MINUTE;
    expect(await poller.poll(signal, 'failing')).toMatchObject({ created: 1 });
    expect(asked.slice(5)).toEqual(['b']);
    expect(poller.failure).toBeUndefined();
    await poller.poll(signal);
    expect(stands()?.lastSuccess).toBe(clock.now);
  });

  it('rest each for itself, and longer each time', async () => {
    const sick = new Map([
      ['a', retryable('hangs')],
      ['b', configFailure('403')],
    ]);
    const { poller, asked, clock } = three(sick);
    await poller.poll(signal);
    const at: Record<string, number[]> = { a: [], b: [] };
    for (const start = clock.now; clock.now < start + 70_000; clock.now += 1000) {
      const before = asked.length;
      if (clock.now >= poller.pausedUntil) await poller.poll(signal, 'failing');
      for (const name of asked.slice(before)) at[name]?.push((clock.now - start) / 1000);
    }

    expect(at).toEqual({ a: [1, 3, 7, 15, 31, 63], b: [60] });
    // What a person must mend is told before what heals.
    expect(poller.failure?.kind).toBe('config');
  });

  it('rest shortly again after they were read in between', async () => {
    const sick = new Map([['b', retryable('500')]]);
    const { poller, clock } = three(sick);
    for (let i = 0; i < 5; i++) {
      await poller.poll(signal);
      clock.now += MINUTE;
    }
    sick.clear();
    await poller.poll(signal);
    sick.set('b', retryable('500'));
    clock.now += MINUTE;

    await poller.poll(signal);

    expect(poller.pausedUntil - clock.now).toBe(1000);
  });

  it('let a person have them asked at once', async () => {
    const { poller, asked } = three(new Map([['b', configFailure('403')]]));
    await poller.poll(signal);
    poller.wake();
    await poller.poll(signal, 'failing');

    expect(asked).toEqual(['a', 'b', 'c', 'b']);
  });

  it('fail no longer once the partner has them no longer', async () => {
    const gone = new Set<string>();
    const { poller, stands } = three(new Map([['b', configFailure('404')]]), gone);
    await poller.poll(signal);
    expect(poller.failure).toMatchObject({ message: '404' });
    gone.add('b');

    await poller.poll(signal);

    expect(poller.failure).toBeUndefined();
    expect(
      stands()
        ?.scopes.map(({ scope }) => scope)
        .toSorted(),
    ).toEqual(['a', 'c']);
  });

  it('do not count as polled to their end by a poll of the failing ones', async () => {
    const sick = new Map([['b', retryable('500')]]);
    const { rig, poller, clock } = three(sick);
    await poller.poll(signal);
    sick.clear();
    clock.now += MINUTE;
    await poller.poll(signal, 'failing');

    expect(rig.ask<{ poll_completed: number | null }>('SELECT poll_completed FROM exchange')).toEqual([
      { poll_completed: null },
    ]);
  });
});
