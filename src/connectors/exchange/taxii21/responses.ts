// The parts of TAXII 2.1 answers that we read. Servers leave out what is empty (§3.1), some write null.
import { z } from 'zod';
import { cleanText } from '../../../core/stix/raw.ts';
import { MOST_OBJECTS } from './bounds.ts';

const MAX_TITLE = 256;

const listOf = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((given) => given ?? []);
const text = z
  .string()
  .nullish()
  .transform((given) => given ?? undefined);

/** Some write truth values as texts or numbers. Whatever else stands there is not guessed at. */
const truth = z
  .preprocess(
    (given) => (typeof given === 'string' ? given.trim().toLowerCase() : given),
    z.literal([true, 'true', 1, false, 'false', 0], { error: 'neither true nor false' }),
  )
  .transform((given) => given === true || given === 'true' || given === 1);

/**
 * `more` absent is kept apart from false: with `next`, only an explicit false ends the reading. Taken for false, one that
 * cannot be read would make a page the last, and a manifest that was cut a complete one.
 */
const paging = {
  more: truth.nullish().transform((given) => given ?? undefined),
  next: z
    .union([z.string(), z.number()])
    .nullish()
    .transform((given) => (given === undefined || given === null || given === '' ? undefined : String(given))),
};

/** Discovery and API root are told apart by what they hold, since `url` may lead to either. */
export const Resource = z.object({
  title: text.transform((given) => cleanText(given, MAX_TITLE)),
  default: text,
  api_roots: listOf(z.string()),
  versions: z.array(z.string()).nullish(),
  max_content_length: z.number().int().positive().nullish().catch(undefined),
});
export type Resource = z.output<typeof Resource>;

/** `can_read` is required (§5.2.1) and left out by some: whether one may read is then found out by reading. */
export const Collection = z.object({
  id: z.string().min(1),
  title: text.transform((given) => cleanText(given, MAX_TITLE)).catch(undefined),
  alias: text.catch(undefined),
  can_read: truth.optional().catch(undefined),
  can_write: truth.optional().catch(undefined),
});
export type Collection = z.output<typeof Collection>;

export const Collections = z.object({ collections: listOf(z.unknown()) });
export const Envelope = z.object({
  ...paging,
  objects: listOf(z.unknown()).refine((given) => given.length <= MOST_OBJECTS, {
    error: `more than ${MOST_OBJECTS.toLocaleString('en')} in one answer; lower page_size`,
  }),
});
export type Envelope = z.output<typeof Envelope>;

export const ManifestEntry = z.object({ id: z.string().min(1), date_added: text, version: text });
export type ManifestEntry = z.output<typeof ManifestEntry>;
export const Manifest = z.object({ ...paging, objects: listOf(ManifestEntry) });

const words = z.string().optional().catch(undefined);
/** TAXII 2.1 §3.6.1, RFC 9457, and the looser shapes that real servers use for errors: what is said, the general first. */
export const ErrorMessage = z
  .object({ title: words, description: words, detail: words, message: words, error: words })
  .transform(({ title, description, detail, message, error }) => [title, description ?? detail ?? message ?? error]);

const StatusEntry = z.object({ id: z.string(), version: text, message: text });
/** What became of a POST (TAXII 2.1 §4.3.1). Some servers give counts and no lists. */
export const Status = z.object({
  id: z.string().min(1),
  // Another word says nothing of the objects; they are looked up then.
  status: z
    .string()
    .transform((given) => given.trim().toLowerCase())
    .pipe(z.enum(['complete', 'pending'])),
  success_count: z.number().optional().catch(undefined),
  failure_count: z.number().catch(0),
  successes: listOf(StatusEntry),
  failures: listOf(StatusEntry),
});
export type Status = z.output<typeof Status>;

export const Versioned = z.object({ id: z.string(), modified: text });
