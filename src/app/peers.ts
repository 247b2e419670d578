// Connectors made from the configuration, with the HTTP client of each peer. Nothing is contacted here.
import type { Config } from '../core/config/load.ts';
import { readsHits } from '../core/config/release.ts';
import { httpPeer } from '../core/config/peer-http.ts';
import type { ExchangeConnector } from '../core/contracts/exchange-connector.ts';
import type { Probe, SiemConnector } from '../core/contracts/siem-connector.ts';
import { toFailure } from '../core/model/failure.ts';
import { withoutHidden } from '../core/model/text.ts';
import type { Clock } from '../core/runtime/clock.ts';
import { createHttp, type HttpPeer, loadHttp } from '../core/runtime/http.ts';
import type { Log } from '../core/runtime/log.ts';

/** `longestCallMs` caps the configured time-out: one pass gives up on a silent peer when its patience is over. */
export async function siemConnector(
  config: Config,
  name: string,
  clock: Clock,
  log: Log,
  longestCallMs?: number,
  onCertificate?: HttpPeer['onCertificate'],
): Promise<SiemConnector> {
  const siem = config.siems.find((one) => one.name === name);
  if (siem === undefined) throw new Error(`no SIEM ${name} in the configuration`);
  const peer = { ...capped(httpPeer(config, 'SIEM', siem), longestCallMs), onCertificate };
  return siem.definition.create(siem.settings, {
    name,
    instance: config.instance,
    clock,
    log: log.child({ siem: name }),
    http: (options) => createHttp(peer, options),
  });
}

export async function exchangeConnector(
  config: Config,
  name: string,
  clock: Clock,
  log: Log,
  longestCallMs?: number,
  onCertificate?: HttpPeer['onCertificate'],
): Promise<ExchangeConnector> {
  const exchange = config.exchanges.find((one) => one.name === name);
  if (exchange === undefined) throw new Error(`no exchange ${name} in the configuration`);
  const peer = { ...capped(httpPeer(config, 'exchange', exchange), longestCallMs), onCertificate };
  return exchange.definition.create(exchange.settings, {
    name,
    clock,
    log: log.child({ exchange: name }),
    http: (options) => createHttp(peer, options),
    ...(config.identity === undefined ? {} : { identity: config.identity }),
  });
}

const capped = (peer: HttpPeer, longestCallMs: number | undefined): HttpPeer =>
  longestCallMs === undefined ? peer : { ...peer, timeoutMs: Math.min(peer.timeoutMs, longestCallMs) };

export interface Connectors {
  readonly exchanges: ReadonlyMap<string, ExchangeConnector>;
  /** Those that are written to. */
  readonly siems: ReadonlyMap<string, SiemConnector>;
}

/** Of all that is enabled. `exchange` may read from somewhere else than the partner. */
export async function connectorsOf(
  {
    config,
    log,
    longestCallMs,
    exchange,
  }: {
    readonly config: Config;
    readonly log: Log;
    readonly longestCallMs?: number;
    readonly exchange?: (name: string) => ExchangeConnector | undefined;
  },
  clock: Clock,
  onCertificate: (role: 'exchange' | 'siem', name: string, whose: 'peer' | 'own', validTo: number) => void,
): Promise<Connectors> {
  await loadHttp();
  const exchanges = new Map<string, ExchangeConnector>();
  for (const { name, enabled } of config.exchanges) {
    if (!enabled) continue;
    const heard = onCertificate.bind(undefined, 'exchange', name);
    const given = exchange?.(name);
    exchanges.set(name, given ?? (await exchangeConnector(config, name, clock, log, longestCallMs, heard)));
  }
  const siems = new Map<string, SiemConnector>();
  for (const { name, enabled, mode } of config.siems) {
    if (!enabled || mode === 'shadow') continue;
    const heard = onCertificate.bind(undefined, 'siem', name);
    siems.set(name, await siemConnector(config, name, clock, log, longestCallMs, heard));
  }
  return { exchanges, siems };
}

/** Contacts every enabled peer with the rights that real work needs; changes nothing there. */
export async function probePeers(
  config: Config,
  clock: Clock,
  log: Log,
  signal: AbortSignal,
): Promise<(Probe & { name: string })[]> {
  const peers = [
    ...config.exchanges
      .filter((one) => one.enabled)
      .map((one) => ({ name: one.name, hits: false, make: () => exchangeConnector(config, one.name, clock, log) })),
    ...config.siems
      .filter((one) => one.enabled)
      .map((one) => ({
        name: one.name,
        hits: readsHits(config, one),
        make: () => siemConnector(config, one.name, clock, log),
      })),
  ];
  return Promise.all(
    peers.map(async ({ name, hits, make }) => {
      try {
        const connector = await make();
        try {
          const found = await connector.probe(signal, { hits });
          // It holds what the peer calls itself.
          return { name, ...found, message: withoutHidden(found.message) };
        } finally {
          await connector.close();
        }
      } catch (error) {
        const failure = toFailure(error);
        return { name, ok: false, message: failure.message, failure };
      }
    }),
  );
}
