// Creates what has to stand in Splunk, and completes what lacks something that we need. What an administrator tuned is
// left alone: more columns, another max_matches, further fields and accelerations, sharing.
import { configFailure, ConnectorError } from '../../../core/contracts/failure.ts';
import type { SiemDeps } from '../../../core/contracts/siem-connector.ts';
import type { SplunkClient } from './client.ts';
import type { SplunkConfig } from './config.ts';
import { collectionsOf } from './mapping.ts';
import {
  COLLECTION_PLANS,
  type CollectionPlan,
  collectionSettings,
  CONTROL_PLAN,
  LOOKUP_PLANS,
  type LookupPlan,
  lookupSettings,
} from './plans.ts';
import type { Entity } from './responses.ts';

const nobodys = (app: string): string => `/servicesNS/nobody/${encodeURIComponent(app)}`;
export const collectionPath = (app: string, name = ''): string =>
  `${nobodys(app)}/storage/collections/config${name === '' ? '' : `/${name}`}`;
export const lookupPath = (app: string, name = ''): string =>
  `${nobodys(app)}/data/transforms/lookups${name === '' ? '' : `/${name}`}`;

export const plansOf = (form: SplunkConfig['form']): readonly CollectionPlan[] =>
  form === 'lookups' ? [CONTROL_PLAN, ...COLLECTION_PLANS] : [CONTROL_PLAN];

/** Returns the names of what it created. */
export async function provision(
  client: SplunkClient,
  config: SplunkConfig,
  { name, log }: Pick<SiemDeps, 'name' | 'log'>,
  mayCreate: boolean,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const created: string[] = [];
  const { app, form, sharing } = config;
  const missing = (what: string): ConnectorError =>
    configFailure(`${name}: ${what} is missing and provision is never; install content/splunk/entente, or create it`);
  const make = async (path: string, entity: string, settings: Form, shared: boolean): Promise<void> => {
    await create(client, path, { name: entity, ...settings }, signal);
    // Sharing is set when something is created and left alone afterwards: an administrator may narrow it.
    if (shared) await share(client, `${path}/${entity}`, sharing, signal);
    created.push(entity);
  };

  if ((await client.entity(`/services/apps/local/${encodeURIComponent(app)}`, signal)) === undefined) {
    if (!mayCreate) throw missing(`app ${app}`);
    await create(client, '/services/apps/local', { name: app, label: 'Entente', visible: 'false' }, signal);
    created.push(app);
  }
  for (const plan of plansOf(form)) {
    const found = await client.entity(collectionPath(app, plan.name), signal);
    const lacks = found === undefined ? {} : lackingFields(found, plan);
    if (found === undefined && !mayCreate) throw missing(`${plan.name} in app ${app}`);
    if (found === undefined)
      await make(collectionPath(app), plan.name, collectionSettings(plan), plan !== CONTROL_PLAN);
    else if (mayCreate && Object.keys(lacks).length > 0)
      await client.post(collectionPath(app, plan.name), lacks, signal);
    else refuseWrongField(name, found, plan.name, plan.fields);
  }
  for (const plan of form === 'lookups' ? LOOKUP_PLANS : []) {
    const found = await client.entity(lookupPath(app, plan.name), signal);
    const lacks = found === undefined ? {} : lackingSettings(found, plan);
    if (found === undefined && mayCreate) await make(lookupPath(app), plan.name, lookupSettings(plan), true);
    else if (found !== undefined && mayCreate && Object.keys(lacks).length > 0)
      await client.post(lookupPath(app, plan.name), lacks, signal);
    else if (found === undefined || Object.keys(lacks).length > 0)
      log.warn('A lookup definition is missing or incomplete, and provision is never; searches by it find nothing.', {
        lookup: plan.name,
        lacks: Object.keys(lacks),
      });
  }
  return created;
}

type Form = Readonly<Record<string, string>>;

/** Types under which Splunk keeps what we write; another one drops the value, and says nothing. */
const KEEPS: Readonly<Record<string, RegExp>> = { string: /^(string|cidr)$/, number: /^(number|time)$/ };

/** Refuses a collection in which a field that we write is declared as something that would lose the value. */
export function refuseWrongField(
  name: string,
  found: Entity,
  collection: string,
  fields: CollectionPlan['fields'],
): void {
  for (const [field, type] of Object.entries(fields)) {
    const held = found.content[`field.${field}`];
    if (typeof held !== 'string' || KEEPS[type]?.test(held) === true) continue;
    throw configFailure(
      `${name}: field ${field} of collection ${collection} is declared as ${held} and has to be ${type}; correct it in collections.conf, since values would be dropped`,
      { code: 'field_type' },
    );
  }
}

function lackingFields(found: Entity, plan: CollectionPlan): Record<string, string> {
  const lacking = Object.entries(plan.fields).filter(([field, type]) => {
    const held = found.content[`field.${field}`];
    return typeof held !== 'string' || KEEPS[type]?.test(held) !== true;
  });
  return Object.fromEntries(lacking.map(([field, type]) => [`field.${field}`, type]));
}

/** What a definition has to get, beside everything that it has. */
function lackingSettings(found: Entity, plan: LookupPlan): Record<string, string> {
  const held = (name: string): string => {
    const value = found.content[name];
    return typeof value === 'string' ? value : '';
  };
  const wanted = lookupSettings(plan);
  const lacks: Record<string, string> = {};
  for (const name of ['external_type', 'collection']) if (held(name) !== wanted[name]) lacks[name] = wanted[name] ?? '';
  const columns = listed(held('fields_list'));
  const missing = plan.needed.filter((column) => !columns.includes(column));
  if (missing.length > 0) lacks['fields_list'] = [...columns, ...missing].join(', ');
  const matches = listed(held('match_type'));
  const match = plan.matchType;
  if (match !== undefined && !matches.some((one) => one.toLowerCase() === match.toLowerCase()))
    lacks['match_type'] = [...matches, match].join(', ');
  return lacks;
}

const listed = (text: string): string[] =>
  text
    .split(/[\s,]+/)
    .map((one) => one.trim())
    .filter((one) => one !== '');

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
