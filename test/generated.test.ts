// Generated files say what the schemas say, and the example is a configuration that works.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parts } from '../src/cli/parts.ts';
import { generatedFiles } from '../src/cli/schema.ts';
import { parseConfig } from '../src/core/config/load.ts';
import { problemLine } from '../src/core/config/source.ts';
import { smallRegistry } from './builders/configuration.ts';

const root = join(import.meta.dirname, '..');

describe('generated files', () => {
  it.each(generatedFiles(parts.registry))('$path is current; otherwise run npm run schema', ({ path, text }) => {
    expect(existsSync(path) ? readFileSync(path, 'utf8') : '').toBe(text);
  });
});

describe('config/example.yaml', () => {
  const text = readFileSync(join(root, 'config/example.yaml'), 'utf8');
  const env = { PARTNER_PASSWORD: 'x', ELASTIC_API_KEY: 'x' };
  // Until the registry is filled the example is checked against the small definitions.
  const registry = parts.registry.siems.length > 0 ? parts.registry : smallRegistry;

  it('is taken without a problem', () => {
    const answer = parseConfig('example.yaml', text, registry, env);

    expect('problems' in answer ? answer.problems.map(problemLine) : []).toEqual([]);
  });

  it('names the variables it needs when they are missing', () => {
    const answer = parseConfig('example.yaml', text, registry, {});

    expect('problems' in answer ? answer.problems.map((one) => one.message) : []).toHaveLength(Object.keys(env).length);
  });
});
