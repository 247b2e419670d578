// Our MISP connector at a foreign server that follows MISP's API: a witness that connector and simulator do not share one
// misreading. It knows less than MISP does: filters of the searches are ignored or not implemented, sightings go to numbers of attributes
// alone. What it does know is held here; what it refuses has to end in words, and never in a withdrawal or in a sighting that counts as sent.
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { misp } from '../../src/connectors/exchange/misp/index.ts';
import type { IncomingIndicator } from '../../src/core/model/entry.ts';
import type { Sighting } from '../../src/core/model/sighting.ts';
import { drain, failureOf, never, testDeps } from '../contract/exchange.ts';
import { withFilters } from './mmisp-front.ts';
import { type ModernMisp, startModernMisp } from './mmisp.ts';
import { MispConnector } from '../../src/connectors/exchange/misp/connector.ts';
import { pythonPeer } from './python.ts';

const peer = await pythonPeer('mmisp');
const id = (n: number) => `9f1d4a52-6f0c-4a53-9f3f-${String(n).padStart(12, '0')}`;
const IDENTITY = { id: 'identity--0c3a5b2e-2f5b-4c8e-9d0f-5a8c3f6b1d11', name: 'SOC Example', class: 'organization' };

let server: ModernMisp;

const connect = (settings: object = {}) => {
  const config = misp.config.parse({ type: 'misp', url: server.url, auth: { key: server.key }, ...settings });
  const connector = new MispConnector(config, { ...testDeps(20_000), identity: IDENTITY });
  onTestFinished(() => connector.close());
  return connector;
};

/** By uuid: what it names, or why it names nothing. */
const standing = async (connector: ReturnType<typeof connect>, cursor?: Parameters<typeof connector.pages>[0]) => {
  const pages = await drain(connector.pages(cursor, never));
  const indicators = pages.flatMap((page) =>
    page.objects.filter((one): one is IncomingIndicator => one.kind === 'indicator'),
  );
  const named = indicators.map(({ objectId, observables, refusal, tlp }) => [
    objectId,
    refusal ?? `${observables.map(({ type, value }) => `${type} ${value}`).join(', ')} ${tlp ?? 'unmarked'}`,
  ]);
  return { named: Object.fromEntries(named) as Record<string, string>, cursor: pages.at(-1)?.cursor, pages };
};

interface Made {
  readonly Event: { readonly id: number };
}

async function anEvent(n: number, attributes: readonly object[]): Promise<number> {
  const event = { uuid: id(n), info: `Event ${n}`, distribution: 1, threat_level_id: 4, analysis: 0 };
  const { Event } = await server.call<Made>('POST', 'events/add', event);
  for (const one of attributes)
    await server.call('POST', `attributes/add/${Event.id}`, { category: 'Network activity', to_ids: true, ...one });
  return Event.id;
}

const SEEN = Date.UTC(2026, 0, 10, 12);
const aSighting = (n: number): Sighting => ({
  uuid: id(500 + n),
  kind: 'seen',
  objectId: id(n),
  scope: id(900),
  firstSeen: SEEN,
  lastSeen: SEEN,
  count: 1,
  created: SEEN,
  modified: SEEN * 1000,
  tlp: 'green',
});

