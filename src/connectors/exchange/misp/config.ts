// What an operator may say about a MISP exchange, beside the keys that core gives every exchange.
import { z } from 'zod';
import type { Json } from '../../../core/model/json.ts';
import { peerShape, peerUrl, secret } from '../../../core/contracts/settings.ts';

const texts = () => z.array(z.string().min(1)).default([]);

const Filter = z
  .strictObject({
    tags: texts().describe('Only what carries one of these tags, on the attribute or its event; without case.'),
    not_tags: texts().describe('Nothing that carries one of these tags.'),
    orgs: texts().describe('Only events made by these organisations, by name or uuid.'),
    types: texts().describe('Only attributes of these MISP types.'),
    max_age_days: z.number().min(0).default(0).describe('Only attributes edited within so many days; 0: all.'),
  })
  .describe('What is taken of it. Judged here, since a filter on the server would hide withdrawals.');

export const MispConfig = z.strictObject({
  type: z.literal('misp'),
  url: peerUrl().describe('Where the MISP server answers.'),
  auth: z.strictObject({
    key: secret().describe('Auth key of 40 characters; a read-only one is enough to read.'),
  }),
  read: z
    .enum(['search', 'sync'])
    .default('search')
    .describe(
      'search: by restSearch, page by page. sync: event by event, as MISP servers read each other, and as a guard lets it pass.',
    ),
  page_size: z.number().int().min(1).max(10_000).default(5000).describe('Attributes asked for per request.'),
  start: z.iso
    .datetime({ offset: true, error: 'a time such as 2026-01-01T00:00:00Z' })
    .optional()
    .describe('Events published before it are not read by the first poll; left out: all are.'),
  filter: Filter.prefault({}),
  unpublish_grace_hours: z
    .number()
    .min(0)
    .max(8760)
    .default(24)
    .describe(
      'An event that stays unpublished for longer is withdrawn: any edit unpublishes it until it is published again.',
    ),
  report: z.boolean().default(false).describe('Sends our sightings there.'),
  report_auth: z
    .strictObject({ key: secret().describe('Auth key with perm_sighting.') })
    .optional()
    .describe('Another key for sightings; left out: that of auth.'),
  decay_scores: z
    .boolean()
    .default(false)
    .describe(
      'Asks the server for decay scores (read: search alone), which are then the confidence, and once a day again. Slow on large servers.',
    ),
  warninglist_hits: z
    .boolean()
    .default(false)
    .describe('Asks for the warninglists on which the server finds a value; their names are shown beside it.'),
  read_sightings: z
    .boolean()
    .default(false)
    .describe(
      'Asks for sightings (read: search alone): by one of type 1 or 2 the originator takes an attribute for harmless, or ends it.',
    ),
  ...peerShape,
});

export type MispConfig = z.output<typeof MispConfig>;

/** What is asked for beside the attributes themselves. None of these filters anything out. */
export function extrasOf(config: MispConfig): Readonly<Record<string, 1>> {
  return {
    ...(config.decay_scores ? { includeDecayScore: 1 } : {}),
    ...(config.warninglist_hits ? { includeWarninglistHits: 1 } : {}),
    ...(config.read_sightings ? { includeSightings: 1 } : {}),
  };
}

/** What a cursor belongs to. Another filter means other objects, so that everything is read again. */
export function cursorSettings({ url, read, start, filter, ...rest }: MispConfig): Json {
  const { decay_scores: decay, warninglist_hits: lists, read_sightings: sightings } = rest;
  // Left out where they are off, so that a cursor from before there were these settings holds.
  const more = { ...(lists ? { lists } : {}), ...(sightings ? { sightings } : {}) };
  return { url, read, start: start ?? null, filter: { ...filter }, decay, ...more };
}
