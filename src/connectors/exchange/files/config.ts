// What an operator may say about an exchange of files, beside the keys that core gives every exchange.
import { z } from 'zod';
import type { Json } from '../../../core/model/json.ts';

export const FilesConfig = z.strictObject({
  type: z.literal('files'),
  path: z.string().min(1).describe('Folder whose files are read, those of its subfolders too, or one file.'),
  after: z
    .enum(['remember', 'move'])
    .default('remember')
    .describe(
      'remember: files stay, and a file states what it holds now. move: each file is a delivery, and goes into done/ or refused/ inside.',
    ),
  settle_secs: z
    .number()
    .min(0)
    .max(86_400)
    .default(10)
    .describe('A file that changed within so many seconds is left alone.'),
  outbox: z
    .string()
    .min(1)
    .optional()
    .describe('Folder into which our sightings go as numbered files; left out: none is reported.'),
  report_where_sighted: z
    .boolean()
    .default(false)
    .describe('Names our identity as the place of a sighting, not only as its author.'),
  /** The key of every exchange, which wins; named here since a file that is gone is no listing's affair. */
  vanished: z.enum(['keep', 'withdraw']).default('keep'),
});

/** What is reported, and whereto: an approval is for what was shown under them. */
export function reportForm(config: FilesConfig): Json {
  return { to: config.outbox ?? null, where: config.report_where_sighted };
}

export type FilesConfig = z.output<typeof FilesConfig>;

/** What a cursor belongs to. */
export function cursorSettings(config: FilesConfig): Json {
  return { path: config.path, after: config.after };
}
