// Real feeds by every exchange that can carry them, through the store: MISP sets by search, by sync and as files end in the
// same entries, STIX sets by TAXII and as files. How many entries, and why the rest is none, is written here. Nothing
// of them is resolved or opened; values are counted and never printed.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { files } from '../src/connectors/exchange/files/index.ts';
import { misp } from '../src/connectors/exchange/misp/index.ts';
import { taxii21 } from '../src/connectors/exchange/taxii21/index.ts';
import type { Page } from '../src/core/contracts/exchange-connector.ts';
import type { IncomingIndicator } from '../src/core/model/entry.ts';
import { startMisp } from '../src/simulators/misp/index.ts';
import { startTaxii } from '../src/simulators/taxii/index.ts';
import { aSiem, Rig } from './builders/store.ts';
import { drain, never, testDeps } from './contract/exchange.ts';
import { Taxii21Connector } from '../src/connectors/exchange/taxii21/connector.ts';
import { MispConnector } from '../src/connectors/exchange/misp/connector.ts';
import { FilesConnector } from '../src/connectors/exchange/files/connector.ts';
import { dataDir } from './data.ts';

const data = dataDir();

const byFiles = async (folder: string): Promise<Page[]> => {
  const config = files.config.parse({ type: 'files', path: join(data ?? '', folder), settle_secs: 0 });
  return await drain(new FilesConnector(config, testDeps()).pages(undefined, never));
};

const byTaxii = async (folder: string): Promise<Page[]> => {
  const taxii = await startTaxii({ data: join(data ?? '', folder) });
  const auth = { username: taxii.username, password: taxii.password };
  const collections = [taxii.collections.read];
  const config = taxii21.config.parse({ type: 'taxii21', url: taxii.apiRoot, collections, auth });
  const connector = new Taxii21Connector(config, testDeps());
  try {
    return await drain(connector.pages(undefined, never));
  } finally {
    await connector.close();
    await taxii.close();
  }
};

const byMisp =
  (read: 'search' | 'sync') =>
  async (folder: string): Promise<Page[]> => {
    const server = await startMisp();
    if (read === 'sync') server.setQuirks([{ kind: 'guard' }]);
    const events = readdirSync(join(data ?? '', folder)).filter((one) => /^([0-9a-f-]{36}|misp-.*)\.json$/.test(one));
    for (const name of events) server.load(join(data ?? '', folder, name));
    const config = misp.config.parse({ type: 'misp', url: server.url, auth: { key: server.key }, read, page_size: 50 });
    const connector = new MispConnector(config, testDeps());
    try {
      return await drain(connector.pages(undefined, never));
    } finally {
      await connector.close();
      await server.close();
    }
  };

interface End {
  /** Number of type, value and end of each entry that is wanted. */
  readonly entries: readonly string[];
  /** What the store knows of each indicator. */
  readonly objects: readonly unknown[];
  /** Indicators and objects that became no entry, by reason; of MISP by attribute type, too. */
  readonly refused: Readonly<Record<string, number>>;
}

/** Read at the time of the newest indicator, so that an old feed is as alive as it was then. */
function standing(given: readonly Page[], ambiguous: ReadonlySet<string>): End {
  const pages = given.map((page) => ({ ...page, objects: page.objects.filter((one) => !ambiguous.has(one.objectId)) }));
  const versions = indicatorsIn(pages).map((one) => one.version);
  const now = Date.parse(`${versions.toSorted().at(-1)!.slice(0, 19)}Z`) + 60_000;
  const rig = new Rig({ siems: [aSiem()] });
  rig.store.commitPages('partner', pages, now);
  rig.tick(now);
  const entries = rig.ask<{ type: number; value: string; until: number }>(
    'SELECT e.type, e.value, p.until FROM projection p JOIN entry e ON e.id = p.entry_id WHERE p.wanted = 1 ORDER BY 1, 2',
  );
  const objects = rig.ask<{ refusal: string | null; facts: string }>(
    'SELECT object_id, version, valid_from, valid_until, confidence, tlp, refusal, facts FROM object ORDER BY object_id',
  );
  const refused: Record<string, number> = {};
  const count = (reason: string) => {
    refused[reason] = (refused[reason] ?? 0) + 1;
  };
  for (const { refusal, facts } of objects) {
    if (refusal === null) continue;
    const { pattern = '', types } = JSON.parse(facts) as { pattern?: string; types?: string[] };
    count(pattern.startsWith('[') ? refusal : `${types?.[1]}: ${refusal}`);
  }
  // Beside the feeds lie their licences.
  for (const { objectId, reason } of pages.flatMap((page) => page.refusals))
    if (!/(^|\/)LICENSE$/.test(objectId ?? '')) count(reason);
  return { entries: entries.map((one) => `${one.type} ${one.value} ${one.until}`), objects, refused };
}

