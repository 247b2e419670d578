// storage/collections/config: collections are configured with forms and shown as Atom or JSON, like any entity.
import type { SimResponse } from '../server.ts';
import { type Call, type Handler, lacks, list, noTarget, notFound, say } from './call.ts';
import type { EaiEntry } from './render.ts';
import { type Acl, type Collection, mayWrite } from './state.ts';

const DEFAULTS = {
  enforceTypes: 'false',
  replicate: 'false',
  profilingEnabled: 'false',
  profilingThresholdMs: '1000',
  replication_dump_strategy: 'auto',
  replication_dump_maximum_file_size: '10240',
} as const;

const SETTABLE = /^(field\.|accelerated_fields\.)|^(enforceTypes|replicate|profilingEnabled|profilingThresholdMs)$/;

export const kvConfigRoutes: Handler = (call) => {
  const [a, b, c, name, action] = call.path;
  if (a !== 'storage' || b !== 'collections' || c !== 'config') return undefined;
  if (call.owner !== undefined && call.owner !== 'nobody' && call.owner !== '-') {
    return say(call, 400, 'ERROR', `Collections belong to the owner nobody, not to ${call.owner}.`);
  }
  if (name === undefined) {
    if (call.method === 'GET') return list(call, 'collections', visible(call).map(entry));
    return call.method === 'POST' ? create(call) : noTarget(call);
  }
  const collection = call.state.collection(call.app, name);
  if (collection === undefined) return notFound(call, name);
  if (call.method !== 'GET' && !mayWrite(collection.acl, call.user)) return lacks(call, 'write on the collection');
  if (action === 'acl') return changeAcl(call, collection.acl, 'collections', () => entry(collection));
  if (call.method === 'DELETE') {
    call.state.collections.delete(`${collection.app}/${collection.name}`);
    return list(call, 'collections', []);
  }
  if (call.method === 'POST') apply(call.form, collection.settings);
  return list(call, 'collections', [entry(collection)]);
};

function create(call: Call): SimResponse {
  const name = call.form.get('name');
  const app = call.state.apps.get(call.app);
  if (name === null || name === '') return noTarget(call);
  if (app === undefined) return say(call, 404, 'ERROR', `Application does not exist: ${call.app}`);
  if (!mayWrite(app, call.user)) return lacks(call, 'write on the app');
  if (call.state.collections.has(`${call.app}/${name}`)) {
    return say(call, 409, 'ERROR', `An object with name=${name} already exists`);
  }
  const made = call.state.addCollection(call.app, name);
  apply(call.form, made.settings);
  return list(call, 'collections', [entry(made)], 201);
}

/** Sharing and permissions of an entity: both have to be told with the owner. */
export function changeAcl(call: Call, acl: Acl, title: string, show: () => EaiEntry): SimResponse {
  if (call.method === 'POST') {
    const owner = call.form.get('owner');
    const sharing = call.form.get('sharing');
    if (owner === null || (sharing !== 'user' && sharing !== 'app' && sharing !== 'global')) {
      return say(call, 400, 'ERROR', 'Owner and sharing (user, app or global) must be specified.');
    }
    acl.owner = owner;
    acl.sharing = sharing;
    const roles = (name: string): string[] | undefined => call.form.get(name)?.split(',').filter(Boolean);
    acl.read = roles('perms.read') ?? acl.read;
    acl.write = roles('perms.write') ?? acl.write;
  }
  return list(call, title, [show()]);
}

function visible(call: Call): Collection[] {
  return [...call.state.collections.values()].filter(
    (one) => call.app === '-' || one.app === call.app || one.app === 'system',
  );
}

function apply(form: URLSearchParams, settings: Map<string, string>): void {
  for (const [name, value] of form) {
    if (!SETTABLE.test(name)) continue;
    // The name of an acceleration comes back in lower case.
    settings.set(name.startsWith('accelerated_fields.') ? name.toLowerCase() : name, value);
  }
}

function entry(collection: Collection): EaiEntry {
  return {
    name: collection.name,
    path: `/servicesNS/nobody/${encodeURIComponent(collection.app)}/storage/collections/config/${encodeURIComponent(collection.name)}`,
    acl: collection.acl,
    content: {
      disabled: false,
      'eai:appName': collection.app,
      'eai:userName': 'nobody',
      ...DEFAULTS,
      type: 'undefined',
      ...Object.fromEntries(collection.settings),
    },
  };
}
