// What has to stand in Splunk before entries can: the app, its collections with typed and accelerated fields, and
// the lookup definitions with which every user's search finds them. content/splunk/entente ships the same as files,
// for those who do not let us create anything; a test holds the two together.
import { configFailure, ConnectorError } from '../../../core/contracts/failure.ts';
import type { SplunkClient } from './client.ts';
import type { SplunkConfig } from './config.ts';
import { collectionsOf } from './mapping.ts';
import type { Entity } from './responses.ts';

export interface CollectionPlan {
  readonly name: string;
  readonly fields: Readonly<Record<string, 'number' | 'string'>>;
  /** Name of each acceleration, and the field it is on. */
  readonly accelerated: Readonly<Record<string, string>>;
}

export interface LookupPlan {
  readonly name: string;
  readonly collection: string;
  readonly fields: readonly string[];
  /** Absent = exact. */
  readonly matchType?: string;
  readonly filter?: string;
}

/** Writer marks. Its own collection, because no search has business there. */
export const CONTROL = 'entente_control';

const FACTS = [
  'type',
  'description',
  'tlp',
  'pap',
  'confidence',
  'valid_from',
  'valid_until',
  'exchanges',
  'source_ids',
  'names',
  'indicator_types',
  'labels',
  'threats',
  'providers',
  'statements',
  'owner',
  'entry_key',
];

/** Fields on which each collection is matched. */
const MATCHED: Readonly<Record<string, readonly string[]>> = {
  entente_ip: ['ip', 'network'],
  entente_domain: ['domain', 'domain_pattern'],
  entente_url: ['url'],
  entente_email: ['email'],
  entente_file: ['file_hash'],
};

const COMMON: CollectionPlan['fields'] = {
  owner: 'string',
  entry_key: 'string',
  writer: 'string',
  revision: 'string',
  valid_from: 'number',
  valid_until: 'number',
  confidence: 'number',
};

export const CONTROL_PLAN: CollectionPlan = {
  name: CONTROL,
  fields: { owner: 'string', writer: 'string', boot: 'string', mark_revision: 'string', at: 'number' },
  accelerated: {},
};

export const COLLECTION_PLANS: readonly CollectionPlan[] = Object.entries(MATCHED).map(([name, matched]) => ({
  name,
  fields: { ...Object.fromEntries(matched.map((field) => [field, 'string' as const])), ...COMMON },
  // A network or a pattern is compared with every row, so an index on it would not be used.
  accelerated: { [`by_${matched[0]}`]: matched[0]! },
}));

const lookup = (name: string, collection: string, field: string, rest: Partial<LookupPlan> = {}): LookupPlan => ({
  name,
  collection,
  fields: [
    '_key',
    field,
    ...(collection === 'entente_ip' ? ['kind'] : collection === 'entente_file' ? ['algorithm'] : []),
    ...FACTS,
  ],
  ...rest,
});

export const LOOKUP_PLANS: readonly LookupPlan[] = [
  lookup('entente_ip', 'entente_ip', 'ip'),
  lookup('entente_network', 'entente_ip', 'network', { matchType: 'CIDR(network)', filter: 'kind="network"' }),
  lookup('entente_domain', 'entente_domain', 'domain'),
  lookup('entente_subdomain', 'entente_domain', 'domain_pattern', { matchType: 'WILDCARD(domain_pattern)' }),
  lookup('entente_url', 'entente_url', 'url'),
  lookup('entente_email', 'entente_email', 'email'),
  lookup('entente_file', 'entente_file', 'file_hash'),
];

export function lookupSettings(plan: LookupPlan): Record<string, string> {
  return {
    external_type: 'kvstore',
    collection: plan.collection,
    fields_list: plan.fields.join(', '),
    // Rows are stored in lower case, so this finds a value however an event spells it.
    case_sensitive_match: 'false',
    max_matches: '10',
    ...(plan.matchType === undefined ? {} : { match_type: plan.matchType }),
    ...(plan.filter === undefined ? {} : { filter: plan.filter }),
  };
}

export function collectionSettings(plan: CollectionPlan): Record<string, string> {
  return {
    ...Object.fromEntries(Object.entries(plan.fields).map(([name, type]) => [`field.${name}`, type])),
    ...Object.fromEntries(
      Object.entries(plan.accelerated).map(([name, field]) => [
        `accelerated_fields.${name}`,
        JSON.stringify({ [field]: 1 }),
      ]),
    ),
  };
}

