// What people do by hand to our documents, our record and our index: nothing of it may end the reading of the rest, or
// be believed to be as we wrote it.
import { afterEach, describe, expect, it } from 'vitest';
import type { OwnedEntry, SiemConnector } from '../../src/core/contracts/siem-connector.ts';
import { toFailure } from '../../src/core/model/failure.ts';
import { startElastic } from '../../src/simulators/elastic/index.ts';
import { NOON } from '../builders/entry.ts';
import { aBatch, admin, elasticConnector } from './elastic-harness.ts';

const never = new AbortController().signal;
const INDEX = 'logs-ti_entente_test_instance.indicator';
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

const batch = () => aBatch('a.example', 'b.example');

async function filled(more: Record<string, unknown> = {}) {
  const server = await startElastic();
  const basic = Buffer.from(`${server.username}:${server.password}`).toString('base64');
  const there = { url: server.url, admin: `Basic ${basic}`, auth: { api_key: server.apiKey }, timeoutMs: 3000 };
  const connector = elasticConnector(there, more);
  opened.push(server, connector);
  await connector.open(never);
  const written = batch();
  await connector.apply(written, never);
  const ask = (method: string, path: string, body?: unknown) => admin(there, method, path, body);
  return { connector, ask, slot: written.changes[0]!.slot, revision: written.changes[0]!.revision };
}

async function held(connector: SiemConnector, slots?: readonly string[]): Promise<OwnedEntry[]> {
  const rows: OwnedEntry[] = [];
  for await (const page of connector.list(slots === undefined ? {} : { slots }, never)) rows.push(...page);
  return rows;
}

describe('a document of ours that somebody edited', () => {
  it.each([
    ['its revision is a text', { revision: '12' }, 0],
    ['its revision is gone', { revision: null }, 0],
    ['its expiry is gone', { until: null }, 'as it was'],
    ['its writer is a number', { writer: 7 }, 'as it was'],
    ['its owner is a list', { owner: ['entente:test-instance'] }, 'as it was'],
  ] as const)('is listed beside the others where %s', async (_, entente, expected) => {
    const { connector, ask, slot, revision } = await filled();
    await ask('POST', `/${INDEX}/_update/${slot}?refresh=true`, { doc: { entente } });

    const all = await held(connector);

    expect(all.map((one) => one.key).sort()).toEqual(['domain-name|a.example', 'domain-name|b.example']);
    const edited = all.find((one) => one.slot === slot)!;
    expect(edited.revision).toBe(expected === 0 ? 0 : revision);
    expect(await held(connector, [slot])).toEqual([edited]);
  });

  it('and that tells no value any more is left out, and ends no listing', async () => {
    const { connector, ask, slot } = await filled();
    await ask('POST', `/${INDEX}/_update/${slot}?refresh=true`, { doc: { entente: { key: null } } });

    expect((await held(connector)).map((one) => one.key)).toEqual(['domain-name|b.example']);
  });
});

it('a writer mark that somebody wrote over is none, and is written again', async () => {
  const { connector, ask } = await filled();
  const mark = { writer: 'w', boot: 'b', revision: 7, at: NOON };
  await connector.writer(mark, never);
  await ask('PUT', `/entente-control/_doc/${encodeURIComponent(`test-instance|${INDEX}`)}`, { note: 'who is this?' });

  expect(await connector.writer(mark, never)).toBeUndefined();
  expect(await connector.writer(undefined, never)).toEqual(mark);
});

it('an index that somebody made anew with another mapping is not filled while we run', async () => {
  const { connector, ask } = await filled();
  await connector.containers(never);
  await ask('DELETE', `/${INDEX}`);
  await ask('DELETE', `/_index_template/entente-${INDEX}`);
  await ask('PUT', `/${INDEX}`, { mappings: { properties: { note: { type: 'keyword' } } } });

  const failure = await connector.containers(never).then(() => undefined, toFailure);

  expect(failure).toMatchObject({ kind: 'config' });
  expect(failure?.message).toContain('has not our mapping');
  await ask('DELETE', `/${INDEX}`);
  expect(await connector.containers(never)).toEqual([]);
});

it('events are not passed over where one of several indices is gone', async () => {
  const fields = { 'domain-name': ['dns.question.name'] };
  const { connector, ask } = await filled({
    event_search: { indices: ['logs-a', 'logs-b'], fields, time_field: '@timestamp' },
  });
  const name = { dns: { properties: { question: { properties: { name: { type: 'keyword' } } } } } };
  const properties = { '@timestamp': { type: 'date' }, ...name };
  const event = { '@timestamp': new Date().toISOString(), dns: { question: { name: 'a.example' } } };
  await ask('PUT', '/logs-a', { mappings: { properties } });
  await ask('PUT', '/logs-a/_doc/1?refresh=true', event);
  const search = async () => {
    const window = { from: Date.now() - 3_600_000, to: Date.now() };
    const found = [];
    const entry = { type: 'domain-name', value: 'a.example' } as const;
    for await (const hits of connector.search!.search([entry], window, never)) found.push(...hits);
    return found;
  };

  const failure = await search().then(() => undefined, toFailure);

  expect(failure).toMatchObject({ kind: 'config' });
  expect(failure?.message).toContain('event_search names logs-b, and no such index is there');
  await ask('PUT', '/logs-b', { mappings: { properties } });
  expect(await search()).toHaveLength(1);
});
