// What runtime/http needs to know of one peer, from its settings, the global proxy and the environment.
import type { HttpPeer } from '../runtime/http.ts';
import { isLoopbackHost } from './listen.ts';
import type { Config, ExchangeConfig, SiemConfig } from './load.ts';

export function httpPeer(config: Config, kind: 'exchange' | 'SIEM', peer: ExchangeConfig | SiemConfig): HttpPeer {
  return {
    label: `${kind} ${peer.name}`,
    timeoutMs: peer.peer.timeout_secs * 1000,
    allowHttp: peer.peer.allow_http,
    proxyEnv: proxyOf(config, peer),
    tls: peer.peer.tls,
  };
}

/** The peer's own word comes first. A peer on loopback is only reached through a proxy that it names itself. */
function proxyOf(config: Config, peer: ExchangeConfig | SiemConfig): HttpPeer['proxyEnv'] {
  const own = peer.peer.proxy;
  if (own !== undefined) return own === 'none' ? undefined : { HTTP_PROXY: own, HTTPS_PROXY: own };
  if (peer.urls.length > 0 && peer.urls.every((url) => isLoopbackHost(URL.parse(url)?.hostname ?? '')))
    return undefined;
  if (config.proxy === 'none') return undefined;
  if (config.proxy !== undefined) {
    const { NO_PROXY } = config.proxyEnv;
    return { HTTP_PROXY: config.proxy, HTTPS_PROXY: config.proxy, ...(NO_PROXY === undefined ? {} : { NO_PROXY }) };
  }
  return Object.keys(config.proxyEnv).length === 0 ? undefined : config.proxyEnv;
}
