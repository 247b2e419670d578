// What has to stand in Splunk before entries can: collections with typed and accelerated fields, and the lookup
// definitions with which every user's search finds them. content/splunk/entente ships the same as files, for those who
// do not let us create anything; a test holds the two together.

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
  /** Columns without which our searches and the shipped ones do not work; the others are for people. */
  readonly needed: readonly string[];
  /** Absent = exact. */
  readonly matchType?: string;
  readonly filter?: string;
}

/** Columns of Enterprise Security that we write, by collection. */
export const INTEL_FIELDS: Readonly<Record<string, CollectionPlan['fields']>> = Object.fromEntries(
  Object.entries({
    ip_intel: ['ip', 'domain'],
    http_intel: ['url'],
    email_intel: ['src_user'],
    file_intel: ['file_hash'],
  }).map(([name, fields]) => [
    name,
    Object.fromEntries([...fields, 'threat_key', 'owner', 'entry_key', 'revision'].map((field) => [field, 'string'])),
  ]),
);

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
  needed: [
    field,
    ...(collection === 'entente_ip' ? ['kind'] : []),
    'entry_key',
    'valid_until',
    'tlp',
    'source_ids',
    'names',
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
    // Nothing rests on it: rows are in lower case, and searches fold what they look for.
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
