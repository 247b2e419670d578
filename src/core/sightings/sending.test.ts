// The loops that read hits and send sightings, where they are stopped, doubt or fail half way.
import { describe, expect, it } from 'vitest';
import { aHit, anIndicator, aStore, loops, minutes, type TestStore } from '../../../test/builders/sightings.ts';
import type { SendOutcome } from '../contracts/exchange-connector.ts';
import type { EventSearch, HitReader } from '../contracts/siem-connector.ts';
import { retryable } from '../model/failure.ts';
import type { Hit, Sighting } from '../model/sighting.ts';
import { Reporter } from './reporter.ts';
import { Sender } from './sender.ts';

const never = new AbortController().signal;
const SECOND = 1000;

/** Hits on so many objects of the partner: as many sightings are due. */
function due(count: number): TestStore {
  const test = aStore();
  const numbers = Array.from({ length: count }, (_, n) => n + 1);
  test.publish(numbers.map((n) => anIndicator(n)));
  test.store.commitHits(
    'one',
    numbers.map((n) => aHit(n)),
    'x',
    minutes(20),
  );
  return test;
}
const all = (outcome: object) => (sightings: readonly Sighting[]) =>
  sightings.map(({ uuid }) => ({ uuid, ...outcome }) as SendOutcome);

describe('the sender', () => {
  it('leaves what a failed call may have sent its time, also after a restart', async () => {
    using test = due(1);
    const { common, clock } = loops(test);
    let calls = 0;
    const send = async () => {
      calls++;
      throw retryable('503');
    };
    const sender = () => new Sender({ ...common, name: 'partner', connector: { send } });
    await sender().cycle(never);

    await sender().cycle(never);
    expect(calls).toBe(1);

    clock.now += SECOND;
    await sender().cycle(never);
    expect(calls).toBe(2);
  });

  it('calls nobody while it rests after a failed call, whatever is due by then', async () => {
    using test = due(1);
    const { common, clock } = loops(test);
    let calls = 0;
    const send = async () => {
      calls++;
      throw retryable('503');
    };
    const sender = new Sender({ ...common, name: 'partner', connector: { send } });
    await sender.cycle(never);
    test.publish([anIndicator(2)]);
    test.store.commitHits('one', [aHit(2)], 'y', clock.now);

    expect(await sender.cycle(never)).toMatchObject({ done: false });
    expect(calls).toBe(1);

    clock.now = sender.pausedUntil;
    await sender.cycle(never);
    expect(calls).toBe(2);
  });

  it('rests after an outcome that heals, as after a failed call', async () => {
    using test = due(2);
    const { common, clock } = loops(test);
    const busy = { kind: 'failed', failure: { kind: 'retryable', message: '503' } };
    const sender = new Sender({ ...common, name: 'partner', connector: { send: async (some) => all(busy)(some) } });

    expect(await sender.cycle(never)).toMatchObject({ sent: 0, done: false });

    expect(sender.failure).toMatchObject({ kind: 'retryable' });
    expect(sender.pausedUntil).toBeGreaterThan(clock.now);
  });

  it('asks for one receipt at a time of a server that is away', async () => {
    using test = due(3);
    const { common, clock } = loops(test);
    let n = 0;
    const send = async (some: readonly Sighting[]): Promise<readonly SendOutcome[]> =>
      some.map(({ uuid }) => ({ uuid, kind: 'accepted', receipt: `r${++n}` }));
    let asked = 0;
    const settle = async () => {
      asked++;
      throw retryable('503');
    };
    const sender = new Sender({ ...common, name: 'partner', connector: { send, settle } });
    await sender.cycle(never);
    expect(test.store.sendReceipts('partner')).toHaveLength(3);

    clock.now += 3 * SECOND;
    expect(await sender.cycle(never)).toMatchObject({ done: false });

    expect(asked).toBe(1);
  });

  it('rests long after a bug in asking for a receipt', async () => {
    using test = due(1);
    const { common, clock } = loops(test);
    const send = async (some: readonly Sighting[]) => all({ kind: 'accepted', receipt: 'r' })(some);
    const settle = async () => {
      throw new TypeError('undefined is not a function');
    };
    const sender = new Sender({ ...common, name: 'partner', connector: { send, settle } });
    await sender.cycle(never);
    clock.now += 3 * SECOND;

    await sender.cycle(never);

    expect(sender.failure).toMatchObject({ kind: 'bug' });
    expect(sender.pausedUntil).toBeGreaterThan(clock.now + 60 * SECOND);
  });

  it('takes nothing more when it is stopped', async () => {
    using test = due(1);
    const { common } = loops(test);
    const stop = new AbortController();
    let calls = 0;
    const send = async (some: readonly Sighting[]) => {
      calls++;
      // More is due by the time it is stopped.
      test.publish([anIndicator(2)]);
      test.store.commitHits('one', [aHit(2)], 'x', minutes(20));
      stop.abort();
      return all({ kind: 'sent' })(some);
    };

    await new Sender({ ...common, name: 'partner', connector: { send } }).cycle(stop.signal);

    expect([calls, test.store.takeSightings('partner', 10, minutes(30)).length]).toEqual([1, 1]);
  });
});

