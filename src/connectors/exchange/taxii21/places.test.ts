// Where a reading stands, and what is no end of it: each where a server makes it easy to believe otherwise.
import { describe, expect, it } from 'vitest';
import type { ListingPart } from '../../../core/contracts/exchange-connector.ts';
import { laterOf, placeOf, readCursor, withPlace } from './cursor.ts';
import { afterOf, at, MANIFEST, never, OBJECTS, partner, read } from './scripted-partner.ts';
import { type Asked, envelope, idOf, type Reply, testDeps } from './scripted-server.ts';
import { microsOf, textOf } from './time.ts';

const instant = (text: string) => ({ text, micros: String(microsOf(text)) });
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

describe('a place', () => {
  const here = { root: 'https://a.example/api1/', collection: 'one', account: 'ana' };
  const cursor = withPlace(readCursor(undefined), { ...here, after: instant(at(5)) });

  it('is found for its root, collection and account together', () => {
    expect(placeOf(cursor, here.root, 'one', 'ana').after?.text).toBe(at(5));
    expect(placeOf(cursor, 'https://b.example/api1/', 'one', 'ana').after).toBeUndefined();
    expect(placeOf(cursor, here.root, 'two', 'ana').after).toBeUndefined();
    expect(placeOf(cursor, here.root, 'one', 'ben').after).toBeUndefined();
  });

  it('never goes back', () => {
    expect(laterOf(instant(at(5)), instant(at(3)))?.text).toBe(at(5));
    expect(laterOf(instant(at(5)), instant(at(7)))?.text).toBe(at(7));
    expect(laterOf(undefined, instant(at(3)))?.text).toBe(at(3));
  });

  it('of an answer that is taken in parts is that of the answer before, until its last part', async () => {
    const answers = [envelope([1], { more: true, next: 'b' }, at(1)), envelope(numbers(1001), {}, at(2))];
    const { connector } = await partner((path) => (path === OBJECTS ? answers.shift() : undefined));

    const { pages } = await read(connector);

    expect(pages.map((page) => page.objects.length)).toEqual([1, 1000, 1]);
    expect(pages[1]?.cursor).toEqual(pages[0]?.cursor);
    expect(afterOf(pages[2]?.cursor)).toBe(at(2));
  });

  it('is no next that the server gives for every page', async () => {
    const answers = [
      envelope([1], { more: true, next: 't' }),
      envelope([2], { more: true, next: 't' }),
      envelope([3], { more: true, next: 't' }),
      envelope([4], {}),
    ];
    const { connector } = await partner((path) => (path === OBJECTS ? answers.shift() : undefined));

    const { pages } = await read(connector);

    expect(JSON.stringify(pages.map((page) => page.cursor))).not.toContain('"next"');
  });

  it('reads the overlap again by our own clock, whatever the server’s says', async () => {
    const recent = textOf(BigInt(Date.now() - 60_000) * 1000n);
    const ahead = new Date(Date.now() + 3_600_000).toUTCString();
    const { connector, queries } = await partner((path) => {
      if (path === OBJECTS) return envelope([1], {}, recent);
      if (path !== 'collections/') return undefined;
      const collections = [{ id: OBJECTS.split('/')[1], title: 'Indicators', can_read: true, can_write: false }];
      return { body: { collections }, headers: { date: ahead } };
    });
    const first = await read(connector);

    await read(connector, first.cursor);

    expect(queries()[1]?.['added_after']).toBe(textOf((microsOf(recent) ?? 0n) - 300_000_000n));
  });
});

describe('what is no end', () => {
  it('is an answer without a body where there should be more', async () => {
    const answers: Reply[] = [envelope([1], { more: true, next: 'b' }, at(1)), { body: '' }];
    const { connector } = await partner((path) => (path === OBJECTS ? answers.shift() : undefined));

    const { failure, cursor } = await read(connector);

    expect([failure?.kind, afterOf(cursor)]).toEqual(['retryable', undefined]);
  });

  it('is a next behind an empty page that says nothing of more', async () => {
    const answers = [envelope([1], { more: true, next: 'b' }, at(1)), envelope([], { next: 'c' })];
    const { connector, queries } = await partner((path) => (path === OBJECTS ? answers.shift() : undefined));

    const { failure, cursor } = await read(connector);

    expect([failure, afterOf(cursor), queries().length]).toEqual([undefined, at(1), 2]);
  });
});

