// The files exchange over a folder of its own. In the place of what a network does (status codes, resets, web pages) stand errors of the
// disk that ask for the same: for a person, or for patience. More of them is in src/connectors/exchange/files/files.test.ts.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FilesConnector } from '../../src/connectors/exchange/files/connector.ts';
import { type Disk, disk } from '../../src/connectors/exchange/files/disk.ts';
import { files } from '../../src/connectors/exchange/files/index.ts';
import {
  drain,
  exchangeFaults,
  exchangeReading,
  type FarFault,
  type FarSide,
  failureOf,
  never,
  testDeps,
} from './exchange.ts';

const idOf = (n: number) => `indicator--00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const anIndicator = (n: number) => ({
  type: 'indicator',
  spec_version: '2.1',
  id: idOf(n),
  created: '2026-01-01T00:00:00.000Z',
  modified: '2026-01-01T00:00:00.000Z',
  valid_from: '2026-01-01T00:00:00Z',
  pattern: `[ipv4-addr:value = '198.51.100.${n % 250}']`,
  pattern_type: 'stix',
});

type Put = (folder: string, name: string, objects: readonly object[]) => void;
const asBundle: Put = (folder, name, objects) => {
  writeFileSync(join(folder, name), JSON.stringify({ type: 'bundle', objects }));
};
const asLines: Put = (folder, name, objects) => {
  writeFileSync(join(folder, name), objects.map((one) => `${JSON.stringify(one)}\n`).join(''));
};

const CODES: Readonly<Record<Exclude<FarFault, 'hang'>, string>> = {
  unauthorized: 'EACCES',
  forbidden: 'EPERM',
  'too-many-requests': 'EMFILE',
  'server-error': 'EIO',
  reset: 'ESTALE',
  html: 'ENOTDIR',
  truncated: 'ENFILE',
};

const start =
  (put: Put, perFile: number, settings: object = {}) =>
  async (): Promise<FarSide> => {
    let fault: FarFault | undefined;
    let requests = 0;
    const failing = Object.fromEntries(
      Object.entries(disk).map(([name, call]) => [
        name,
        async (...args: unknown[]) => {
          requests++;
          if (fault === 'hang') await new Promise((go) => setTimeout(go, 50));
          else if (fault !== undefined) throw Object.assign(new Error('the disk says no'), { code: CODES[fault] });
          return await (call as (...given: unknown[]) => Promise<unknown>)(...args);
        },
      ]),
      // Every call of the disk under its own name, with what it takes and gives.
    ) as unknown as Disk;
    const folder = mkdtempSync(join(tmpdir(), 'entente-files-'));
    const numbers = Array.from({ length: 23 }, (_one, i) => i);
    for (let from = 0; from < numbers.length; from += perFile)
      put(folder, `file-${from}.json`, numbers.slice(from, from + perFile).map(anIndicator));
    const config = files.config.parse({ type: 'files', path: folder, settle_secs: 0, ...settings });
    return {
      connector: new FilesConnector(config, testDeps(), { pageObjects: 5, disk: failing }),
      // There is none.
      secret: 'HiddenSecret',
      fail: (next) => {
        fault = next;
      },
      requests: () => requests,
      ids: numbers.map(idOf),
      add: () => {
        put(folder, 'later.json', [anIndicator(100)]);
        return idOf(100);
      },
      close: async () => rmSync(folder, { recursive: true, force: true }),
    };
  };

exchangeReading('files, one bundle', start(asBundle, 23));
exchangeReading('files, several bundles', start(asBundle, 7));
exchangeReading('files, JSON Lines', start(asLines, 23));
exchangeFaults('files, several bundles', start(asBundle, 5));

describe('the files exchange', () => {
  it('reads nothing more once it is aborted, or after close', async () => {
    const far = await start(asBundle, 23)();
    const stop = new AbortController();
    const reading = (async () => {
      for await (const _page of far.connector.pages(undefined, stop.signal)) stop.abort();
    })();

    const failure = await failureOf(reading);
    expect(failure.kind).toBe('retryable');
    await failureOf(drain(far.connector.pages(undefined, stop.signal)));
    await far.connector.close();
    await failureOf(drain(far.connector.pages(undefined, never)));
    await far.close();
  });
});
