import fc from '../../../../test/property.ts';
import { describe, expect, it } from 'vitest';
import { Taxii21Config } from './config.ts';
import { Taxii21Connector } from './connector.ts';
import { afterOf, at, closers, MANIFEST, OBJECTS, OLD, partner, read } from './scripted-partner.ts';
import { type Asked, anIndicator, envelope, idOf, type Reply, testDeps } from './scripted-server.ts';
import { microsOf, textOf } from './time.ts';

describe('following pages', () => {
  it('sends next with exactly the same other parameters', async () => {
    const replies: Record<string, Reply> = {
      '': envelope([1, 2], { more: true, next: 'b' }, at(2), at(1)),
      b: envelope([3, 4], { more: true, next: 'c' }, at(4), at(3)),
      c: envelope([5], {}, at(5)),
    };
    const { connector, queries } = await partner(
      (path, { query }) => (path === OBJECTS ? replies[query.get('next') ?? ''] : undefined),
      { start: '2026-01-01T00:00:00Z' },
    );

    const { ids, cursor } = await read(connector);

    const fixed = { added_after: '2026-01-01T00:00:00.000000Z', limit: '2' };
    expect(queries()).toEqual([fixed, { ...fixed, next: 'b' }, { ...fixed, next: 'c' }]);
    expect(ids).toEqual([1, 2, 3, 4, 5].map(idOf));
    expect(afterOf(cursor)).toBe(at(5));
  });

  it.each([
    ['2026-01-05T10:00:00.5Z', '2026-01-05T10:00:00.5Z'],
    ['2026-01-05T10:00:00.123456789Z', '2026-01-05T10:00:00.123456789Z'],
    ['2026-01-05T12:00:00.5+02:00', '2026-01-05T10:00:00.500000Z'],
  ])('sends the added time %s back as %s', async (received, sent) => {
    const { connector, queries } = await partner((path) =>
      path === OBJECTS ? envelope([1], {}, received) : undefined,
    );
    const first = await read(connector);

    await read(connector, first.cursor);

    expect(queries()[1]).toMatchObject({ added_after: sent });
  });

  it('accepts one token for all pages, as some servers keep the position themselves', async () => {
    const answers = [
      envelope([1, 2], { more: true, next: 't' }, at(2)),
      envelope([3, 4], { more: true, next: 't' }, at(4)),
      envelope([5], { more: false }, at(5)),
    ];
    const { connector } = await partner((path) => (path === OBJECTS ? answers.shift() : undefined));

    const { ids, warnings } = await read(connector);

    expect(ids).toEqual([1, 2, 3, 4, 5].map(idOf));
    expect(warnings).toBe('');
  });

  it('follows next where more is left out, and not where more is false', async () => {
    const answers = [envelope([1, 2], { next: 'b' }, at(2)), envelope([3], { more: false, next: 'c' }, at(3))];
    const { connector, queries } = await partner((path) => (path === OBJECTS ? answers.shift() : undefined));

    const { ids } = await read(connector);

    expect(ids).toEqual([1, 2, 3].map(idOf));
    expect(queries()).toHaveLength(2);
  });

  it('goes on after one empty page that says more', async () => {
    const answers = [
      envelope([1], { more: true, next: 'b' }, at(1)),
      envelope([], { more: true, next: 'c' }),
      envelope([2], {}, at(2)),
    ];
    const { connector } = await partner((path) => (path === OBJECTS ? answers.shift() : undefined));

    expect((await read(connector)).ids).toEqual([1, 2].map(idOf));
  });

  it.each([
    ['the same page under the same next', () => envelope([1, 2], { more: true, next: 'same' }, at(2))],
    ['the same page under ever new next', (n: number) => envelope([1, 2], { more: true, next: `n${n}` }, at(2))],
    ['more without next or time', () => envelope([1, 2], { more: true })],
  ])('fails the poll on %s, keeps what came, and leaves the cursor', async (_name, reply) => {
    let count = 0;
    const { connector, queries } = await partner((path) => (path === OBJECTS ? reply(count++) : undefined));

    const { ids, cursor, failure } = await read(connector);

    expect(failure).toMatchObject({ kind: 'permanent', message: expect.stringMatching(/there is more but/) });
    expect(ids).toEqual(expect.arrayContaining([1, 2].map(idOf)));
    expect(queries().length).toBeLessThan(5);
    expect(afterOf(cursor)).toBeUndefined();
  });

  it('ends the run on empty pages for ever and says so: all that there was has come', async () => {
    let count = 0;
    const { connector, queries } = await partner((path) =>
      path === OBJECTS ? envelope([], { more: true, next: `n${count++}` }) : undefined,
    );

    const { warnings, cursor, failure } = await read(connector);

    expect(failure).toBeUndefined();
    expect(warnings).toMatch(/there is more but/);
    expect(queries().length).toBeLessThan(5);
    expect(afterOf(cursor)).toBeUndefined();
  });

  it('ends a poll at a cap of pages or bytes and goes on from there at the next', async () => {
    const endless = (path: string, { query }: Asked) => {
      if (path !== OBJECTS) return undefined;
      const after =
        (microsOf(query.get('added_after') ?? undefined) ?? -1n + (microsOf(OLD) ?? 0n)) - (microsOf(OLD) ?? 0n);
      const n = Number(query.get('next') ?? after + 1n);
      return envelope([n, n + 1], { more: true, next: String(n + 2) }, at(n + 1), at(n));
    };
    const byPages = await partner(endless, {}, { pages: 3, bytes: 1e9 });
    const byBytes = await partner(endless, {}, { pages: 100, bytes: 1 });

    const first = await read(byPages.connector);
    const second = await read(byPages.connector, first.cursor);
    const small = await read(byBytes.connector);

    expect(first.warnings).toMatch(/one poll ends after 3 pages/);
    expect(first.ids).toEqual([0, 1, 2, 3, 4, 5].map(idOf));
    expect(new Set(second.ids)).toContain(idOf(6));
    expect(small.pages).toHaveLength(1);
  });

  it('starts the run again once when next is refused, then goes on by added time', async () => {
    const all = [1, 2, 3, 4, 5, 6];
    const { connector, queries } = await partner((path, { query }) => {
      if (path !== OBJECTS) return undefined;
      if (query.has('next')) return { status: 400, body: { title: 'unknown next' } };
      const after = microsOf(query.get('added_after') ?? undefined) ?? 0n;
      const left = all.filter((n) => (microsOf(at(n)) ?? 0n) > after);
      const some = left.slice(0, 2);
      const more = left.length > 2 ? { more: true, next: 'dies' } : {};
      return envelope(some, more, at(some.at(-1) ?? 0), at(some[0] ?? 0));
    });

    const { ids, failure } = await read(connector);

    expect(failure).toBeUndefined();
    expect(new Set(ids)).toEqual(new Set(all.map(idOf)));
    expect(queries().filter((one) => one['added_after'] === undefined && one['next'] === undefined)).toHaveLength(2);
  });
});

