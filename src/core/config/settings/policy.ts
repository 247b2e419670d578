// What is taken in, for how long, and what waits for a person: as it holds for all, and as a peer overrides it.
import { z } from 'zod';
import { CLASSIFICATIONS } from '../../model/marking.ts';
import { listShape, NeverBlock } from './never-block.ts';
import { days, pap, tlp } from './words.ts';

const brakeShape = {
  share: z.number().gt(0).max(1).optional().describe('Share of its entries a partner may withdraw within the window.'),
  at_least: z.number().int().min(0).optional().describe('Never brakes below so many.'),
  window_hours: z.number().positive().max(720).optional().describe('Length of the window.'),
};
const burstShape = {
  factor: z.number().gt(1).optional().describe('How many times the usual number of additions is held.'),
  at_least: z.number().int().min(0).optional().describe('Never brakes below so many.'),
};
const lifetimeShape = {
  default: days().optional().describe('For types not named here.'),
  'ipv4-addr': days().optional(),
  'ipv6-addr': days().optional(),
  'domain-name': days().optional(),
  url: days().optional(),
  'email-addr': days().optional(),
  file: days().optional(),
};

/** Every key optional: an override names only what differs. */
const overrideShape = {
  min_confidence: z.number().int().min(0).max(100).optional().describe('Indicators below it are refused.'),
  unknown_confidence: z
    .enum(['accept', 'hold', 'refuse'])
    .optional()
    .describe('What happens to indicators that state no confidence.'),
  unmarked: tlp().optional().describe('Level of an object without TLP, at intake only.'),
  without_pap: pap().optional().describe('PAP level of an object that states none, at intake only.'),
  lifetime_days: z
    .strictObject(lifetimeShape)
    .optional()
    .describe('Lifetime without valid_until, from the later of modified and valid_from.'),
  max_days: days().optional().describe('Caps valid_until.'),
  valid_until: z
    .enum(['respect', 'cap', 'replace'])
    .optional()
    .describe('What a stated valid_until counts for: as it is, at most max_days, or nothing (lifetime_days holds).'),
  renew_on_hit: z
    .boolean()
    .optional()
    .describe('A hit of ours begins the lifetime without valid_until anew, up to max_days.'),
  max_classification: z
    .enum(CLASSIFICATIONS.slice(0, -1) as ['unclassified', 'restricted', 'confidential', 'secret'])
    .optional()
    .describe('Highest NATO or EU classification, by tags, labels and statements; above it is refused with an alarm.'),
  widest_network: z
    .strictObject({
      ipv4: z.number().int().min(8).max(32).optional().describe('Shortest prefix of an IPv4 network.'),
      ipv6: z.number().int().min(19).max(128).optional().describe('Shortest prefix of an IPv6 network.'),
    })
    .optional()
    .describe('Wider networks are refused.'),
  removal_brake: z.strictObject(brakeShape).optional().describe('Holds withdrawals beyond the usual for a person.'),
  addition_brake: z.strictObject(burstShape).optional().describe('Holds additions beyond the usual for a person.'),
  hold_patience_hours: z
    .number()
    .positive()
    .max(8760)
    .optional()
    .describe('Hours until a hold that nobody answered counts as failing.'),
};

export const PolicyOverrides = z.strictObject({
  ...overrideShape,
  never_block: z.strictObject(listShape).optional().describe('Adds to the global lists; nothing takes from them.'),
});
export type PolicyOverrides = z.output<typeof PolicyOverrides>;

const bareUrls = () => z.enum(['refuse', 'both_schemes']);
const BARE_URLS =
  'URLs that a partner states without a scheme: refuse, or arm the http and the https spelling. Acts when its objects are read again, which the next poll does.';
export const ExchangeOverrides = PolicyOverrides.extend({ bare_urls: bareUrls().optional().describe(BARE_URLS) });

export const Policy = z.strictObject({
  min_confidence: overrideShape.min_confidence.unwrap().default(0).describe('Indicators below it are refused.'),
  unknown_confidence: overrideShape.unknown_confidence
    .unwrap()
    .default('accept')
    .describe('What happens to indicators that state no confidence.'),
  unmarked: tlp().default('amber').describe('Level of an object without TLP, at intake only.'),
  without_pap: pap().default('amber').describe('PAP level of an object that states none, at intake only.'),
  lifetime_days: z
    .strictObject({ ...lifetimeShape, default: days().default(90).describe('For types not named here.') })
    .prefault({})
    .describe('Lifetime without valid_until, from the later of modified and valid_from.'),
  max_days: days().default(730).describe('Caps valid_until.'),
  valid_until: overrideShape.valid_until
    .unwrap()
    .default('cap')
    .describe('What a stated valid_until counts for: as it is, at most max_days, or nothing (lifetime_days holds).'),
  renew_on_hit: z
    .boolean()
    .default(false)
    .describe('A hit of ours begins the lifetime without valid_until anew, up to max_days.'),
  bare_urls: bareUrls().default('refuse').describe(BARE_URLS),
  max_classification: overrideShape.max_classification
    .unwrap()
    .default('unclassified')
    .describe('Highest NATO or EU classification, by tags, labels and statements; above it is refused with an alarm.'),
  widest_network: z
    .strictObject({
      ipv4: z.number().int().min(8).max(32).default(16).describe('Shortest prefix of an IPv4 network.'),
      ipv6: z.number().int().min(19).max(128).default(32).describe('Shortest prefix of an IPv6 network.'),
    })
    .prefault({})
    .describe('Wider networks are refused.'),
  removal_brake: z
    .strictObject({
      share: brakeShape.share
        .unwrap()
        .default(0.2)
        .describe('Share of its entries a partner may withdraw within the window.'),
      at_least: brakeShape.at_least.unwrap().default(100).describe('Never brakes below so many.'),
      window_hours: brakeShape.window_hours.unwrap().default(24).describe('Length of the window.'),
    })
    .prefault({})
    .describe('Holds withdrawals beyond the usual for a person.'),
  addition_brake: z
    .strictObject({
      factor: burstShape.factor.unwrap().default(10).describe('How many times the usual number of additions is held.'),
      at_least: burstShape.at_least.unwrap().default(10_000).describe('Never brakes below so many.'),
    })
    .prefault({})
    .describe('Holds additions beyond the usual for a person.'),
  never_block: NeverBlock.prefault({}),
  hold_patience_hours: overrideShape.hold_patience_hours
    .unwrap()
    .default(24)
    .describe('Hours until a hold that nobody answered counts as failing.'),
});
export type Policy = z.output<typeof Policy>;
