// The product's error bodies. A request-level error repeats itself as its own root cause; an item of a bulk or mget
// answer carries the plain form.
export type JsonObject = { [key: string]: unknown };

export class ElasticError extends Error {
  readonly status: number;
  readonly type: string;
  readonly details: JsonObject;

  constructor(status: number, type: string, reason: string, details: JsonObject = {}) {
    super(reason);
    this.status = status;
    this.type = type;
    this.details = details;
  }

  /** As it stands in an item. */
  plain(): JsonObject {
    return { type: this.type, reason: this.message, ...this.details };
  }

  /** As it stands in a whole answer. */
  body(): JsonObject {
    const { caused_by: cause, failed_shards: shards, phase, grouped, ...details } = this.details;
    if (shards !== undefined) {
      const failed = { type: 'search_phase_execution_exception', reason: 'all shards failed', phase, grouped };
      return {
        error: {
          root_cause: [{ type: this.type, reason: this.message, ...details }],
          ...failed,
          failed_shards: shards,
        },
        status: this.status,
      };
    }
    const own = { type: this.type, reason: this.message, ...details };
    return {
      error: { root_cause: [own], ...own, ...(cause === undefined ? {} : { caused_by: cause }) },
      status: this.status,
    };
  }
}

export const illegalArgument = (reason: string): ElasticError =>
  new ElasticError(400, 'illegal_argument_exception', reason);

export const invalidRequest = (reason: string): ElasticError =>
  new ElasticError(400, 'action_request_validation_exception', `Validation Failed: 1: ${reason};`);

export const indexNotFound = (name: string): ElasticError =>
  new ElasticError(404, 'index_not_found_exception', `no such index [${name}]`, {
    'resource.type': 'index_or_alias',
    'resource.id': name,
    index_uuid: '_na_',
    index: name,
  });

export const notFound = (reason: string): ElasticError => new ElasticError(404, 'resource_not_found_exception', reason);

/** A query that fails on the shards: the answer names the phase and each failed shard. */
export function shardFailure(status: number, type: string, reason: string, index: string, details: JsonObject = {}) {
  return new ElasticError(status, type, reason, {
    ...details,
    phase: 'query',
    grouped: true,
    failed_shards: [{ shard: 0, index, node: 'simulated', reason: { type, reason, ...details } }],
  });
}
