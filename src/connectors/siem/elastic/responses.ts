// The parts of the product's answers that we use. Everything goes through zod except the bulk answer: that one
// has an element per change, thousands a second, so it is checked by hand, and only where it is used.
import { z } from 'zod';
import type { Change, Outcome } from '../../../core/contracts/siem-connector.ts';
import { type Failure, retryable } from '../../../core/model/failure.ts';
import { Cause, cut, Shards, Whole } from './errors.ts';
import { stateOf } from './states.ts';

export const Root = z.object({
  version: z.object({ number: z.string(), distribution: z.string().optional() }),
});

export const IndexInfo = z.record(
  z.string(),
  z.object({
    mappings: z
      .object({
        _meta: z
          .object({ entente: z.object({ owner: z.string() }).optional() })
          .catch({})
          .optional(),
        properties: z.record(z.string(), z.unknown()).optional(),
      })
      .optional(),
    settings: z.object({
      index: z.object({
        uuid: z.string(),
        verified_before_close: z.string().optional(),
        blocks: z.record(z.string(), z.unknown()).optional(),
      }),
    }),
  }),
);

export const IndexUuid = z.record(
  z.string(),
  z.object({ settings: z.object({ index: z.object({ uuid: z.string() }) }) }),
);

export const IndexTemplates = z.object({
  index_templates: z.array(
    z.object({
      name: z.string(),
      index_template: z.object({
        version: z.number().optional(),
        _meta: z.object({ owner: z.string().optional() }).catch({}).optional(),
      }),
    }),
  ),
});

export const SimulatedIndex = z.object({
  template: z.object({
    mappings: z
      .object({
        _meta: z
          .object({ entente: z.object({ owner: z.string() }).optional() })
          .catch({})
          .optional(),
      })
      .optional(),
  }),
});

export const Marked = z.object({
  found: z.boolean(),
  _seq_no: z.number().optional(),
  _primary_term: z.number().optional(),
  /** One that somebody wrote over tells of nobody who writes here. */
  _source: z
    .object({
      writer: z.string(),
      boot: z.string(),
      revision: z.number(),
      at: z.number(),
      checkpoint: z.string().optional().catch(undefined),
    })
    .transform(({ checkpoint, ...mark }) => (checkpoint === undefined ? mark : { ...mark, checkpoint }))
    .optional()
    .catch(undefined),
});

/** The index takes a list of one for the value itself. */
const one = z.union([z.string(), z.tuple([z.string()]).transform(([only]) => only)]);

/**
 * Whose a document is and what it stands for has to be there; the rest may have been edited by whoever may write, and
 * one such document must not end the reading of all others. Revision 0 stands for "not as we wrote it".
 */
const Own = z.object({
  entente: z.object({
    owner: one,
    key: one,
    writer: z.string().catch(''),
    revision: z.number().catch(0),
    until: z.string().optional().catch(undefined),
  }),
});

/** What an answer of a search says of its being whole. */
export const WithShards = z.object({ _shards: Shards.optional(), ...Whole.shape });

export const SearchPage = z.object({
  pit_id: z.string().optional(),
  hits: z.object({
    hits: z.array(
      z.object({
        _id: z.string(),
        _source: z.unknown().optional(),
        sort: z.array(z.union([z.number(), z.string()])).optional(),
      }),
    ),
  }),
});

export const ManyDocs = z.object({
  docs: z.array(
    z.object({
      _id: z.string(),
      found: z.boolean().optional(),
      _version: z.number().optional(),
      _source: z.unknown().optional(),
      error: Cause.optional(),
    }),
  ),
});

export const OwnSource = Own;
/** Whose a document is, and for what; all that is asked of one in another index. */
export const OwnMark = z.object({ entente: z.object({ owner: one, key: one }) });
export const Count = z.object({ count: z.number() });
export const CountedShards = z.object({ _shards: z.object({ total: z.number() }) });
export const ElasticPit = z.object({ id: z.string() });
export const OpenSearchPit = z.object({ pit_id: z.string() });

export const Privileges = z.object({
  has_all_requested: z.boolean(),
  cluster: z.record(z.string(), z.boolean()),
  index: z.record(z.string(), z.record(z.string(), z.boolean())),
});

/** One element of a bulk answer, as far as `BULK_FILTER` leaves it. */
interface BulkItem {
  readonly _id?: string;
  readonly status?: number;
  readonly error?: {
    readonly type?: string;
    readonly reason?: string;
    readonly caused_by?: { readonly type?: string; readonly reason?: string };
  };
  readonly failure_store?: string;
}

/** Asked first: of a batch that was taken whole nothing but `errors` is left of the answer. */
export const BRIEF_FILTER = ['errors', 'items.*.error.type', 'items.*.failure_store'];

/** 2,500 answers in full are a megabyte; these fields are what decides. */
export const BULK_FILTER = ['errors', 'items.*._id', 'items.*.status', 'items.*.error', 'items.*.failure_store'];

