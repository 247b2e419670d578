import { describe, expect, it } from 'vitest';
import { smallRegistry } from '../../../test/builders/configuration.ts';
import { jsonSchema, settingsPage } from './schema.ts';

describe('the JSON Schema', () => {
  const schema = jsonSchema(smallRegistry) as unknown as {
    $schema: string;
    required: string[];
    properties: Record<
      string,
      { items: { oneOf?: unknown[]; properties?: Record<string, unknown>; required?: string[] } }
    >;
  };

  it('is draft 7 and asks for the instance alone', () => {
    expect(schema.$schema).toContain('draft-07');
    expect(schema.required).toEqual(['instance']);
  });

  it('gives every secret its file twin and asks for one of the two', () => {
    const elastic = JSON.parse(JSON.stringify(schema.properties['siems']?.items)) as {
      oneOf: {
        properties: Record<string, { required?: string[]; allOf?: unknown; properties: Record<string, unknown> }>;
      }[];
    };
    const auth = elastic.oneOf[0]?.properties['auth'];

    expect(Object.keys(auth?.properties ?? {})).toEqual(['api_key', 'api_key_file']);
    expect(auth?.required).toBeUndefined();
    expect(auth?.allOf).toEqual([{ oneOf: [{ required: ['api_key'] }, { required: ['api_key_file'] }] }]);
    expect(JSON.stringify(schema)).not.toContain('"secret":');
  });

  it('has the common keys in every peer', () => {
    expect(JSON.stringify(schema.properties['siems'])).toContain('"clearance"');
    expect(JSON.stringify(schema.properties['exchanges'])).toContain('"full_listing"');
  });
});

describe('the settings page', () => {
  const page = settingsPage(smallRegistry);

  it('has a line for a key, with its default and its meaning', () => {
    expect(page).toContain(
      '| `policy.removal_brake.share` | number | `0.2` | Share of its entries a partner may withdraw within the window. |',
    );
    expect(page).toContain('| `instance` | text | required |');
  });

  it('has a part for each type', () => {
    expect(page).toContain('## Exchange of type taxii21');
    expect(page).toContain('## SIEM of type elastic');
    expect(page).toContain('| `auth.api_key_file` |');
  });
});
