// Two small definitions and the least configuration, for tests that need a registry but no connector.
import { z } from 'zod';
import { loadConfig, parseConfig, type Config } from '../../src/core/config/load.ts';
import type { Registry } from '../../src/core/config/settings.ts';
import { type Environment, problemLine } from '../../src/core/config/source.ts';
import type { ExchangeDefinition } from '../../src/core/contracts/exchange-connector.ts';
import { peerShape, peerUrl, secret } from '../../src/core/contracts/settings.ts';
import type { SiemDefinition } from '../../src/core/contracts/siem-connector.ts';

const never = (): never => {
  throw new Error('a configuration test creates no connector');
};

const taxiiConfig = z.strictObject({
  type: z.literal('taxii21'),
  url: peerUrl().describe('API root or discovery URL.'),
  collections: z.array(z.string()).optional(),
  auth: z
    .union([
      z.strictObject({ username: z.string(), password: secret() }),
      z.strictObject({ token: secret() }),
      z.strictObject({ header: z.string(), value: secret() }),
    ])
    .optional()
    .describe('Who we are there.'),
  page_size: z.number().int().min(1).default(1000),
  report_to: z.string().optional(),
  ...peerShape,
});

const elasticConfig = z.strictObject({
  type: z.literal('elastic'),
  url: z.array(peerUrl()).min(1),
  auth: z.strictObject({ api_key: secret() }),
  index: z.string().default('watch'),
  ...peerShape,
});

const taxii: ExchangeDefinition<z.output<typeof taxiiConfig>> = {
  type: 'taxii21',
  config: taxiiConfig,
  settings: ({ url }) => ({ url }),
  reports: ({ report_to }) => report_to !== undefined,
  create: never,
};

const elastic: SiemDefinition<z.output<typeof elasticConfig>> = {
  type: 'elastic',
  config: elasticConfig,
  observables: ['ipv4-addr', 'domain-name'],
  limits: { maxItems: 500, maxBytes: 5_000_000, concurrency: 2 },
  longestCallMs: 60_000,
  versioned: true,
  foldsSlots: false,
  readsHits: true,
  settings: ({ index }) => ({ index }),
  places: ({ url, index }) => url.map((one) => `${one} ${index}`),
  container: () => 'watch',
  slot: (type, value) => `${type}|${value}`,
  encode: never,
  create: never,
};

// A definition for one configuration type stands in a list for any: core hands each only what its schema parsed.
export const smallRegistry: Registry = {
  exchanges: [taxii as unknown as ExchangeDefinition],
  siems: [elastic as unknown as SiemDefinition],
};

export const LEAST = `
instance: soc-one
exchanges:
  - { name: partner, type: taxii21, url: https://taxii.example/api/ }
siems:
  - { name: watch, type: elastic, url: [https://es.example:9200], auth: { api_key: abc } }
`;

export function aConfig(yaml: string = LEAST, env: Environment = {}): Config {
  const answer = parseConfig('/etc/entente/entente.yaml', yaml.trimStart(), smallRegistry, env);
  if ('problems' in answer) throw new Error(answer.problems.map(problemLine).join('\n'));
  return answer.config;
}

/** The problems as printed; empty for a good configuration. */
export function problemsOf(yaml: string, env: Environment = {}): string[] {
  const answer = parseConfig('/etc/entente/entente.yaml', yaml.replace(/^\n/, ''), smallRegistry, env);
  return 'problems' in answer ? answer.problems.map(problemLine) : [];
}

export { loadConfig };
