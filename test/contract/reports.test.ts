// What every way of sending keeps: delivered once however the server takes it, split where one object spoils the
// rest, never lost when an answer is. On the simulated exchange, with the ways in which real servers depart from it.
import { afterEach, describe, expect, it } from 'vitest';
import { taxii21 } from '../../src/connectors/exchange/taxii21/index.ts';
import type { ExchangeConnector, SendOutcome } from '../../src/core/contracts/exchange-connector.ts';
import type { Sighting } from '../../src/core/model/sighting.ts';
import { startTaxii, type TaxiiOptions } from '../../src/simulators/taxii/index.ts';
import { never, testDeps } from './exchange.ts';

const IDENTITY = { id: 'identity--0c3a5b2e-2f5b-4c8e-9d0f-5a8c3f6b1d11', name: 'SOC Example', class: 'organization' };
const TEN = Date.UTC(2026, 0, 5, 10);
const digits = (n: number) => String(n).padStart(12, '0');

const aSighting = (n: number, given: Partial<Sighting> = {}): Sighting => ({
  uuid: `00000000-0000-5000-8000-${digits(n)}`,
  kind: 'seen',
  objectId: `indicator--00000000-0000-4000-8000-${digits(n)}`,
  firstSeen: TEN,
  lastSeen: TEN,
  count: 3,
  created: TEN,
  modified: TEN * 1000 + 3000,
  tlp: 'green',
  ...given,
});
const several = (count: number) => Array.from({ length: count }, (_one, n) => aSighting(n + 1));

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function anExchange(options: TaxiiOptions = {}, config: object = {}) {
  const taxii = await startTaxii(options);
  closers.push(() => taxii.close());
  const connect = (): ExchangeConnector => {
    const parsed = taxii21.config.parse({
      type: 'taxii21',
      url: taxii.discovery,
      auth: { username: taxii.username, password: taxii.password },
      report_to: taxii.collections.write,
      ...config,
    });
    const connector = taxii21.create(parsed, { ...testDeps(), identity: IDENTITY });
    closers.push(() => connector.close());
    return connector;
  };
  const connector = connect();
  return { taxii, connector, connect, send: (all: readonly Sighting[]) => connector.send!(all, never) };
}

const kinds = (outcomes: readonly SendOutcome[]) => outcomes.map((one) => one.kind);

