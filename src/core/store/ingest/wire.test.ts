import { deserialize, serialize } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { readObject } from '../../stix/objects.ts';
import type { IncomingObject } from '../../model/entry.ts';
import { entryKey } from '../../model/observable.ts';
import { feed } from '../../../simulators/feed.ts';
import { packBatch, packPage, unpackBatch, unpackPage } from './wire.ts';

const objects: IncomingObject[] = [...feed({ count: 300, irregular: 0.2 })].flatMap((raw) => {
  const read = readObject(raw);
  return 'object' in read
    ? [{ ...read.object, ...(read.object.kind === 'indicator' && { lifeFrom: 7, scored: true }) }]
    : [];
});

describe('a page that crosses threads', () => {
  it('arrives with every indicator as it was', () => {
    const page = { scope: 'collection', objects, refusals: [{ objectId: 'x', reason: 'r' }], cursor: { after: 'now' } };

    const { context, indicators, ...rest } = unpackPage(deserialize(serialize(packPage(page))));
    const arrived = [...context, ...indicators];

    const byId = (all: readonly { objectId: string; kind: string }[]) =>
      [...all].sort((a, b) => (`${a.kind}${a.objectId}` < `${b.kind}${b.objectId}` ? -1 : 1));
    expect(rest).toEqual({ scope: 'collection', refusals: page.refusals, cursor: page.cursor });
    expect(byId(arrived)).toEqual(byId(objects));
  });
});

describe('a batch that crosses threads', () => {
  it('arrives with every change as it was', () => {
    const key = entryKey('ipv4-addr', '192.0.2.1');
    const bytes = new TextEncoder().encode('frame');
    const ends = Uint32Array.from([5]);
    for (const changes of [
      [{ op: 'upsert', key, slot: 's', revision: 1.7e15 }],
      [{ op: 'remove', key, slot: 's', revision: 2, handle: 'h' }],
      [{ op: 'remove', key, slot: 's', revision: 2 }],
    ] as const) {
      const arrived = unpackBatch(deserialize(serialize(packBatch({ id: 7, changes, bytes, ends, newest: 9 }))));

      expect({ ...arrived, changes: arrived.changes() }).toEqual({ id: 7, changes, bytes, ends, newest: 9 });
    }
  });
});
