// A real Elasticsearch, from its Maven artifacts; see scripts/elasticsearch.sh for what it lacks.
import { freePort, type ScriptPeer, startScript } from './script-peer.ts';

export interface ElasticsearchOptions {
  /** Users, roles and API keys. */
  readonly security?: boolean;
  /** HTTPS, with security. */
  readonly tls?: boolean;
  /** Drop data that an earlier run left. Default true. */
  readonly fresh?: boolean;
  /** Further server settings, e.g. `{ 'http.max_content_length': '3mb' }`. */
  readonly set?: Readonly<Record<string, string>>;
}

export async function startElasticsearch(options: ElasticsearchOptions = {}): Promise<ScriptPeer> {
  const { security = false, tls = false, fresh = true, set = {} } = options;
  const flags = [security && '--security', tls && '--tls', fresh && '--fresh'].filter((one) => one !== false);
  const settings = Object.entries(set).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  return startScript('elasticsearch.sh', 'ELASTICSEARCH', await freePort(9240), [...flags, ...settings]);
}
