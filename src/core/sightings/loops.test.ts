import { describe, expect, it } from 'vitest';
import { addressAt, aHit, anIndicator, aStore, loops, minutes, RELEASE } from '../../../test/builders/sightings.ts';
import type { SendOutcome } from '../contracts/exchange-connector.ts';
import type { HitReader } from '../contracts/siem-connector.ts';
import { retryable } from '../model/failure.ts';
import { silentLog } from '../runtime/log.ts';
import type { Hit, Posted, Sighting } from '../model/sighting.ts';
import { Reporter } from './reporter.ts';
import { Sender } from './sender.ts';

const never = new AbortController().signal;

const reader = (...pages: (readonly Hit[] | Error)[]): HitReader & { asked: unknown[] } => ({
  asked: [],
  async *read(cursor) {
    this.asked.push(cursor);
    for (const [n, page] of pages.entries()) {
      if (page instanceof Error) throw page;
      yield { hits: page, cursor: n + 1 };
    }
  },
});

/** An exchange that keeps what arrives by uuid and version, and answers as the test says. */
function exchange(
  answer: (due: readonly Sighting[]) => readonly SendOutcome[] = (due) =>
    due.map(({ uuid }) => ({ uuid, kind: 'sent' })),
) {
  const held = new Map<string, Sighting>();
  const far = {
    held,
    calls: 0,
    answer,
    send: async (due: readonly Sighting[]): Promise<readonly SendOutcome[]> => {
      far.calls++;
      for (const one of due) held.set(one.uuid, one);
      return far.answer(due);
    },
  };
  return far;
}

describe('the reporter', () => {
  it('goes on from the last page that was committed when a reading fails half way', async () => {
    using test = aStore();
    test.publish([anIndicator(1), anIndicator(2)]);
    const { common, clock } = loops(test);
    const hits = reader([aHit(1)], retryable('the search expired'));
    const reporter = new Reporter({ ...common, name: 'one', connector: { hits } });

    expect((await reporter.collect(never)).fresh).toBe(1);
    expect(reporter.failure?.kind).toBe('retryable');
    clock.now += 10_000;
    await reporter.collect(never);

    expect(hits.asked).toEqual([undefined, 1]);
  });

  it('rests after a failure as long as the back-off says', async () => {
    using test = aStore();
    const { common, clock } = loops(test);
    const hits = reader(retryable('down'));
    const reporter = new Reporter({ ...common, name: 'one', connector: { hits } });
    await reporter.collect(never);
    await reporter.collect(never);
    expect(hits.asked).toHaveLength(1);

    clock.now = reporter.pausedUntil;
    await reporter.collect(never);
    expect(hits.asked).toHaveLength(2);
  });

  it('searches for every entry the SIEM holds before the window moves, and overlaps the next', async () => {
    using test = aStore();
    test.publish([anIndicator(1), anIndicator(2), anIndicator(3)]);
    const batch = test.store.takeBatch('one', { maxItems: 10, maxBytes: 1e6 }, minutes(1));
    test.store.settleAll(batch!.id, minutes(1));
    const { common, clock } = loops(test);
    const asked: { values: string[]; from: number; to: number }[] = [];
    const search = {
      maxEntries: 2,
      overlapMs: 1000,
      async *search(entries: readonly { value: string }[], window: { from: number; to: number }) {
        asked.push({ values: entries.map((one) => one.value), ...window });
        yield [aHit(1)];
      },
    };
    const reporter = new Reporter({ ...common, name: 'one', connector: { search } });
    const first = clock.now;
    const { fresh } = await reporter.collect(never);
    clock.now += 60_000;
    await reporter.collect(never);

    expect(fresh).toBe(1);
    expect(asked.slice(0, 2).map((one) => one.values)).toEqual([
      [addressAt(1).value, addressAt(2).value],
      [addressAt(3).value],
    ]);
    expect(asked[2]).toMatchObject({ from: first - 1000, to: first + 60_000 });
  });
});

