// What every way of sending keeps: delivered once however the server takes it, split where one object spoils the
// rest, never lost when an answer is. On the simulated exchange, with the ways in which real servers depart from it.
import { afterEach, describe, expect, it } from 'vitest';
import { taxii21 } from '../../src/connectors/exchange/taxii21/index.ts';
import type { ExchangeConnector, SendOutcome } from '../../src/core/contracts/exchange-connector.ts';
import type { Sighting } from '../../src/core/model/sighting.ts';
import { uuidOf } from '../../src/simulators/taxii/collection.ts';
import { type Quirk, startTaxii, type TaxiiOptions } from '../../src/simulators/taxii/index.ts';
import { Taxii21Connector } from '../../src/connectors/exchange/taxii21/connector.ts';
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

/** Takes reports and shows nothing. */
const INBOX = uuidOf('api1 inbox');

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
    const connector = new Taxii21Connector(parsed, { ...testDeps(), identity: IDENTITY });
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

    expect(await connector.settle!(receipt, several(2), never)).toBe('pending');
    expect(kinds((await connector.settle!(receipt, several(2), never)) as SendOutcome[])).toEqual(['sent', 'sent']);
    expect(taxii.sightings()).toHaveLength(2);
  });

  it('are settled by a process that did not send them', async () => {
    const { send, connect } = await anExchange({ pendingPolls: 1 });
    const [outcome] = await send(several(2));
    const receipt = outcome?.kind === 'accepted' ? outcome.receipt : '';

    const outcomes = (await connect().settle!(receipt, several(2), never)) as SendOutcome[];

    expect(outcomes).toEqual(several(2).map(({ uuid }) => ({ uuid, kind: 'sent' })));
  });

  const receiptOf = ([outcome]: readonly SendOutcome[]) => (outcome?.kind === 'accepted' ? outcome.receipt : '');
  const posts = (requests: ReadonlyMap<string, number>) =>
    [...requests].reduce((sum, [route, n]) => sum + (route.startsWith('POST') ? n : 0), 0);
  const total = (requests: ReadonlyMap<string, number>) => [...requests.values()].reduce((sum, n) => sum + n, 0);
  /** The same, once more. */
  const again = (all: readonly Sighting[]) => all.map((one) => ({ ...one, attempt: 1 }));

  it.each([1, 2, 500])('are found in the collection when the server has forgotten the status of %i', async (count) => {
    const { connector, send, taxii } = await anExchange({ quirks: [{ kind: 'status-lags' }] });
    await send([]);
    const receipt = receiptOf(await send(several(count)));
    taxii.setQuirks([{ kind: 'status-missing' }]);
    const before = total(taxii.requests);

    const outcomes = (await connector.settle!(receipt, several(count), never)) as SendOutcome[];

    expect(kinds(outcomes)).toEqual(Array(count).fill('sent'));
    expect(total(taxii.requests) - before).toBeLessThan(10);
  });

  it('whose status is forgotten and which stand nowhere are unseen, and said to be', async () => {
    const { connector, send, taxii } = await anExchange({ pendingPolls: 1 });
    const receipt = receiptOf(await send(several(500)));
    taxii.setQuirks([{ kind: 'status-missing' }]);
    const before = total(taxii.requests);

    const outcomes = (await connector.settle!(receipt, several(500), never)) as SendOutcome[];

    expect(new Set(kinds(outcomes))).toEqual(new Set(['unseen']));
    expect(outcomes[0]).toMatchObject({ reason: expect.stringMatching(/keeps no status .* does not show it/) });
    expect(total(taxii.requests) - before).toBeLessThan(10);
  });

  it('are looked for before they are sent once more, and sent only if they are not there', async () => {
    const { send, taxii } = await anExchange();
    await send(several(3));
    const before = posts(taxii.requests);

    const outcomes = await send(again(several(4)));

    expect(kinds(outcomes)).toEqual(['sent', 'sent', 'sent', 'sent']);
    expect(posts(taxii.requests) - before).toBe(1);
    expect(taxii.sightings()).toHaveLength(4);
  });

  it('in an older version at the partner are sent in the newer one', async () => {
    const { send, taxii } = await anExchange();
    await send(several(2));
    const newer = several(2).map((one) => ({ ...one, count: 4, modified: one.modified + 1000, attempt: 1 }));

    expect(kinds(await send(newer))).toEqual(['sent', 'sent']);
    expect(taxii.sightings().map((one) => one['count'])).toEqual([3, 3, 4, 4]);
    expect(kinds(await send([{ ...newer[0]!, count: 5, modified: newer[0]!.modified + 1000 }]))).toEqual(['sent']);
    expect(taxii.sightings().at(-1)?.['count']).toBe(5);
  });

  it('are looked for singly, some at a time, where the server knows no match fields', async () => {
    const { send, taxii } = await anExchange({ quirks: [{ kind: 'match-ignored' }], pageCap: 2 });
    await send(several(30));
    const [postsBefore, before] = [posts(taxii.requests), total(taxii.requests)];

    const outcomes = await send(again(several(30)));

    expect(posts(taxii.requests)).toBe(postsBefore);
    expect(total(taxii.requests) - before).toBeLessThan(15);
    expect(kinds(outcomes).filter((one) => one === 'sent').length).toBeGreaterThan(5);
    expect(kinds(outcomes).filter((one) => one === 'failed')).toEqual([]);
  });

  it.each<[string, Quirk]>([
    ['200 with the status', { kind: 'status-instead' }],
    ['201 and {}', { kind: 'empty-status' }],
    ['200 and nothing', { kind: 'no-status', status: 200 }],
    ['202 and nothing', { kind: 'no-status' }],
    ['204', { kind: 'no-status', status: 204 }],
  ])('count as sent when they stand there, however the POST was answered: %s', async (_name, quirk) => {
    const { send, taxii } = await anExchange();
    await send([]);
    taxii.setQuirks([quirk]);
    const before = posts(taxii.requests);

    expect(kinds(await send(several(3)))).toEqual(['sent', 'sent', 'sent']);
    expect(posts(taxii.requests) - before).toBe(1);
    expect(taxii.sightings()).toHaveLength(3);
  });

  it.each<[string, TaxiiOptions]>([
    ['an empty answer', { quirks: [{ kind: 'no-status' }], pendingPolls: 1 }],
    ['a success_count of 0', { quirks: [{ kind: 'drops-posts' }] }],
  ])('that stand nowhere are neither sent nor parked after %s', async (_name, options) => {
    const { send } = await anExchange(options);

    expect(kinds(await send(several(3)))).toEqual(['unseen', 'unseen', 'unseen']);
  });

  it('into a collection that we may not read count as sent when the server took them without a word', async () => {
    const { send, taxii } = await anExchange({ quirks: [{ kind: 'no-status' }] }, { report_to: INBOX });

    expect(kinds(await send(several(2)))).toEqual(['sent', 'sent']);
    expect(taxii.sightings()).toHaveLength(2);
  });

  it('go in envelopes of one marking each', async () => {
    const { send, taxii } = await anExchange();
    await send([]);
    const before = posts(taxii.requests);
    const mixed = several(4).map((one, n) => ({ ...one, tlp: n % 2 === 0 ? ('green' as const) : ('amber' as const) }));

    expect(kinds(await send(mixed))).toEqual(['sent', 'sent', 'sent', 'sent']);
    expect(posts(taxii.requests) - before).toBe(2);
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
    const connector = new Taxii21Connector(config, { ...testDeps(), identity: IDENTITY });
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
    const silent = new Taxii21Connector(config, { ...testDeps(), identity: IDENTITY });
    const nameless = new Taxii21Connector(taxii21.config.parse({ ...config, report_to: 'x' }), testDeps());

    expect([silent.send, nameless.send]).toEqual([undefined, undefined]);
  });

  it('of a kind that STIX cannot say fail for good', async () => {
    const { send } = await anExchange();

    expect(kinds(await send([aSighting(1, { kind: 'expired' })]))).toEqual(['failed']);
  });
});
