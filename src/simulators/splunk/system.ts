// The small endpoints around the KV store: who and what this server is, whether its KV store is ready, its limits,
// and the apps.
import type { SimResponse } from '../server.ts';
import { type Call, type Handler, lacks, list, noTarget, notFound, say } from './call.ts';
import { type EaiEntry, xml } from './render.ts';
import { appAcl, mayWrite } from './state.ts';

export const kvReady = (call: Call): boolean => call.state.clock.now() >= call.state.settings.kvReadyAt;

export const systemRoutes: Handler = (call) => {
  const path = call.path.join('/');
  if (path === '' && call.method === 'GET') return xml(200, '<feed xmlns="http://www.w3.org/2005/Atom"/>');
  if (path === 'messages') return list(call, 'messages', []);
  if (path === 'server/info') return list(call, 'server-info', [serverInfo(call)]);
  if (path === 'kvstore/status') return list(call, 'kvstore-status', [kvStatus(call)]);
  if (call.path[0] === 'configs' && call.path[1] === 'conf-limits') return limits(call);
  if (call.path[0] === 'apps' && call.path[1] === 'local') return apps(call);
  return undefined;
};

function one(name: string, path: string, content: EaiEntry['content']): EaiEntry {
  return { name, path, acl: appAcl('system'), content };
}

function serverInfo(call: Call): EaiEntry {
  return one('server-info', '/services/server/info/server-info', {
    build: 'f8bb53ab2e0c',
    version: call.state.version,
    serverName: 'simulated-splunk',
    guid: '11111111-2222-4333-8444-555555555555',
    instance_type: 'standalone',
    product_type: 'enterprise',
    isFree: false,
    isTrial: false,
    kvStoreStatus: kvReady(call) ? 'ready' : 'starting',
    os_name: 'Linux',
    server_roles: ['indexer', 'license_manager', 'kv_store'],
  });
}

function kvStatus(call: Call): EaiEntry {
  return one('status', '/services/kvstore/status/status', {
    current: {
      status: kvReady(call) ? 'ready' : 'starting',
      replicationStatus: kvReady(call) ? 'KV store captain' : 'Startup',
      port: 8191,
      standalone: true,
      storageEngine: 'wiredTiger',
      backupRestoreStatus: 'Ready',
    },
  });
}

function limits(call: Call): SimResponse {
  const { settings } = call.state;
  if (call.path[2] !== 'kvstore') return notFound(call, call.path[2] ?? '');
  return list(call, 'conf-limits', [
    one('kvstore', '/servicesNS/nobody/system/configs/conf-limits/kvstore', {
      max_documents_per_batch_save: String(settings.max_documents_per_batch_save),
      max_size_per_batch_save_mb: String(settings.max_size_per_batch_save_mb),
      max_rows_per_query: String(settings.max_rows_per_query),
      max_size_per_result_mb: String(settings.max_size_per_result_mb),
      max_queries_per_batch: String(settings.max_queries_per_batch),
      max_accelerations_per_collection: '10',
      max_fields_per_acceleration: '10',
    }),
  ]);
}

function apps(call: Call): SimResponse {
  const name = call.path[2];
  const entry = (app: string): EaiEntry => ({
    name: app,
    path: `/servicesNS/nobody/system/apps/local/${encodeURIComponent(app)}`,
    acl: call.state.apps.get(app) ?? appAcl(app),
    content: { disabled: false, visible: true, label: app, configured: true },
  });
  if (name !== undefined) {
    const acl = call.state.apps.get(name);
    if (acl === undefined) return notFound(call, name);
    if (call.method === 'DELETE') {
      if (!mayWrite(acl, call.user)) return lacks(call, 'edit_local_apps');
      call.state.apps.delete(name);
    }
    return list(call, 'localapps', call.method === 'DELETE' ? [] : [entry(name)]);
  }
  if (call.method === 'GET') return list(call, 'localapps', [...call.state.apps.keys()].map(entry));
  const wanted = call.form.get('name');
  if (call.method !== 'POST' || wanted === null) return noTarget(call);
  if (!call.user.capabilities.includes('edit_local_apps')) return lacks(call, 'edit_local_apps');
  if (call.state.apps.has(wanted)) return say(call, 409, 'ERROR', `Application already exists: ${wanted}`);
  call.state.apps.set(wanted, appAcl(wanted));
  return list(call, 'localapps', [entry(wanted)], 201);
}
