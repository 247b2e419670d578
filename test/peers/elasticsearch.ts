// A real Elasticsearch, from its Maven artifacts; see scripts/elasticsearch.sh for what it lacks.
import { QUICK_JVM, type ScriptPeer, startScript } from './script-peer.ts';

/** What runs where nothing else is asked; `.ci/run` sets the older one on machines without a newer Java. */
export const ELASTICSEARCH_VERSION = process.env['ES_VERSION'] ?? '9.5.3';
/** The last release of the major version before. */
export const ELASTICSEARCH_8 = '8.19.21';

export interface ElasticsearchOptions {
  /** Users, roles and API keys. */
  readonly security?: boolean;
  /** HTTPS, with security. */
  readonly tls?: boolean;
  readonly version?: string;
  /** To be measured: with all of its compiler, which costs a test more than it gives. */
  readonly measured?: boolean;
  /** Further server settings, e.g. `{ 'http.max_content_length': '3mb' }`. */
  readonly set?: Readonly<Record<string, string>>;
}

/** A server of its own, empty, for a test that kills, fills or configures it. */
export const startElasticsearch = (options: ElasticsearchOptions = {}): Promise<ScriptPeer> => start(options, false);

/** The server that all files of a run share; the run ends it. A file removes its indices before and after itself. */
export const sharedElasticsearch = (options: ElasticsearchOptions = {}): Promise<ScriptPeer> => start(options, true);

function start(options: ElasticsearchOptions, shared: boolean): Promise<ScriptPeer> {
  const { security = false, tls = false, version = ELASTICSEARCH_VERSION, measured = false, set = {} } = options;
  const flags = [security && '--security', tls && '--tls'].filter((one) => one !== false);
  const settings = Object.entries(set).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  return startScript({
    script: 'elasticsearch.sh',
    prefix: 'ELASTICSEARCH',
    options: [...flags, ...settings],
    env: { ES_VERSION: version, ...(measured ? {} : QUICK_JVM) },
    shared,
  });
}
