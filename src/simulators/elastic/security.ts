// Users, API keys and what they may do, with the product's 401 and 403 bodies.
import { randomHex } from '../../core/runtime/ids.ts';
import { ElasticError, type JsonObject } from './errors.ts';
import { randomId } from './index-store.ts';
import { glob } from './mappings.ts';

export interface Role {
  readonly cluster?: readonly string[];
  readonly indices?: readonly { readonly names: readonly string[]; readonly privileges: readonly string[] }[];
}

export interface Caller {
  readonly kind: 'user' | 'key';
  readonly name: string;
  readonly keyId?: string;
  readonly keyName?: string;
  readonly roles: readonly Role[];
}

const ALL: readonly Role[] = [{ cluster: ['all'], indices: [{ names: ['*'], privileges: ['all'] }] }];

/** Which privileges include which. */
const INCLUDES: Readonly<Record<string, readonly string[]>> = {
  write: ['index', 'create', 'create_doc', 'delete'],
  index: ['create', 'create_doc'],
  create: ['create_doc'],
  manage: [
    'create_index',
    'delete_index',
    'view_index_metadata',
    'monitor',
    'maintenance',
    'auto_configure',
    'manage_index_templates',
    'manage_pipeline',
  ],
  auto_configure: ['create_index'],
  manage_security: ['manage_api_key', 'manage_own_api_key'],
};

const GRANTED_BY: Readonly<Record<string, readonly [action: string, by: string]>> = {
  read: ['indices:data/read/search', 'read,all'],
  index: ['indices:data/write/index', 'create_doc,create,index,write,all'],
  create_doc: ['indices:data/write/index', 'create_doc,create,index,write,all'],
  delete: ['indices:data/write/delete', 'delete,write,all'],
  create_index: ['indices:admin/create', 'create_index,manage,all'],
  delete_index: ['indices:admin/delete', 'delete_index,manage,all'],
  view_index_metadata: ['indices:admin/get', 'view_index_metadata,manage,all'],
  maintenance: ['indices:admin/refresh', 'maintenance,manage,all'],
  manage: ['indices:admin/mapping/put', 'manage,all'],
  monitor: ['cluster:monitor/main', 'monitor,manage,all'],
  manage_index_templates: ['indices:admin/index_template/put', 'manage_index_templates,manage,all'],
  manage_security: ['cluster:admin/xpack/security/api_key/create', 'manage_api_key,manage_security,all'],
};

export class Security {
  readonly username: string;
  readonly password: string;
  readonly apiKey: string;
  private readonly keys = new Map<string, { secret: string; name: string; roles: readonly Role[] }>();
  private readonly bearer: string | undefined;

  constructor(username: string, password: string, bearer: string | undefined) {
    this.username = username;
    this.password = password;
    this.bearer = bearer;
    this.apiKey = this.createKey('everything', ALL).encoded;
  }

  createKey(name: string, roles: readonly Role[]) {
    const id = randomId(20);
    const secret = randomHex(11);
    this.keys.set(id, { secret, name, roles: roles.length === 0 ? ALL : roles });
    return { id, name, api_key: secret, encoded: Buffer.from(`${id}:${secret}`).toString('base64') };
  }

  invalidate(ids: readonly string[]): string[] {
    return ids.filter((id) => this.keys.delete(id));
  }

  authenticate(header: string | undefined, path: string): Caller {
    const [, scheme = '', given = ''] = /^(\S+)\s+(.*)$/.exec(header ?? '') ?? [];
    const text = Buffer.from(given, 'base64').toString('utf8');
    switch (scheme.toLowerCase()) {
      case 'basic':
        if (text === `${this.username}:${this.password}`) return { kind: 'user', name: this.username, roles: ALL };
        throw unauthorized(`unable to authenticate user [${text.split(':')[0]}] for REST request [${path}]`);
      case 'apikey': {
        const [id = '', secret = ''] = text.split(':');
        const key = this.keys.get(id);
        if (key === undefined) throw refused(`API key: unable to find apikey with id ${id}`);
        if (key.secret !== secret) throw refused(`API key: invalid credentials for API key [${id}]`);
        return { kind: 'key', name: this.username, keyId: id, keyName: key.name, roles: key.roles };
      }
      case 'bearer':
        if (this.bearer !== undefined && given === this.bearer)
          return { kind: 'user', name: this.username, roles: ALL };
        throw refused('oauth2 token: invalid token');
      default:
        throw unauthorized(`missing authentication credentials for REST request [${path}]`);
    }
  }
}

