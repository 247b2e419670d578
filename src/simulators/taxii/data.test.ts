import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { objectsOf } from './data.ts';
import { announcement } from './index.ts';
import { anExchange, anIndicator, indicators, uuidAt } from './testing.ts';

describe('what an exchange is filled with', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'entente-taxii-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const bundle = (...places: number[]): unknown => ({
    type: 'bundle',
    id: `bundle--${uuidAt(1)}`,
    objects: places.map((place) => anIndicator(place)),
  });

  it('comes from a folder, file by file in order of their names', () => {
    writeFileSync(join(folder, 'b.json'), JSON.stringify(bundle(3)));
    writeFileSync(join(folder, 'a.json'), JSON.stringify(bundle(1, 2)));
    writeFileSync(join(folder, 'c.jsonl'), `${JSON.stringify(anIndicator(4))}\n`);
    writeFileSync(join(folder, 'README.md'), 'no data');

    expect([...objectsOf(folder)]).toEqual(indicators(4));
  });

  it('comes from objects, bundles, envelopes and lists in memory', () => {
    const first = { type: 'bundle', id: `bundle--${uuidAt(1)}`, objects: [anIndicator(1)] } as const;

    expect([...objectsOf(first)]).toEqual(indicators(1));
    expect([...objectsOf([first, anIndicator(2)])]).toEqual(indicators(2));
  });

  it('is refused with the name of the file when it is no STIX', () => {
    writeFileSync(join(folder, 'list.json'), '{"name":"a list"}');

    expect(() => [...objectsOf(folder)]).toThrow(/list\.json does not hold STIX objects/);
  });

  it('is announced with one line that says how to reach the exchange', async () => {
    await using exchange = await anExchange({ data: indicators(1) });
    const { taxii } = exchange;

    expect(JSON.parse(announcement(taxii))).toEqual({
      kind: 'taxii',
      url: `${taxii.url}/api1/`,
      discovery: `${taxii.url}/taxii2/`,
      username: 'entente',
      password: 'simulated',
      collections: { read: taxii.collections.read, write: taxii.collections.write },
    });
  });
});