describe.skipIf(peer.kind === 'missing')('Modern MISP', () => {
  let first: number;
  beforeAll(async () => {
    if (peer.kind === 'missing') return;
    server = await startModernMisp(peer.python);
    first = await anEvent(900, [
      { uuid: id(1), type: 'ip-dst', value: '198.51.100.1' },
      { uuid: id(2), type: 'domain', value: 'evil.example' },
      { uuid: id(3), type: 'ip-dst|port', value: '198.51.100.3|443' },
      { uuid: id(4), type: 'ip-dst', value: '198.51.100.4', to_ids: false },
      { uuid: id(5), type: 'comment', value: 'a text' },
    ]);
    await anEvent(901, [{ uuid: id(8), type: 'ip-dst', value: '198.51.100.8' }]);
    const tag = { name: 'TLP:GREEN', colour: '#33FF00', exportable: true };
    const { Tag } = await server.call<{ Tag: { id: number } }>('POST', 'tags/add', tag);
    await server.call('POST', `events/addTag/${first}/${Tag.id}/local:false`);
    await server.call('POST', `events/publish/${first}`);
  });
  afterAll(() => server?.stop());

  it('answers the probe by sync', async () => {
    expect(await connect({ read: 'sync' }).probe(never)).toMatchObject({
      ok: true,
      message: expect.stringMatching(/^MISP \d/),
    });
  });

  it('is read by sync: types, to_ids and marking, and nothing of what is unpublished', async () => {
    const { named } = await standing(connect({ read: 'sync' }));

    expect(named).toEqual({
      [id(1)]: 'ipv4-addr 198.51.100.1 green',
      [id(2)]: 'domain-name evil.example green',
      [id(3)]: 'ipv4-addr 198.51.100.3 green',
      [id(4)]: 'not flagged for detection',
      [id(5)]: 'a type that names no value for a watchlist',
    });
  });

  it('shows by sync what was published, changed and deleted since', async () => {
    const connector = connect({ read: 'sync' });
    const before = await standing(connector);
    const third = await anEvent(902, [
      { uuid: id(20), type: 'ip-dst', value: '198.51.100.20' },
      { uuid: id(21), type: 'ip-dst', value: '198.51.100.21' },
    ]);
    await server.call('POST', `events/publish/${third}`);

    const added = await standing(connector, before.cursor);
    expect(added.named).toMatchObject({ [id(20)]: 'ipv4-addr 198.51.100.20 unmarked' });

    await server.call('DELETE', `attributes/${id(21)}`);
    await server.call('POST', `events/publish/${third}`);
    const whole = await standing(connect({ read: 'sync' }));
    expect(Object.keys(whole.named)).toContain(id(20));
    expect(Object.keys(whole.named)).not.toContain(id(21));
  });

  it('does not answer the search by event, which is told and concludes nothing', async () => {
    const connector = connect({ read: 'search' });

    const failure = await failureOf(drain(connector.pages(undefined, never)));
    expect(failure.message).toMatch(/the event .*: the server (answered|does not)/);
    const listed = await failureOf(
      (async () => {
        for await (const part of connector.listing?.(never, [id(900)]) ?? []) expect(part.complete).toBe(false);
      })(),
    );
    expect(listed.message).toMatch(/^exchange partner/);
  });

  it('is read by search page by page, to the same as by sync, where its missing filters are put in front of it', async () => {
    const front = await withFilters(server);
    onTestFinished(() => front.stop());
    const searching = connect({ read: 'search', url: front.url, page_size: 2 });

    const searched = await standing(searching);

    // Two attributes a page, and the tags of the event on each.
    expect(searched.pages.length).toBeGreaterThan(2);
    expect(searched.named).toEqual((await standing(connect({ read: 'sync' }))).named);
    expect(searched.named).toMatchObject({
      [id(1)]: 'ipv4-addr 198.51.100.1 green',
      [id(4)]: 'not flagged for detection',
    });
    // Nothing was published since.
    expect((await standing(searching, searched.cursor)).named).toEqual({});
  });

  it('takes our sighting of an attribute, one by one, where its other spelling of that is put in front of it', async () => {
    const front = await withFilters(server);
    onTestFinished(() => front.stop());
    const connector = connect({ read: 'sync', report: true, url: front.url });

    expect(await connector.send!([aSighting(2)], never)).toEqual([{ uuid: id(502), kind: 'sent' }]);

    expect(await server.call<unknown[]>('GET', `sightings/index/${first}`)).toHaveLength(1);
    const missing = await connector.send!([{ ...aSighting(2), objectId: id(77) }], never);
    expect(missing).toMatchObject([{ kind: 'failed' }]);
  });

  it('takes no sighting by uuid, so that ours is not counted as sent', async () => {
    const connector = connect({ read: 'sync', report: true });
    const there = () => server.call<unknown[]>('GET', `sightings/index/${first}`);
    const before = await there();

    const sent = await connector.send!([aSighting(1)], never).catch((error: Error) => error);

    expect(JSON.stringify(sent)).not.toContain('"sent"');
    expect(await there()).toEqual(before);
  });
});
