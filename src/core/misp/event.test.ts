import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dataDir } from '../../../test/data.ts';
import type { IncomingIndicator } from '../model/entry.ts';
import { eventsIn, readEvent } from './event.ts';

const uuid = (n: number) => `9f1d4a52-6f0c-4a53-9f3f-${String(n).padStart(12, '0')}`;
const event = {
  uuid: uuid(1),
  info: 'A campaign',
  timestamp: '1767225600',
  Orgc: { uuid: uuid(2), name: 'CERT' },
  Attribute: [
    { uuid: uuid(3), type: 'ip-dst', value: '198.51.100.7', to_ids: true, timestamp: '1767225600' },
    { uuid: uuid(4), type: 'ip-dst', value: '198.51.100.8', to_ids: true, timestamp: '1767225600', deleted: true },
    'not an attribute',
  ],
  Object: [
    {
      name: 'file',
      Attribute: [{ uuid: uuid(5), type: 'md5', value: 'a'.repeat(32), to_ids: true, timestamp: '1767225600' }],
    },
    { name: 'file', deleted: true, Attribute: [{ uuid: uuid(6), type: 'md5', value: 'b'.repeat(32), to_ids: true }] },
  ],
};

describe('the wrapping of events', () => {
  it.each([
    [{ Event: event }],
    [{ response: [{ Event: event }] }],
    [[{ Event: event }]],
    [event],
    [{ response: { Event: event } }],
  ])('is taken off, form %#', (json) => {
    expect(eventsIn(json)).toEqual([event]);
  });

  it.each([[{}], ['x'], [{ type: 'bundle', objects: [] }], [[{ Event: event }, 7]], [{ uuid: uuid(1) }]])(
    'is not taken for one, form %#',
    (json) => {
      expect(eventsIn(json)).toBeUndefined();
    },
  );

  it('may hold nothing', () => {
    expect(eventsIn({ response: [] })).toEqual([]);
  });
});

describe('a whole event', () => {
  it('gives its attributes and those of its objects, its author, what cannot be read, and counts tombstones', () => {
    const read = readEvent(event);

    expect(read.head).toMatchObject({ uuid: uuid(1), timestamp: 1_767_225_600, published: undefined });
    expect(read.objects.map((one) => one.objectId)).toEqual([`identity--${uuid(2)}`, uuid(3), uuid(5)]);
    expect(read.refusals).toEqual([{ objectId: undefined, reason: 'not an attribute' }]);
    expect(read.deleted).toBe(2);
  });

  it.each([[{}], ['x'], [{ uuid: 'x' }], [{ uuid: uuid(1), timestamp: 'soon' }]])(
    'is refused where it is none: %j',
    (raw) => {
      const read = readEvent(raw);

      expect(read.head).toBeUndefined();
      expect(read.refusals).toHaveLength(1);
      expect(read.objects).toEqual([]);
    },
  );
});

const data = dataDir();

/** Counted in the files by other means (jq); no value is ever resolved or opened. */
describe.skipIf(data === undefined)('real events', () => {
  const readAll = (folder: string) => {
    const types: Record<string, number> = {};
    const reasons: Record<string, number> = {};
    const indicators: IncomingIndicator[] = [];
    for (const file of readdirSync(join(data!, folder)).filter((name) => /^[0-9a-f-]{36}\.json$|misp-/.test(name)))
      for (const one of eventsIn(JSON.parse(readFileSync(join(data!, folder, file), 'utf8'))) ?? []) {
        const { objects, refusals } = readEvent(one);
        expect(refusals).toEqual([]);
        for (const object of objects) {
          if (object.kind !== 'indicator') continue;
          indicators.push(object);
          for (const { type } of object.observables) types[type] = (types[type] ?? 0) + 1;
          if (object.refusal !== undefined) reasons[object.refusal] = (reasons[object.refusal] ?? 0) + 1;
        }
      }
    return { types, reasons, indicators };
  };

  it('tweetfeed: 604 attributes, all TLP:CLEAR', () => {
    const { types, reasons, indicators } = readAll('tweetfeed/misp');

    expect(indicators).toHaveLength(604);
    expect(indicators.every((one) => one.tlp === 'clear' && one.openMarkings === undefined)).toBe(true);
    expect(types).toEqual({
      url: 244,
      'domain-name': 173,
      'ipv4-addr': 104,
      'file:hashes.MD5': 52,
      "file:hashes.'SHA-256'": 31,
    });
    expect(reasons).toEqual({});
  });

  it('eset-telebots: 69 of 95 attributes are flagged for detection and armed', () => {
    const { types, reasons, indicators } = readAll('eset-telebots');

    expect(indicators).toHaveLength(95);
    expect(types).toEqual({
      "file:hashes.'SHA-1'": 36,
      'file:hashes.MD5': 15,
      "file:hashes.'SHA-256'": 15,
      'ipv4-addr': 3,
    });
    expect(reasons).toEqual({
      'a type that names no value for a watchlist': 17,
      'not flagged for detection': 9,
    });
  });
});