function mayCluster(caller: Caller, privilege: string): boolean {
  return caller.roles.some((role) => (role.cluster ?? []).some((held) => covers(held, privilege)));
}

export function mayIndex(caller: Caller, index: string, privilege: string): boolean {
  return caller.roles.some((role) =>
    (role.indices ?? []).some(
      (grant) =>
        grant.names.some((name) => name === index || glob(name).test(index)) &&
        grant.privileges.some((held) => covers(held, privilege)),
    ),
  );
}

export function demandCluster(caller: Caller, privilege: string): void {
  if (!mayCluster(caller, privilege)) throw forbidden(caller, privilege, undefined, 'cluster');
}

export function demandIndex(caller: Caller, index: string, privilege: string): void {
  if (!mayIndex(caller, index, privilege)) throw forbidden(caller, privilege, index, 'index');
}

export function forbidden(caller: Caller, privilege: string, index: string | undefined, level: string): ElasticError {
  const [action, by] = GRANTED_BY[privilege] ?? [privilege, `${privilege},all`];
  const who = caller.kind === 'key' ? `API key id [${caller.keyId}] of user [${caller.name}]` : `user [${caller.name}]`;
  const where = index === undefined ? '' : ` on indices [${index}]`;
  const reason = `action [${action}] is unauthorized for ${who}${where}, this action is granted by the ${level} privileges [${by}]`;
  return new ElasticError(403, 'security_exception', reason);
}

export function whoAmI(caller: Caller): JsonObject {
  const realm = caller.kind === 'key' ? '_es_api_key' : 'reserved';
  return {
    username: caller.name,
    roles: caller.kind === 'key' ? [] : ['superuser'],
    full_name: null,
    email: null,
    metadata: { _reserved: true },
    enabled: true,
    authentication_realm: { name: realm, type: realm },
    lookup_realm: { name: realm, type: realm },
    authentication_type: caller.kind === 'key' ? 'api_key' : 'realm',
    ...(caller.kind === 'key'
      ? { api_key: { managed_by: 'elasticsearch', name: caller.keyName, id: caller.keyId } }
      : {}),
  };
}

export function hasPrivileges(caller: Caller, body: JsonObject): JsonObject {
  // The body of this request is a list of names; anything else answers false for every name.
  const clusterAsked = (body['cluster'] ?? []) as string[];
  const indexAsked = (body['index'] ?? []) as { names: string[]; privileges: string[] }[];
  const cluster: Record<string, boolean> = {};
  for (const privilege of clusterAsked) cluster[privilege] = mayCluster(caller, privilege);
  const index: Record<string, Record<string, boolean>> = {};
  for (const { names, privileges } of indexAsked)
    for (const name of [names].flat()) {
      index[name] ??= {};
      for (const privilege of privileges) index[name][privilege] = mayIndex(caller, name, privilege);
    }
  const verdicts = [...Object.values(cluster), ...Object.values(index).flatMap((one) => Object.values(one))];
  return { username: caller.name, has_all_requested: verdicts.every(Boolean), cluster, index, application: {} };
}

function covers(held: string, wanted: string): boolean {
  return held === wanted || held === 'all' || (INCLUDES[held] ?? []).some((below) => covers(below, wanted));
}

function unauthorized(reason: string, details: JsonObject = {}): ElasticError {
  const challenges = ['Basic realm="security", charset="UTF-8"', 'ApiKey'];
  return new ElasticError(401, 'security_exception', reason, {
    ...details,
    header: { 'WWW-Authenticate': challenges },
  });
}

function refused(why: string): ElasticError {
  const reason =
    'unable to authenticate with provided credentials and anonymous access is not allowed for this request';
  return unauthorized(reason, { additional_unsuccessful_credentials: why });
}
