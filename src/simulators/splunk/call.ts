// One authenticated request, taken apart: namespace, path, form, output mode. Handlers get this and give an answer.
import type { SimRequest, SimResponse } from '../server.ts';
import { type EaiEntry, feed, type FeedOptions, message, type MessageType, single } from './render.ts';
import type { SplunkState, User } from './state.ts';

export interface Call {
  readonly state: SplunkState;
  readonly method: string;
  /** Undefined when the path has no namespace. */
  readonly owner: string | undefined;
  readonly app: string;
  /** Decoded path segments below the namespace. */
  readonly path: readonly string[];
  readonly request: SimRequest;
  /** Query and form together; the form wins. */
  readonly form: URLSearchParams;
  readonly json: boolean;
  readonly user: User;
}

/** Undefined when the handler does not know the path. */
export type Handler = (call: Call) => SimResponse | undefined;

export interface Address {
  readonly owner: string | undefined;
  readonly app: string;
  readonly path: readonly string[];
}

/** `/services/…` or `/servicesNS/{owner}/{app}/…`. Undefined for anything else, or for a path that cannot be decoded. */
export function address(path: string): Address | undefined {
  let parts: string[];
  try {
    parts = path.split('/').slice(1).map(decodeURIComponent);
  } catch {
    return undefined;
  }
  if (parts.at(-1) === '') parts.pop();
  const [root, owner, app, ...rest] = parts;
  if (root === 'services') return { owner: undefined, app: 'search', path: parts.slice(1) };
  if (root === 'servicesNS' && owner !== undefined && app !== undefined) return { owner, app, path: rest };
  return undefined;
}

export function formOf(request: SimRequest): URLSearchParams {
  const all = new URLSearchParams(request.query);
  if (!/json/.test(request.headers['content-type'] ?? '') && request.method !== 'GET') {
    const sent = new URLSearchParams(request.body.toString('utf8'));
    for (const name of new Set(sent.keys())) all.delete(name);
    for (const [name, value] of sent) all.append(name, value);
  }
  return all;
}

export function say(call: Call, status: number, type: MessageType, text: string): SimResponse {
  return message(call.json, status, type, text);
}

export function lacks(call: Call, capability: string): SimResponse {
  return say(
    call,
    403,
    'ERROR',
    `You (user=${call.user.name}) do not have permission to perform this operation (requires capability: ${capability}).`,
  );
}

export const notFound = (call: Call, name: string): SimResponse =>
  say(call, 404, 'ERROR', `Could not find object id=${name}`);

export const noTarget = (call: Call): SimResponse =>
  say(call, 400, 'ERROR', `Cannot perform action "${call.method}" without a target name to act on.`);

export function list(call: Call, title: string, entries: readonly EaiEntry[], status?: number): SimResponse {
  return feed(entries, { ...feedOptions(call, title), ...(status === undefined ? {} : { status }) });
}

export const alone = (call: Call, title: string, entry: EaiEntry): SimResponse =>
  single(entry, feedOptions(call, title));

function feedOptions(call: Call, title: string): FeedOptions {
  return {
    json: call.json,
    title,
    path: call.request.path,
    version: call.state.version,
    now: call.state.clock.now(),
    user: call.user,
    query: call.method === 'GET' ? call.request.query : new URLSearchParams(),
  };
}