describe('reports to a TAXII 2.1 exchange', () => {
  it('arrive once, with our identity', async () => {
    const { taxii, send } = await anExchange();

    expect(kinds(await send(several(3)))).toEqual(['sent', 'sent', 'sent']);
    expect(taxii.sightings().map((one) => [one['count'], one['sighting_of_ref'], one['created_by_ref']])).toEqual(
      several(3).map((one) => [3, one.objectId, IDENTITY.id]),
    );
  });

  it('arrive once when they are sent twice, also by another process', async () => {
    const { taxii, send, connect } = await anExchange();
    await send(several(3));

    expect(kinds(await connect().send!(several(3), never))).toEqual(['sent', 'sent', 'sent']);
    expect(taxii.sightings()).toHaveLength(3);
  });

  it('are sent again after the answer was lost, and arrive once', async () => {
    const { taxii, send } = await anExchange();
    await send([]);
    taxii.setFaults([{ action: 'reset-after', match: 'POST', times: 1 }]);

    await expect(send(several(2))).rejects.toMatchObject({ kind: 'retryable', uncertain: true });
    expect(kinds(await send(several(2)))).toEqual(['sent', 'sent']);
    expect(taxii.sightings()).toHaveLength(2);
  });

  it('are followed to the end of the status resource', async () => {
    const { taxii, connector, send } = await anExchange({ pendingPolls: 2 });
    const [outcome] = await send(several(2));
    const receipt = outcome?.kind === 'accepted' ? outcome.receipt : '';

    expect(await connector.settle!(receipt, never)).toBe('pending');
    expect(kinds((await connector.settle!(receipt, never)) as SendOutcome[])).toEqual(['sent', 'sent']);
    expect(taxii.sightings()).toHaveLength(2);
  });

  it('are settled by a process that did not send them', async () => {
    const { send, connect } = await anExchange({ pendingPolls: 1 });
    const [outcome] = await send(several(2));
    const receipt = outcome?.kind === 'accepted' ? outcome.receipt : '';

    const outcomes = (await connect().settle!(receipt, never)) as SendOutcome[];

    expect(outcomes).toEqual(several(2).map(({ uuid }) => ({ uuid, kind: 'sent' })));
  });

  it('go out again when the server has forgotten the status', async () => {
    const { connector, send, taxii } = await anExchange({ pendingPolls: 1 });
    const [outcome] = await send(several(2));
    taxii.setQuirks([{ kind: 'status-missing' }]);

    expect(await connector.settle!(outcome?.kind === 'accepted' ? outcome.receipt : '', never)).toEqual([]);
  });

  it('that the status lists as failed are refused one by one', async () => {
    const { send, taxii } = await anExchange();
    await send([]);
    taxii.setQuirks([{ kind: 'partial-failure', match: 'POST' }]);

    const outcomes = await send(several(4));

    expect(kinds(outcomes)).toEqual(['sent', 'failed', 'sent', 'failed']);
    expect(outcomes[1]).toMatchObject({ failure: { kind: 'permanent' } });
    expect(JSON.stringify(outcomes[1])).toContain('refused by local policy');
  });

  it('are split until each envelope is one the server takes', async () => {
    const { send, taxii } = await anExchange({ maxContentLength: 2000 });

    expect(kinds(await send(several(20)))).toEqual(Array(20).fill('sent'));
    expect(taxii.sightings()).toHaveLength(20);
  });

  it('refused as a type with 422 fail for good, without asking for each', async () => {
    const { send, taxii } = await anExchange();
    await send([]);
    taxii.setFaults([{ action: 'status', status: 422, match: 'POST' }]);
    const before = [...taxii.requests.values()].reduce((sum, n) => sum + n, 0);

    const outcomes = await send(several(64));

    expect(outcomes).toHaveLength(64);
    expect(outcomes.every((one) => one.kind === 'failed' && one.failure.kind === 'permanent')).toBe(true);
    expect([...taxii.requests.values()].reduce((sum, n) => sum + n, 0) - before).toBeLessThan(80);
  });

  it('use the credential that is set for them', async () => {
    const users = [
      { username: 'reader', password: 'r' },
      { username: 'writer', password: 'w' },
    ];
    const wrong = await anExchange({ users }, { report_auth: { username: 'writer', password: 'no' } });
    await expect(wrong.send(several(1))).rejects.toMatchObject({ kind: 'config', status: 401 });

    const right = await anExchange({ users }, { report_auth: { username: 'writer', password: 'w' } });
    expect(kinds(await right.send(several(1)))).toEqual(['sent']);
  });

  it('are refused by configuration where the collection may not be written', async () => {
    const { taxii } = await anExchange();
    const config = taxii21.config.parse({
      type: 'taxii21',
      url: taxii.discovery,
      auth: { username: taxii.username, password: taxii.password },
      report_to: taxii.collections.read,
    });
    const connector = taxii21.create(config, { ...testDeps(), identity: IDENTITY });
    closers.push(() => connector.close());

    await expect(connector.send!(several(1), never)).rejects.toMatchObject({ kind: 'config' });
    expect((await connector.probe(never)).message).toContain('may not write');
  });

  it.each([
    ['retryable', 503],
    ['config', 403],
  ] as const)('wait as %s when the server answers %i', async (kind, status) => {
    const { send, taxii } = await anExchange();
    await send([]);
    taxii.setFaults([{ action: 'status', status, match: 'POST' }]);

    await expect(send(several(2))).rejects.toMatchObject({ kind });
    taxii.setFaults([]);
    expect(kinds(await send(several(2)))).toEqual(['sent', 'sent']);
  });

  it('are not offered without identity or collection', () => {
    const config = taxii21.config.parse({ type: 'taxii21', url: 'https://taxii.example/' });
    const silent = taxii21.create(config, { ...testDeps(), identity: IDENTITY });
    const nameless = taxii21.create(taxii21.config.parse({ ...config, report_to: 'x' }), testDeps());

    expect([silent.send, nameless.send]).toEqual([undefined, undefined]);
  });

  it('of a kind that STIX cannot say fail for good', async () => {
    const { send } = await anExchange();

    expect(kinds(await send([aSighting(1, { kind: 'expired' })]))).toEqual(['failed']);
  });
});