describe('the reporter', () => {
  /** Three entries stand in the SIEM, searched for two at a time. */
  function searching(found: (round: number) => readonly Hit[]) {
    const test = aStore();
    test.publish([1, 2, 3].map((n) => anIndicator(n)));
    const batch = test.store.takeBatch('one', { maxItems: 10, maxBytes: 1e6 }, minutes(1))!;
    test.store.settleAll(batch.id, minutes(1));
    const windows: { from: number; to: number }[] = [];
    const search: EventSearch = {
      maxEntries: 2,
      overlapMs: SECOND,
      async *search(_entries, window) {
        windows.push(window);
        yield found(windows.length);
      },
    };
    return { test, search, windows };
  }

  it('leaves the window where it was when a search fails half way', async () => {
    const { test, search } = searching((round) => {
      if (round === 2) throw retryable('the search expired');
      return [aHit(1)];
    });
    using _store = test;
    const { common } = loops(test);

    const { fresh } = await new Reporter({ ...common, name: 'one', connector: { search } }).collect(never);

    expect([fresh, test.store.hitCursor('one')]).toEqual([1, undefined]);
  });

  it('leaves the window where it was when a search is stopped', async () => {
    const stop = new AbortController();
    const { test, search } = searching(() => {
      stop.abort();
      return [aHit(1)];
    });
    using _store = test;
    const { common } = loops(test);
    const reporter = new Reporter({ ...common, name: 'one', connector: { search } });

    await reporter.collect(stop.signal);

    expect(test.store.hitCursor('one')).toBeUndefined();
    expect(reporter.history.lastSuccess).toBeUndefined();
  });

  it('keeps the place in the alerts and the end of the search beside one another', async () => {
    const { test, search, windows } = searching(() => []);
    using _store = test;
    const { common, clock } = loops(test);
    const asked: unknown[] = [];
    const hits: HitReader = {
      async *read(cursor) {
        asked.push(cursor);
        yield { hits: [], cursor: asked.length };
      },
    };
    const reporter = new Reporter({ ...common, name: 'one', connector: { hits, search } });
    const first = clock.now;
    await reporter.collect(never);
    clock.now += 60 * SECOND;

    await reporter.collect(never);

    expect(asked).toEqual([undefined, 1]);
    expect(windows.at(-1)).toEqual({ from: first - SECOND, to: clock.now });
  });

  it('asks for no window that ends before it begins when the clock ran back', async () => {
    const { test, search, windows } = searching(() => []);
    using _store = test;
    const { common, clock } = loops(test);
    const reporter = new Reporter({ ...common, name: 'one', connector: { search } });
    await reporter.collect(never);
    clock.now -= 600 * SECOND;

    await reporter.collect(never);

    expect(windows.at(-1)).toEqual({ from: clock.now - SECOND, to: clock.now });
  });
});
