import { describe, expect, it } from 'vitest';
import { aConfig, LEAST, problemsOf } from '../../../test/builders/configuration.ts';
import { readsHits, releaseSettings } from './release.ts';

const IDENTITY = 'identity: { id: identity--0c3a5b2e-2f5b-4c8e-9d0f-5a8c3f6b1d11, name: SOC Example }\n';
const REPORTING = `${LEAST.replace('/api/ }', '/api/, report_to: sightings }')}${IDENTITY}`;

describe('what is told of sightings', () => {
  it('goes to exchanges that take reports, by the rules in their order', () => {
    const config = aConfig(`${REPORTING}
release:
  - { to: partner, tlp: [clear, green], min_count: 3, types: [file], action: hold }
  - { to: "*", action: deny }
sightings: { window_minutes: 30, ignore_values: ["203.0.113.9", "canary[.]example"] }
retention: { hits_days: 7 }
`);

    expect(releaseSettings(config)).toMatchObject({
      reporting: ['partner'],
      rules: [
        { to: 'partner', tlp: ['clear', 'green'], minCount: 3, types: ['file'], action: 'hold' },
        { to: '*', action: 'deny' },
      ],
      windowMinutes: 30,
      ignore: ['ipv4-addr|203.0.113.9', 'domain-name|canary.example'],
      hitsDays: 7,
    });
    expect(Object.keys(releaseSettings(config).rules[1] ?? {})).not.toContain('tlp');
  });

  it('reads hits once an exchange takes reports, unless it is switched off', () => {
    const reading = (yaml: string) => {
      const config = aConfig(yaml);
      return config.siems.map((siem) => readsHits(config, siem));
    };

    expect(reading(LEAST)).toEqual([false]);
    expect(reading(REPORTING)).toEqual([true]);
    expect(reading(REPORTING.replace('api_key: abc } }', 'api_key: abc }, hits: { enabled: false } }'))).toEqual([
      false,
    ]);
  });

  it.each([
    ['no identity', REPORTING.replace(IDENTITY, ''), /exchanges\[0\]: takes our sightings, so identity is required/],
    [
      'a rule that shares without levels',
      `${REPORTING}release: [{ to: partner, action: share }]`,
      /release\[0\]\.tlp: a rule that shares or holds must name the levels/,
    ],
    [
      'a partner nobody knows',
      `${REPORTING}release: [{ to: partnr, tlp: [clear], action: share }]`,
      /release\[0\]\.to: no exchange has this name/,
    ],
    [
      'an origin nobody knows',
      `${REPORTING}release: [{ to: partner, from: [x], tlp: [clear], action: share }]`,
      /release\[0\]\.from\[0\]: no exchange/,
    ],
    [
      'a partner who takes nothing',
      `${LEAST}release: [{ to: partner, tlp: [clear], action: share }]`,
      /release\[0\]\.to: partner takes no sightings; set report_to/,
    ],
    [
      'a canary that is no value',
      `${LEAST}sightings: { ignore_values: ["not one"] }`,
      /sightings\.ignore_values\[0\]: this is no address/,
    ],
  ])('refuses %s', (_what, yaml, expected) => {
    expect(problemsOf(yaml)).toEqual([expect.stringMatching(expected)]);
  });
});
