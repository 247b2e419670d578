// Real feeds through the files exchange: STIX sets end as they do by TAXII, MISP sets with the entries and reasons that
// are written here. Nothing of them is resolved or opened.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { files } from '../src/connectors/exchange/files/index.ts';
import { taxii21 } from '../src/connectors/exchange/taxii21/index.ts';
import type { Page } from '../src/core/contracts/exchange-connector.ts';
import type { IncomingIndicator } from '../src/core/model/entry.ts';
import { startTaxii } from '../src/simulators/taxii/index.ts';
import { drain, never, testDeps } from './contract/exchange.ts';
import { dataDir } from './data.ts';

const data = dataDir();

const byFiles = (folder: string) => {
  const config = files.config.parse({ type: 'files', path: join(data ?? '', folder), settle_secs: 0 });
  return drain(files.create(config, testDeps()).pages(undefined, never));
};

async function byTaxii(folder: string): Promise<Page[]> {
  const taxii = await startTaxii({ data: join(data ?? '', folder) });
  const auth = { username: taxii.username, password: taxii.password };
  const collections = [taxii.collections.read];
  const connector = taxii21.create(
    taxii21.config.parse({ type: 'taxii21', url: taxii.apiRoot, collections, auth }),
    testDeps(),
  );
  try {
    return await drain(connector.pages(undefined, never));
  } finally {
    await connector.close();
    await taxii.close();
  }
}

const indicatorsIn = (pages: readonly Page[]): IncomingIndicator[] =>
  pages.flatMap((page) => page.objects.flatMap((one) => (one.kind === 'indicator' ? [one] : [])));

/**
 * The newest version of each object: what it names, or why it names nothing. Undefined where that version comes with several
 * contents, of which the order of the files decides.
 */
function standing(pages: readonly Page[]): Record<string, string | undefined> {
  const contents = new Map<string, Set<string>>();
  const newest = new Map<string, string>();
  for (const { objectId, version, digest, tlp, refusal, observables } of indicatorsIn(pages)) {
    const before = newest.get(objectId);
    if (before !== undefined && version < before) continue;
    if (version !== before) contents.set(objectId, new Set());
    newest.set(objectId, version);
    const values = observables.map(({ type, value }) => `${type}|${value}`);
    contents.get(objectId)?.add([version, digest, tlp, refusal, ...values].join(' '));
  }
  return Object.fromEntries([...contents].map(([id, all]) => [id, all.size === 1 ? [...all][0] : undefined]));
}

function reasons(pages: readonly Page[]): Record<string, number> {
  const count: Record<string, number> = {};
  for (const { refusal } of indicatorsIn(pages)) if (refusal !== undefined) count[refusal] = (count[refusal] ?? 0) + 1;
  return count;
}

describe.skipIf(data === undefined)('real feeds by files', () => {
  it.each([
    ['honeypot-feed', 1488],
    ['mvt-indicators', 697],
    ['elevator', 71],
    ['oasis-examples', 34],
    ['tweetfeed/stix', 59],
  ])('STIX: %s ends as by TAXII', async (folder, count) => {
    const [read, taken] = [await byFiles(folder), await byTaxii(folder)];

    const [ours, theirs] = [standing(read), standing(taken)];
    expect(Object.keys(ours)).toHaveLength(count);
    expect(Object.keys(theirs)).toHaveLength(count);
    for (const [id, one] of Object.entries(ours)) if (one !== undefined) expect(theirs[id]).toBe(one);
  });

  it.each([
    ['tweetfeed/misp', { attributes: 604, armed: 604, reasons: {} }],
    [
      'eset-telebots',
      {
        attributes: 95,
        armed: 69,
        reasons: { 'a type that names no value for a watchlist': 17, 'not flagged for detection': 9 },
      },
    ],
  ])('MISP: %s', async (folder, expected) => {
    const pages = await byFiles(folder);
    const all = indicatorsIn(pages);

    expect({
      attributes: all.length,
      armed: all.filter((one) => one.observables.length > 0).length,
      reasons: reasons(pages),
    }).toEqual(expected);
  });
});