/** Creates what is missing and completes what is incomplete. Returns the names of what it created. */
export async function provision(
  client: SplunkClient,
  config: SplunkConfig,
  name: string,
  mayCreate: boolean,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const created: string[] = [];
  const missing = (what: string): ConnectorError =>
    configFailure(`${name}: ${what} is missing and provision is never; install content/splunk/entente, or create it`);
  const nobody = `/servicesNS/nobody/${encodeURIComponent(config.app)}`;

  if ((await client.entity(`/services/apps/local/${encodeURIComponent(config.app)}`, signal)) === undefined) {
    if (!mayCreate) throw missing(`app ${config.app}`);
    await create(client, '/services/apps/local', { name: config.app, label: 'Entente', visible: 'false' }, signal);
    created.push(config.app);
  }
  const place = async (
    path: string,
    entity: string,
    settings: Readonly<Record<string, string>>,
    sharing: string | undefined,
  ): Promise<void> => {
    const found = await client.entity(`${path}/${entity}`, signal);
    if (found === undefined) {
      if (!mayCreate) throw missing(`${entity} in app ${config.app}`);
      await create(client, path, { name: entity, ...settings }, signal);
      // Sharing is set when something is created and left alone afterwards: an administrator may narrow it.
      if (sharing !== undefined) await share(client, `${path}/${entity}`, sharing, signal);
      created.push(entity);
    } else if (mayCreate && !complete(found, settings)) {
      await client.post(`${path}/${entity}`, settings, signal);
    }
  };

  const collections = config.form === 'lookups' ? [CONTROL_PLAN, ...COLLECTION_PLANS] : [CONTROL_PLAN];
  for (const plan of collections) {
    const sharing = plan === CONTROL_PLAN ? undefined : config.sharing;
    await place(`${nobody}/storage/collections/config`, plan.name, collectionSettings(plan), sharing);
  }
  if (config.form === 'lookups') {
    for (const plan of LOOKUP_PLANS) {
      await place(`${nobody}/data/transforms/lookups`, plan.name, lookupSettings(plan), config.sharing);
    }
  }
  return created;
}

const INTEL_APPS = ['DA-ESS-ThreatIntelligence', 'SA-ThreatIntelligence'];

/** The app that holds Enterprise Security's collections: sources name two, so both are asked. */
export async function findIntelApp(client: SplunkClient, config: SplunkConfig, name: string, signal: AbortSignal) {
  const candidates = config.threat_intel_app === undefined ? INTEL_APPS : [config.threat_intel_app];
  const [first = 'ip_intel'] = collectionsOf('threat_intel');
  for (const app of candidates) {
    const found = await client.entity(
      `/servicesNS/nobody/${encodeURIComponent(app)}/storage/collections/config/${first}`,
      signal,
    );
    if (found !== undefined) return app;
  }
  throw configFailure(
    `${name}: no collection ${first} in ${candidates.join(' or ')}; install Enterprise Security, set threat_intel_app, or use form: lookups`,
  );
}

/** Somebody else may have created it in the same moment, which is as good. */
async function create(
  client: SplunkClient,
  path: string,
  form: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.post(path, form, signal);
  } catch (error) {
    if (!(error instanceof ConnectorError) || error.status !== 409) throw error;
  }
}

/** Setting permissions replaces them all, so the ones for writing are read and sent back. */
async function share(client: SplunkClient, path: string, sharing: string, signal: AbortSignal): Promise<void> {
  const held = await client.entity(path, signal);
  const write = held?.acl?.perms?.write ?? ['admin', 'power'];
  await client.post(
    `${path}/acl`,
    { owner: 'nobody', sharing, 'perms.read': '*', 'perms.write': write.join(',') },
    signal,
  );
}

function complete(found: Entity, settings: Readonly<Record<string, string>>): boolean {
  return Object.entries(settings).every(([name, value]) => same(found.content[name], value));
}

/** Booleans come back as 0 and 1, objects as texts, lists with other blanks. */
function same(held: unknown, wanted: string): boolean {
  const plain = (text: string): string =>
    text
      .replace(/\s+/g, '')
      .replace(/^(true|1)$/i, '1')
      .replace(/^(false|0)$/i, '0');
  return plain(typeof held === 'string' ? held : (JSON.stringify(held) ?? '')) === plain(wanted);
}
