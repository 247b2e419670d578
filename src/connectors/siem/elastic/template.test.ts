import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { queryOf } from '../../../../test/builders/kql.ts';
import { CONTROL_MAPPINGS, componentTemplate, indexTemplate, templateName } from './template.ts';

const content = (name: string): string =>
  readFileSync(new URL(`../../../../content/elastic/${name}`, import.meta.url), 'utf8');
const json = (name: string): unknown => JSON.parse(content(name));

describe('what content/elastic ships', () => {
  const owner = 'entente:INSTANCE';
  const index = 'logs-ti_entente_INSTANCE.indicator';

  it('is what the connector would put itself', () => {
    expect(json('component-template.json')).toEqual(componentTemplate(owner));
    expect(json('index-template.json')).toEqual(indexTemplate(index, owner));
    expect(json('control-index.json')).toMatchObject({ mappings: CONTROL_MAPPINGS });
  });

  it('names the templates as the connector does', () => {
    expect(content('README.md')).toContain(`/_index_template/${templateName(index)}`);
  });

  it('has rules that compare mapped fields only, and domains only with domain indicators', () => {
    const rules = content('rules.ndjson')
      .trim()
      .split('\n')
      .map(
        (line) =>
          JSON.parse(line) as {
            rule_id: string;
            query: string;
            threat_query: string;
            references: string[];
            enabled: boolean;
            threat_mapping: { entries: { value: string }[] }[];
          },
      );

    for (const rule of rules) {
      // In words that test/peers/elastic-rules.test.ts has run.
      for (const text of [rule.query, rule.threat_query]) expect(() => queryOf(text)).not.toThrow();
      expect(rule.threat_query).toContain('entente.confidence >= 30');
      expect([rule.enabled, rule.references]).toEqual([false, ['https://entente.example:8686/why']]);
      for (const { value } of rule.threat_mapping.flatMap((one) => one.entries)) expect(mapped(value)).toBe(true);
    }
    expect(rules.find((rule) => rule.rule_id === 'entente-domain-match')?.threat_query).toContain(
      'threat.indicator.type:"domain-name"',
    );
  });

  function mapped(field: string): boolean {
    let at: unknown = componentTemplate(owner).template.mappings;
    for (const part of field.split('.'))
      at = (at as { properties?: Record<string, unknown> } | undefined)?.properties?.[part];
    return at !== undefined;
  }
});
