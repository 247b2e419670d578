// The fields we read of QRadar's answers.
import { z } from 'zod';

export const Versions = z.array(
  z.object({ version: z.string(), deprecated: z.boolean().default(false), removed: z.boolean().default(false) }),
);
export type Versions = z.output<typeof Versions>;

export const About = z.object({ external_version: z.string().default('') });

/** `http_response.code` repeats the status; `code` is the endpoint's own. */
export const ErrorBody = z.object({
  code: z.number().optional().catch(undefined),
  message: z.string().default('').catch(''),
  description: z.string().default('').catch(''),
  details: z.unknown().optional(),
  http_response: z
    .object({ message: z.string().default('') })
    .optional()
    .catch(undefined),
});
export type ErrorBody = z.output<typeof ErrorBody>;

export const CollectionSet = z.object({
  id: z.number(),
  name: z.string(),
  entry_type: z.string(),
  tenant_id: z.number().nullish(),
  creation_time: z.number().nullish(),
  number_of_entries: z.number().default(0),
  expiry_type: z.string().default('NO_EXPIRY').catch('NO_EXPIRY'),
  /** In which unit is documented nowhere: it only tells that something changed. */
  time_to_live: z.number().nullish().catch(undefined),
});
export type CollectionSet = z.output<typeof CollectionSet>;
export const CollectionSets = z.array(CollectionSet);

/** Text as it is; scalars of another type as text. What is neither tells nothing, and does not spoil its row. */
const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const maybeText = text.nullable().default(null).catch(null);

export const EntryRow = z.object({
  id: z.number(),
  collection_id: z.number().optional(),
  value: text,
  source: maybeText,
  notes: maybeText,
  domain_id: z.number().nullable().default(null),
});
export type EntryRow = z.output<typeof EntryRow>;

/** Rows are read one by one: a row of an unexpected form is left out and counted, and takes no other with it. */
export const Rows = z.array(z.unknown());

export function readable<S extends z.ZodType>(schema: S, rows: readonly unknown[]): z.output<S>[] {
  return rows.flatMap((row) => {
    const read = schema.safeParse(row);
    return read.success ? [read.data] : [];
  });
}

export const BulkTask = z.object({
  id: z.number(),
  status: z.string(),
  error_message: z.string().nullish(),
});
export type BulkTask = z.output<typeof BulkTask>;

export const BulkResults = z.object({
  status: z.string(),
  total_responses: z.number().default(0),
  successful_responses: z.number().default(0),
  responses: z
    .array(z.object({ http_status: z.number(), unique_code: z.number().nullish(), message: z.string().nullish() }))
    .default([]),
});
export type BulkResults = z.output<typeof BulkResults>;

export const ClassicSet = z.object({
  name: z.string(),
  element_type: z.string(),
  collection_id: z.number().nullish(),
  creation_time: z.number().default(0),
  number_of_elements: z.number().default(0),
  time_to_live: z.string().nullish().catch(undefined),
  timeout_type: z.string().default('UNKNOWN').catch('UNKNOWN'),
});
export type ClassicSet = z.output<typeof ClassicSet>;
export const ClassicSets = z.array(ClassicSet);

/** Changes of the classic API are answered with the set. */
export const Named = z.object({ name: z.string() });

/** An empty set may come without data, but never without its name. */
export const ClassicData = z.object({ name: z.string(), data: Rows.default([]) });

export const ClassicRow = z.object({
  value: text,
  source: maybeText,
  domain_id: z.number().nullable().default(null),
});

export type ClassicRow = z.output<typeof ClassicRow>;

/** An Ariel search. WAIT, EXECUTE, SORTING, COMPLETED, CANCELED or ERROR. */
export const Search = z.object({
  search_id: z.string(),
  status: z.string().default('WAIT'),
  error_messages: z.array(z.object({ message: z.string().default(''), severity: z.string().default('') })).nullish(),
});

export const Results = z.object({ events: z.array(z.unknown()) });

/** Numbers of aggregates may come with a fraction, and a property may hold several values. */
export const ResultRow = z.object({
  value: z.string().min(1),
  first_seen: z.number(),
  last_seen: z.number(),
  hits: z.number(),
});
export type ResultRow = z.output<typeof ResultRow>;

/** A row for each value. One without value or time tells of nothing that we could have delivered. */
export function resultRows(event: unknown): ResultRow[] {
  const values = typeof event === 'object' && event !== null && 'value' in event ? event.value : undefined;
  const each = Array.isArray(values) ? (values as unknown[]).map((value) => ({ ...event!, value })) : [event];
  return readable(ResultRow, each);
}

export const Offense = z.object({
  id: z.number(),
  status: z.string(),
  closing_reason_id: z.number().nullable().default(null),
  offense_source: z.string().default(''),
  /** Of the last event in it, epoch milliseconds. */
  last_updated_time: z.number(),
  /** Of its last change. */
  last_persisted_time: z.number(),
});
export type Offense = z.output<typeof Offense>;

export const Columns = z.object({ columns: z.array(z.object({ name: z.string() })) });

export const StoredMark = z
  .object({
    writer: z.string(),
    boot: z.string(),
    revision: z.number(),
    at: z.number(),
    checkpoint: z.string().optional().catch(undefined),
  })
  .transform(({ checkpoint, ...mark }) => (checkpoint === undefined ? mark : { ...mark, checkpoint }));
