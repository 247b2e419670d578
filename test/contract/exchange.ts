// What every exchange connector keeps, as named tests. A run of the suite brings a far side that can be filled and
// be made to fail; the suite itself knows nothing of protocols.
import { describe, expect, it } from 'vitest';
import type { ExchangeConnector, ExchangeDeps, Page } from '../../src/core/contracts/exchange-connector.ts';
import { ConnectorError } from '../../src/core/model/failure.ts';
import type { Json } from '../../src/core/model/json.ts';
import { systemClock } from '../../src/core/runtime/clock.ts';
import { createHttp } from '../../src/core/runtime/http.ts';
import { silentLog } from '../../src/core/runtime/log.ts';

export type FarFault =
  | 'unauthorized'
  | 'forbidden'
  | 'too-many-requests'
  | 'server-error'
  | 'reset'
  | 'html'
  | 'truncated'
  | 'hang';

/** A far side that works: enough for the clauses on reading, also with real products. */
export interface WorkingSide {
  /** Configured to read a few objects per page, so that the objects given make several pages. */
  readonly connector: ExchangeConnector;
  readonly ids: readonly string[];
  /** Publishes one more object and returns its id. */
  add(): Promise<string> | string;
  close(): Promise<void>;
}

/** A far side that can also be made to fail. */
export interface FarSide extends WorkingSide {
  /** The configured secret, which must show nowhere. */
  readonly secret: string;
  fail(fault: FarFault | undefined): void;
  /** Requests that reached the far side so far. */
  requests(): number;
}

export const testDeps = (timeoutMs = 5000): ExchangeDeps => ({
  name: 'partner',
  clock: systemClock,
  log: silentLog,
  http: (options) => createHttp({ label: 'exchange partner', timeoutMs, allowHttp: false, tls: {} }, options),
});

export const never = new AbortController().signal;

export async function drain(pages: AsyncIterable<Page>): Promise<Page[]> {
  const all: Page[] = [];
  for await (const page of pages) all.push(page);
  return all;
}

export const idsOf = (pages: readonly Page[]): string[] =>
  pages.flatMap((page) => page.objects.map((object) => object.objectId));

export async function failureOf(promise: Promise<unknown>): Promise<ConnectorError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConnectorError);
  return error as ConnectorError;
}

/** All texts reachable from a value, also through cause and hidden properties. */
export function everyText(root: unknown): string {
  const found: string[] = [];
  const seen = new Set<unknown>();
  const walk = (value: unknown): void => {
    if (typeof value === 'string') found.push(value);
    if (value === null || (typeof value !== 'object' && typeof value !== 'function') || seen.has(value)) return;
    seen.add(value);
    for (const key of Reflect.ownKeys(value)) {
      found.push(String(key));
      walk(Reflect.getOwnPropertyDescriptor(value, key)?.value);
    }
  };
  walk(root);
  return found.join('\n');
}

const KINDS: readonly (readonly [FarFault, string])[] = [
  ['unauthorized', 'config'],
  ['forbidden', 'config'],
  ['too-many-requests', 'retryable'],
  ['server-error', 'retryable'],
  ['reset', 'retryable'],
  ['html', 'config'],
  ['truncated', 'retryable'],
];

export function exchangeContract(name: string, start: () => Promise<FarSide>): void {
  exchangeReading(name, start);
  exchangeFaults(name, start);
}

const using =
  <F extends WorkingSide>(start: () => Promise<F>) =>
  (act: (far: F) => Promise<void>) =>
  async () => {
    const far = await start();
    try {
      await act(far);
    } finally {
      await far.connector.close();
      await far.close();
    }
  };