describe('the sender', () => {
  const withOne = () => {
    const test = aStore();
    test.publish([anIndicator(1)]);
    test.store.commitHits('one', [aHit(1)], 'x', minutes(20));
    return test;
  };

  it('sends what is due and nothing twice', async () => {
    using test = withOne();
    const far = exchange();
    const sender = new Sender({ ...loops(test).common, name: 'partner', connector: far });

    expect(await sender.cycle(never)).toMatchObject({ sent: 1, done: true });
    expect(await sender.cycle(never)).toMatchObject({ sent: 0, done: true });
    expect([far.calls, far.held.size]).toEqual([1, 1]);
  });

  it('sends again what may have arrived, as the same sighting', async () => {
    using test = withOne();
    const { common, clock } = loops(test);
    const far = exchange(() => {
      throw retryable('the answer was lost');
    });
    const sender = new Sender({ ...common, name: 'partner', connector: far });
    await sender.cycle(never);
    const [before] = far.held.values();
    far.answer = (due) => due.map(({ uuid }) => ({ uuid, kind: 'sent' }));
    clock.now += 60_000;

    expect(await sender.cycle(never)).toMatchObject({ sent: 1 });
    expect([...far.held.values()]).toEqual([{ ...before, attempt: 1 }]);
    expect(sender.failure).toBeUndefined();
  });

  it('asks after a receipt with a growing pause until it is settled', async () => {
    using test = withOne();
    const { common, clock } = loops(test);
    const far = exchange((due) => due.map(({ uuid }) => ({ uuid, kind: 'accepted', receipt: 'r' })));
    const asked: number[] = [];
    const settle = async (_receipt: string, posted: readonly Posted[]) => {
      asked.push((clock.now - start) / 1000);
      return clock.now < start + 100_000
        ? ('pending' as const)
        : posted.map(({ uuid }) => ({ uuid, kind: 'sent' }) as const);
    };
    const sender = new Sender({ ...common, name: 'partner', connector: { send: far.send, settle } });
    const start = clock.now;
    await sender.cycle(never);
    expect(await sender.cycle(never)).toMatchObject({ pending: 1, sent: 0 });
    for (; clock.now < start + 600_000; clock.now += 1000) await sender.cycle(never);

    expect(asked).toEqual([2, 4, 8, 16, 32, 64, 128]);
    expect([far.calls, test.store.sendReceipts('partner')]).toEqual([1, []]);
  });

  it.each([1, 500])('does not post in a loop what the exchange takes, forgets and never shows: %i', async (count) => {
    using test = aStore();
    const numbers = Array.from({ length: count }, (_one, n) => n + 1);
    test.publish(numbers.map((n) => anIndicator(n)));
    test.store.commitHits(
      'one',
      numbers.map((n) => aHit(n)),
      'x',
      minutes(20),
    );
    const { common, clock } = loops(test);
    const warned: string[] = [];
    const log = { ...silentLog, warn: (message: string) => void warned.push(message) };
    const far = exchange((due) => due.map(({ uuid }) => ({ uuid, kind: 'accepted', receipt: 'r' })));
    let asked = 0;
    const settle = async (_receipt: string, posted: readonly Posted[]) => {
      asked++;
      return posted.map(({ uuid }) => ({ uuid, kind: 'unseen', reason: 'keeps no status' }) as const);
    };
    const sender = new Sender({ ...common, log, name: 'partner', connector: { send: far.send, settle } });
    const start = clock.now;
    const states = new Set<string | undefined>();
    for (; clock.now < start + 60_000; clock.now += 500) {
      await sender.cycle(never);
      if (asked > 0) states.add(sender.failure?.message);
    }
    expect([far.calls, asked]).toEqual([1, 1]);
    expect([...states]).toEqual(['keeps no status']);

    for (; clock.now < start + 24 * 3_600_000; clock.now += 10_000) await sender.cycle(never);

    // Doubling from a minute to an hour.
    expect(far.calls).toBeLessThan(32);
    expect(far.calls).toBeGreaterThan(20);
    expect(warned).toHaveLength(1);
    far.answer = (due) => due.map(({ uuid }) => ({ uuid, kind: 'sent' }));
    clock.now += 3_700_000;
    await sender.cycle(never);
    expect(sender.failure).toBeUndefined();
  });

  it('tells the exchange apart from a first attempt what may be there already, also after a crash', async () => {
    using test = withOne();
    const { common, clock } = loops(test);
    const attempts: (number | undefined)[] = [];
    const send = async (due: readonly Sighting[]): Promise<readonly SendOutcome[]> => {
      attempts.push(...due.map(({ attempt }) => attempt));
      throw retryable('the answer was lost');
    };
    const sender = () => new Sender({ ...common, name: 'partner', connector: { send } });
    await sender().cycle(never);
    clock.now += 60_000;
    test.store.takeSightings('partner', 10, clock.now);
    test.reopen();
    await sender().cycle(never);

    expect(attempts).toEqual([undefined, 2]);
  });

  it('goes on sending while one receipt cannot be asked for', async () => {
    using test = withOne();
    const { common, clock } = loops(test);
    const far = exchange((due) => due.map(({ uuid }) => ({ uuid, kind: 'accepted', receipt: 'r' })));
    const settle = async () => {
      throw retryable('500 for this status');
    };
    const sender = new Sender({ ...common, name: 'partner', connector: { send: far.send, settle } });
    await sender.cycle(never);
    clock.now += 3000;
    test.publish([anIndicator(2)]);
    test.store.commitHits('one', [aHit(2)], 'x', minutes(20));
    far.answer = (due) => due.map(({ uuid }) => ({ uuid, kind: 'sent' }));

    expect(await sender.cycle(never)).toMatchObject({ sent: 1, done: false });
    expect(sender.failure?.message).toBe('500 for this status');
  });

  it('rests longer after each failed call', async () => {
    using test = withOne();
    const { common, clock } = loops(test);
    const far = exchange(() => {
      throw retryable('503');
    });
    const sender = new Sender({ ...common, name: 'partner', connector: far });
    const at: number[] = [];
    const start = clock.now;
    for (; clock.now < start + 40_000; clock.now += 100) {
      const before = far.calls;
      await sender.cycle(never);
      if (far.calls > before) at.push((clock.now - start) / 1000);
    }

    // 1, 2, 4, 8, 16 s, and each row waits as long as its sender.
    expect(at).toEqual([0, 1, 3, 7, 15, 31]);
  });

  it('looks again for a sighting that the exchange gave no outcome for', async () => {
    using test = withOne();
    const { common, clock } = loops(test);
    const far = exchange(() => []);
    const sender = new Sender({ ...common, name: 'partner', connector: far });
    expect(await sender.cycle(never)).toMatchObject({ sent: 0, unseen: 1 });
    expect(await sender.cycle(never)).toMatchObject({ sent: 0 });
    expect(far.calls).toBe(1);
    far.answer = (due) => due.map(({ uuid }) => ({ uuid, kind: 'sent' }));
    clock.now += 61_000;

    expect(await sender.cycle(never)).toMatchObject({ sent: 1 });
  });

  it('puts aside what is refused for good, and its neighbours go', async () => {
    using test = withOne();
    test.publish([anIndicator(2)]);
    test.store.commitHits('one', [aHit(2)], 'x', minutes(20));
    const far = exchange((due) =>
      due.map(({ uuid }, n) =>
        n === 0 ? { uuid, kind: 'failed', failure: { kind: 'permanent', message: 'no' } } : { uuid, kind: 'sent' },
      ),
    );
    const sender = new Sender({ ...loops(test).common, name: 'partner', connector: far });

    expect(await sender.cycle(never)).toMatchObject({ sent: 1, refused: 1, done: true });
    expect(await sender.cycle(never)).toMatchObject({ sent: 0, refused: 0 });
  });
});

