// The schema of the configuration file (every key has its line in docs/configuration.md, which is generated from
// here). Keys that every exchange or SIEM takes are defined once and win over a connector's own of the same name,
// so that a key means the same everywhere; what else a peer takes is the connector's own strictObject.
import { z } from 'zod';
import { CLASSIFICATIONS, PAP_LEVELS, TLP_LEVELS } from '../model/marking.ts';
import { OBSERVABLE_TYPES } from '../model/observable.ts';
import type { ExchangeDefinition } from '../contracts/exchange-connector.ts';
import type { SiemDefinition } from '../contracts/siem-connector.ts';
import { proxyUrl, secret } from '../contracts/settings.ts';
import { canonical } from '../model/canonical.ts';
import { ipRange } from '../model/ip.ts';
import { isCatchAll, listedValue } from '../model/listed-value.ts';
import { guess } from '../model/typed-in.ts';
import { checkCron } from '../runtime/scheduler.ts';
import { parseAddress } from './listen.ts';
import { StateSettings } from './state-place.ts';

export interface Registry {
  readonly siems: readonly SiemDefinition[];
  readonly exchanges: readonly ExchangeDefinition[];
}

/** A message that is a whole sentence, not only what is allowed. */
const wrong = (message: string) => ({ code: 'custom', message, params: { sentence: true } }) as const;

const cron = () =>
  z.string().superRefine((text, context) => {
    const problem = checkCron(text);
    if (problem !== undefined) context.addIssue(wrong(problem));
  });

const peerName = (what: string) =>
  z
    .string()
    .regex(/^[a-z0-9][a-z0-9_.-]{0,63}$/, 'at most 64 of a-z, 0-9, dash, dot and underscore, first a letter or digit')
    .describe(`Name of this ${what} in commands, logs and metrics. Unique among its kind.`);

const days = () => z.number().positive().max(36_500);
const tlp = () => z.enum(TLP_LEVELS);
const pap = () => z.enum(PAP_LEVELS);

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

const network = () =>
  z.string().superRefine((text, context) => {
    if (ipRange(text) === undefined)
      context.addIssue(wrong('is no address or network; write it as 192.0.2.7 or 192.0.2.0/24'));
  });

const domain = () =>
  z.string().superRefine((text, context) => {
    if ('refused' in canonical('domain-name', text.replace(/^=/, '')))
      context.addIssue(
        wrong('is no domain; write soc.example, which covers what is below it, or =soc.example for itself alone'),
      );
  });

const listShape = {
  values: z
    .array(
      z.string().superRefine((text, context) => {
        if (listedValue(text) === undefined)
          context.addIssue(
            wrong('is no address, network, name, URL, mail address or hash; a whole domain belongs under domains'),
          );
      }),
    )
    .default([])
    .describe('Single values, in any spelling. An address covers URLs on it.'),
  cidrs: z
    .array(
      network().superRefine((text, context) => {
        const range = ipRange(text);
        if (range !== undefined && isCatchAll(range))
          context.addIssue(wrong('covers nearly every address, so that nothing could be armed; name narrower ones'));
      }),
    )
    .default([])
    .describe('Networks; each covers what is inside it, and every network that holds a part of it.'),
  domains: z
    .array(domain())
    .default([])
    .describe('Domains with what is below them, URLs and mail addresses on them; `=domain` only itself.'),
};

const PolicyOverrides = z.strictObject({
  ...overrideShape,
  never_block: z.strictObject(listShape).optional().describe('Adds to the global lists; nothing takes from them.'),
});
export type PolicyOverrides = z.output<typeof PolicyOverrides>;

const bareUrls = () => z.enum(['refuse', 'both_schemes']);
const BARE_URLS =
  'URLs that a partner states without a scheme: refuse, or arm the http and the https spelling. Acts when its objects are read again, which the next poll does.';
const ExchangeOverrides = PolicyOverrides.extend({ bare_urls: bareUrls().optional().describe(BARE_URLS) });

const ListAction = z.enum(['refuse', 'note']);