describe('paging by added time', () => {
  /** A server without `next`: objects by added time, at most `cap` at once; the manifest is capped only if told. */
  const timed =
    (stamps: readonly number[], cap: number, manifestCap = Number.POSITIVE_INFINITY) =>
    (path: string, { query }: Asked) => {
      if (path !== OBJECTS && path !== MANIFEST) return undefined;
      const after = microsOf(query.get('added_after') ?? undefined) ?? 0n;
      const wanted = query.get('match[id]')?.split(',');
      const all = stamps.map((stamp, n) => ({ n, stamp }));
      const left = all.filter(
        ({ n, stamp }) => (wanted === undefined || wanted.includes(idOf(n))) && (microsOf(at(stamp)) ?? 0n) > after,
      );
      const limit = Math.min(Number(query.get('limit')), path === OBJECTS ? cap : manifestCap);
      const some = left.slice(0, limit);
      const more = left.length > some.length ? { more: true } : {};
      const last = at(some.at(-1)?.stamp ?? 0);
      if (path === OBJECTS)
        return envelope(
          some.map(({ n }) => n),
          more,
          last,
          at(some[0]?.stamp ?? 0),
        );
      const objects = some.map(({ n, stamp }) => ({
        id: idOf(n),
        date_added: at(stamp),
        version: '2026-01-01T00:00:00Z',
      }));
      return { body: { ...more, objects }, headers: { 'x-taxii-date-added-last': last } };
    };

  it('asks for the last time again, so that a group cut by a page end is complete', async () => {
    const { connector, queries } = await partner(timed([1, 2, 2, 3], 100));

    const { ids, cursor } = await read(connector);

    expect(ids).toEqual([0, 1, 2, 3].map(idOf));
    expect(queries()[1]?.['added_after']).toBe(at(1));
    expect(afterOf(cursor)).toBe(at(3));
  });

  it('asks for more at once when one time fills a page', async () => {
    const { connector, queries } = await partner(timed([1, 2, 2, 2, 2, 2, 3], 100));

    const { ids, warnings } = await read(connector);

    expect(new Set(ids)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6].map(idOf)));
    expect(queries().map((one) => one['limit'])).toContain('10000');
    expect(warnings).toBe('');
  });

  it('fetches such a group by id through the manifest where the server caps pages', async () => {
    const { connector, queries } = await partner(timed([1, 2, 2, 2, 2, 2, 3, 4], 2));

    const { ids, cursor, warnings } = await read(connector);

    expect(new Set(ids)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7].map(idOf)));
    expect(queries().some((one) => one['match[id]'] !== undefined)).toBe(true);
    expect(warnings).toBe('');
    expect(afterOf(cursor)).toBe(at(4));
  });

  it('reads on behind a group that stays incomplete, says so, and keeps the cursor before it', async () => {
    const { connector } = await partner(timed([1, 2, 2, 2, 2, 2, 3, 4], 2, 2));

    const { ids, cursor, warnings } = await read(connector);

    expect(ids).toEqual(expect.arrayContaining([6, 7].map(idOf)));
    expect(warnings).toMatch(/share the added time/);
    expect(afterOf(cursor)).toBe(at(1));
  });

  it('keeps its place before a group until all of it was read, however often it is broken off', async () => {
    // More than are asked for by id at once.
    const stamps = [1, ...Array.from({ length: 50 }, () => 2), 3];
    const { connector } = await partner(timed(stamps, 2));
    const { pages } = await read(connector);

    const all = new Set(stamps.map((_stamp, n) => idOf(n)));
    for (const [i, page] of pages.entries()) {
      const rest = await read(connector, page.cursor);
      const before = pages.slice(0, i + 1).flatMap((one) => one.objects.map((object) => object.objectId));
      expect(new Set([...before, ...rest.ids])).toEqual(all);
    }
  });

  it('brings everything for any groups of equal times and any page size, and from any cursor', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 14 }),
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        async (unsorted, size, capped) => {
          const stamps = unsorted.toSorted((a, b) => a - b);
          const { connector } = await partner(timed(stamps, capped ? size : 10_000), { page_size: size });
          const { ids, pages, failure } = await read(connector);
          const all = new Set(stamps.map((_stamp, n) => idOf(n)));
          expect(failure).toBeUndefined();
          expect(new Set(ids)).toEqual(all);
          const some = Math.floor(pages.length / 2);
          const rest = await read(connector, pages[some]?.cursor);
          const before = pages.slice(0, some + 1).flatMap((page) => page.objects.map((one) => one.objectId));
          expect(new Set([...before, ...rest.ids])).toEqual(all);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('the cursor between polls', () => {
  const fixed = (reply: (asked: Asked) => Reply) => (path: string, asked: Asked) =>
    path === OBJECTS ? reply(asked) : undefined;

  it('stays where it was after an empty run', async () => {
    const answers = [envelope([1], {}, at(1)), envelope([], {})];
    const { connector } = await partner(fixed(() => answers.shift() ?? envelope([], {})));
    const first = await read(connector);

    expect((await read(connector, first.cursor)).pages).toEqual([]);
  });

  it('reads five minutes again while the server clock is close, and passes on only what is new or changed', async () => {
    const recent = textOf(BigInt(Date.now() - 60_000) * 1000n);
    const changed = anIndicator(2, { valid_until: '2026-02-01T00:00:00Z' });
    const answers: Reply[] = [
      envelope([1, 2], {}, recent),
      { ...envelope([1, 2, 3], {}, recent), body: { objects: [anIndicator(3), anIndicator(1), changed] } },
    ];
    const { connector, queries } = await partner(
      fixed(() => answers.shift() ?? envelope([], {})),
      { page_size: 10 },
    );
    const first = await read(connector);

    const second = await read(connector, first.cursor);

    expect(queries()[1]?.['added_after']).toBe(textOf((microsOf(recent) ?? 0n) - 300_000_000n));
    expect(second.ids).toEqual([3, 2].map(idOf));
  });

  it('does not read a large old group again at each poll', async () => {
    const { connector, queries } = await partner(fixed(() => envelope([1], {}, OLD)));
    const first = await read(connector);

    await read(connector, first.cursor);

    expect(queries()[1]?.['added_after']).toBe(OLD);
  });

  it.each([
    'undefined',
    'Mon Jan 05 2026 10:00:00 GMT+0000 (Coordinated Universal Time)',
    '9999-12-31T23:59:59.000000Z',
    undefined,
  ])('does not move to %s, and says so', async (header) => {
    const { connector } = await partner(fixed(() => envelope([1], {}, header)));

    const { cursor, warnings, ids } = await read(connector);

    expect(ids).toEqual([idOf(1)]);
    expect(afterOf(cursor)).toBeUndefined();
    expect(warnings).toMatch(/X-TAXII-Date-Added-Last|added time in the future/);
  });

  it('starts over from a cursor that it cannot read', async () => {
    const { connector, queries } = await partner(fixed(() => envelope([1], {}, OLD)));

    expect((await read(connector, { v: 99 })).ids).toEqual([idOf(1)]);
    expect(queries()[0]?.['added_after']).toBeUndefined();
  });

  it('belongs to one account: another is shown another world, and reads it from the beginning', async () => {
    const { connector, server, queries } = await partner(
      fixed(() => envelope([1], {}, OLD)),
      { auth: { username: 'one', password: 'p' } },
    );
    const { cursor } = await read(connector);
    const other = async (auth: object | undefined) => {
      const config = Taxii21Config.parse({ type: 'taxii21', url: server.url, page_size: 2, ...(auth && { auth }) });
      const second = new Taxii21Connector(config, testDeps);
      closers.push(() => second.close());
      await read(second, cursor);
      return queries().at(-1)?.['added_after'];
    };

    expect(await other({ username: 'one', password: 'renewed' })).toBe(OLD);
    expect(await other({ username: 'two', password: 'p' })).toBeUndefined();
    expect(await other({ token: 'p' })).toBeUndefined();
    expect(await other(undefined)).toBeUndefined();
  });

  it('is an added time of a page only while times grow, within a page and from page to page', async () => {
    const growing = [envelope([1], { more: true, next: 'b' }, at(2), at(1)), envelope([2], {}, at(4), at(3))];
    const within = [envelope([1], { more: true, next: 'b' }, at(2), at(5)), envelope([2], {}, at(9))];
    const between = [
      envelope([1], { more: true, next: 'b' }, at(5), at(4)),
      envelope([2], { more: true, next: 'c' }, at(6), at(3)),
      envelope([3], {}, at(9)),
    ];
    const later = [
      envelope([1], { more: true, next: 'b' }, at(3), at(2)),
      envelope([2], { more: true, next: 'c' }, at(5), at(7)),
      envelope([3], {}, at(9)),
    ];
    const resumes = async (answers: Reply[]) => {
      const { connector } = await partner(fixed(() => answers.shift() ?? envelope([], {})));
      const { pages } = await read(connector);
      return pages.slice(0, -1).map((page) => {
        const [place] = (page.cursor as { places: { resume?: { by: string } }[] }).places ?? [];
        return place?.resume?.by;
      });
    };

    expect(await resumes(growing)).toEqual(['time']);
    expect(await resumes(within)).toEqual([undefined]);
    expect(await resumes(between)).toEqual(['time', 'next']);
    expect(await resumes(later)).toEqual(['time', 'next']);
  });

  it('does not resume by added time on a server whose times run backwards', async () => {
    const replies: Record<string, Reply> = {
      '': envelope([1], { more: true, next: 'b' }, at(9)),
      b: envelope([2], { more: true, next: 'c' }, at(3)),
      c: envelope([3], {}, at(5)),
    };
    const { connector, queries } = await partner(
      fixed(({ query }) => replies[query.get('next') ?? ''] ?? envelope([], {})),
    );
    const first = await read(connector);

    await read(connector, first.pages[1]?.cursor);

    expect(queries()[3]).toMatchObject({ next: 'c' });
  });
});
