// For the tests of this folder: a connector on a scripted server, and a reading of all its pages.
import { afterEach } from 'vitest';
import type { ExchangeDeps, Page } from '../../../core/contracts/exchange-connector.ts';
import { ConnectorError } from '../../../core/model/failure.ts';
import type { Json } from '../../../core/model/json.ts';
import { Taxii21Config } from './config.ts';
import { type Caps, Taxii21Connector } from './connector.ts';
import { type Asked, COLLECTION, type Reply, scripted, testDeps } from './scripted-server.ts';
import { microsOf, textOf } from './time.ts';

export const never = new AbortController().signal;
export const closers: (() => Promise<void>)[] = [];
export const OBJECTS = `collections/${COLLECTION}/objects/`;
export const MANIFEST = `collections/${COLLECTION}/manifest/`;
export const OLD = '2026-01-05T10:00:00.000000Z';
export const at = (n: number): string => textOf((microsOf(OLD) ?? 0n) + BigInt(n));

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

export async function partner(
  answer: (path: string, asked: Asked) => Reply | undefined,
  config: object = {},
  caps?: Caps,
  deps: ExchangeDeps = testDeps,
) {
  const server = await scripted(answer);
  const parsed = Taxii21Config.parse({ type: 'taxii21', url: server.url, page_size: 2, ...config });
  const connector = new Taxii21Connector(parsed, deps, caps);
  closers.push(
    () => connector.close(),
    () => server.close(),
  );
  const queries = (path = OBJECTS) =>
    server.asked
      .filter((one) => one.path.endsWith(path))
      .map((one) => Object.fromEntries(one.query) as Record<string, string>);
  return { server, connector, queries };
}

export async function read(connector: Taxii21Connector, cursor?: Json) {
  const pages: Page[] = [];
  let failure: ConnectorError | undefined;
  try {
    for await (const page of connector.pages(cursor, never)) pages.push(page);
  } catch (error) {
    if (!(error instanceof ConnectorError)) throw error;
    failure = error;
  }
  return {
    pages,
    failure,
    ids: pages.flatMap((page) => page.objects.map((one) => one.objectId)),
    warnings: pages.flatMap((page) => (page.warning === undefined ? [] : [page.warning])).join('; '),
    cursor: pages.at(-1)?.cursor,
  };
}

export const afterOf = (cursor: Json | undefined): string | undefined =>
  (cursor as { places?: { after?: { text: string } }[] } | undefined)?.places?.[0]?.after?.text;
