// data/transforms/lookups: definitions that make a collection usable by `| lookup`, with sharing; and the join itself.
import ipaddr from 'ipaddr.js';
import type { SimResponse } from '../server.ts';
import { type Call, type Handler, lacks, list, noTarget, notFound, say } from './call.ts';
import { changeAcl } from './kv-config.ts';
import { documentsOf } from './kv-data.ts';
import type { EaiEntry } from './render.ts';
import { appAcl, type Document, type Lookup, mayWrite, type SplunkState } from './state.ts';

const SETTABLE =
  /^(external_type|collection|fields_list|case_sensitive_match|max_matches|min_matches|default_match|match_type|filter)$/;

export const lookupRoutes: Handler = (call) => {
  const [a, b, c, name, action] = call.path;
  if (a !== 'data' || b !== 'transforms' || c !== 'lookups') return undefined;
  const { lookups } = call.state;
  if (name === undefined) {
    if (call.method === 'GET') {
      const seen = [...lookups.values()].filter(
        (one) => call.app === '-' || one.app === call.app || one.acl.sharing === 'global',
      );
      return list(call, 'transforms-lookup', seen.map(entry));
    }
    return call.method === 'POST' ? create(call) : noTarget(call);
  }
  const lookup = lookups.get(`${call.app}/${name}`);
  if (lookup === undefined) return notFound(call, name);
  if (call.method !== 'GET' && !mayWrite(lookup.acl, call.user)) return lacks(call, 'write on the lookup');
  if (action === 'acl') return changeAcl(call, lookup.acl, 'transforms-lookup', () => entry(lookup));
  if (call.method === 'DELETE') {
    lookups.delete(`${call.app}/${name}`);
    return list(call, 'transforms-lookup', []);
  }
  if (call.method === 'POST') apply(call.form, lookup.settings);
  return list(call, 'transforms-lookup', [entry(lookup)]);
};

function create(call: Call): SimResponse {
  const name = call.form.get('name');
  const app = call.state.apps.get(call.app);
  if (name === null || name === '') return noTarget(call);
  if (app === undefined) return say(call, 404, 'ERROR', `Application does not exist: ${call.app}`);
  if (!mayWrite(app, call.user)) return lacks(call, 'write on the app');
  if (call.state.lookups.has(`${call.app}/${name}`)) {
    return say(call, 409, 'ERROR', `An object with name=${name} already exists`);
  }
  if (call.form.get('external_type') !== 'kvstore' || !call.form.get('collection')) {
    return say(call, 400, 'ERROR', 'A lookup needs external_type=kvstore and a collection here.');
  }
  const owner = call.owner === undefined || call.owner === '-' ? call.user.name : call.owner;
  const made: Lookup = { app: call.app, name, settings: new Map(), acl: appAcl(call.app, owner) };
  apply(call.form, made.settings);
  call.state.lookups.set(`${call.app}/${name}`, made);
  return list(call, 'transforms-lookup', [entry(made)], 201);
}

function apply(form: URLSearchParams, settings: Map<string, string>): void {
  for (const [name, value] of form) if (SETTABLE.test(name)) settings.set(name, value);
}

function entry(lookup: Lookup): EaiEntry {
  return {
    name: lookup.name,
    path: `/servicesNS/nobody/${encodeURIComponent(lookup.app)}/data/transforms/lookups/${encodeURIComponent(lookup.name)}`,
    acl: lookup.acl,
    content: {
      disabled: false,
      'eai:appName': lookup.app,
      'eai:userName': lookup.acl.owner,
      type: 'external',
      case_sensitive_match: '1',
      max_matches: '100',
      ...Object.fromEntries(lookup.settings),
    },
  };
}

/** What a search sees through a definition: shared documents, only the listed fields, the definition's filter applied. */
export function lookupRows(state: SplunkState, lookup: Lookup): Document[] {
  const collection = state.collection(lookup.app, lookup.settings.get('collection') ?? '');
  if (collection === undefined) return [];
  const fields = (lookup.settings.get('fields_list') ?? '').split(',').map((name) => name.trim());
  const filter = /^\s*(\w+)\s*=\s*"?([^"]*)"?\s*$/.exec(lookup.settings.get('filter') ?? '');
  const rows = [...documentsOf(collection, 'nobody').values()];
  return rows
    .filter((row) => filter === null || row[filter[1] ?? ''] === filter[2])
    .map((row) => Object.fromEntries(fields.filter((name) => name in row).map((name) => [name, row[name]])));
}

/** Rows whose fields match all given values, by the definition's match_type, at most max_matches. `folds`: see Settings. */
export function lookupMatches(
  lookup: Lookup,
  rows: readonly Document[],
  wanted: readonly (readonly [string, string])[],
  folds: boolean,
): Document[] {
  const sensitive = !folds || /^(1|true)$/i.test(lookup.settings.get('case_sensitive_match') ?? '1');
  const type = lookup.settings.get('match_type') ?? '';
  const max = Number(lookup.settings.get('max_matches') ?? 100);
  const hits = rows.filter((row) =>
    wanted.every(([field, value]) => {
      const held = typeof row[field] === 'string' ? row[field] : JSON.stringify(row[field]);
      if (held === undefined) return false;
      if (new RegExp(`CIDR\\(${field}\\)`, 'i').test(type)) return inNetwork(value, held);
      // A KV lookup lower-cases what it looks for, never what is stored: upper-case documents are then not found.
      const looked = sensitive ? value : value.toLowerCase();
      if (new RegExp(`WILDCARD\\(${field}\\)`, 'i').test(type)) return wildcard(held).test(looked);
      return held === looked;
    }),
  );
  return hits.slice(0, max);
}

export function wildcard(text: string): RegExp {
  const parts = text.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${parts.join('[\\s\\S]*')}$`);
}

function inNetwork(address: string, network: string): boolean {
  if (!ipaddr.isValid(address) || !ipaddr.isValidCIDR(network)) return address === network;
  const parsed = ipaddr.parse(address);
  const [base, bits] = ipaddr.parseCIDR(network);
  return parsed.kind() === base.kind() && parsed.match(base, bits);
}
