// What stands between us and the console answers in its place: pages, refused methods, deploys. None of it is the
// console's word, and none of it is about the values that were sent.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { toFailure } from '../../src/core/contracts/failure.ts';
import { Secret } from '../../src/core/runtime/secret.ts';
import type { Fault } from '../../src/simulators/server.ts';
import { anEntry } from '../builders/entry.ts';
import { startFaultProxy } from './fault-proxy.ts';
import { qradarConfig, qradarConnector, qradarDeps } from './qradar-harness.ts';
import { QRadarConnector } from '../../src/connectors/siem/qradar/connector.ts';
import {
  addresses,
  apply,
  asked,
  connect,
  held,
  kinds,
  removals,
  settled,
  signal,
  sim,
  start,
  startConsole,
  stop,
  upserts,
  values,
} from './qradar-rig.ts';

afterEach(stop);

const ENTRIES = '/api/reference_data_collections/set_entries';
const page = (status: number, headers: Record<string, string> = {}): Omit<Fault, 'match'> => ({
  action: 'status',
  status,
  body: `<!doctype html><html><head><title>${status}</title></head><body>Request Rejected</body></html>`,
  headers: { 'content-type': 'text/html', ...headers },
});
const failureOf = (work: Promise<unknown>) => work.then(() => undefined, toFailure);

describe('a proxy', () => {
  it('that lets no PATCH through makes the SIEM failing after one call, and is not about the values', async () => {
    const connector = await start();
    sim.settings.refusedMethods = ['PATCH'];
    const batch = upserts(addresses(400));

    const failure = await failureOf(connector.apply(batch, signal));

    expect(failure).toMatchObject({ kind: 'config', code: 'http_405_patch' });
    expect(failure?.message).toContain('PATCH is refused on the way (405, a web page)');
    expect(asked('PATCH /api/reference_data_collections/set_entries 405')).toBe(1);
    sim.settings.refusedMethods = [];
    expect(new Set(kinds(await apply(connector, batch)))).toEqual(new Set(['applied']));
  });

  it('that lets no DELETE through leaves removals undone, and says so', async () => {
    const connector = await start({ settings: { deleteInPatch: 'ignored' } });
    const entries = addresses(6);
    await apply(connector, upserts(entries));
    sim.settings.refusedMethods = ['DELETE'];

    const failure = await failureOf(apply(connector, removals(entries.map((one) => one.key))));

    expect(failure).toMatchObject({ kind: 'config', message: expect.stringContaining('DELETE is refused on the way') });
    expect(values('IPv4')).toHaveLength(6);
  });

  it('that refuses what it reads with 403 and a page is told from a role without rights', async () => {
    const connector = await start();
    const batch = upserts(addresses(2));
    sim.setFaults([{ ...page(403), match: `PATCH ${ENTRIES}` }]);
    expect(await failureOf(connector.apply(batch, signal))).toMatchObject({
      kind: 'permanent',
      code: 'between_403',
      message: expect.stringContaining('refused by something in between (403, a web page)'),
    });

    const body = JSON.stringify({ code: 26, message: 'User has insufficient capabilities' });
    sim.setFaults([{ action: 'status', status: 403, body, match: `PATCH ${ENTRIES}` }]);
    expect(await failureOf(connector.apply(batch, signal))).toMatchObject({ kind: 'config', code: 'qradar_403_26' });
  });

  it('with 404 and a page does not make a removal done, nor a task over', async () => {
    const connector = await start({ settings: { deleteInPatch: 'ignored' } });
    const entries = addresses(8);
    await apply(connector, upserts(entries));
    await apply(connector, removals(entries.slice(0, 2).map((one) => one.key)));
    await apply(connector, removals(entries.slice(2, 4).map((one) => one.key)));
    const rest = entries.slice(4).map((one) => one.key);
    sim.setFaults([{ ...page(404), match: `DELETE ${ENTRIES}/` }]);

    expect(await failureOf(apply(connector, removals(rest)))).toMatchObject({
      message: expect.stringContaining('(404, a web page)'),
    });
    expect(values('IPv4')).toHaveLength(4);

    sim.setFaults([]);
    const [outcome] = await connector.apply(upserts([anEntry({ value: '192.0.2.9' })]), signal);
    sim.setFaults([{ ...page(404), match: 'GET /api/reference_data_collections/set_bulk_update_tasks' }]);
    const receipt = outcome?.kind === 'accepted' ? outcome.receipt : '';
    expect(await failureOf(connector.settle!(receipt, signal))).toMatchObject({ code: 'http_404_page' });
  });

  it('with 404 and no word of QRadar in it does not either', async () => {
    const connector = await start({ settings: { deleteInPatch: 'by-id' } });
    const entries = addresses(2);
    await apply(connector, upserts(entries));
    const [outcome] = await connector.apply(removals(entries.map((one) => one.key)), signal);
    sim.setFaults([{ action: 'status', status: 404, body: '', match: 'GET /api/reference_data_collections/set_bulk' }]);

    const receipt = outcome?.kind === 'accepted' ? outcome.receipt : '';
    expect(await failureOf(connector.settle!(receipt, signal))).toBeDefined();
  });

  it('that is busy with a page says for how long', async () => {
    const connector = await start();
    sim.setFaults([{ ...page(503, { 'retry-after': '7' }), match: `PATCH ${ENTRIES}` }]);

    expect(await failureOf(connector.apply(upserts(addresses(2)), signal))).toMatchObject({
      kind: 'retryable',
      retryAfterMs: 7000,
      message: expect.stringContaining('503'),
    });
  });
});

