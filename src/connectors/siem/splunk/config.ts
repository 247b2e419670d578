// What a person configures for one Splunk.
import { z } from 'zod';
import { peerShape, peerUrl, secret } from '../../../core/contracts/settings.ts';
import { OBSERVABLE_TYPES } from '../../../core/model/observable.ts';

/** These names are written into SPL, so they hold no sign that could end a word or a text there. */
const indexName = () => z.string().regex(/^[a-z0-9_*][a-z0-9_*-]{0,79}$/, 'an index name: a-z, 0-9, _, - and *');
const fieldName = () => z.string().regex(/^[A-Za-z_][A-Za-z0-9_.]{0,79}$/, 'a field name: letters, digits, _ and .');

export const SplunkConfig = z.strictObject({
  type: z.literal('splunk'),
  url: peerUrl().describe('Management port of a search head, e.g. https://splunk.example:8089.'),
  auth: z
    .union([
      z.strictObject({ token: secret() }),
      z.strictObject({
        username: z.string().min(1),
        password: secret(),
        login: z.enum(['session', 'basic']).default('session'),
      }),
    ])
    .describe('An authentication token, or a user; login: basic sends the password with every call.'),
  app: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_-]{0,79}$/, 'an app name: letters, digits, _ and -')
    .default('entente')
    .describe('App that holds our collections and lookup definitions.'),
  form: z
    .enum(['lookups', 'threat_intel'])
    .default('lookups')
    .describe('Own collections for | lookup, or the threat collections of Enterprise Security.'),
  sharing: z
    .enum(['global', 'app'])
    .default('global')
    .describe('Who sees the lookup definitions that we create: searches of every app, or of ours only.'),
  threat_intel_app: z
    .string()
    .min(1)
    .optional()
    .describe('App that holds the threat collections. Default: found by asking.'),
  event_search: z
    .strictObject({
      indexes: z.array(indexName()).min(1).describe('Indexes that hold events; * stands for any letters.'),
      fields: z
        .partialRecord(z.enum(OBSERVABLE_TYPES), z.array(fieldName()).min(1))
        .refine((fields) => Object.keys(fields).length > 0, 'at least one observable type with its fields')
        .describe('Event fields to compare, per observable type.'),
      late_days: z
        .number()
        .int()
        .positive()
        .max(3650)
        .default(7)
        .describe('How old an event may be, by its own time, when it is indexed.'),
    })
    .optional()
    .describe('With form lookups: searches events for entries. Left out: no hits are read.'),
  threat_activity_index: indexName()
    .default('threat_activity')
    .describe('With form threat_intel: index into which Enterprise Security writes its matches.'),
  false_positive_dispositions: z
    .array(z.string().regex(/^[A-Za-z0-9:_-]{1,80}$/, 'an id such as disposition:3: letters, digits, :, _ and -'))
    .default([])
    .describe(
      'Dispositions of Enterprise Security that mean a false positive, by id (disposition:3, disposition:4 as it is shipped). Left out: notables and findings are not read.',
    ),
  ignore_hosts: z
    .array(z.string().regex(/^[A-Za-z0-9._:-]+$/, 'a host name or an address'))
    .default([])
    .describe('Names and addresses of own scanners and test hosts: what they cause is not reported.'),
  ...peerShape,
});

export type SplunkConfig = z.output<typeof SplunkConfig>;

/** Keys that core adds for every SIEM and that this connector reads. */
export type SplunkSettings = SplunkConfig & { readonly provision?: 'auto' | 'never' };