const indicatorsIn = (pages: readonly Page[]): IncomingIndicator[] =>
  pages.flatMap((page) => page.objects.flatMap((one) => (one.kind === 'indicator' ? [one] : [])));

/** Ids under one version of which a set has several contents, so that the order of its files decides. */
function ambiguousIn(pages: readonly Page[]): ReadonlySet<string> {
  const first = new Map<string, string>();
  const found = new Set<string>();
  for (const one of indicatorsIn(pages)) {
    const { objectId, version, digest } = one;
    const before = first.get(`${objectId} ${version}`);
    if (before === undefined) first.set(`${objectId} ${version}`, `${digest} ${one.facts}`);
    else if (before !== `${digest} ${one.facts}`) found.add(objectId);
  }
  return found;
}

interface Expected {
  readonly folder: string;
  /** Without those of which there are several contents. */
  readonly indicators: number;
  readonly several?: number;
  readonly entries: number;
  readonly refused: Readonly<Record<string, number>>;
}

const MISP_SETS: readonly Expected[] = [
  { folder: 'tweetfeed/misp', indicators: 604, entries: 583, refused: {} },
  {
    folder: 'eset-telebots',
    indicators: 95,
    entries: 69,
    refused: {
      'link: a type that names no value for a watchlist': 16,
      'comment: a type that names no value for a watchlist': 1,
      'ip-dst: not flagged for detection': 6,
      'hostname: not flagged for detection': 3,
    },
  },
];

const STIX_SETS: readonly Expected[] = [
  { folder: 'honeypot-feed', indicators: 1488, entries: 1288, refused: {} },
  {
    folder: 'mvt-indicators',
    indicators: 697,
    entries: 569,
    refused: {
      'unsupported: file:path': 15,
      'unsupported: process:name': 1,
      'unsupported: configuration-profile:id': 1,
    },
  },
  { folder: 'tweetfeed/stix', indicators: 59, entries: 59, refused: {} },
  {
    folder: 'oasis-examples',
    indicators: 34,
    entries: 2,
    refused: {
      'unsupported: file:name': 2,
      'unsupported: email-message:subject': 1,
      'operator MATCHES': 1,
      'unsupported object path': 1,
      'not a domain name': 1,
    },
  },
  {
    folder: 'elevator',
    several: 4,
    indicators: 67,
    // Six name values, years before the newest of the set: over by then.
    entries: 0,
    refused: {
      'AND of tests': 47,
      'AND of observations': 6,
      'unsupported: file:name': 7,
      'unsupported object path': 1,
      'relationship without type or ends': 52,
    },
  },
];

describe.skipIf(data === undefined)('real feeds, by every exchange that can carry them', () => {
  const ways = [
    ...MISP_SETS.map((set) => ({ ...set, by: { search: byMisp('search'), sync: byMisp('sync'), files: byFiles } })),
    ...STIX_SETS.map((set) => ({ ...set, by: { taxii21: byTaxii, files: byFiles } })),
  ];

  it.each(ways)('$folder: $entries entries', async ({ folder, by, indicators, entries, refused, several = 0 }) => {
    const read: [string, Page[]][] = [];
    for (const [name, way] of Object.entries(by)) read.push([name, await way(folder)]);
    // A TAXII server shows the one that it holds.
    const ambiguous = new Set(read.flatMap(([, pages]) => [...ambiguousIn(pages)]));
    expect(ambiguous.size).toBe(several);

    const ends = read.map(([name, pages]) => ({ name, ...standing(pages, ambiguous) }));
    const [first] = ends;
    for (const { name, ...end } of ends) {
      expect({ name, indicators: end.objects.length, entries: end.entries.length, refused: end.refused }).toEqual({
        name,
        indicators,
        entries,
        refused,
      });
      expect(end.entries).toEqual(first?.entries);
      expect(end.objects).toEqual(first?.objects);
    }
  });
});