const NeverBlock = z
  .strictObject({
    ...listShape,
    lists: z
      .string()
      .min(1)
      .optional()
      .describe('Folder of MISP warninglists: `lists/NAME/list.json` or `NAME/list.json` in it, or `NAME.json`.'),
    list_actions: z
      .strictObject({
        special_addresses: ListAction.optional().describe(
          'Addresses and names with a meaning only locally: private, loopback, link-local, multicast and their like.',
        ),
        documentation: ListAction.optional().describe('Documentation, benchmarking and future-use ranges.'),
        public_suffixes: ListAction.optional().describe('Domains such as com or org.uk, and names of one label.'),
        public_resolvers: ListAction.optional().describe('Resolvers that everybody asks, such as 9.9.9.9.'),
        empty_hashes: ListAction.optional().describe('Hashes of the empty file.'),
        own_hosts: ListAction.optional().describe(
          'Hosts that this configuration names. What stands under `own` is refused in any case.',
        ),
      })
      .catchall(ListAction)
      .prefault({})
      .describe(
        'refuse, or note: armed, and `why` names the list. Built-in lists refuse, a list of the folder goes by its name and notes; public-dns-v4, public-dns-v6, empty-hashes and tlds refuse.',
      ),
  })
  .describe('What no partner may put on a watchlist.');

const Own = z
  .strictObject({
    networks: z.array(network()).default([]).describe('Addresses and networks.'),
    domains: z.array(domain()).default([]).describe('Domains; one covers what is below it, `=domain` only itself.'),
  })
  .describe('Our own ground: never armed, never told in a sighting.');

export type OwnSettings = z.output<typeof Own>;

