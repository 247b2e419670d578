import { expect, it } from 'vitest';
import type { Posted } from '../../../core/model/sighting.ts';
import { sentAs } from '../../../core/stix/build.ts';
import { TaxiiClient } from './client.ts';
import { Taxii21Config } from './config.ts';
import { Collection } from './responses.ts';
import { closers, never, OBJECTS } from './scripted-partner.ts';
import { COLLECTION, type Reply, scripted, testDeps } from './scripted-server.ts';
import { Shown } from './shown.ts';

const posted = ['1', '2', '3'].map((uuid): Posted => ({ uuid, kind: 'seen', created: 0, modified: 0 }));

/** What is asked for by id is answered by `many`; what is asked for singly is there. */
async function shownBy(many: Reply) {
  const server = await scripted((path, { query }) => {
    if (path === OBJECTS && query.has('match[id]')) return many;
    const one = posted.map(sentAs).find((name) => path === `${OBJECTS}${name?.id}/`);
    return one === undefined ? undefined : { body: { objects: [one] } };
  });
  const client = new TaxiiClient(Taxii21Config.parse({ type: 'taxii21', url: server.url }), testDeps);
  closers.push(
    async () => client.close(),
    () => server.close(),
  );
  const collection = Collection.parse({ id: COLLECTION, can_read: true });
  const place = { root: { url: new URL(server.url), title: '' }, collection };
  const shown = new Shown(client);
  return { server, look: async () => [...(await shown.of(posted, place, never)).values()] };
}

it('asks a server that knows no match fields once by them, and singly from then on', async () => {
  const { server, look } = await shownBy({ body: { objects: [] } });

  expect(await look()).toEqual(['shown', 'shown', 'shown']);
  expect(await look()).toEqual(['shown', 'shown', 'shown']);
  expect(server.asked.filter(({ query }) => query.has('match[id]'))).toHaveLength(1);
});

it('takes a collection that says it may be read and is not for one into which nobody may look, and passes on all else', async () => {
  expect(await (await shownBy({ status: 403 })).look()).toEqual(['unknown', 'unknown', 'unknown']);
  await expect((await shownBy({ status: 500 })).look()).rejects.toMatchObject({ status: 500 });
});
