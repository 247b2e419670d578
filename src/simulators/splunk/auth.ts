// Who is asking: sessions by login, authentication tokens (JWT), Basic, and the cookie of the SDKs. There are two
// kinds of 401: with a challenge when nothing usable was sent, without one for a token that is unknown or expired.
import { randomBytes } from 'node:crypto';
import { randomHex, uuid } from '../../core/runtime/ids.ts';
import type { SimRequest, SimResponse } from '../server.ts';
import { type Call, type Handler, lacks, list, noTarget, notFound, say } from './call.ts';
import { json, message, xml, type EaiEntry } from './render.ts';
import { appAcl, type SplunkState, type Token, type User } from './state.ts';

export function authenticate(
  state: SplunkState,
  request: SimRequest,
  head: number,
  asJson: boolean,
): User | SimResponse {
  const header = request.headers['authorization'] ?? '';
  const [, scheme = '', credential = ''] = /^(\S+)\s+(.*)$/.exec(header) ?? [];
  if (scheme.toLowerCase() === 'basic') {
    const [, name = '', password = ''] = /^([^:]*):([\s\S]*)$/.exec(Buffer.from(credential, 'base64').toString()) ?? [];
    const user = state.users.get(name);
    return user !== undefined && user.password === password ? user : unauthorized(asJson);
  }
  const cookie = /(?:^|;\s*)splunkd_\d+=([^;]+)/.exec(request.headers['cookie'] ?? '')?.[1];
  const key = /^(splunk|bearer)$/i.test(scheme) ? credential : cookie;
  if (key === undefined) return unauthorized(asJson);
  return holder(state, key, head) ?? message(asJson, 401, 'WARN', 'call not properly authenticated');
}

function unauthorized(asJson: boolean): SimResponse {
  return message(asJson, 401, 'ERROR', 'Unauthorized', { headers: { 'www-authenticate': 'Basic realm="/splunk"' } });
}

function holder(state: SplunkState, key: string, head: number): User | undefined {
  const now = state.clock.now();
  const session = state.sessions.get(key);
  if (session !== undefined) {
    if (session.head !== head) return undefined;
    if (now - session.used > state.settings.sessionTimeoutMs) {
      state.sessions.delete(key);
      return undefined;
    }
    session.used = now;
    return state.users.get(session.user);
  }
  const token = [...state.tokens.values()].find((one) => one.text === key);
  if (token === undefined || token.status !== 'enabled') return undefined;
  if (token.expires !== 0 && token.expires * 1000 <= now) return undefined;
  return state.users.get(token.user);
}

/** `POST auth/login` is the one call that needs no credentials. */
export function login(
  state: SplunkState,
  form: URLSearchParams,
  at: { readonly port: number; readonly head: number },
  asJson: boolean,
): SimResponse {
  const name = form.get('username');
  const password = form.get('password');
  if (name === null || password === null) return message(asJson, 400, 'WARN', 'Login failed');
  const user = state.users.get(name);
  if (user === undefined || user.password !== password) {
    return message(asJson, 401, 'WARN', 'Login failed', { code: 'incorrect_username_or_password' });
  }
  const key = randomHex(48);
  state.sessions.set(key, { user: name, used: state.clock.now(), head: at.head });
  const answer = asJson
    ? json(200, { sessionKey: key, message: '', code: '' })
    : xml(200, `<response><sessionKey>${key}</sessionKey></response>`);
  const cookie =
    form.get('cookie') === '1' ? { 'set-cookie': `splunkd_${at.port}=${key}; Path=/; Secure; HttpOnly` } : {};
  return { ...answer, headers: { ...answer.headers, ...cookie } };
}

