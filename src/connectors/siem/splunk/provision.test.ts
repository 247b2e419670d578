// The daemon creates by REST what content/splunk/entente ships as files: the two must say the same.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { COLLECTION_PLANS, collectionSettings, CONTROL_PLAN, LOOKUP_PLANS, lookupSettings } from './plans.ts';

const content = join(import.meta.dirname, '../../../../content/splunk/entente/default');

function stanzas(file: string): Record<string, Record<string, string>> {
  const found: Record<string, Record<string, string>> = {};
  let current: Record<string, string> = {};
  for (const line of readFileSync(join(content, file), 'utf8').split('\n')) {
    const name = /^\[(.+)\]$/.exec(line)?.[1];
    const [, key, value] = /^([^#=\s]+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (name !== undefined) found[name] = current = {};
    else if (key !== undefined && value !== undefined) current[key] = value;
  }
  return found;
}

it('creates the collections of the shipped app', () => {
  const plans = [...COLLECTION_PLANS, CONTROL_PLAN];

  expect(Object.fromEntries(plans.map((plan) => [plan.name, collectionSettings(plan)]))).toEqual(
    stanzas('collections.conf'),
  );
});

it('creates the lookup definitions of the shipped app', () => {
  expect(Object.fromEntries(LOOKUP_PLANS.map((plan) => [plan.name, lookupSettings(plan)]))).toEqual(
    stanzas('transforms.conf'),
  );
});

it('looks up in collections that it creates', () => {
  const collections = COLLECTION_PLANS.map((plan) => plan.name);

  for (const plan of LOOKUP_PLANS) expect(collections).toContain(plan.collection);
});
