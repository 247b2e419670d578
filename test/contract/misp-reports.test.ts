// Our sightings at a simulated MISP: idempotent in bulk, told from refusals that come with 200, by a key of their own.
import { describe, expect, it, onTestFinished } from 'vitest';
import { misp } from '../../src/connectors/exchange/misp/index.ts';
import type { Sighting } from '../../src/core/model/sighting.ts';
import { type MispOptions, type Quirk, startMisp } from '../../src/simulators/misp/index.ts';
import { MispConnector } from '../../src/connectors/exchange/misp/connector.ts';
import { failureOf, never, testDeps } from './exchange.ts';

const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const EVENT = id(900);
const SEEN = Date.UTC(2026, 0, 10, 12);
const READ = 'r'.repeat(40);
const WRITE = 'w'.repeat(40);
const data = {
  Event: {
    uuid: EVENT,
    info: 'seed',
    Attribute: [1, 2, 3].map((n) => ({ uuid: id(n), type: 'ip-dst|port', value: `198.51.100.${n}|443`, to_ids: true })),
  },
};

const aSighting = (n: number, more: Partial<Sighting> = {}): Sighting => ({
  uuid: id(500 + n),
  kind: 'seen',
  objectId: id(n),
  scope: EVENT,
  firstSeen: SEEN - 60_000,
  lastSeen: SEEN,
  count: 4,
  created: SEEN - 60_000,
  modified: SEEN * 1000,
  tlp: 'green',
  ...more,
});

async function aPartner(options: MispOptions = {}, settings: object = {}) {
  const server = await startMisp({ data, keys: [{ key: READ, readOnly: true }, { key: WRITE }], ...options });
  const config = misp.config.parse({
    type: 'misp',
    url: server.url,
    auth: { key: READ },
    report: true,
    report_auth: { key: WRITE },
    ...settings,
  });
  const identity = { id: 'identity--0c3a5b2e-2f5b-4c8e-9d0f-5a8c3f6b1d11', name: 'SOC Example', class: 'organization' };
  const connector = new MispConnector(config, { ...testDeps(), identity });
  onTestFinished(async () => {
    await connector.close();
    await server.close();
  });
  const send = async (...sightings: Sighting[]) => await connector.send!(sightings, never);
  return { server, connector, send };
}
const sent = (...numbers: number[]) => numbers.map((n) => ({ uuid: id(500 + n), kind: 'sent' }));

describe.each<[string, readonly Quirk[]]>([
  ['in bulk', []],
  ['in bulk, behind a guard', [{ kind: 'guard' }]],
  ['one by one', [{ kind: 'no-bulk' }]],
])('our sightings %s', (_how, quirks) => {
  it('arrive with attribute, kind and time, and nothing of ours beside', async () => {
    const { server, send } = await aPartner({ quirks });

    expect(
      await send(aSighting(1), aSighting(2, { kind: 'false_positive' }), aSighting(3, { kind: 'expired' })),
    ).toEqual(sent(1, 2, 3));
    expect(server.sightings().map((one) => [one.attribute_uuid, one.type, one.date_sighting, one.source])).toEqual([
      [id(1), '0', SEEN / 1000, ''],
      [id(2), '1', SEEN / 1000, ''],
      [id(3), '2', SEEN / 1000, ''],
    ]);
  });

  it('stay one each, however often they are sent', async () => {
    const { server, send } = await aPartner({ quirks });
    await send(aSighting(1));

    expect(await send(aSighting(1, { attempt: 1 }), aSighting(2, { attempt: 1 }))).toEqual(sent(1, 2));
    expect(server.sightings()).toHaveLength(2);
  });

  it('fail each for itself where the attribute is gone', async () => {
    const { server, send } = await aPartner({ quirks });

    expect(await send(aSighting(1), aSighting(77))).toMatchObject([
      { kind: 'sent' },
      { kind: 'failed', failure: { kind: 'permanent' } },
    ]);
    expect(server.sightings()).toHaveLength(1);
  });

  it('arrive for an attribute whose event is not known any more', async () => {
    const { server, send } = await aPartner({ quirks });
    const { scope: _none, ...lost } = aSighting(1);

    expect(await send(lost)).toEqual(sent(1));
    expect(server.sightings()).toHaveLength(1);
  });
});

describe('our sightings', () => {
  it('are under uuids of our own in bulk', async () => {
    const { server, send } = await aPartner();
    await send(aSighting(1));

    expect(server.sightings().map((one) => one.uuid)).toEqual([id(501)]);
  });

  it('fail where the event is gone', async () => {
    const { send } = await aPartner();

    expect(await send(aSighting(1, { scope: id(901) }))).toMatchObject([{ kind: 'failed' }]);
  });

  it.each<[string, object, string, RegExp]>([
    ['a key that may not', { report_auth: { key: READ } }, 'config', /permission .*set report_auth/],
    ['a key that is unknown', { report_auth: { key: 'x'.repeat(40) } }, 'config', /refused the key/],
  ])('are refused as a matter of configuration by %s', async (_what, settings, kind, words) => {
    const { connector, send } = await aPartner({}, settings);

    const failure = await failureOf(send(aSighting(1)));
    expect(failure.kind).toBe(kind);
    expect(failure.message).toMatch(words);
    expect((await connector.probe(never)).ok).toBe(false);
  });

  it('can be retried after a server that is away', async () => {
    const { server, send } = await aPartner();
    server.setFaults([{ match: 'bulkSave', action: 'reset-after', times: 1 }]);

    expect((await failureOf(send(aSighting(1)))).kind).toBe('retryable');
    expect(await send(aSighting(1, { attempt: 1 }))).toEqual(sent(1));
    expect(server.sightings()).toHaveLength(1);
  });

  it('are sent by nobody who was not told to', async () => {
    const { connector } = await aPartner({}, { report: false });

    expect(connector.send).toBeUndefined();
    expect(await connector.probe(never)).toMatchObject({ ok: true });
  });
});
