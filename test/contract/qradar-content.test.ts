// The searches that we ship, run against a simulated console that the connector's own sets stand in.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SET_KINDS } from '../../src/connectors/siem/qradar/sets.ts';
import { parseAql } from '../../src/simulators/qradar/aql.ts';

const file = readFileSync(new URL('../../content/qradar/searches.aql', import.meta.url), 'utf8');
const searches = file
  .split(/\n\s*\n/)
  .map((part) => part.replace(/^--.*$/gm, '').trim())
  .filter((part) => part !== '');

const VALUES: Readonly<Record<string, { readonly field: string; readonly value: string }>> = {
  'Entente IPv4': { field: 'destinationip', value: '192.0.2.1' },
  'Entente IPv6': { field: 'destinationaddress', value: '2001:db8:0:0:0:0:0:1' },
  'Entente Domain': { field: 'DNS Request Domain', value: 'listed.example' },
  'Entente URL': { field: 'URL', value: 'https://listed.example/a' },
  'Entente SHA256': { field: 'SHA256 Hash', value: 'b'.repeat(64) },
};

describe('content for QRadar', () => {
  it('asks only sets that the connector keeps', () => {
    const asked = searches.map((text) => /REFERENCESETCONTAINS\('([^']+)'/.exec(text)?.[1]);
    expect(asked.length).toBeGreaterThan(5);
    for (const name of asked) expect(SET_KINDS.map((kind) => `Entente ${kind.suffix}`)).toContain(name);
  });

  it('names no column like a table, and cuts no list that has no order', () => {
    for (const text of searches) {
      expect(text).not.toMatch(/ AS (events|flows)\b/i);
      expect(/ORDER BY (\w+) DESC\s+LIMIT \d+/.exec(text)?.[1]).toBe(/ AS (\w+)\s+FROM/.exec(text)?.[1]);
    }
  });

  it.each(searches.map((text) => [text.replace(/\s+/g, ' ').slice(0, 70), text]))(
    'finds what is listed: %s…',
    (_, text) => {
      const set = /REFERENCESETCONTAINS\('([^']+)', ("?)([^")]+)\2\)/.exec(text);
      const listed = VALUES[set?.[1] ?? ''];
      const fields = { [set?.[3] ?? '']: listed?.value, sourceip: '10.1.2.3', logsourceid: 7 };
      const time = 1_760_000_600_000;
      const allowed = { ...fields, categoryname_category: 'Firewall Permit' };
      const events = [
        { time, fields: allowed },
        { time, fields: { ...fields, [set?.[3] ?? '']: 'other' } },
        { time: time + 86_400_000, fields },
      ];
      // What came in, and what was stopped; names are looked up whatever becomes of the answer, and from anywhere.
      if (text.includes('INCIDR')) events.push({ time, fields: { ...allowed, sourceip: '198.51.100.9' } });
      if (!text.includes('"DNS Request Domain"'))
        for (const category of ['Firewall Deny', 'Access Denied', 'Packet Dropped', 'URL Blocked'])
          events.push({ time, fields: { ...fields, categoryname_category: category } });

      const rows = parseAql(text, time).run(events, (name, value) => name === set?.[1] && value === listed?.value);

      expect(rows).toMatchObject([{ value: listed?.value, event_total: 1 }]);
    },
  );
});
