// A simulated MISP, the connector, the poller and the store together, for tests of what becomes of an event on a watchlist.
import { onTestFinished } from 'vitest';
import { misp } from '../../src/connectors/exchange/misp/index.ts';
import { Poller } from '../../src/core/ingest/poller.ts';
import { silentLog } from '../../src/core/runtime/log.ts';
import { onThisThread } from '../../src/core/store/remote.ts';
import { type Act, type MispOptions, startMisp } from '../../src/simulators/misp/index.ts';
import { anExchange, aSiem, DAY, MINUTE, NOW, Rig } from '../builders/store.ts';
import { MispConnector } from '../../src/connectors/exchange/misp/connector.ts';
import { never, testDeps } from './exchange.ts';

export const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
export const EVENT = id(900);
export const SECS = String(Math.floor((NOW - DAY) / 1000));

export const anAttribute = (n: number, more: object = {}) => ({
  uuid: id(n),
  type: 'ip-dst',
  value: `198.51.100.${n}`,
  to_ids: true,
  timestamp: SECS,
  ...more,
});
export const anEvent = (attributes: readonly object[], more: object = {}) => ({
  Event: { uuid: EVENT, info: 'A campaign', timestamp: SECS, Attribute: attributes, ...more },
});

export async function aPartner(
  read: 'search' | 'sync',
  event: unknown,
  settings: object = {},
  {
    warninglists = [],
    siem = {},
  }: { warninglists?: MispOptions['warninglists']; siem?: Parameters<typeof aSiem>[0] } = {},
) {
  const clock = { now: NOW };
  const server = await startMisp({
    data: event,
    clock: () => clock.now,
    warninglists,
    quirks: read === 'sync' ? [{ kind: 'guard' }] : [],
  });
  const rig = new Rig({ exchanges: [anExchange({ type: 'misp' })], siems: [aSiem(siem)] });
  const store = onThisThread(() => rig.store);
  const config = misp.config.parse({
    type: 'misp',
    url: server.url,
    auth: { key: server.key },
    read,
    page_size: 3,
    ...settings,
  });
  const connector = new MispConnector(config, testDeps());
  onTestFinished(async () => {
    await connector.close();
    await server.close();
  });
  const poller = new Poller({
    name: 'partner',
    connector,
    store,
    now: () => clock.now,
    log: silentLog,
    random: () => 1,
    withdrawVanished: true,
  });
  const settled = () => {
    while (rig.store.tick(clock.now, false).more);
    return rig.deliver().sort();
  };
  /** What a poll changes in the SIEM. */
  const poll = async () => {
    clock.now += 5 * MINUTE;
    await poller.poll(never);
    return settled();
  };
  const list = async () => {
    await poller.listing(never);
    return settled();
  };
  return { server, rig, poller, clock, poll, list, act: (...acts: readonly Act[]) => server.act(acts) };
}

export const four = anEvent([1, 2, 3, 4].map((n) => anAttribute(n)));
export const upsert = (...numbers: readonly number[]) => numbers.map((n) => `upsert 198.51.100.${n}`);
export const remove = (...numbers: readonly number[]) => numbers.map((n) => `remove 198.51.100.${n}`);
