// A connector is complete when its folder, its line in the registry, README, sample and contract test all exist.
import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { parseConfig } from '../src/core/config/load.ts';
import { encoders } from '../src/connectors/encoders.ts';
import type { Registry } from '../src/core/config/settings.ts';
import { problemLine } from '../src/core/config/source.ts';

const root = join(import.meta.dirname, '..');
const registryFile = join(root, 'src/connectors/registry.ts');
const HEADINGS = ['What it writes where', 'Rights needed', 'Settings', 'Example', 'Failures and remedies', 'Limits'];

const folders = (kind: 'siem' | 'exchange'): string[] => {
  const at = join(root, 'src/connectors', kind);
  return existsSync(at)
    ? readdirSync(at, { withFileTypes: true })
        .filter((one) => one.isDirectory())
        .map((one) => one.name)
    : [];
};

describe.skipIf(!existsSync(registryFile))('the registry', async () => {
  const registry = existsSync(registryFile)
    ? ((await import(/* @vite-ignore */ registryFile)) as Registry)
    : { siems: [], exchanges: [] };

  it('has one line for each folder, and a folder for each line', () => {
    expect(registry.siems.map((one) => one.type).sort()).toEqual(folders('siem').sort());
    expect(registry.exchanges.map((one) => one.type).sort()).toEqual(folders('exchange').sort());
  });

  it('has the encoder of each SIEM for the thread of the store', () => {
    expect(registry.siems.map((one) => one.type)).toEqual(encoders.map((one) => one.type));
    for (const [i, encoder] of encoders.entries()) expect(registry.siems[i]).toMatchObject(encoder);
  });

  const all = [
    ...folders('siem').map((name) => ['siem', name] as const),
    ...folders('exchange').map((name) => ['exchange', name] as const),
  ];

  it.each(all)('%s %s has a README, for a SIEM with the fixed headings', (kind, name) => {
    const file = join(root, 'src/connectors', kind, name, 'README.md');
    const text = existsSync(file) ? readFileSync(file, 'utf8').toLowerCase() : '';

    expect(text).not.toBe('');
    if (kind === 'siem') expect(HEADINGS.filter((one) => !text.includes(`## ${one.toLowerCase()}`))).toEqual([]);
  });

  it.each(all)('%s %s has a sample that the schema takes', (kind, name) => {
    const text = readFileSync(join(root, 'src/connectors', kind, name, 'sample.yaml'), 'utf8');
    const peer: unknown = parseDocument(text).toJS();
    const list = Array.isArray(peer) ? peer : [peer];
    const whole = JSON.stringify({ instance: 'sample', [kind === 'siem' ? 'siems' : 'exchanges']: list });
    const names = [...text.matchAll(/\$\{(\w+)\}/g)].map((one) => [one[1] ?? '', 'x']);
    // A sample names files that its reader has, beside the configuration.
    const folder = mkdtempSync(join(tmpdir(), 'entente-sample-'));
    for (const [, file = ''] of text.matchAll(/_file: (?:\.\/)?([\w.-]+)/g)) writeFileSync(join(folder, file), 'x');

    const answer = parseConfig(join(folder, 'sample.yaml'), whole, registry, Object.fromEntries(names));

    rmSync(folder, { recursive: true });
    expect('problems' in answer ? answer.problems.map(problemLine) : []).toEqual([]);
  });

  it.each(all)('%s %s has a contract test', (kind, name) => {
    const places = [`src/connectors/${kind}/${name}/*contract*.test.ts`, `test/contract/*${name}*.test.ts`];

    expect(globSync(places, { cwd: root })).not.toEqual([]);
  });
});
