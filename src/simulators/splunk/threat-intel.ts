// Enterprise Security's threat collections and the item endpoint over them. The collections are ordinary KV store
// collections of DA-ESS-ThreatIntelligence; ES 8.3 keeps rows for 60 days only, which `prune` plays.
import type { SimResponse } from '../server.ts';
import { type Call, type Handler, lacks } from './call.ts';
import { isObject, matches } from './kv-query.ts';
import { documentsOf } from './kv-data.ts';
import { json } from './render.ts';
import { appAcl, type Document, newKey, type SplunkState } from './state.ts';

export const ES_APP = 'DA-ESS-ThreatIntelligence';
const KEEP_SECS = 60 * 86_400;

/** Collection and the fields of which an item needs at least one. */
const COLLECTIONS: Readonly<Record<string, readonly string[]>> = {
  ip_intel: ['ip', 'domain'],
  file_intel: ['file_name', 'file_hash'],
  http_intel: ['url', 'http_referrer', 'http_user_agent', 'ip', 'domain'],
  email_intel: ['src_user', 'subject', 'embedded_domain'],
  process_intel: ['process', 'process_file_name'],
  registry_intel: ['registry_path', 'registry_value_name', 'registry_value_text'],
  service_intel: ['service', 'service_file_hash', 'service_dll_file_hash'],
  user_intel: ['user'],
  certificate_intel: ['certificate_issuer', 'certificate_subject', 'certificate_serial'],
};

export function installEnterpriseSecurity(state: SplunkState): void {
  state.indexes.add('threat_activity');
  for (const app of [ES_APP, 'SA-ThreatIntelligence', 'SplunkEnterpriseSecuritySuite'])
    state.apps.set(app, appAcl(app));
  for (const [name, fields] of Object.entries(COLLECTIONS)) {
    const made = state.addCollection(ES_APP, name, [
      ...fields.map((field) => [`field.${field}`, 'string'] as const),
      ['field.threat_key', 'string'],
      ['field.time', 'time'],
      ['field.weight', 'number'],
      ['field.description', 'string'],
      ['field.disabled', 'bool'],
    ]);
    made.acl.sharing = 'global';
    const settings = new Map([
      ['external_type', 'kvstore'],
      ['collection', name],
      ['fields_list', ['_key', ...fields, 'threat_key', 'time', 'weight', 'description', 'disabled'].join(',')],
      ['case_sensitive_match', 'false'],
    ]);
    state.lookups.set(`${ES_APP}/${name}`, {
      app: ES_APP,
      name,
      settings,
      acl: { ...appAcl(ES_APP), sharing: 'global' },
    });
  }
}

/** Drops rows older than 60 days. Returns how many went. */
export function prune(state: SplunkState): number {
  const oldest = state.clock.now() / 1000 - KEEP_SECS;
  let gone = 0;
  for (const name of Object.keys(COLLECTIONS)) {
    const rows = documentsOf(state.collections.get(`${ES_APP}/${name}`)!, 'nobody');
    for (const [key, row] of rows) if (Number(row['time'] ?? 0) < oldest && rows.delete(key)) gone += 1;
  }
  return gone;
}

export const threatIntelRoutes: Handler = (call) => {
  const [a, b, c, name, key] = call.path;
  if (a !== 'data' || b !== 'threat_intel' || c !== 'item' || !call.state.enterpriseSecurity) return undefined;
  const needed = COLLECTIONS[name ?? ''];
  const collection = call.state.collections.get(`${ES_APP}/${name}`);
  if (needed === undefined || collection === undefined) return said(404, `Unknown collection ${name}.`, false);
  if (!call.user.capabilities.includes('edit_threat_intel_collections')) {
    return lacks(call, 'edit_threat_intel_collections');
  }
  const rows = documentsOf(collection, 'nobody');
  const items = parseItems(call);
  if (items === undefined) return said(400, 'item is not a JSON object or a list of them.', false);
  switch (call.method) {
    case 'GET': {
      const found =
        key === undefined
          ? [...rows.values()].filter((row) => items.every((one) => matches(row, one, false)))
          : [rows.get(key)].filter((row) => row !== undefined);
      return found.length > 0 ? said(200, found, true) : said(400, 'No matching entries found in kvstore.', false);
    }
    case 'POST':
    case 'PUT': {
      for (const item of items) {
        const known = typeof item['_key'] === 'string' && rows.has(item['_key']);
        if (!known && !needed.some((field) => typeof item[field] === 'string' && item[field] !== '')) {
          return said(400, `Item needs at least one of: ${needed.join(', ')}.`, false);
        }
      }
      for (const item of items) save(call, rows, item);
      return call.method === 'POST'
        ? said(201, 'Create operation successful.', true)
        : said(200, 'Update operation successful.', true);
    }
    case 'DELETE': {
      const keys = key === undefined ? items.map((item) => String(item['_key'])) : [key];
      for (const one of keys) rows.delete(one);
      return said(200, 'Delete operation successful.', true);
    }
    default:
      return said(405, `Method ${call.method} is not allowed.`, false);
  }
};

function save(call: Call, rows: Map<string, Document>, item: Document): void {
  const key = typeof item['_key'] === 'string' ? item['_key'] : newKey();
  rows.set(key, {
    time: call.state.clock.now() / 1000,
    ...rows.get(key),
    ...item,
    _key: key,
    _user: 'nobody',
  });
}

function parseItems(call: Call): Document[] | undefined {
  const text = call.form.get('item');
  if (text === null) return [];
  try {
    const given: unknown = JSON.parse(text);
    const all: unknown[] = Array.isArray(given) ? given : [given];
    return all.every(isObject) ? all : undefined;
  } catch {
    return undefined;
  }
}

const said = (status: number, message: unknown, ok: boolean): SimResponse => json(status, { message, status: ok });