it('tells each sighting once, with the right count, however often the process dies in between', async () => {
  // A small deterministic generator: the seed is in the name of what fails.
  for (let seed = 1; seed <= 8; seed++) {
    let state = seed * 2_654_435_761;
    const chance = () => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state / 2_147_483_648;
    };
    using test = aStore({ release: RELEASE });
    test.publish([anIndicator(1), anIndicator(2)]);
    const all = Array.from({ length: 12 }, (_one, n) => aHit(1 + (n % 2), { dedupe: `e${n}` }));
    const far = exchange((due) => {
      if (chance() < 0.3) throw retryable('lost');
      return due.map(({ uuid }) => ({ uuid, kind: 'sent' }));
    });
    const { common, clock } = loops(test);
    const dying = new Proxy(common.store, {
      get:
        (store, name) =>
        async (...args: unknown[]) => {
          const before = chance() < 0.1;
          if (before) throw retryable('killed before');
          // Any unit of the store, by name.
          const result = await (store[name as 'dataVersion'] as (...given: unknown[]) => Promise<unknown>)(...args);
          if (chance() < 0.1) throw retryable('killed after');
          return result;
        },
    });
    for (let life = 0; life < 40; life++) {
      const calm = life > 30;
      const store = calm ? common.store : dying;
      if (calm) far.answer = (due) => due.map(({ uuid }) => ({ uuid, kind: 'sent' }));
      const shown = all.slice(0, Math.min(all.length, life));
      await new Reporter({ ...common, store, name: 'one', connector: { hits: reader(shown) } })
        .collect(never)
        .catch(() => {});
      await new Sender({ ...common, store, name: 'partner', connector: far }).cycle(never).catch(() => {});
      if (!calm && chance() < 0.5) test.reopen();
      clock.now += 1000;
      // What is put off is due at the end.
      if (life === 30) {
        clock.now += 1_800_000;
        test.reopen();
      }
    }

    expect([seed, [...far.held.values()].map((one) => one.count)]).toEqual([seed, [6, 6]]);
  }
});
