// What a person configures for one Elasticsearch or OpenSearch, and the names that follow from it.
import { z } from 'zod';
import { peerShape, peerUrl, secret } from '../../../core/contracts/settings.ts';
import { OBSERVABLE_TYPES } from '../../../core/model/observable.ts';

/** Elasticsearch's rules for names, and one of ours: a second dash after `logs-` would make it a data stream. */
const indexNameRule = z
  .string()
  .min(1)
  .max(255)
  .regex(
    /^[^-_+.A-Z\\/*?"<>| ,#:][^A-Z\\/*?"<>| ,#:]*$/,
    'an index name: lower case, no wildcard, not starting with - _ + .',
  )
  .refine((name) => !/^logs-.*-/.test(name), 'a name with one dash only: logs-*-* is taken by data streams');

export const ElasticConfig = z
  .strictObject({
    type: z.literal('elastic'),
    url: z
      .union([peerUrl(), z.array(peerUrl()).min(1)])
      .optional()
      .describe('URL of the cluster, or a list of nodes. Leave out with cloud_id.'),
    cloud_id: z
      .string()
      .refine((id) => cloudUrl(id) !== undefined, 'a cloud id: name, colon, base64 text')
      .optional()
      .describe('Cloud id, instead of url.'),
    auth: z
      .union([
        z.strictObject({ api_key: secret() }),
        z.strictObject({ username: z.string().min(1), password: secret() }),
        z.strictObject({ token: secret() }),
      ])
      .optional()
      .describe('An API key (encoded form), a user with password, or a bearer token.'),
    index: indexNameRule
      .optional()
      .describe(
        'Index for the indicators. Default: logs-ti_entente_<instance>.indicator, with - in the instance as _.',
      ),
    product: z
      .enum(['elasticsearch', 'opensearch'])
      .default('elasticsearch')
      .describe('Which of the two products stands there.'),
    alert_spaces: z.array(z.string().min(1)).default(['default']).describe('Kibana spaces whose alerts are read.'),
    event_search: z
      .strictObject({
        indices: z
          .array(z.string().regex(/^[^\s,/\\?"<>|#]+$/, 'an index name or pattern'))
          .min(1)
          .describe('Indices or patterns that hold events.'),
        fields: z
          .partialRecord(z.enum(OBSERVABLE_TYPES), z.array(z.string().min(1)).min(1))
          .describe('Event fields to compare, per observable type.'),
        time_field: z.string().min(1).default('event.ingested').describe('When an event was indexed.'),
      })
      .optional()
      .describe('Searches events for entries, where no rule of Kibana does. Left out: only alerts are read.'),
    ignore_hosts: z
      .array(z.string().min(1))
      .default([])
      .describe('Names and addresses of own scanners and test hosts: what they cause is not reported.'),
    ...peerShape,
  })
  .refine((config) => (config.url === undefined) !== (config.cloud_id === undefined), {
    message: 'either url or cloud_id',
    path: ['url'],
  });

export type ElasticConfig = z.output<typeof ElasticConfig>;

/** Keys that core adds for every SIEM and that this connector reads. */
export type ElasticSettings = ElasticConfig & { readonly provision?: 'auto' | 'never' };

export function nodeUrls(config: Pick<ElasticConfig, 'url' | 'cloud_id'>): readonly string[] {
  if (config.cloud_id !== undefined) return [cloudUrl(config.cloud_id) ?? ''];
  return typeof config.url === 'string' ? [config.url] : (config.url ?? []);
}

/** A cloud id is `name:base64("<host>$<elasticsearch>$<kibana>")`. */
function cloudUrl(id: string): string | undefined {
  const [host, node] = Buffer.from(id.slice(id.indexOf(':') + 1), 'base64')
    .toString('utf8')
    .split('$');
  return URL.parse(`https://${node ?? ''}.${host ?? ''}`) !== null && node && host
    ? `https://${node}.${host}`
    : undefined;
}
