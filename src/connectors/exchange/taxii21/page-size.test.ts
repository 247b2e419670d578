import { describe, expect, it } from 'vitest';
import type { Reading, ScopeEnd } from '../../../core/contracts/exchange-connector.ts';
import { systemClock } from '../../../core/runtime/clock.ts';
import type { Json } from '../../../core/model/json.ts';
import type { Taxii21Connector } from './connector.ts';
import { smaller } from './page-size.ts';
import { at, never, OBJECTS, partner, read } from './scripted-partner.ts';
import { envelope, idOf, type Asked, type Reply } from './scripted-server.ts';

const ALL = Array.from({ length: 40 }, (_one, n) => n);
const DAY_MS = 86_400_000;

/** Forty objects, from a server that gives at most 20 at once and answers `refusing` to a larger limit. */
const giving =
  (refusing: Reply, next = true, most = 20) =>
  (path: string, { query }: Asked): Reply | undefined => {
    if (path !== OBJECTS) return undefined;
    const limit = Number(query.get('limit'));
    if (limit > most) return refusing;
    const after = query.get('added_after');
    const from =
      query.get('next') === null ? ALL.findIndex((n) => after === null || at(n) > after) : Number(query.get('next'));
    const page = from < 0 ? [] : ALL.slice(from, from + limit);
    const more = from >= 0 && from + limit < ALL.length;
    const paging = more ? { more, ...(next ? { next: String(from + limit) } : {}) } : {};
    return envelope(
      page,
      paging,
      page.length === 0 ? undefined : at(page.at(-1)!),
      page.length === 0 ? undefined : at(page[0]!),
    );
  };

/** As the engine reads it, at a time the test sets. */
async function poll(connector: Taxii21Connector, cursor?: Json, now = systemClock.now()) {
  const ends: ScopeEnd[] = [];
  const reading: Reading = { now: () => now, due: () => true, ended: (_scope, end) => void ends.push(end) };
  const ids: string[] = [];
  let last = cursor;
  for await (const page of connector.pages(cursor, never, reading)) {
    ids.push(...page.objects.map((one) => one.objectId));
    last = page.cursor;
  }
  return { ids, cursor: last, end: ends[0] };
}

const limits = (asked: readonly Record<string, string>[]) => asked.map((one) => Number(one['limit']));

