// What is kept of what was done, and for how long.
import { z } from 'zod';
import { days, wrong } from './words.ts';

export const Audit = z
  .strictObject({
    level: z
      .enum(['counts', 'values'])
      .default('values')
      .describe('Of each act counts alone, or each value too. What a person does is always told whole.'),
    key_file: z
      .string()
      .min(1)
      .optional()
      .describe('Key that signs checkpoints, made when it is missing; left out: audit.key beside the state.'),
    checkpoints: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Folder that each checkpoint is written into, a new file each; left out: checkpoints beside the state.',
      ),
    checkpoint_minutes: z
      .number()
      .positive()
      .max(1440)
      .default(5)
      .describe('How often a checkpoint is signed while there is news.'),
    witness: z
      .unknown()
      .superRefine((given, context) => {
        if (given !== null) context.addIssue(wrong('not yet: nobody cosigns checkpoints; leave it out'));
      })
      .default(null)
      .describe('Who cosigns checkpoints; not yet.'),
  })
  .prefault({})
  .describe('The record of what was done.');

export const Retention = z
  .strictObject({
    gone_days: days().default(90).describe('How long entries that are gone stay explainable.'),
    hits_days: days().default(30).describe('How long hits are kept.'),
    sightings_days: days().default(365).describe('How long is kept what was told, held or denied.'),
    audit_values_days: days()
      .default(365)
      .describe('How long the record tells which values they were, and the history is kept. Its chain stays for good.'),
  })
  .prefault({})
  .describe('How long records are kept.');
