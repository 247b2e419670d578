// What we read of Splunk's answers, and nothing more; and its refusals as our kinds of failure.
import { z } from 'zod';
import { configFailure, ConnectorError, permanent, retryable } from '../../../core/contracts/failure.ts';
import { withoutHidden } from '../../../core/model/text.ts';
import {
  type HttpResponse,
  isForeignRefusal,
  isRefusingPage,
  refusedBetween,
  retryAfterMs,
  statusFailure,
} from '../../../core/runtime/http.ts';

/**
 * A row as it stands. Only its key is sure to be what it should: whoever may write to the collection can put anything
 * into the rest, and one such row must not end the reading of all others.
 */
export interface OwnRow {
  readonly _key: string;
  readonly [column: string]: unknown;
}

const isRow = (row: unknown): row is OwnRow =>
  typeof row === 'object' && row !== null && '_key' in row && typeof row._key === 'string';
const Rows = z.array(z.unknown()).transform((rows) => rows.filter(isRow));
export const OwnRows: z.ZodType<OwnRow[]> = Rows;
export const FoundRows: z.ZodType<OwnRow[][]> = z.array(Rows);
export const Keys = z.array(z.string());

/** Every document has its key, so that an answer without one is no document at all. */
const Document = z.looseObject({ _key: z.string() });

/** What somebody changed into something unreadable is as good as gone: it is written again. */
export const Generation = Document.extend({ generation: z.string().min(1).optional().catch(undefined) });

const Writer = z
  .looseObject({
    writer: z.string(),
    boot: z.string(),
    mark_revision: z.coerce.number().catch(0),
    at: z.coerce.number().catch(0),
    checkpoint: z.string().optional().catch(undefined),
  })
  .transform(({ writer, boot, mark_revision: revision, at, checkpoint }) => ({
    writer,
    boot,
    revision,
    at,
    ...(checkpoint === undefined ? {} : { checkpoint }),
  }))
  .optional()
  .catch(undefined);
export const Mark = Document.transform((document) => Writer.parse(document));

export const Login = z.looseObject({ sessionKey: z.string().min(1) });

/** A list of entities; contents differ by endpoint. */
export const Entities = z.looseObject({
  /** When the server answered, by its own clock. */
  updated: z.string().optional(),
  entry: z.array(
    z.looseObject({
      name: z.string(),
      acl: z
        .looseObject({
          can_write: z.boolean().optional(),
          perms: z.looseObject({ write: z.array(z.string()).optional() }).nullish(),
        })
        .optional(),
      content: z.record(z.string(), z.unknown()),
    }),
  ),
});
export type Entity = z.output<typeof Entities>['entry'][number];

export const Started = z.looseObject({ sid: z.string().min(1) });

export interface JobMessage {
  readonly type: string;
  readonly text: string;
}

/** A list of messages, or texts by type. */
const JobMessages = z.union([
  z.array(z.looseObject({ type: z.string().default(''), text: z.string() })),
  z
    .record(z.string(), z.union([z.string(), z.array(z.string())]))
    .transform((given) =>
      Object.entries(given).flatMap(([type, texts]) => [texts].flat().map((text) => ({ type, text }))),
    ),
]);

export const MessagesOf = z.looseObject({ messages: JobMessages.catch([]).default([]) });

export const ShortRows = z.looseObject({ results: z.array(z.record(z.string(), z.unknown())) });

const JobState = MessagesOf.extend({
  dispatchState: z.string().optional(),
  isDone: z.boolean(),
  isFailed: z.boolean().default(false),
  isFinalized: z.boolean().default(false),
  resultCount: z.coerce.number().default(0),
});
export type JobState = z.output<typeof JobState>;
const Job = z.looseObject({ content: JobState });
export const Jobs = z.looseObject({ entry: z.tuple([Job], Job) });

const Messages = z.looseObject({ messages: z.array(z.looseObject({ text: z.string() })) });

/** Reads a successful answer. `what` completes "…: <what> failed". */
export function parse<T>(schema: z.ZodType<T>, response: HttpResponse, where: string): T {
  const text = response.body.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    if (/^\s*</.test(text)) {
      throw configFailure(
        `${where}: the answer is a web page, not JSON; url has to name the management port (8089), not the web port or a login page`,
        { uncertain: true, status: response.status },
      );
    }
    throw retryable(`${where}: the answer is no valid JSON`, { uncertain: true, status: response.status });
  }
  const read = schema.safeParse(value);
  if (!read.success) {
    throw configFailure(
      `${where}: the answer is none that Splunk gives (${shapeOf(read.error)}); look at what stands between, or report it with the version of Splunk`,
      { uncertain: true, status: response.status, code: 'strange_answer' },
    );
  }
  return read.data;
}

