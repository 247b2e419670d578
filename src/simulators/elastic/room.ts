// What the route handlers share: the state of the simulator, one call, and the shape of an answer.
import type { SimRequest } from '../server.ts';
import type { Bulk } from './bulk.ts';
import type { Cluster, Resolve } from './cluster.ts';
import { ElasticError, type JsonObject } from './errors.ts';
import type { Product } from './media-types.ts';
import type { Search } from './search.ts';
import type { Caller, Security } from './security.ts';

export interface Room {
  readonly product: Product;
  readonly cluster: Cluster;
  readonly bulk: Bulk;
  readonly search: Search;
  readonly security: Security;
  readonly clusterUuid: string;
}

export interface Call {
  readonly request: SimRequest;
  readonly caller: Caller;
}

/** Text that is ready, or a value that may still be filtered before it becomes text. */
export type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
} & ({ readonly body: string } | { readonly value: unknown });

export const json = (status: number, value: unknown): Answer => ({ status, value });

export const acknowledged: Answer = json(200, { acknowledged: true });

export function parseBody(body: Buffer): JsonObject {
  if (body.length === 0) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ElasticError(400, 'x_content_parse_exception', `[1:1] ${reason}`, {
      caused_by: { type: 'json_parse_exception', reason },
    });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new ElasticError(400, 'parsing_exception', 'Expected [START_OBJECT] but found [VALUE]', { line: 1, col: 1 });
  return parsed as JsonObject;
}

export function resolveOptions(query: URLSearchParams): Resolve {
  return {
    ignoreUnavailable: query.has('ignore_unavailable') && query.get('ignore_unavailable') !== 'false',
    allowNoIndices: query.get('allow_no_indices') !== 'false',
  };
}