/** How many changes a first call did not take. Which ones, only the full answer tells. */
export function notTaken(answer: unknown, index: string): number {
  const { errors, items } = (answer ?? {}) as { errors?: unknown; items?: unknown };
  if (errors === false && items === undefined) return 0;
  if (typeof errors !== 'boolean' || !Array.isArray(items))
    throw retryable(`The bulk answer for ${index} does not fit the request; it is sent again`, { uncertain: true });
  return items.length;
}

/** A change that the product refused because it holds the same or a higher version; which one is asked afterwards. */
export interface Conflict {
  readonly change: Change;
  /** The stored version as the refusal words it, where it does. */
  readonly stored: number | undefined;
}

/** Pairs answer and changes. Bulk answers come in request order; the id is compared all the same. */
export function readBulk(
  answer: unknown,
  changes: readonly Change[],
  index: string,
): { readonly outcomes: Outcome[]; readonly conflicts: Conflict[] } {
  // `items` is checked element by element below; anything that is no bulk answer fails there.
  const items = (answer as { items?: readonly Record<string, BulkItem>[] } | null)?.items;
  if (!Array.isArray(items) || items.length !== changes.length) {
    throw retryable(`The bulk answer for ${index} does not fit the request; it is sent again`, { uncertain: true });
  }
  const outcomes: Outcome[] = [];
  const conflicts: Conflict[] = [];
  for (const [i, change] of changes.entries()) {
    const element: Record<string, BulkItem> | null | undefined = items[i];
    const item = element?.['index'] ?? element?.['delete'];
    if (item?.status === undefined || (item._id !== undefined && item._id !== change.slot)) {
      throw retryable(`The bulk answer for ${index} does not fit the request; it is sent again`, { uncertain: true });
    }
    if (item.status === 409) conflicts.push({ change, stored: storedVersion(item.error?.reason) });
    else outcomes.push(outcomeOf(change, item, index));
  }
  return { outcomes, conflicts };
}

function outcomeOf(change: Change, item: BulkItem, index: string): Outcome {
  const { key } = change;
  const status = item.status ?? 0;
  if (status >= 200 && status < 300) {
    // A data stream with a failure store answers 201 for a document that it could not index.
    if (item.failure_store !== 'used') return { key, kind: 'applied' };
    const message = `${index} put the document into its failure store; it must be a plain index, not a data stream`;
    return { key, kind: 'failed', failure: { kind: 'config', message } };
  }
  const type = item.error?.type ?? '';
  if (status === 404 && change.op === 'remove' && type === '') return { key, kind: 'applied' };
  const { reason = '', caused_by: cause } = item.error ?? {};
  const beneath = cause?.reason === undefined ? '' : ` (${cause.type ?? 'cause'}: ${cause.reason})`;
  return { key, kind: 'failed', failure: itemFailure(status, type, `${reason}${beneath}`, index) };
}

/** The kinds of refusals inside a bulk answer that is a success as a whole. */
function itemFailure(status: number, type: string, reason: string, index: string): Failure {
  const said = `${index}: ${type === '' ? `status ${status}` : type}${reason === '' ? '' : `: ${cut(reason)}`}`;
  const code = type === '' ? {} : { code: type };
  const state = stateOf(type, reason);
  if (state !== undefined) return { kind: 'config', message: `${said}; ${state.remedy}`, code: state.code };
  if (status === 429 || status >= 500) return { kind: 'retryable', message: said, ...code };
  if (status === 401 || status === 403)
    return { kind: 'config', message: `${said}; give the credential the rights in the README`, ...code };
  if (status === 404) return { kind: 'config', message: `${said}; create the index or set provision: auto`, ...code };
  return { kind: 'permanent', message: said, ...code };
}

/** "version conflict, current version [20] is higher or equal to the one provided [15]" */
function storedVersion(reason: string | undefined): number | undefined {
  const found = /current version \[(\d+)\]/.exec(reason ?? '');
  return found === null ? undefined : Number(found[1]);
}

/**
 * A refused version is a success only when the product holds exactly what was sent: after a time-out the first
 * try may have arrived. A higher one means restored state or a second daemon, and the engine must know.
 */
export function settleConflict(conflict: Conflict, held: number | undefined): Outcome {
  const { change } = conflict;
  const { key, revision } = change;
  if (held === undefined) {
    // Gone, and the product remembers a removal that is not older than this change.
    if (change.op === 'remove') return { key, kind: 'applied' };
    return { key, kind: 'superseded', revision: conflict.stored ?? revision };
  }
  if (held > revision) return { key, kind: 'superseded', revision: held };
  if (held === revision && change.op === 'upsert') return { key, kind: 'applied' };
  const message = 'The stored version changed while it was compared; the change is sent again';
  return { key, kind: 'failed', failure: { kind: 'retryable', message } };
}

/** A change that a second call could not carry out, where a first one may have: what stands tells. */
export function settleFailed(change: Change, failed: Outcome, held: number | undefined): Outcome {
  const stands = change.op === 'upsert' ? held === change.revision : held === undefined;
  return stands ? { key: change.key, kind: 'applied' } : failed;
}