/** 402 is the licence, 405, 407 and 501 are the way: none of them is about what was sent. */
const KINDS = { 402: 'config', 405: 'config', 407: 'config', 501: 'config' } as const;

/** The failure an answer stands for, or undefined for a success. `items`: rows of a write. */
export function refusal(
  response: HttpResponse,
  where: string,
  now: number,
  items?: number,
): ConnectorError | undefined {
  const { status } = response;
  if (isRefusingPage(response)) return refusedBetween(response, where, items !== undefined);
  const kind = statusFailure(status, KINDS);
  if (kind === undefined) return undefined;
  const asked = retryAfterMs(response.headers['retry-after'], now);
  const wait = asked === undefined ? {} : { retryAfterMs: asked };
  if (isForeignRefusal(response, isOwn(response))) {
    const between = refusedBetween(response, where, items !== undefined);
    return new ConnectorError(between.kind, between.message, {
      status,
      uncertain: between.uncertain,
      ...(between.code === undefined ? {} : { code: between.code }),
      ...split('', status, items ?? 1),
      ...wait,
    });
  }
  const said = reason(response);
  const text = `${where} failed with status ${status}${said === '' ? '' : ` (${said})`}`;
  if (kind === 'permanent')
    return permanent(text, { status, code: codeOf(status, said, items), ...split(said, status, items ?? 1) });
  // A KV store that starts has done nothing; any other 5xx may have come after the effect.
  const uncertain = status >= 500 && !/KV Store is init/i.test(said);
  return new ConnectorError(kind, `${text}${next(status)}`, {
    status,
    uncertain,
    code: codeOf(status, said, items),
    ...wait,
  });
}

/** Nothing of this name, in Splunk's own words: an ingress that knows no route says 404 as well. */
export const isMissing = (error: unknown): boolean =>
  error instanceof ConnectorError && error.status === 404 && error.code !== 'http_404_page';

function codeOf(status: number, said: string, items: number | undefined): string {
  if (/KV Store is init/i.test(said)) return 'kvstore_starting';
  // One row that is too large is that row's own affair.
  if (/exceeds API limits/i.test(said)) return items === 1 ? 'value_too_large' : 'exceeds_api_limits';
  return `http_${status}`;
}

/** The server's own limits, read from its own words, for a batch that can still be made smaller. */
function split(
  said: string,
  status: number,
  items: number,
): Pick<ConstructorParameters<typeof ConnectorError>[2] & object, 'split'> {
  if (items <= 1) return {};
  const documents = /max_documents_per_batch_save\s*=\s*(\d+)/.exec(said)?.[1];
  if (documents !== undefined && Number(documents) > 0) return { split: { maxItems: Number(documents) } };
  const megabytes = /max_size_per_batch_save_mb\s*=\s*([\d.]+)/.exec(said)?.[1];
  if (megabytes !== undefined && Number(megabytes) > 0) {
    return { split: { maxBytes: Math.floor(Number(megabytes) * 1024 * 1024) - 2 } };
  }
  return status === 413 ? { split: { maxItems: Math.ceil(items / 2) } } : {};
}

/** Whatever Splunk refuses, it does so with messages; an empty refusal, or another JSON, is a gateway's. */
function isOwn({ body }: HttpResponse): boolean {
  const text = body.toString('utf8');
  try {
    return Messages.safeParse(JSON.parse(text)).success;
  } catch {
    return /<messages\b/.test(text);
  }
}

function reason(response: HttpResponse): string {
  const text = response.body.toString('utf8');
  let said = '';
  try {
    const read = Messages.safeParse(JSON.parse(text));
    if (read.success) said = read.data.messages.map((one) => one.text).join('; ');
  } catch {
    // Atom XML, when something on the way dropped output_mode.
    said = [...text.matchAll(/<msg[^>]*>([^<]*)<\/msg>/g)].map((one) => one[1] ?? '').join('; ');
  }
  return withoutHidden(said).slice(0, 300);
}

function next(status: number): string {
  if (status === 401) return '; renew the token or password in auth';
  if (status === 403) return '; give the account the rights listed in the README of the Splunk connector';
  if (status === 404) return '; the collection or app is missing: it is created again with provision: auto';
  return '';
}

function shapeOf(error: z.ZodError): string {
  return error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join('.')} ${issue.message}`.trim())
    .join('; ');
}