describe('what QRadar says', () => {
  it('is told with its cause, which may stand beside the message', async () => {
    const connector = await start();
    const body = JSON.stringify({
      http_response: { code: 500, message: 'Unexpected internal server error' },
      code: 1020,
      message: 'An error occurred during the attempt to update the set',
      description: 'An error occurred',
      details: { reason: 'the disk of the console is full' },
    });
    sim.setFaults([{ action: 'status', status: 500, body, match: `PATCH ${ENTRIES}` }]);

    const failure = await failureOf(connector.apply(upserts(addresses(2)), signal));

    expect(failure).toMatchObject({ kind: 'retryable', code: 'qradar_500_1020' });
    expect(failure?.message).toMatch(/attempt to update the set.*the disk of the console is full/);
  });
});

it('a token file that is gone while it is renewed is a matter of configuration', async () => {
  await startConsole();
  const folder = mkdtempSync(join(tmpdir(), 'entente-qradar-token-'));
  const file = join(folder, 'token');
  const place = { url: sim.url, token: sim.token };
  writeFileSync(file, `${sim.token}\n`);
  const connector = new QRadarConnector(
    { ...qradarConfig(place), auth: { token: Secret.file(file) } },
    qradarDeps(place),
  );
  await connector.open(signal);

  rmSync(file);
  expect(await failureOf(connector.containers(signal))).toMatchObject({
    kind: 'config',
    message: expect.stringContaining('auth.token_file'),
  });
  writeFileSync(file, '');
  expect(await failureOf(connector.containers(signal))).toMatchObject({ kind: 'config' });
  writeFileSync(file, sim.token);
  await connector.containers(signal);
  await connector.close();
  rmSync(folder, { recursive: true });
  expect(asked('GET')).toBeGreaterThan(0);
  expect(await held(connect())).toEqual([]);
});

