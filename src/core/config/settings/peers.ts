// What every exchange and every SIEM takes. These keys win over a connector's own of the same name, so that a key means the
// same everywhere; what else a peer takes is the connector's own strictObject.
import { z } from 'zod';
import type { ExchangeDefinition } from '../../contracts/exchange-connector.ts';
import type { SiemDefinition } from '../../contracts/siem-connector.ts';
import { OBSERVABLE_TYPES } from '../../model/observable.ts';
import { ExchangeOverrides, PolicyOverrides } from './policy.ts';
import { cron, pap, tlp } from './words.ts';

const peerName = (what: string) =>
  z
    .string()
    .regex(/^[a-z0-9][a-z0-9_.-]{0,63}$/, 'at most 64 of a-z, 0-9, dash, dot and underscore, first a letter or digit')
    .describe(`Name of this ${what} in commands, logs and metrics. Unique among its kind.`);

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

export const ExchangeCommon = z.strictObject({
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

export const SiemCommon = z.strictObject({
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

/** Each by the connector that its `type` names. */
export function peer(
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