describe('a group of equal added times that no page holds', () => {
  /** Five objects at one time on a server that gives two at once, and what it answers for the rest. */
  const crowded = (
    manifest: (query: URLSearchParams) => Reply,
    byId: (ids: string[]) => Reply,
    page: (limit: number) => Reply = () => envelope([1, 2], { more: true }, at(2)),
  ) =>
    partner((path: string, { query }: Asked) => {
      if (path === MANIFEST) return manifest(query);
      if (path !== OBJECTS) return undefined;
      const ids = query.get('match[id]');
      if (ids !== null) return byId(ids.split(','));
      const after = microsOf(query.get('added_after') ?? undefined) ?? 0n;
      return after >= (microsOf(at(2)) ?? 0n) ? envelope([9], {}, at(3)) : page(Number(query.get('limit')));
    });
  const entry = (n: number, added: string | undefined = at(2)) => ({
    id: idOf(n),
    ...(added === undefined ? {} : { date_added: added }),
    version: '2026-01-01T00:00:00Z',
  });
  const whole = () => ({ body: { objects: numbers(5).map((n) => entry(n)) } });
  const found = (ids: string[], more: boolean) =>
    envelope(
      numbers(5).filter((n) => ids.includes(idOf(n))),
      more ? { more } : {},
      at(2),
    );

  it('is not complete while the server still holds more of what is asked for by id', async () => {
    const { connector } = await crowded(whole, (ids) => found(ids, true));

    const { warnings, cursor, ids } = await read(connector);

    expect(new Set(ids)).toEqual(new Set([1, 2, 3, 4, 5, 9].map(idOf)));
    expect(warnings).toMatch(/share the added time/);
    expect(afterOf(cursor)).toBe(at(1));
  });

  it('is read again where an outage came in between', async () => {
    const { connector } = await crowded(
      () => ({ status: 503 }),
      (ids) => found(ids, false),
    );

    const { failure, cursor } = await read(connector);

    expect([failure?.kind, afterOf(cursor)]).toEqual(['retryable', undefined]);
  });

  it('moves no cursor with what a larger page brings of it', async () => {
    const { connector } = await crowded(
      () => ({ status: 503 }),
      (ids) => found(ids, false),
      (limit) => envelope(numbers(limit > 2 ? 3 : 2), { more: true }, at(2)),
    );

    const { ids, cursor } = await read(connector);

    expect([ids, afterOf(cursor)]).toEqual([[1, 2, 3].map(idOf), undefined]);
  });

  it('is no place to go on from where times run backwards, however much of it was read', async () => {
    let parts = 0;
    const { connector } = await crowded(
      whole,
      (ids) => (ids.length < 3 && parts++ > 1 ? { status: 503 } : found(ids, ids.length > 2)),
      () => envelope([1, 2], { more: true }, at(2), at(3)),
    );

    const { failure, pages, cursor } = await read(connector);

    expect([failure?.kind, pages.length]).toEqual(['retryable', 2]);
    expect(JSON.stringify(cursor)).not.toContain('"resume"');
  });

  it('is found in a manifest that leaves out some of the times', async () => {
    const objects = [entry(1), { id: idOf(8), version: '2026-01-01T00:00:00Z' }, ...[2, 3, 4, 5].map((n) => entry(n))];
    const { connector } = await crowded(
      () => ({ body: { objects } }),
      (ids) => found(ids, false),
    );

    const { warnings, ids, cursor } = await read(connector);

    expect(new Set(ids)).toEqual(new Set([1, 2, 3, 4, 5, 9].map(idOf)));
    expect([warnings, afterOf(cursor)]).toEqual(['', at(3)]);
  });
});

