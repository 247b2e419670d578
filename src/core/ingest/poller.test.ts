import { describe, expect, it } from 'vitest';
import type { ExchangeConnector, ListingPart, Page } from '../contracts/exchange-connector.ts';
import { configFailure, type Failure, permanent, retryable } from '../model/failure.ts';
import { silentLog } from '../runtime/log.ts';
import { onThisThread, type RemoteStore } from '../store/remote.ts';
import type { PackedPage } from '../store/ingest/wire.ts';
import { anIndicator, aPage, HOUR, indicators, ipv4, NOW, Rig } from '../../../test/builders/store.ts';
import { Poller } from './poller.ts';

const signal = new AbortController().signal;

function polling(
  pages: (cursor: unknown) => AsyncGenerator<Page>,
  more: Partial<ExchangeConnector> = {},
  beforeCommit: (pages: readonly PackedPage[]) => void = () => {},
) {
  const rig = new Rig();
  const commits: number[] = [];
  const cursors: unknown[] = [];
  const warnings: object[] = [];
  const details: object[] = [];
  let now = NOW;
  const remote = onThisThread(() => rig.store);
  const commitPages: RemoteStore['commitPages'] = async (...args) => {
    const pages = args[1] as PackedPage[];
    beforeCommit(pages);
    const answer = await remote.commitPages(...args);
    commits.push(answer.objects);
    cursors.push(pages.at(-1)?.cursor);
    return answer;
  };
  const store = new Proxy(remote, {
    get: (target, name) => (name === 'commitPages' ? commitPages : target[name as keyof RemoteStore]),
  });
  const connector: ExchangeConnector = {
    probe: async () => ({ ok: true, message: '' }),
    pages,
    close: async () => {},
    ...more,
  };
  const poller = new Poller({
    name: 'partner',
    connector,
    store,
    now: () => now,
    log: {
      ...silentLog,
      warn: (message, fields) => void warnings.push({ message, ...fields }),
      debug: (message, fields) => void details.push({ message, ...fields }),
    },
    random: () => 1,
    withdrawVanished: true,
  });
  return {
    details,
    rig,
    poller,
    commits,
    cursors,
    warnings,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

async function* of(pages: readonly (Page | Error)[]): AsyncGenerator<Page> {
  for (const page of pages) {
    if (page instanceof Error) throw page;
    yield page;
  }
}

describe('a poll', () => {
  it('commits some thousand objects at a time, with the cursor of their last page', async () => {
    const { rig, poller, commits } = polling(() =>
      of(Array.from({ length: 7 }, (_, i) => aPage(indicators(i * 1000, (i + 1) * 1000), { cursor: i + 1 }))),
    );

    expect(await poller.poll(signal)).toMatchObject({ objects: 7000, created: 7000 });

    expect(commits).toEqual([5000, 2000]);
    expect(rig.store.cursor('partner')).toBe(7);
    expect(rig.read((reader) => reader.exchanges()[0]?.lastSuccess)).toBe(NOW);
  });

  /** Twenty indicators, each with 3,000 values of its own. */
  const wide = Array.from({ length: 20 }, (_, i) =>
    anIndicator({
      objectId: `indicator--wide-${i}`,
      observables: Array.from({ length: 3000 }, (_value, n) =>
        ipv4(`198.${18 + (i >> 4)}.${(i & 15) * 12 + (n >> 8)}.${n & 255}`),
      ),
    }),
  );

  it('commits a page of many values in parts, and moves the cursor with the last one only', async () => {
    const { rig, poller, commits, cursors } = polling(() => of([aPage(wide, { cursor: 1 })]));

    expect(await poller.poll(signal)).toMatchObject({ objects: 20, created: 20 });

    expect(commits).toEqual([7, 7, 6]);
    expect(cursors).toEqual([null, null, 1]);
    expect(rig.store.cursor('partner')).toBe(1);
    expect(rig.ask<{ n: number }>('SELECT count(*) AS n FROM contribution')).toEqual([{ n: 60_000 }]);
    expect(rig.rows()).toHaveLength(60_000);
  });

  it('tells of a feed in which nothing is an indicator, until one is known', async () => {
    const ignored = { 'ipv4-addr': 2, url: 1, 'domain-name': 1 };
    let pages = [aPage([], { ignored, cursor: 1 })];
    const { poller, warnings } = polling(() => of(pages));
    await poller.poll(signal);
    expect(poller.warning).toMatch(/^4 objects came and none is an indicator \(domain-name, ipv4-addr, url\)/);
    expect(warnings).toHaveLength(1);

    pages = [aPage(indicators(0, 1), { ignored, cursor: 2 })];
    await poller.poll(signal);
    expect(poller.warning).toBeUndefined();
    pages = [aPage([], { ignored, cursor: 3 })];
    await poller.poll(signal);
    expect(poller.warning).toBeUndefined();
  });

  it('tells what the pages of a poll say, each thing once, and of known versions with other content', async () => {
    const page = (cursor: number, name: string, warning: string) =>
      aPage([anIndicator({ objectId: 'indicator--1', facts: JSON.stringify({ name }) })], { cursor, warning });
    const { poller } = polling(() =>
      of([page(1, 'a', 'odd times'), page(2, 'b', 'odd times'), page(3, 'a', 'a bundle')]),
    );
    await poller.poll(signal);

    expect(poller.warning).toBe(
      'odd times; a bundle; 1 object came in a known version with other content, of which only what arms less is believed',
    );
  });

  it('counts what is ignored once, also of a page that is committed in parts', async () => {
    const { rig, poller } = polling(() => of([aPage(wide, { cursor: 1, ignored: { url: 3 } })]));
    await poller.poll(signal);

    expect(rig.ask("SELECT n FROM tally WHERE name = 'ignored:url'")).toEqual([{ n: 3 }]);
  });

  it('reads a page again of which only a part was committed', async () => {
    const asked: unknown[] = [];
    let full = true;
    const { rig, poller, pass } = polling(
      (cursor) => {
        asked.push(cursor);
        return of([aPage(wide, { cursor: 1 })]);
      },
      {},
      (pages) => {
        if (full && pages.at(-1)?.cursor === 1) throw retryable('disk is full');
      },
    );
    await poller.poll(signal);
    expect(rig.store.cursor('partner')).toBeNull();
    expect(rig.rows()).toHaveLength(42_000);

    full = false;
    pass(HOUR);
    expect(await poller.poll(signal)).toMatchObject({ created: 6, unchanged: 14 });

    expect(asked).toEqual([undefined, undefined]);
    expect(rig.store.cursor('partner')).toBe(1);
    expect(rig.rows()).toHaveLength(60_000);
  });

  it('that is stopped within a page leaves the rest of it to the next poll', async () => {
    const stop = new AbortController();
    const { rig, poller, commits } = polling(
      () => of([aPage(wide, { cursor: 1 })]),
      {},
      () => stop.abort(),
    );

    await poller.poll(stop.signal);

    expect(commits).toEqual([7]);
    expect(rig.store.cursor('partner')).toBeNull();
  });

  const unreadable = (n: number) =>
    Array.from({ length: n }, (_, i) => ({
      objectId: `indicator--${i}`,
      reason: i === 0 ? 'type is missing' : 'other',
    }));

  it('that brings only what cannot be read warns once, with count, first reason and what to do', async () => {
    const { poller, warnings } = polling(() =>
      of([aPage([], { refusals: unreadable(3) }), aPage([], { refusals: unreadable(2), cursor: 2 })]),
    );

    await poller.poll(signal);

    expect(warnings).toEqual([
      {
        message: 'Objects of the exchange cannot be read, and nothing new came beside them.',
        exchange: 'partner',
        unreadable: 5,
        reason: 'type is missing',
        object: 'indicator--0',
        next_action: 'tell the partner object and reason; what is published anew is read again',
      },
    ]);
  });

  it('names some of what cannot be used, with the place where a pattern breaks off, to who asks for that much', async () => {
    const broken = (n: number) =>
      anIndicator({
        objectId: `indicator--${n}`,
        observables: [],
        refusal: 'not a valid STIX pattern',
        facts: JSON.stringify({ detail: `line ${n}, column 2: expected a value` }),
      });
    const { poller, details } = polling(() =>
      of([
        aPage([...indicators(1000, 1001), ...Array.from({ length: 40 }, (_, i) => broken(i + 1))], {
          refusals: [{ objectId: undefined, reason: 'modified is missing or no timestamp', detail: 'yesterday' }],
        }),
      ]),
    );

    await poller.poll(signal);

    const one = (object: string | null, reason: string) => ({
      message: 'An object of the exchange cannot be used, or not all of it.',
      exchange: 'partner',
      object,
      reason,
    });
    expect(details).toHaveLength(20);
    expect(details.slice(0, 2)).toEqual([
      one(null, 'modified is missing or no timestamp: yesterday'),
      one('indicator--1', 'not a valid STIX pattern: line 1, column 2: expected a value'),
    ]);
  });

  it('that brings news leaves it to them to tell what was refused', async () => {
    const { poller, warnings } = polling(() => of([aPage(indicators(0, 1), { refusals: unreadable(3) })]));

    await poller.poll(signal);

    expect(warnings).toEqual([]);
  });

  it('keeps the pages that came before a failure and goes on behind them', async () => {
    const { rig, poller } = polling(() => of([aPage(indicators(0, 3), { cursor: 1 }), retryable('reset')]));

    await poller.poll(signal);

    expect(rig.store.cursor('partner')).toBe(1);
    expect(rig.rows()).toHaveLength(3);
    expect(poller.failure).toMatchObject({ kind: 'retryable', message: 'reset' });
  });

  it('moves no cursor beyond a commit that failed', async () => {
    const { rig, poller } = polling(() =>
      of([
        aPage(indicators(0, 3), { cursor: 1 }),
        aPage([{ ...indicators(3, 4)[0]!, validFrom: null } as never], { cursor: 2 }),
      ]),
    );

    await poller.poll(signal);

    expect(rig.store.cursor('partner')).toBeUndefined();
    expect(poller.failure?.kind).toBe('bug');
  });

  it('waits after a failure, longer where a person must act, unless woken', async () => {
    let calls = 0;
    const { poller, pass } = polling(() => {
      calls++;
      return of([configFailure('401')]);
    });
    await poller.poll(signal);
    await poller.poll(signal);
    expect(calls).toBe(1);
    expect(poller.pausedUntil).toBe(NOW + 60_000);

    pass(60_000);
    await poller.poll(signal);
    poller.wake();
    await poller.poll(signal);

    expect(calls).toBe(3);
  });

  it('that is stopped keeps what it has and claims no success', async () => {
    const stop = new AbortController();
    const { rig, poller } = polling(async function* () {
      yield aPage(indicators(0, 2), { cursor: 1 });
      stop.abort();
    });

    await poller.poll(stop.signal);

    expect(rig.store.cursor('partner')).toBe(1);
    expect(rig.read((reader) => reader.exchanges()[0]?.lastSuccess)).toBeUndefined();
  });
});

describe('a full listing', () => {
  const parts = (failure?: Error) =>
    async function* () {
      yield { scope: 'collection-1', present: [{ objectId: 'indicator--0', version: '' }], complete: true };
      if (failure !== undefined) throw failure;
    };

  async function* listed(failure: Failure): AsyncGenerator<ListingPart> {
    yield { scope: 'collection-1', present: [{ objectId: 'indicator--0', version: '' }], complete: true };
    yield { scope: 'collection-2', present: [], complete: false, failure };
  }

  it('withdraws what it no longer shows', async () => {
    const { rig, poller } = polling(() => of([aPage(indicators(0, 2))]), { listing: parts() });
    await poller.poll(signal);

    await poller.listing(signal);

    expect(rig.deliver()).toEqual(['upsert 198.18.0.0']);
  });

  it('concludes nothing about a scope that is not complete, and says why', async () => {
    const failure = { kind: 'retryable' as const, message: 'the manifest hangs' };
    const { rig, poller, warnings } = polling(() => of([aPage(indicators(0, 2))]), {
      async *listing() {
        yield { scope: 'collection-1', present: [], complete: false, failure };
        yield { scope: 'collection-2', present: [], complete: true };
      },
    });
    await poller.poll(signal);

    await poller.listing(signal);

    expect(rig.deliver()).toHaveLength(2);
    expect(warnings).toMatchObject([{ exchange: 'partner', failure }]);
  });

  it('concludes nothing when it is stopped', async () => {
    const stop = new AbortController();
    const { rig, poller } = polling(() => of([aPage(indicators(0, 2))]), {
      async *listing() {
        yield { scope: 'collection-1', present: [], complete: true };
        stop.abort();
      },
    });
    await poller.poll(signal);

    await poller.listing(stop.signal);

    expect(rig.deliver()).toHaveLength(2);
  });

  it('is due at first, and then when its schedule came since the last one that was complete', async () => {
    let failure: Error | undefined = retryable('reset');
    const listing = () => parts(failure)();
    const { poller, pass } = polling(() => of([aPage(indicators(0, 2))]), { listing });
    await poller.poll(signal);
    const due = () => poller.listingIsDue('17 3 * * *');

    expect(await due()).toBe(true);
    await poller.listing(signal);
    expect(await due()).toBe(true);
    failure = undefined;
    await poller.listing(signal);
    expect(await due()).toBe(false);
    pass(24 * 3_600_000);
    expect(await due()).toBe(true);
  });

  it.each<[string, () => AsyncGenerator<ListingPart>]>([
    ['a collection', () => listed({ kind: 'permanent', message: 'the server has no manifest (404)' })],
    ['all of it', parts(permanent('the server has no manifest (404)'))],
  ])(
    'that can never show %s is asked for, and told of, when its schedule comes and not at each run',
    async (_, listing) => {
      const { poller, pass, warnings } = polling(() => of([aPage(indicators(0, 2))]), { listing });
      await poller.poll(signal);
      const due = () => poller.listingIsDue('17 3 * * *');

      await poller.listing(signal);

      expect([await due(), warnings.length]).toEqual([false, 1]);
      pass(24 * 3_600_000);
      expect(await due()).toBe(true);
    },
  );

  it('of which a part was refused or unreachable is due until it was looked at', async () => {
    let failure: Failure = { kind: 'retryable', message: 'the manifest hangs' };
    const { poller } = polling(() => of([aPage(indicators(0, 2))]), { listing: () => listed(failure) });
    await poller.poll(signal);
    const due = () => poller.listingIsDue('17 3 * * *');

    await poller.listing(signal);
    expect(await due()).toBe(true);
    failure = { kind: 'config', message: 'the manifest may not be read (403)' };
    await poller.listing(signal);
    expect(await due()).toBe(true);
  });

  it('concludes nothing when it breaks off', async () => {
    const { rig, poller } = polling(() => of([aPage(indicators(0, 2))]), { listing: parts(retryable('reset')) });
    await poller.poll(signal);

    await poller.listing(signal);

    expect(rig.deliver()).toHaveLength(2);
  });
});
