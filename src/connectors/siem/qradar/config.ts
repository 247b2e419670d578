// What a person configures for one QRadar console.
import { isIPv4 } from 'node:net';
import { z } from 'zod';
import { peerShape, peerUrl, secret } from '../../../core/contracts/settings.ts';
import { OBSERVABLE_TYPES } from '../../../core/model/observable.ts';

export const QRadarConfig = z.strictObject({
  type: z.literal('qradar'),
  url: peerUrl().describe('URL of the console, without /api.'),
  auth: z.strictObject({ token: secret() }).describe('An authorized service token.'),
  set_prefix: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9 _.-]{0,79}$/, 'letters, digits, blank, _ . - and at most 80 of them')
    .default('Entente')
    .describe('Begin of the names of our reference sets. Two daemons on one console need two prefixes.'),
  domain_id: z.number().int().min(0).optional().describe('Domain of our entries. Left out: shared by all domains.'),
  tenant_id: z.number().int().min(0).optional().describe('Tenant that owns our sets. Left out: shared sets.'),
  api_version: z
    .string()
    .regex(/^\d+\.\d+$/, 'a version such as "19.0"')
    .optional()
    .describe(
      'Pin the API version. Left out: the newest one that is supported and known to us, found out again when it goes.',
    ),
  dead_man_days: z
    .number()
    .int()
    .min(0)
    .max(3650)
    .default(90)
    .describe(
      'Entries that nobody renewed for so long leave by themselves, should this daemon be gone. 0: never. Counts for sets we create.',
    ),
  notes_length: z
    .number()
    .int()
    .min(250)
    .max(4000)
    .default(1000)
    .describe('Longest text written into the notes of an entry.'),
  event_fields: z
    .partialRecord(
      z.enum(OBSERVABLE_TYPES),
      z.array(z.string().regex(/^[\p{L}\p{N}_ .:/()#%+-]{1,128}$/u, 'a property name without quotes')).max(8),
    )
    .default({})
    .describe(
      'Event properties that are compared with our sets, per observable type, in place of the usual ones. Empty list: none.',
    ),
  ignore_hosts: z
    .array(z.string().refine(isNetwork, 'an IPv4 address or network'))
    .max(100)
    .default([])
    .describe('Addresses and networks of own scanners and test hosts: events with such a source are not counted.'),
  false_positive_reasons: z
    .array(z.number().int().min(0))
    .max(50)
    .default([])
    .describe(
      'Ids of the reasons for closing an offense that mean a false positive (/api/siem/offense_closing_reasons lists them). Left out: offenses are not read.',
    ),
  ...peerShape,
});

function isNetwork(text: string): boolean {
  const [address = '', length = '32', ...rest] = text.split('/');
  return isIPv4(address) && /^\d{1,2}$/.test(length) && Number(length) <= 32 && rest.length === 0;
}

export type QRadarConfig = z.output<typeof QRadarConfig>;

/** Keys that core adds for every SIEM and that this connector reads. */
export type QRadarSettings = QRadarConfig & { readonly provision?: 'auto' | 'never' };
