// Events planted through the back door. The fields carry
// the types the Elastic Common Schema gives them, so that a network in a query finds an address in an event.
import { parseDate } from './dates.ts';
import type { Cluster } from './cluster.ts';
import type { JsonObject } from './errors.ts';
import { randomId } from './index-store.ts';
import type { Mappings } from './mappings.ts';

export interface PlantedEvent {
  /** When it happened; becomes `@timestamp` and `event.ingested` unless the fields say otherwise. */
  readonly time: string;
  /** The product's own names, dotted or nested. */
  readonly fields: JsonObject;
  /** Where it stands; default the index for events. */
  readonly index?: string;
}

export const EVENT_INDEX = 'logs-simulated.events';
export const ALERT_INDEX = '.internal.alerts-security.alerts-default-000001';
export const ALERT_ALIAS = '.alerts-security.alerts-default';

const keyword = { type: 'keyword' };
const EVENTS: Mappings = {
  dynamic_templates: [
    { addresses: { match: 'ip', mapping: { type: 'ip' } } },
    { words: { match_mapping_type: 'string', mapping: keyword } },
  ],
  properties: { '@timestamp': { type: 'date' }, event: { properties: { ingested: { type: 'date' } } } },
};

const kibana = {
  alert: {
    properties: {
      uuid: keyword,
      original_time: { type: 'date' },
      depth: { type: 'long' },
      ancestors: { properties: { id: keyword, index: keyword, depth: { type: 'long' }, type: keyword } },
      status: keyword,
      workflow_status: keyword,
      workflow_status_updated_at: { type: 'date' },
      severity: keyword,
      risk_score: { type: 'float' },
      reason: keyword,
      rule: { properties: { uuid: keyword, rule_id: keyword, name: keyword, type: keyword, tags: keyword } },
      suppression: { properties: { docs_count: { type: 'long' }, start: { type: 'date' }, end: { type: 'date' } } },
    },
  },
  space_ids: keyword,
};

const ALERTS: Mappings = {
  dynamic: 'false',
  properties: {
    '@timestamp': { type: 'date' },
    event: { properties: { kind: keyword, ingested: { type: 'date' } } },
    kibana: { properties: kibana },
    threat: {
      properties: {
        enrichments: {
          type: 'nested',
          properties: {
            matched: { properties: { atomic: keyword, field: keyword, id: keyword, index: keyword, type: keyword } },
            indicator: { properties: { type: keyword, ip: { type: 'ip' }, provider: keyword } },
            feed: { properties: { name: keyword } },
          },
        },
      },
    },
  },
};

/** Writes the events and makes them searchable at once. Returns their places. */
export function plant(cluster: Cluster, events: readonly PlantedEvent[]): { index: string; id: string }[] {
  const places = events.map(({ time, fields, index: name = EVENT_INDEX }) => {
    const at = parseDate(time);
    if (at === undefined) throw new Error(`event time ${JSON.stringify(time)} is no date`);
    const stamp = new Date(at).toISOString();
    const document: JsonObject = { '@timestamp': stamp, ...fields };
    if (fields['event'] === undefined && fields['event.ingested'] === undefined) document['event.ingested'] = stamp;
    const index = ensure(cluster, name);
    const id = randomId(20);
    index.put(id, JSON.stringify(document), document, {});
    return { index: index.name, id };
  });
  for (const { index } of places) cluster.indices.get(index)?.refresh();
  return places;
}

function ensure(cluster: Cluster, name: string) {
  const known = cluster.resolve(name, { ignoreUnavailable: true })[0];
  if (known !== undefined) return known;
  if (name === ALERT_ALIAS || name === ALERT_INDEX)
    return cluster.create(ALERT_INDEX, {
      mappings: ALERTS,
      settings: { 'mapping.ignore_malformed': true, hidden: true },
      aliases: { [ALERT_ALIAS]: { is_write_index: true } },
    });
  return cluster.winner(name) === undefined ? cluster.create(name, { mappings: EVENTS }) : cluster.create(name, {});
}
