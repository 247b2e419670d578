import { afterEach, beforeEach, expect, it } from 'vitest';
import { type RunningSplunk, startSplunk } from './index.ts';
import { ask } from './testing.ts';
import { ES_APP } from './threat-intel.ts';

const ITEM = '/services/data/threat_intel/item/ip_intel';
let server: RunningSplunk;
beforeEach(async () => {
  server = await startSplunk();
});
afterEach(() => server.close());

it('takes items, one or a list, and updates those whose key it knows', async () => {
  const item = JSON.stringify([{ _key: 'k1', ip: '192.0.2.1', threat_key: 't' }, { ip: '192.0.2.2' }]);

  const made = await ask(server, 'POST', ITEM, { form: { item } });
  const changed = await ask(server, 'PUT', ITEM, { form: { item: '[{"_key":"k1","disabled":"true"}]' } });

  expect([made.status, made.json()]).toEqual([201, { message: 'Create operation successful.', status: true }]);
  expect(changed.status).toBe(200);
  expect(server.documents(ES_APP, 'ip_intel').get('k1')).toMatchObject({ ip: '192.0.2.1', disabled: 'true' });
  expect(server.documents(ES_APP, 'ip_intel').size).toBe(2);
});

it('finds by field, and says 400 when nothing matches', async () => {
  await ask(server, 'POST', ITEM, { form: { item: '{"_key":"k1","ip":"192.0.2.1"}' } });

  const found = await ask(server, 'GET', ITEM, { query: { item: '{"ip":"192.0.2.1"}' } });
  const none = await ask(server, 'GET', ITEM, { query: { item: '{"ip":"192.0.2.9"}' } });

  expect(found.json()).toMatchObject({ status: true, message: [{ _key: 'k1' }] });
  expect([none.status, none.json()]).toEqual([
    400,
    { message: 'No matching entries found in kvstore.', status: false },
  ]);
});

it('deletes by key, in the path or in a list', async () => {
  await ask(server, 'POST', ITEM, {
    form: { item: '[{"_key":"k1","ip":"192.0.2.1"},{"_key":"k2","ip":"192.0.2.2"}]' },
  });

  await ask(server, 'DELETE', `${ITEM}/k1`);
  const told = await ask(server, 'DELETE', ITEM, { query: { item: '[{"_key":"k2"}]' } });

  expect(told.json()).toEqual({ message: 'Delete operation successful.', status: true });
  expect(server.documents(ES_APP, 'ip_intel').size).toBe(0);
});

it('wants the capability, a known collection, and a field to match on', async () => {
  const item = '{"ip":"192.0.2.1"}';

  expect((await ask(server, 'POST', ITEM, { as: `Bearer ${server.reader.token}`, form: { item } })).status).toBe(403);
  expect((await ask(server, 'POST', ITEM.replace('ip_', 'no_'), { form: { item } })).status).toBe(404);
  expect((await ask(server, 'POST', ITEM, { form: { item: '{"url":"x"}' } })).status).toBe(400);
});

it('is not there without Enterprise Security', async () => {
  const plain = await startSplunk({ enterpriseSecurity: false });

  expect((await ask(plain, 'GET', ITEM)).status).toBe(404);
  await plain.close();
});
