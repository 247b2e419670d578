// What is told to partners: who we are, what may leave, and how hits become sightings.
import { z } from 'zod';
import { PAP_LEVELS } from '../../model/marking.ts';
import { OBSERVABLE_TYPES } from '../../model/observable.ts';
import { guess } from '../../model/typed-in.ts';
import { days, tlp, wrong } from './words.ts';

export const Identity = z
  .strictObject({
    id: z
      .string()
      .regex(
        /^identity--[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
        'identity-- and a UUID in lower case',
      )
      .describe('STIX id, made once and kept.'),
    name: z.string().min(1).max(256).describe('How partners see us; a pseudonym will do.'),
    class: z
      .enum(['individual', 'group', 'system', 'organization', 'class', 'unknown'])
      .default('organization')
      .describe('STIX identity class.'),
  })
  .describe('Ours, in sightings. Required once an exchange takes reports.');

export const ReleaseRule = z
  .strictObject({
    to: z.string().min(1).describe('Name of an exchange, or * for any.'),
    from: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('Exchanges the sighted object may come from; left out: only the one in `to`.'),
    tlp: z
      .array(tlp())
      .min(1)
      .optional()
      .describe('Levels of the object that the rule covers; an unmarked one counts as red.'),
    pap: z
      .array(z.enum(PAP_LEVELS))
      .min(1)
      .optional()
      .describe('PAP levels that the rule covers; none stated counts as red.'),
    statements: z.array(z.string().min(1)).min(1).optional().describe('Terms of use that the object may carry.'),
    types: z
      .array(z.enum([...OBSERVABLE_TYPES, 'file']))
      .min(1)
      .optional()
      .describe('Observable types, or file for all hashes.'),
    min_count: z.number().int().positive().optional().describe('Fewer hits in a window do not match.'),
    max_age_days: days().optional().describe('Age of the last hit.'),
    false_positives: z.boolean().default(false).describe('Covers false-positive verdicts too.'),
    delay_minutes: z.number().min(0).max(43_200).optional().describe('Waits so long before sending.'),
    jitter_minutes: z.number().min(0).max(43_200).optional().describe('Adds up to so much to the delay.'),
    action: z.enum(['share', 'hold', 'deny']).describe('hold waits for a person.'),
  })
  .refine((rule) => rule.action === 'deny' || rule.tlp !== undefined, {
    path: ['tlp'],
    message: 'a rule that shares or holds must name the levels it covers',
    params: { sentence: true },
  });
export type ReleaseRule = z.output<typeof ReleaseRule>;

export const Sightings = z
  .strictObject({
    window_minutes: z.number().int().min(1).max(10_080).default(60).describe('One sighting per object and window.'),
    time_precision_minutes: z
      .number()
      .int()
      .min(1)
      .max(10_080)
      .default(60)
      .describe('Times in sightings are cut to this.'),
    delay_minutes: z.number().min(0).max(43_200).default(0).describe('Waits so long before sending.'),
    min_count: z.number().int().positive().default(1).describe('Fewer hits in a window are not told.'),
    hold_hours: z.number().positive().max(8760).default(72).describe('A held sighting nobody decides on is denied.'),
    ignore_values: z
      .array(
        z.string().superRefine((text, context) => {
          if (guess(text).length === 0)
            context.addIssue(wrong('this is no address, network, domain, URL, mail address or hash'));
        }),
      )
      .default([])
      .describe('Values of our own canaries: hits on them are no news.'),
  })
  .describe('How hits become sightings.');
export type SightingSettings = z.output<typeof Sightings>;