describe('a listing', () => {
  const entry = (n: number, added: number) => ({ id: idOf(n), date_added: at(added), version: '2026-01-01T00:00:00Z' });
  const list = async (connector: { listing(signal: AbortSignal): AsyncIterable<ListingPart> }) => {
    const parts: ListingPart[] = [];
    for await (const part of connector.listing(never)) parts.push(part);
    return parts;
  };

  it('holds every entry of a time at which a page of it ends', async () => {
    const all = [entry(1, 1), entry(2, 2), entry(3, 2), entry(4, 2), entry(5, 3)];
    const { connector } = await partner((path, { query }) => {
      if (path !== MANIFEST) return undefined;
      const after = microsOf(query.get('added_after') ?? undefined) ?? 0n;
      const left = all.filter((one) => (microsOf(one.date_added) ?? 0n) > after);
      const some = left.slice(0, Number(query.get('limit')));
      return { body: { ...(left.length > some.length ? { more: true } : {}), objects: some } };
    });

    const parts = await list(connector);

    const present = parts.flatMap((part) => part.present.map((one) => one.objectId));
    expect(new Set(present)).toEqual(new Set(numbers(5).map(idOf)));
    expect(parts.at(-1)?.complete).toBe(true);
  });

  it('ends where two collections running meet what concerns the whole server', async () => {
    const collections = ['a', 'b', 'c'].map((id) => ({ id, title: id, can_read: true, can_write: false }));
    const { connector } = await partner((path) => {
      if (path === 'collections/') return { body: { collections } };
      return path.endsWith('/manifest/') ? { status: 429 } : undefined;
    });

    await expect(list(connector)).rejects.toThrow(/429/);
  });
});

describe('a reading', () => {
  const ids = ['a', 'b', 'c'];
  // None overtakes another, however slow this machine is.
  const patient = { ...testDeps, clock: { ...testDeps.clock, sleep: () => new Promise<void>(() => {}) } };
  const asked = async (refused: readonly string[], status: number) => {
    const answer = (path: string): Reply | undefined => {
      if (path === 'collections/') return { body: { collections: ids.map((id) => ({ id, can_read: true })) } };
      const [, id = ''] = /^collections\/(.)\/objects\/$/.exec(path) ?? [];
      if (refused.includes(id)) return { status };
      return id === '' ? undefined : envelope([1], {}, at(1));
    };
    const { connector, queries } = await partner(answer, {}, undefined, patient);
    const { failure, pages } = await read(connector);
    return [failure?.status, pages.map((one) => one.scope), queries('collections/c/objects/').length];
  };

  it.each([401, 429])('ends where two collections running meet %i: the server’s own', async (status) => {
    expect(await asked(['a', 'b'], status)).toEqual([status, [], 0]);
    expect(await asked(['a'], status)).toEqual([status, ['b', 'c'], 1]);
  });
});

describe('a collection that is named', () => {
  const collections = [
    { id: 'a', title: 'b', can_read: true, can_write: false },
    { id: 'b', title: 'x', can_read: true, can_write: false },
    { id: 'c', title: 'twice', can_read: true, can_write: false },
    { id: 'd', title: 'twice', can_read: true, can_write: false },
  ];
  const reading = (name: string, hidden: Reply = { status: 404 }) =>
    partner(
      (path) => {
        if (path === 'collections/') return { body: { collections } };
        if (path === `collections/${name}/`) return hidden;
        return /^collections\/.\/objects\/$/.test(path) ? envelope([1], {}, at(1)) : undefined;
      },
      { collections: [name] },
    );

  it('is the one of that id, before one of that title', async () => {
    const { connector } = await reading('b');

    expect((await read(connector)).pages.map((page) => page.scope)).toEqual(['b']);
  });

  it('is none where two have that title', async () => {
    const { connector } = await reading('twice');

    const { failure, pages } = await read(connector);

    expect([failure?.message.includes('several collections'), pages]).toEqual([true, []]);
  });

  it('is not missing where the credentials are refused', async () => {
    const { connector } = await reading('hidden', { status: 401 });

    expect((await read(connector)).failure).toMatchObject({ status: 401 });
  });
});
