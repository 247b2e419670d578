// Mapping and settings of the indicator index, and the templates that give it to an index that a bulk request
// makes anew after somebody deleted it. The same body is shipped in content/elastic for those who provision by hand.

/** Greater than that of the built-in logs-*-* template (100), which would make a data stream. */
const PRIORITY = 500;
/** Counted up when the mapping changes; templates of an older version are replaced. */
export const TEMPLATE_VERSION = 2;

export const CONTROL_INDEX = 'entente-control';

const keyword = { type: 'keyword' };
const date = { type: 'date' };
/** ECS limits free texts like this; longer ones stay in the source. */
const short = { type: 'keyword', ignore_above: 1024 };
const wildcardText = { type: 'wildcard', fields: { text: { type: 'match_only_text' } } };

/**
 * One shard: at most a few million small documents. Deletes are remembered longer than any request may take. Nobody
 * searches here for most of the time, and then nothing is made searchable every second: the next search waits for it.
 */
export const INDEX_SETTINGS = {
  index: { number_of_shards: 1, auto_expand_replicas: '0-1', gc_deletes: '1h', search: { idle: { after: '1s' } } },
};

export function indexMappings(owner: string): Record<string, unknown> {
  const object = (properties: Record<string, unknown>) => ({ properties });
  return {
    dynamic: false,
    _meta: { entente: { owner, version: TEMPLATE_VERSION } },
    properties: {
      '@timestamp': date,
      event: object({
        kind: keyword,
        category: keyword,
        type: keyword,
        module: keyword,
        dataset: keyword,
      }),
      tags: short,
      related: object({ ip: { type: 'ip' }, hosts: short, hash: keyword }),
      threat: object({
        feed: object({ name: keyword }),
        indicator: object({
          id: keyword,
          type: keyword,
          name: { type: 'keyword', ignore_above: 8191 },
          description: short,
          provider: short,
          confidence: keyword,
          first_seen: date,
          modified_at: date,
          marking: object({ tlp: keyword }),
          ip: { type: 'ip' },
          email: object({ address: keyword }),
          url: object({
            full: wildcardText,
            original: wildcardText,
            domain: keyword,
            scheme: keyword,
            port: { type: 'long' },
            path: { type: 'wildcard' },
            query: short,
            fragment: short,
          }),
          file: object({ hash: object({ md5: keyword, sha1: keyword, sha256: keyword, sha512: keyword }) }),
        }),
      }),
      entente: object({
        owner: keyword,
        // Only read back, never searched: no limit on its length then.
        key: { type: 'keyword', index: false, doc_values: false },
        writer: keyword,
        revision: { type: 'long' },
        until: date,
        confidence: { type: 'short' },
        pap: keyword,
        names: short,
        types: short,
        threats: short,
        network: { type: 'ip_range' },
      }),
    },
  };
}

/** Names carry the index name, so that two instances on one cluster never replace each other's templates. */
export function templateName(index: string): string {
  return `entente-${index}`;
}

export function componentTemplate(owner: string) {
  return {
    version: TEMPLATE_VERSION,
    _meta: { owner },
    template: { settings: INDEX_SETTINGS, mappings: indexMappings(owner) },
  };
}

export function indexTemplate(index: string, owner: string) {
  return {
    version: TEMPLATE_VERSION,
    index_patterns: [index],
    priority: PRIORITY,
    composed_of: [templateName(index)],
    _meta: { owner },
  };
}

export const CONTROL_MAPPINGS = {
  dynamic: false,
  properties: { owner: keyword, writer: keyword, boot: keyword, revision: { type: 'long' }, at: date },
};
