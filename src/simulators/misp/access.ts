// Who asks, what his key lets him do, and what a guard proxy in front of the server lets through.
import type { SimRequest } from '../server.ts';
import { HOST, type SimOrg } from './state.ts';

export interface SimKey {
  readonly key: string;
  readonly org?: SimOrg;
  /** A read-only key has no permission but to authenticate and to read. */
  readonly readOnly?: boolean;
  readonly sync?: boolean;
  readonly sighting?: boolean;
}

export interface Permissions {
  readonly org: SimOrg;
  readonly sync: boolean;
  readonly sighting: boolean;
  readonly write: boolean;
}

/** The key stands bare in Authorization, in a comma-separated list, or in X-MISP-AUTH. */
export function permissionsOf({ headers }: SimRequest, keys: readonly SimKey[]): Permissions | undefined {
  const offered = [...(headers['authorization'] ?? '').split(','), headers['x-misp-auth'] ?? ''].map((one) =>
    one.trim(),
  );
  const known = keys.find((one) => offered.includes(one.key));
  if (known === undefined) return undefined;
  const write = known.readOnly !== true;
  return {
    org: known.org ?? HOST,
    sync: write && known.sync === true,
    sighting: write && known.sighting !== false,
    write,
  };
}

const UUID = '[0-9a-fA-F-]{36}';

/** MISP/misp-guard: only what synchronisation between servers uses. */
export function passesGuard({ method, path, body }: SimRequest): boolean {
  if (method === 'GET' && /^\/servers\/getVersion(\.json)?$/.test(path)) return true;
  if (method === 'GET' && /^\/users\/view\/me\.json$/.test(path)) return true;
  if ((method === 'GET' || method === 'HEAD') && new RegExp(`^/events/view/${UUID}(/.*)?$`).test(path)) return true;
  if (method === 'POST' && path === '/sightings/restSearch/event') return true;
  if (method === 'POST' && new RegExp(`^/sightings/bulkSaveSightings/${UUID}$`).test(path)) return true;
  if (method === 'GET' && path.startsWith('/shadow_attributes/index')) return true;
  if (method !== 'POST' || path !== '/events/index') return false;
  try {
    const { minimal, published } = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
    return minimal === 1 && published === 1;
  } catch {
    return false;
  }
}
