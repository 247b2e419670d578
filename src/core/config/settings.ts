// The schema of the configuration file (every key has its line in docs/configuration.md, which is generated from
// here), put together of what stands in settings/, a file for each subject.
import { z } from 'zod';
import type { ExchangeDefinition } from '../contracts/exchange-connector.ts';
import type { SiemDefinition } from '../contracts/siem-connector.ts';
import { proxyUrl, secret } from '../contracts/settings.ts';
import { parseAddress } from './listen.ts';
import { Own } from './settings/never-block.ts';
import { ExchangeCommon, peer, SiemCommon } from './settings/peers.ts';
import { Policy } from './settings/policy.ts';
import { Audit, Retention } from './settings/records.ts';
import { Identity, ReleaseRule, Sightings } from './settings/sharing.ts';
import { wrong } from './settings/words.ts';
import { StateSettings } from './state-place.ts';

export interface Registry {
  readonly siems: readonly SiemDefinition[];
  readonly exchanges: readonly ExchangeDefinition[];
}

const Listen = z
  .union([
    z.string(),
    z.strictObject({
      address: z.string().default('127.0.0.1:8686').describe('host:port; an IPv6 address in brackets.'),
      token: secret().optional().describe('Bearer token; needed for any address other than loopback.'),
      hosts: z.array(z.string().min(1)).default([]).describe('Further names under which a Host header is accepted.'),
    }),
  ])
  .superRefine((given, context) => {
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
  .describe('Address of probes, metrics and status page.');

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
    listen: Listen,
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
    audit: Audit,
    retention: Retention,
  });
}