describe('an answer that is not in the words of QRadar', () => {
  const answers = (match: string, status: number, body: string): Fault => ({ match, action: 'status', status, body });

  it('with 403 and the JSON of a firewall is about one value, and with 403 and nothing a matter of rights', async () => {
    const connector = await start();
    sim.setFaults([answers('PATCH', 403, '{"message":"Forbidden"}')]);
    const failure = await failureOf(connector.apply(upserts(addresses(2)), signal));
    expect(failure).toMatchObject({ kind: 'permanent', code: 'between_403' });
    expect(failure?.message).toContain('refused by something in between (403, not in the words of the product)');

    sim.setFaults([answers('PATCH', 403, '')]);
    expect(await failureOf(connector.apply(upserts(addresses(2)), signal))).toMatchObject({ kind: 'config' });
  });

  it('with 200 and the page of a firewall is about one value', async () => {
    const connector = await start();
    sim.setFaults([{ ...page(200), match: 'PATCH' }]);

    expect(await failureOf(connector.apply(upserts(addresses(2)), signal))).toMatchObject({
      kind: 'permanent',
      code: 'between_200',
    });
  });

  it.each([
    ['', 'retryable'],
    ['{}', 'config'],
    ['{"status":"ok"}', 'config'],
    ['null', 'config'],
  ])('with 200 and %j blames no value, and may hide what was done', async (body, kind) => {
    const connector = await start();
    await apply(connector, upserts(addresses(2)));
    for (const [match, work] of [
      ['PATCH', () => connector.apply(upserts(addresses(2)), signal)],
      [`GET ${ENTRIES}`, () => connector.apply(upserts(addresses(2)), signal)],
      [`GET ${ENTRIES}`, () => held(connector)],
    ] as const) {
      sim.setFaults([answers(match, 200, body)]);
      const error = await work().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error, `${match} ${body}`).toMatchObject({ kind, uncertain: true });
    }
  });

  it.each(['', '{}', '[]'])('with 200 and %j is no word that a task is over', async (body) => {
    const connector = await start();
    const batch = upserts(addresses(2));
    const [first] = await connector.apply(batch, signal);
    if (first?.kind !== 'accepted') throw new Error('it was not accepted');
    sim.setFaults([answers('GET /api/reference_data_collections/set_bulk', 200, body)]);

    // The engine forgets a task at a permanent failure, and reads its rows back while it may still run.
    expect((await failureOf(connector.settle!(first.receipt, signal)))?.kind).not.toBe('permanent');
    sim.setFaults([]);
    expect(new Set(kinds(await settled(connector, first.receipt)))).toEqual(new Set(['applied']));
  });

  it.each(['', '{}', '{"status":null,"responses":"none"}', '{"status":"PARTIAL_UPDATE_PERFORMED","responses":[null]}'])(
    'for the results of a task that is over (%j) has its rows read back',
    async (body) => {
      const connector = await start();
      const batch = upserts(addresses(3));
      const [first] = await connector.apply(batch, signal);
      if (first?.kind !== 'accepted') throw new Error('it was not accepted');
      sim.setFaults([answers('/results', 200, body)]);

      expect(new Set(kinds(await settled(connector, first.receipt)))).toEqual(new Set(['applied']));
      expect(await held(connector)).toHaveLength(3);
    },
  );

  it.each([
    ['26.0', '{}', 200],
    ['26.0', '', 200],
    ['26.0', '{"status":"ok"}', 202],
    ['15.0', '{}', 200],
    ['15.0', '', 204],
  ])(
    'to a removal (API %s, %j with %i) is not believed while the rows stand there',
    async (apiVersion, body, status) => {
      const connector = await start({ apiVersion, settings: { deleteInPatch: 'refused' } });
      const entries = addresses(2);
      await apply(connector, upserts(entries));
      sim.setFaults([answers('DELETE', status, body)]);

      const error = await apply(connector, removals(entries.map(({ key }) => key))).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );

      expect(error).toMatchObject({ uncertain: true });
      expect(values('IPv4')).toHaveLength(2);
      sim.setFaults([]);
      const done = await apply(connector, removals(entries.map(({ key }) => key)));
      expect(kinds(done)).toEqual(['applied', 'applied']);
      expect(values('IPv4')).toEqual([]);
    },
  );

  it('is not taken for an empty set on a console before 7.4.3', async () => {
    const connector = await start({ apiVersion: '15.0' });
    await apply(connector, upserts(addresses(2)));
    for (const body of ['', '{}', '{"message":"no"}']) {
      sim.setFaults([answers('GET /api/reference_data/sets/', 200, body)]);
      expect(await failureOf(held(connector)), body).toBeDefined();
    }
  });
});

it('a gateway that has the console under a path of its own is asked there, and nothing else of that host', async () => {
  await startConsole();
  const elsewhere: string[] = [];
  const gateway = await startFaultProxy(sim.url, (request) => {
    if (!request.path.startsWith('/siem/')) elsewhere.push(request.path);
    Reflect.set(request, 'path', request.path.replace(/^\/siem/, ''));
  });
  try {
    for (const path of ['/siem', '/siem/', '/siem/api']) {
      const connector = qradarConnector({ url: `${gateway.url}${path}`, token: sim.token });
      expect(await connector.probe(signal), path).toMatchObject({ ok: true });
    }
    expect(elsewhere).toEqual([]);
  } finally {
    await gateway.close();
  }
});