const Policy = z.strictObject({
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

const commonShape = {
  enabled: z.boolean().default(true).describe('False keeps its claims or entries and stops work.'),
  stale_after_minutes: z
    .number()
    .positive()
    .max(100_000)
    .default(60)
    .describe('Recovering for longer than this is failing.'),
  policy: PolicyOverrides.prefault({}).describe('Overrides of the global policy.'),
};

const ExchangeCommon = z.strictObject({
  name: peerName('exchange'),
  ...commonShape,
  policy: ExchangeOverrides.prefault({}).describe('Overrides of the global policy.'),
  schedule: cron().default('*/5 * * * *').describe('When to poll: cron in UTC, 5 or 6 fields.'),
  full_listing: cron()
    .default('17 3 * * *')
    .describe(
      'When to look for objects that vanished: cron in UTC. `run --once` looks when that was due since the last time.',
    ),
  vanished: z
    .enum(['keep', 'withdraw'])
    .default('keep')
    .describe('What follows when an object vanished from every collection. Many servers prune by age.'),
  quiet_after_hours: z.number().positive().optional().describe('Warn when nothing was published for so long.'),
});
export type ExchangeCommon = z.output<typeof ExchangeCommon>;

const SiemCommon = z.strictObject({
  name: peerName('SIEM'),
  ...commonShape,
  clearance: tlp().default('amber').describe('Highest TLP this SIEM may hold.'),
  hosting: z
    .enum(['on_premises', 'cloud'])
    .optional()
    .describe('Where it runs; decides what PAP allows: all on our own ground, up to PAP:GREEN in a cloud.'),
  highest_pap: pap().optional().describe('Highest PAP this SIEM may hold; left out: what its hosting allows.'),
  observables: z
    .array(z.enum(OBSERVABLE_TYPES))
    .min(1)
    .optional()
    .describe('Types it takes; left out: all it can hold.'),
  exchanges: z.array(z.string()).min(1).optional().describe('Names of the exchanges it listens to; left out: all.'),
  max_entries: z
    .number()
    .int()
    .positive()
    .optional()
    .describe('Most entries of one container: the surest, of these the newest; the rest is kept out and reported.'),
  mode: z.enum(['live', 'shadow']).default('live').describe('shadow plans and writes nothing.'),
  provision: z.enum(['auto', 'never']).default('auto').describe('never creates no collection, template or set.'),
  hits: z
    .strictObject({
      enabled: z.boolean().optional().describe('Left out: on once an exchange takes reports.'),
      schedule: cron().default('*/2 * * * *').describe('When to read hits: cron in UTC, 5 or 6 fields.'),
    })
    .prefault({})
    .describe('Reading what matched our entries there.'),
});
export type SiemCommon = z.output<typeof SiemCommon>;

const Identity = z
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

const ReleaseRule = z
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

const Sightings = z
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

const Listen = z.union([
  z.string(),
  z.strictObject({
    address: z.string().default('127.0.0.1:8686').describe('host:port; an IPv6 address in brackets.'),
    token: secret().optional().describe('Bearer token; needed for any address other than loopback.'),
    hosts: z.array(z.string().min(1)).default([]).describe('Further names under which a Host header is accepted.'),
  }),
]);

/** The whole file. Peers are checked against the connector their `type` names. */
export function fileSchema(registry: Registry) {
  return z.strictObject({
    instance: z
      .string()
      .regex(/^[a-z0-9-]{1,40}$/, 'at most 40 of a-z, 0-9 and dash')
      .describe('Owner mark in every SIEM. The state remembers it: another name is refused.'),
    state: StateSettings.default('./state/entente.db').describe(
      'SQLite file with the state (./state/entente.db); or a PostgreSQL server: postgres://user@host:5432/database, or the keys below.',
    ),
    listen: Listen.superRefine((given, context) => {
      const parsed = parseAddress(typeof given === 'string' ? given : given.address);
      if ('wrong' in parsed) context.addIssue(wrong(parsed.wrong));
      else if (!parsed.loopback && (typeof given === 'string' || given.token === undefined)) {
        context.addIssue(
          wrong(
            `${parsed.host} is reachable from outside this machine, so a token is needed; write { address, token_file }`,
          ),
        );
      }
    })
      .prefault('127.0.0.1:8686')
      .describe('Address of probes, metrics and status page.'),
    log: z
      .strictObject({
        level: z.enum(['error', 'warn', 'info', 'debug']).default('info').describe('debug may name indicator values.'),
        format: z.enum(['json', 'text']).default('json'),
      })
      .prefault({})
      .describe('Log on stderr.'),
    proxy: proxyUrl().optional().describe('Proxy for all peers beyond loopback; left out: HTTPS_PROXY and NO_PROXY.'),
    retry_after_cap_minutes: z
      .number()
      .positive()
      .max(1440)
      .default(15)
      .describe('Longest wait that a peer may ask for with Retry-After.'),
    exchanges: z.array(peer(registry.exchanges, ExchangeCommon)).default([]).describe('Where indicators come from.'),
    siems: z.array(peer(registry.siems, SiemCommon)).default([]).describe('Where they are kept.'),
    own: Own.prefault({}),
    policy: Policy.prefault({}).describe('What is taken in, for how long, and what waits for a person.'),
    identity: Identity.optional(),
    release: z
      .array(ReleaseRule)
      .default([])
      .describe('What may leave. First match wins; nothing leaves unless a rule allows it.'),
    sightings: Sightings.prefault({}),
    audit: z
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
      .describe('The record of what was done.'),
    retention: z
      .strictObject({
        gone_days: days().default(90).describe('How long entries that are gone stay explainable.'),
        hits_days: days().default(30).describe('How long hits are kept.'),
        sightings_days: days().default(365).describe('How long is kept what was told, held or denied.'),
        audit_values_days: days()
          .default(365)
          .describe(
            'How long the record tells which values they were, and the history is kept. Its chain stays for good.',
          ),
      })
      .prefault({})
      .describe('How long records are kept.'),
  });
}

function peer(
  definitions: readonly (SiemDefinition | ExchangeDefinition)[],
  common: typeof ExchangeCommon | typeof SiemCommon,
): z.ZodType<Record<string, unknown>> {
  const options = definitions.map((definition) => {
    if (!(definition.config instanceof z.ZodObject))
      throw new Error(`the configuration of ${definition.type} is no z.strictObject`);
    // A refinement on the connector's object stays in force: safeExtend keeps it, where extend would throw.
    return definition.config.safeExtend<z.ZodRawShape>({ ...common.shape });
  });
  const [first, ...others] = options;
  if (first === undefined) return z.record(z.string(), z.unknown());
  return z.discriminatedUnion('type', [first, ...others]) as z.ZodType<Record<string, unknown>>;
}