export function exchangeReading(name: string, start: () => Promise<WorkingSide>): void {
  const withFar = using(start);
  describe(`the exchange contract, reading: ${name}`, () => {
    it(
      'brings every object, over several pages',
      withFar(async (far) => {
        const pages = await drain(far.connector.pages(undefined, never));

        expect(new Set(idsOf(pages))).toEqual(new Set(far.ids));
        expect(pages.length).toBeGreaterThan(2);
      }),
    );

    it(
      'loses nothing when it goes on from the cursor of any page',
      withFar(async (far) => {
        const pages = await drain(far.connector.pages(undefined, never));

        for (const [i, page] of pages.entries()) {
          const rest = await drain(far.connector.pages(page.cursor, never));
          expect(new Set(idsOf([...pages.slice(0, i + 1), ...rest]))).toEqual(new Set(far.ids));
        }
      }),
    );

    it(
      'loses nothing when it is left after any page, with the next one already fetched',
      withFar(async (far) => {
        const count = (await drain(far.connector.pages(undefined, never))).length;

        for (let stopAfter = 1; stopAfter <= count; stopAfter++) {
          const got: string[] = [];
          let cursor: Json | undefined;
          let pages = 0;
          for await (const page of far.connector.pages(undefined, never)) {
            got.push(...idsOf([page]));
            cursor = page.cursor;
            pages += 1;
            if (pages === stopAfter) break;
          }
          got.push(...idsOf(await drain(far.connector.pages(cursor, never))));
          expect(new Set(got)).toEqual(new Set(far.ids));
        }
      }),
    );

    it(
      'brings what was added since, and moves no cursor while nothing was',
      withFar(async (far) => {
        const cursor = (await drain(far.connector.pages(undefined, never))).at(-1)!.cursor;

        const unchanged = await drain(far.connector.pages(cursor, never));
        const added = await far.add();
        const changed = await drain(far.connector.pages(unchanged.at(-1)?.cursor ?? cursor, never));

        expect(unchanged.map((page) => page.cursor)).toEqual([]);
        expect(idsOf(changed)).toContain(added);
      }),
    );

    it(
      'keeps a cursor that survives JSON',
      withFar(async (far) => {
        const pages = await drain(far.connector.pages(undefined, never));

        for (const page of pages) expect(JSON.parse(JSON.stringify(page.cursor))).toEqual(page.cursor);
      }),
    );

    it(
      'says in a probe that all is well',
      withFar(async (far) => {
        expect(await far.connector.probe(never)).toMatchObject({ ok: true });
      }),
    );

    it(
      'lists all that is published and marks the end of each scope',
      withFar(async (far) => {
        const listing = far.connector.listing?.(never);
        if (listing === undefined) return;
        const present = new Set<string>();
        const complete: boolean[] = [];
        for await (const part of listing) {
          for (const one of part.present) present.add(one.objectId);
          complete.push(part.complete);
        }

        expect(present).toEqual(new Set(far.ids));
        expect(complete.filter(Boolean)).toHaveLength(1);
        expect(complete.at(-1)).toBe(true);
      }),
    );
  });
}

export function exchangeFaults(name: string, start: () => Promise<FarSide>): void {
  const withFar = using(start);
  describe(`the exchange contract, faults: ${name}`, () => {
    it(
      'sends nothing more once it is aborted, and ends promptly',
      withFar(async (far) => {
        const stop = new AbortController();
        const reading = (async () => {
          for await (const _page of far.connector.pages(undefined, stop.signal)) {
            far.fail('hang');
            setTimeout(() => stop.abort(), 30);
          }
        })();

        const failure = await failureOf(reading);
        const after = far.requests();
        await new Promise((go) => setTimeout(go, 80));

        expect(failure.kind).toBe('retryable');
        expect(far.requests()).toBe(after);
        far.fail(undefined);
        await failureOf(drain(far.connector.pages(undefined, stop.signal)));
        expect(far.requests()).toBe(after);
      }),
    );

    it(
      'runs nothing after close',
      withFar(async (far) => {
        const pages = far.connector.pages(undefined, never)[Symbol.asyncIterator]();
        await pages.next();
        await far.connector.close();
        const after = far.requests();

        await Promise.allSettled([pages.next(), pages.next(), pages.next()]);
        await failureOf(drain(far.connector.pages(undefined, never)));

        expect(far.requests()).toBe(after);
      }),
    );

    it.each(KINDS)('classifies %s as %s, in words, without the secret', async (fault, kind) => {
      const far = await start();
      try {
        far.fail(fault);

        const failure = await failureOf(drain(far.connector.pages(undefined, never)));
        const probe = await far.connector.probe(never);

        expect(failure.kind).toBe(kind);
        expect(failure.message).toMatch(/^exchange partner/);
        expect(probe).toMatchObject({ ok: false, failure: { kind } });
        expect(everyText([failure, probe])).not.toContain(far.secret);
        expect(everyText([failure, probe])).not.toContain(Buffer.from(far.secret).toString('base64').slice(4, 16));
      } finally {
        await far.connector.close();
        await far.close();
      }
    });

    it(
      'goes on by itself once a fault is over',
      withFar(async (far) => {
        far.fail('unauthorized');
        await failureOf(drain(far.connector.pages(undefined, never)));

        far.fail(undefined);

        expect(new Set(idsOf(await drain(far.connector.pages(undefined, never))))).toEqual(new Set(far.ids));
      }),
    );
  });
}
