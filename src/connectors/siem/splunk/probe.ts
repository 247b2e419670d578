// Asks of Splunk what real work will ask, and changes nothing: rights on every collection, the methods that writing
// and removing need, fields that keep what we write, and the search that reads hits.
import { configFailure } from '../../../core/contracts/failure.ts';
import type { SiemDeps } from '../../../core/contracts/siem-connector.ts';
import type { SplunkClient } from './client.ts';
import type { SplunkSettings } from './config.ts';
import { collectionsOf } from './mapping.ts';
import { INTEL_FIELDS, LOOKUP_PLANS } from './plans.ts';
import { collectionPath, lookupPath, plansOf, refuseWrongField } from './provision.ts';
import { refuseWhileStarting } from './readiness.ts';
import { jobsPath } from './search-job.ts';
import { prefixOf } from './settings.ts';
import type { SplunkReading } from './verdicts.ts';

const CREATES_APPS = ['edit_local_apps', 'install_apps', 'admin_all_objects'];
/** A key that no row has. */
const NOBODY = '-0probe';

interface Asked {
  readonly client: SplunkClient;
  readonly config: SplunkSettings;
  readonly deps: SiemDeps;
  readonly owner: string;
  readonly hits: SplunkReading | undefined;
}

/** One line for people. Throws what is wrong. */
export async function probe(asked: Asked, app: () => Promise<string>, signal: AbortSignal): Promise<string> {
  const { client, config, deps, owner, hits } = asked;
  const info = await client.serverInfo(signal);
  refuseWhileStarting(deps.name, info.kvStore);
  const place = await app();
  const missing = await missingOf(asked, place, signal);
  const [there] = collectionsOf(config.form).filter((name) => !missing.includes(name));
  if (there !== undefined) await methods(client, `${place}/${there}`, owner, signal);
  if (missing.length > 0) await creation(asked, missing, signal);
  const made = missing.length > 0 ? `; ${missing.length} collections will be created` : '';
  const early = missing.length > 0;
  const searched = hits === undefined ? '' : await search(asked, hits, { early, version: info.version }, signal);
  return `Splunk ${info.version}, app ${place}${made}${searched}`;
}

/** Collections that are not there; throws for one that we may not write to or that would lose what we write. */
async function missingOf(asked: Asked, place: string, signal: AbortSignal): Promise<string[]> {
  const { client, config, deps } = asked;
  const missing: string[] = [];
  const names = config.form === 'lookups' ? [] : collectionsOf('threat_intel');
  const wanted = [
    ...names.map((name) => ({ name, app: place, fields: INTEL_FIELDS[name] ?? {} })),
    ...plansOf(config.form).map((plan) => ({ name: plan.name, app: config.app, fields: plan.fields })),
  ];
  for (const { name, app, fields } of wanted) {
    const found = await client.entity(collectionPath(app, name), signal);
    if (found === undefined) missing.push(name);
    else if (found.acl?.can_write === false) throw noWrite(deps.name, `collection ${name} in app ${app}`);
    // Our own collections are corrected at the start, where we may.
    else if (config.provision === 'never' || app !== config.app) refuseWrongField(deps.name, found, name, fields);
  }
  const theirs = missing.filter((name) => names.includes(name));
  if (theirs.length > 0) {
    throw configFailure(`${deps.name}: ${theirs.join(', ')} missing in app ${place}; install Enterprise Security`);
  }
  return missing;
}

/** POST and DELETE as real work sends them, about a key that no row has. */
async function methods(client: SplunkClient, collection: string, owner: string, signal: AbortSignal): Promise<void> {
  const keys = [`${prefixOf(owner)}${NOBODY}`];
  await client.find(collection, keys, signal);
  await client.remove(collection, keys, { owner }, signal);
}

async function creation(asked: Asked, missing: readonly string[], signal: AbortSignal): Promise<void> {
  const { client, config, deps } = asked;
  const { app } = config;
  if (config.provision === 'never') {
    throw configFailure(
      `${deps.name}: ${missing.join(', ')} missing in app ${app} and provision is never; install content/splunk/entente`,
    );
  }
  const found = await client.entity(`/services/apps/local/${encodeURIComponent(app)}`, signal);
  if (found?.acl?.can_write === false) throw noWrite(deps.name, `app ${app}`);
  if (found !== undefined) return;
  const may = await client.capabilities(signal);
  if (may !== undefined && !CREATES_APPS.some((one) => may.includes(one))) {
    throw configFailure(
      `${deps.name}: app ${app} is missing and the account may not create it; install content/splunk/entente`,
    );
  }
}

/** The search for hits itself, over one second. Before the first start its lookups may be missing still. */
async function search(
  asked: Asked,
  hits: SplunkReading,
  { early, version }: { readonly early: boolean; readonly version: string },
  signal: AbortSignal,
): Promise<string> {
  const { client, config, deps } = asked;
  const may = await client.capabilities(signal);
  if (may !== undefined && !may.includes('search')) {
    throw configFailure(`${deps.name}: hits cannot be read: the account lacks the capability search`, {
      code: 'no_search',
    });
  }
  if (config.form === 'lookups') {
    if (early) return '';
    for (const { name } of LOOKUP_PLANS)
      if ((await client.entity(lookupPath(config.app, name), signal)) === undefined) return '';
  }
  await hits.probe(signal);
  const unseen = await unseenIndexes(client, config, version, signal);
  const empty =
    unseen.length === 0 ? '' : `, but ${unseen.join(', ')} is not there or may not be searched by this account`;
  return `; hits can be searched${empty}`;
}

/** Splunk says nothing of an index that is not there, or that the account may not search. */
async function unseenIndexes(
  client: SplunkClient,
  config: SplunkSettings,
  version: string,
  signal: AbortSignal,
): Promise<string[]> {
  const asked = config.form === 'threat_intel' ? [config.threat_activity_index] : (config.event_search?.indexes ?? []);
  const spl = `| eventcount summarize=false ${asked.map((index) => `index="${index}"`).join(' ')} | fields index`;
  const { results } = await client.searchNow(jobsPath(config.app, version), spl, signal);
  const there = results.flatMap((row) => (typeof row['index'] === 'string' ? [row['index']] : []));
  // A name holds letters, digits, _, - and *, which stands for any of them.
  const fits = (index: string): RegExp => new RegExp(`^${index.replaceAll('*', '.*')}$`);
  return asked.filter((index) => !there.some((one) => fits(index).test(one)));
}

const noWrite = (name: string, what: string) =>
  configFailure(
    `${name}: the account may not write to ${what}; give it the rights listed in the README of the Splunk connector`,
    { code: 'no_write' },
  );
