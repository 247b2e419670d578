// The product's words for what went wrong: of a whole answer, and of a shard inside a success.
import { z } from 'zod';
import { ConnectorError } from '../../../core/contracts/failure.ts';
import { withoutHidden } from '../../../core/model/text.ts';

export const Cause = z.object({ type: z.string().optional(), reason: z.string().nullish() });
const WithCause = Cause.extend({ caused_by: Cause.optional().catch(undefined) });

/** Type and reason of a refusal, if the body is one of the product's own errors. */
export const ErrorBody = z.object({
  error: z.union([
    z.string(),
    WithCause.extend({
      root_cause: z.array(Cause).optional().catch(undefined),
      failed_shards: z
        .array(z.object({ reason: WithCause }))
        .optional()
        .catch(undefined),
    }),
  ]),
});
type GivenError = z.output<typeof ErrorBody>['error'];

/**
 * Whether a refusal is worded as the product does: a document that is not found, or an error with its type. Some of
 * its errors are bare texts, but none of those that say "not there" or "not allowed"; gateways write such ones.
 */
export function isOwnRefusal({ body, status }: { readonly body: Buffer; readonly status: number }): boolean {
  let given: unknown;
  try {
    given = JSON.parse(body.toString('utf8'));
  } catch {
    return false;
  }
  if (typeof given === 'object' && given !== null && 'found' in given && given.found === false) return true;
  const read = ErrorBody.safeParse(given);
  if (!read.success) return false;
  const { error } = read.data;
  return typeof error === 'string' ? status !== 403 && status !== 404 : (error.type ?? '') !== '';
}

export interface Told {
  readonly type: string;
  readonly reason: string;
}

export const NOTHING: Told & { readonly cause?: Told } = { type: '', reason: '' };

const causeFrom = (one: z.output<typeof Cause> | undefined): Told | undefined =>
  one === undefined ? undefined : { type: one.type ?? '', reason: one.reason ?? '' };

/** What a refusal says, and beneath it what caused it: "all shards failed" alone helps nobody. */
export function causeOf(error: GivenError): Told & { readonly cause?: Told } {
  if (typeof error === 'string') return { type: '', reason: error };
  const top = { type: error.type ?? '', reason: error.reason ?? '' };
  const [shard] = error.failed_shards ?? [];
  // A shard's own word comes first: what caused it there is often a class of the program.
  const cause = [shard?.reason, error.root_cause?.[0], error.caused_by, shard?.reason.caused_by]
    .map(causeFrom)
    .find((one) => one !== undefined && one.type !== '' && (one.type !== top.type || one.reason !== top.reason));
  return cause === undefined ? top : { ...top, cause };
}

/** Part of every answer of a search. A shard that failed tells so inside a success. */
export const Shards = z.object({
  failed: z.number(),
  failures: z
    .array(z.object({ index: z.string().optional(), reason: WithCause.optional().catch(undefined) }))
    .optional()
    .catch(undefined),
});

/** A search may be cut by time, and one over several clusters passes over those that it does not reach. */
export const Whole = z.object({
  timed_out: z.boolean().optional().catch(undefined),
  _clusters: z
    .object({
      total: z.number().default(0),
      skipped: z.number().default(0),
      partial: z.number().default(0),
      failed: z.number().default(0),
    })
    .optional()
    .catch(undefined),
});

/** Why what came is not all there is, though no shard failed. */
export function cutShort(answer: z.output<typeof Whole>, where: string): ConnectorError | undefined {
  if (answer.timed_out === true)
    return new ConnectorError(
      'retryable',
      `${where} was cut by a time limit of the cluster (search.default_search_timeout); nothing is concluded from the rest`,
      { uncertain: false, code: 'search_timed_out' },
    );
  const { total = 0, skipped = 0, partial = 0, failed = 0 } = answer._clusters ?? {};
  const missing = skipped + partial + failed;
  if (missing === 0) return undefined;
  return new ConnectorError(
    'retryable',
    `${where}: ${missing} of ${total} clusters did not answer in full; nothing is concluded from the rest; look at the remote clusters, or leave them out`,
    { uncertain: false, code: 'clusters_missing' },
  );
}

/** What a part of the index, or of the indices, could not answer; the rest would look like all there is. */
export function shardFailure(shards: z.output<typeof Shards> | undefined, where: string): ConnectorError | undefined {
  if (shards === undefined || shards.failed === 0) return undefined;
  const [first] = shards.failures ?? [];
  const { type = '', reason = '' } = causeFrom(first?.reason) ?? {};
  const place = first?.index === undefined ? '' : ` of ${first.index}`;
  const said = type === '' ? '' : ` (${type}: ${cut(reason ?? '')})`;
  // A shard without a node, or a busy one, comes back; a query that it cannot answer stays so.
  const lasting = /query_shard|illegal_argument|parsing|number_format|mapper/.test(type);
  return new ConnectorError(
    lasting ? 'config' : 'retryable',
    `${where} failed in ${shards.failed} shards${place}${said}; nothing is concluded from the rest${lasting ? '; mend the field or its mapping, or leave that index out' : ''}`,
    { uncertain: false, ...(type === '' ? {} : { code: type }) },
  );
}

/** Reasons may quote a whole document. */
export function cut(reason: string): string {
  const clean = withoutHidden(reason);
  return clean.length <= 300 ? clean : `${clean.slice(0, 299)}…`;
}