/** Makes a token whose claims can be read by whoever holds it, as with the real ones. */
export function issueToken(state: SplunkState, user: string, audience: string, expires: number): Token {
  const id = randomHex(32);
  const iat = Math.floor(state.clock.now() / 1000);
  const claims = {
    iss: `admin from simulated-splunk`,
    sub: user,
    aud: audience,
    idp: 'Splunk',
    jti: id,
    iat,
    exp: expires,
    nbr: iat,
  };
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = { kid: 'splunk.secret', alg: 'HS512', ver: 'v2', ttyp: 'static' };
  const text = `${part(head)}.${part(claims)}.${randomBytes(64).toString('base64url')}`;
  const token: Token = { id, text, user, expires, claims, status: 'enabled' };
  state.tokens.set(id, token);
  return token;
}

export const authRoutes: Handler = (call) => {
  const [room, thing, name] = call.path;
  if (room === 'authentication' && thing === 'current-context') return currentContext(call);
  if (room !== 'authorization' || thing !== 'tokens') return undefined;
  if (!call.user.capabilities.includes('edit_tokens_all')) return lacks(call, 'edit_tokens_all');
  if (call.method === 'GET') return list(call, 'tokens', [...call.state.tokens.values()].map(tokenEntry));
  if (call.method === 'POST' && name === undefined) {
    const user = call.form.get('name');
    if (user === null) return noTarget(call);
    if (!call.state.users.has(user)) return notFound(call, user);
    const made = issueToken(call.state, user, call.form.get('audience') ?? '', expiry(call));
    const entry = tokenEntry(made);
    return list(call, 'tokens', [{ ...entry, content: { id: made.id, token: made.text } }], 201);
  }
  const token = call.state.tokens.get(call.form.get('id') ?? '');
  if (name === undefined) return noTarget(call);
  if (token === undefined || token.user !== name) return notFound(call, call.form.get('id') ?? name);
  if (call.method === 'DELETE') {
    call.state.tokens.delete(token.id);
    return list(call, 'tokens', []);
  }
  token.status = call.form.get('status') === 'disabled' ? 'disabled' : 'enabled';
  return say(call, 200, 'INFO', `Token(s) updated to status: ${token.status}.`);
};

/** `+90d`, an epoch second, or the default life of 30 days. */
function expiry(call: Call): number {
  const text = call.form.get('expires_on') ?? '+30d';
  const now = Math.floor(call.state.clock.now() / 1000);
  const [, amount, unit] = /^\+(\d+)([smhd])$/.exec(text) ?? [];
  if (amount === undefined) return Number(text);
  return now + Number(amount) * { s: 1, m: 60, h: 3600, d: 86_400 }[(unit ?? 'd') as 's' | 'm' | 'h' | 'd'];
}

function tokenEntry(token: Token): EaiEntry {
  return {
    name: token.id,
    path: `/services/authorization/tokens/${token.user}`,
    acl: appAcl('system'),
    content: {
      claims: token.claims,
      headers: { alg: 'HS512', kid: 'splunk.secret', ttyp: 'static', ver: 'v2' },
      lastUsed: 0,
      status: token.status,
    },
  };
}

function currentContext(call: Call): SimResponse {
  return list(call, 'current-context', [
    {
      name: 'context',
      path: '/services/authentication/current-context/context',
      acl: appAcl('system'),
      content: {
        username: call.user.name,
        realname: call.user.name,
        roles: call.user.roles,
        capabilities: call.user.capabilities,
        defaultApp: 'launcher',
      },
    },
  ]);
}

export const newUser = (name: string, password: string, role: 'admin' | 'power' | 'user'): User => ({
  name,
  password,
  roles: role === 'admin' ? ['admin', 'power', 'user'] : role === 'power' ? ['power', 'user'] : ['user'],
  capabilities:
    role === 'user'
      ? ['search', 'rest_properties_get']
      : [
          'search',
          'rest_properties_get',
          'rest_properties_set',
          'edit_threat_intel_collections',
          'edit_notable_events',
          ...(role === 'admin' ? ['edit_tokens_all', 'edit_local_apps', 'list_settings'] : []),
        ],
});

export const userSecret = (): string => `pw-${uuid().slice(0, 18)}`;
