// A partner and a SIEM, simulated, and a site that joins them. Values are from the test networks.
import { hash } from 'node:crypto';
import { type ElasticOptions, type RunningElastic, startElastic } from '../../src/simulators/elastic/index.ts';
import type { StixObject } from '../../src/simulators/stix-object.ts';
import { type RunningTaxii, startTaxii, type TaxiiOptions } from '../../src/simulators/taxii/index.ts';
import { type Settings, Site } from './site.ts';

export const INSTANCE = 'soc-one';
export const INDEX = 'logs-ti_entente_soc_one.indicator';
const DAY_MS = 86_400_000;

export interface World {
  readonly site: Site;
  readonly taxii: RunningTaxii;
  readonly elastic: RunningElastic;
  /** The settings that join the three; `more` goes on top. */
  settings(more?: { exchange?: Settings; siem?: Settings; top?: Settings }): Settings;
  /** Values that stand in the SIEM under our name. */
  armed(index?: string): string[];
  close(): Promise<void>;
}

export async function aWorld(
  options: { readonly taxii?: TaxiiOptions; readonly elastic?: ElasticOptions } = {},
): Promise<World> {
  const site = new Site();
  const taxii = await startTaxii(options.taxii);
  const elastic = await startElastic(options.elastic);
  return {
    site,
    taxii,
    elastic,
    settings: (more = {}) => ({
      instance: INSTANCE,
      state: './state/entente.db',
      exchanges: [
        {
          name: 'partner',
          type: 'taxii21',
          url: taxii.apiRoot,
          collections: [taxii.collections.read],
          auth: { username: taxii.username, password: taxii.password },
          schedule: '0 0 1 1 *',
          full_listing: '0 0 1 1 *',
          ...more.exchange,
        },
      ],
      siems: [{ name: 'watch', type: 'elastic', url: elastic.url, auth: { api_key: elastic.apiKey }, ...more.siem }],
      ...more.top,
    }),
    armed: (index = INDEX) => valuesOf(elastic, index),
    close: async () => {
      site.close();
      await taxii.close();
      await elastic.close();
    },
  };
}

interface Document {
  readonly threat: { readonly indicator: { readonly name: string } };
}

export function valuesOf(elastic: RunningElastic, index: string): string[] {
  return Object.values(elastic.documents(index))
    .map((one) => (one as Document).threat.indicator.name)
    .sort();
}

/** Ids follow from the value, so that a later version of it is the same object. */
export function idFor(text: string): string {
  const hex = hash('sha256', text);
  return `indicator--${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** An indicator of one IPv4 address, good for a week from `at`. */
export function indicator(value: string, facts: Settings = {}, at = Date.now()): StixObject {
  const created = new Date(at - DAY_MS).toISOString();
  return {
    type: 'indicator',
    spec_version: '2.1',
    id: idFor(value),
    created,
    modified: created,
    pattern: `[ipv4-addr:value = '${value}']`,
    pattern_type: 'stix',
    valid_from: created,
    valid_until: new Date(at + 7 * DAY_MS).toISOString(),
    ...facts,
  };
}

/** `count` addresses from 198.18.0.0/16, in order. */
export function addresses(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) => `198.18.${Math.floor((from + i) / 250)}.${((from + i) % 250) + 1}`);
}

/** Its withdrawal by the partner. */
export const revoked = (value: string): StixObject =>
  indicator(value, { modified: new Date(Date.now() - 60_000).toISOString(), revoked: true });
