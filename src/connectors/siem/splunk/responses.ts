// What we read of Splunk's answers, and nothing more; and its refusals as our kinds of failure.
import { z } from 'zod';
import { configFailure, ConnectorError, permanent, retryable } from '../../../core/contracts/failure.ts';
import { type HttpResponse, retryAfterMs, statusFailure } from '../../../core/runtime/http.ts';

export const OwnRow = z.looseObject({
  _key: z.string(),
  owner: z.string().optional(),
  entry_key: z.string().optional(),
  writer: z.string().optional(),
  revision: z.union([z.string(), z.number()]).optional(),
  valid_until: z.number().optional(),
});
export type OwnRow = z.output<typeof OwnRow>;

export const OwnRows = z.array(OwnRow);
export const FoundRows = z.array(z.array(OwnRow));
export const Keys = z.array(z.string());

export const Generation = z.looseObject({ generation: z.string().min(1) });

export const Mark = z.looseObject({
  writer: z.string(),
  boot: z.string(),
  mark_revision: z.coerce.number(),
  at: z.coerce.number(),
});

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

const JobState = z.looseObject({
  dispatchState: z.string().optional(),
  isDone: z.boolean(),
  isFailed: z.boolean().default(false),
  isFinalized: z.boolean().default(false),
  resultCount: z.coerce.number().default(0),
  messages: z
    .array(z.looseObject({ text: z.string() }).transform(({ text }) => text))
    .catch([])
    .default([]),
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
    throw new ConnectorError('bug', `${where}: the answer has another shape than known: ${shapeOf(read.error)}`, {
      uncertain: true,
      status: response.status,
    });
  }
  return read.data;
}

/** The failure an answer stands for, or undefined for a success. */
export function refusal(response: HttpResponse, where: string, now: number, items = 1): ConnectorError | undefined {
  const kind = statusFailure(response.status);
  if (kind === undefined) return undefined;
  const said = reason(response);
  const text = `${where} failed with status ${response.status}${said === '' ? '' : ` (${said})`}`;
  const { status } = response;
  if (kind === 'permanent') return permanent(text, { status, ...split(said, status, items) });
  const wait = retryAfterMs(response.headers['retry-after'], now);
  // A KV store that starts has done nothing; any other 5xx may have come after the effect.
  const uncertain = status >= 500 && !/KV Store is init/i.test(said);
  return new ConnectorError(kind, `${text}${next(status)}`, {
    status,
    uncertain,
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  });
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
  return said.replace(/\p{Cc}+/gu, ' ').slice(0, 300);
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
    .map((issue) => `${issue.path.join('.')} ${issue.message}`)
    .join('; ');
}
