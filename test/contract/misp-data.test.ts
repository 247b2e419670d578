// Real MISP events through both ways of reading. Expected counts were taken from the files by other means; no value is ever
// resolved or opened. Values are counted here and never printed.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { misp } from '../../src/connectors/exchange/misp/index.ts';
import { startMisp } from '../../src/simulators/misp/index.ts';
import { dataDir } from '../data.ts';
import { drain, never, testDeps } from './exchange.ts';

const data = dataDir();
const KEPT_OUT = 'a type that names no value for a watchlist';

async function readBy(read: 'search' | 'sync', files: readonly string[]) {
  const server = await startMisp();
  for (const file of files) server.load(file);
  const config = misp.config.parse({ type: 'misp', url: server.url, auth: { key: server.key }, read, page_size: 50 });
  const connector = misp.create(config, testDeps());
  try {
    const types: Record<string, number> = {};
    const reasons: Record<string, number> = {};
    const objects: string[] = [];
    for (const page of await drain(connector.pages(undefined, never))) {
      expect(page.refusals).toEqual([]);
      for (const object of page.objects) {
        if (object.kind !== 'indicator') continue;
        objects.push(`${object.objectId} ${object.version} ${object.digest}`);
        for (const { type } of object.observables) types[type] = (types[type] ?? 0) + 1;
        if (object.refusal !== undefined) reasons[object.refusal] = (reasons[object.refusal] ?? 0) + 1;
      }
    }
    return { types, reasons, objects: objects.sort() };
  } finally {
    await connector.close();
    await server.close();
  }
}

describe.skipIf(data === undefined)('real MISP events, by search and by sync', () => {
  const tweetfeed =
    data === undefined
      ? []
      : readdirSync(join(data, 'tweetfeed/misp')).filter((one) => /^[0-9a-f-]{36}\.json$/.test(one));
  it.each([
    {
      name: 'tweetfeed',
      files: tweetfeed.map((one) => `tweetfeed/misp/${one}`),
      types: { url: 244, 'domain-name': 173, 'ipv4-addr': 104, 'file:hashes.MD5': 52, "file:hashes.'SHA-256'": 31 },
      reasons: {},
      attributes: 604,
    },
    {
      name: 'eset-telebots',
      files: ['eset-telebots/misp-telebots.json'],
      types: { "file:hashes.'SHA-1'": 36, 'file:hashes.MD5': 15, "file:hashes.'SHA-256'": 15, 'ipv4-addr': 3 },
      reasons: { [KEPT_OUT]: 17, 'not flagged for detection': 9 },
      attributes: 95,
    },
  ])('$name: $attributes attributes end in the same objects', async ({ files, types, reasons, attributes }) => {
    const paths = files.map((one) => join(data!, one));

    const bySearch = await readBy('search', paths);
    const bySync = await readBy('sync', paths);

    expect(bySearch).toMatchObject({ types, reasons });
    expect(bySearch.objects).toHaveLength(attributes);
    expect(bySync).toEqual(bySearch);
  });
});