describe('a page that is too large', () => {
  it.each([
    ['413', { status: 413, body: { title: 'Payload Too Large' } }, true],
    ['413, on a server without next', { status: 413 }, false],
    ['400', { status: 400, body: { title: 'limit is too large' } }, true],
    ['414', { status: 414 }, true],
  ])('is asked for smaller by itself, and not asked for again: %s', async (_name, refusing, next) => {
    const { connector, queries } = await partner(giving(refusing, next), { page_size: 1000 });

    const once = await poll(connector);
    const first = limits(queries());
    const again = await poll(connector, once.cursor);

    expect(new Set(once.ids)).toEqual(new Set(ALL.map(idOf)));
    expect(first.slice(0, 4)).toEqual([1000, 250, 62, 15]);
    expect(Math.max(...first.slice(3))).toBe(15);
    expect(once.end?.note).toMatch(
      /asked for in pages of 15, because a page of 1000 was too large \(the server answered 4/,
    );
    expect(limits(queries())[first.length]).toBe(15);
    expect(again.end?.note).toBe(once.end?.note);
  });

  it('in the middle of a reading is asked for smaller from there', async () => {
    let asked = 0;
    const whole = giving({ status: 413 }, true, 100);
    const { connector, queries } = await partner(
      (path, one) => {
        if (path !== OBJECTS) return undefined;
        if (++asked === 3) return { status: 413 };
        return whole(path, one);
      },
      { page_size: 16 },
    );

    const once = await poll(connector);

    expect(new Set(once.ids)).toEqual(new Set(ALL.map(idOf)));
    expect(limits(queries())).toEqual([16, 16, 16, 4, 4, 4]);
  });

  it.each([408, 504, 524])('that takes too long is asked for smaller at the next poll: %i', async (status) => {
    const { connector, queries } = await partner(giving({ status }, true, 30), { page_size: 100 });

    const once = await poll(connector);
    const second = await poll(connector, once.cursor);
    const third = await poll(connector, second.cursor);

    expect(once.end?.failure).toMatchObject({ kind: 'retryable', message: expect.stringContaining(String(status)) });
    expect(second.end?.failure).toBeUndefined();
    expect(new Set(second.ids)).toEqual(new Set(ALL.map(idOf)));
    expect(limits(queries())).toEqual([100, 25, 25, 25]);
    expect([second.end?.note, third.end?.note].join()).toMatch(/tried again in a day.*tried again in a day/);
  });

  it('that took too long is tried again after a day, one that was refused is not', async () => {
    for (const [status, later] of [
      [504, 10],
      [413, 2],
    ] as const) {
      const { connector, queries } = await partner(giving({ status }, true, 10), { page_size: 40 });
      let cursor = (await poll(connector)).cursor;
      cursor = (await poll(connector, cursor)).cursor;
      const before = queries().length;

      await poll(connector, cursor, systemClock.now() + 2 * DAY_MS);

      expect([status, limits(queries())[before]]).toEqual([status, status === 504 ? 40 : later * 5]);
    }
  });

  it('is no reason for a smaller one where every size is refused, and the first answer is told', async () => {
    const { connector, queries } = await partner((path) => (path === OBJECTS ? { status: 400 } : undefined), {
      page_size: 100,
    });

    const once = await poll(connector);
    await poll(connector, once.cursor);

    expect(once.end?.failure).toMatchObject({ kind: 'permanent', message: expect.stringContaining('400') });
    expect(limits(queries())).toEqual([100, 25, 6, 1, 100, 25, 6, 1]);
  });

  it('is tried anew when another page_size is configured', async () => {
    const { connector } = await partner(giving({ status: 413 }), { page_size: 100 });
    const { cursor } = await poll(connector);
    const other = await partner(giving({ status: 413 }), { page_size: 20 });
    // The place belongs to the API root.
    const moved = JSON.parse(JSON.stringify(cursor).replaceAll(/http:[^"]*\/api1\//g, other.server.url)) as Json;

    await poll(other.connector, moved);

    expect(limits(other.queries())[0]).toBe(20);
  });

  it('is what a probe asks for, and its size is told', async () => {
    const { connector, queries } = await partner(giving({ status: 413 }), { page_size: 1000 });

    expect(await connector.probe(never)).toMatchObject({
      ok: true,
      message: expect.stringMatching(/pages of at most 15/),
    });
    expect(limits(queries())).toEqual([1000, 250, 62, 15]);
  });

  it('is not called a request that is too large: a GET carries none', async () => {
    const { connector } = await partner((path) => (path === OBJECTS ? { status: 413 } : undefined), { page_size: 1 });

    const { failure } = await read(connector);

    expect(failure?.message).toMatch(/does not give so much at once \(413\)/);
    expect(failure?.message).not.toMatch(/request is larger/);
  });

  it('shrinks to a fourth, and in time to nothing smaller', () => {
    expect([1000, 2, 1].map((size) => smaller(size, 'refused'))).toEqual([250, 1, undefined]);
    expect([1000, 15, 10].map((size) => smaller(size, 'slow'))).toEqual([250, 10, undefined]);
    expect([1000, 10, 1].map((size) => smaller(size, 'heavy'))).toEqual([10, 1, undefined]);
  });
});

describe('a probe', () => {
  it('promises nothing that a real poll could not do', async () => {
    const { connector } = await partner(
      (path, { query }) => {
        if (path !== OBJECTS) return undefined;
        return Number(query.get('limit')) > 1 ? { status: 500, body: { title: 'boom' } } : envelope([1], {});
      },
      { page_size: 1000 },
    );

    expect(await connector.probe(never)).toMatchObject({ ok: false, message: expect.stringContaining('500') });
  });

  it('finds an answer that cannot be parsed within', async () => {
    const { connector } = await partner((path) =>
      path === OBJECTS ? { body: '{"objects":[{"type":"indicator","confidence":NaN}]}' } : undefined,
    );

    expect(await connector.probe(never)).toMatchObject({ ok: false, failure: { kind: 'retryable' } });
  });
});
