// Only what is read, of what a MISP server answers. Attributes and events themselves are read by core/misp.
import { z } from 'zod';

const Text = z.union([z.string(), z.number()]).transform(String);
const Seconds = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]).pipe(z.number().int().nonnegative());

export const Version = z.object({
  version: z.string(),
  perm_sync: z.boolean().optional(),
  perm_sighting: z.boolean().optional(),
});
export type Version = z.output<typeof Version>;

/** An empty answer is a list on some servers. */
export const AttributesAnswer = z
  .object({ response: z.union([z.object({ Attribute: z.array(z.unknown()).optional() }), z.array(z.never())]) })
  .transform(({ response }) => (Array.isArray(response) ? [] : (response.Attribute ?? [])));

export const EventsAnswer = z
  .object({ response: z.array(z.object({ Event: z.unknown() })) })
  .transform(({ response }) => response.map((one) => one.Event));

/** A list without elements, or an object without members or of an empty `response` alone: what servers, and caches before them, say for "nothing". */
function saysNothing(given: unknown, depth = 0): boolean {
  if (typeof given !== 'object' || given === null || depth > MOST_WRAPPED) return false;
  if (Array.isArray(given)) return given.length === 0;
  const names = Object.keys(given);
  if (names.length === 0) return true;
  const { response } = given as { readonly response?: unknown };
  return names.length === 1 && (response === null || saysNothing(response, depth + 1));
}

/** Deeper than anybody wraps, and not as deep as any stack. */
const MOST_WRAPPED = 8;

/** Of a list of what is new: nothing at all says that nothing is. */
export const NewsAnswer = z.preprocess((given) => (saysNothing(given) ? { response: [] } : given), EventsAnswer);

/** The Event of events/view, without its lists. */
export const EventHeadAnswer = z.record(z.string(), z.unknown());

const IndexRow = z.object({
  uuid: z.string().transform((text) => text.toLowerCase()),
  timestamp: Seconds,
  orgc_uuid: z.string().optional(),
});
export type IndexRow = z.output<typeof IndexRow>;
export const IndexAnswer = z.preprocess((given) => (saysNothing(given) ? [] : given), z.array(IndexRow));

/** What we follow a page by. */
export const Row = z.object({ id: Text, object_id: Text.optional() });

export const ErrorAnswer = z.object({ message: z.string().optional(), name: z.string().optional() });

export const BulkAnswer = z.object({
  saved: z.boolean().optional(),
  success: z.string().optional(),
  message: z.string().optional(),
});

/** A refusal is 200 with a message alone. */
export const AddAnswer = z.object({ Sighting: z.unknown().optional(), message: z.string().optional() });

const Stored = z
  .object({ Sighting: z.object({ uuid: z.string(), type: Text, date_sighting: Seconds }) })
  .transform(({ Sighting: { uuid, type, date_sighting: date } }) => ({ uuid: uuid.toLowerCase(), type, date }));
export type StoredSighting = z.output<typeof Stored>;

export const SightingsAnswer = z.object({ response: z.array(Stored) }).transform(({ response }) => response);
