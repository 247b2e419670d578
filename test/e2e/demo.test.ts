// The first command of the README, with a bundle small enough to know every number of its summary.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Site } from './site.ts';
import { addresses, idFor, indicator, revoked } from './world.ts';

let site: Site;
beforeEach(() => {
  site = new Site();
});
afterEach(() => site.close());

it('counts what was armed, expired, withdrawn and refused, and why', { timeout: 120_000 }, async () => {
  const objects = [
    ...addresses(5).map((value) => indicator(value)),
    indicator('198.18.0.1', { id: idFor('a second claim on it') }),
    ...addresses(3, 20).map((value) => indicator(value, { valid_until: new Date(Date.now() - 60_000).toISOString() })),
    ...addresses(2, 40).map(revoked),
    indicator('198.18.1.1', { object_marking_refs: ['marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed'] }),
    indicator('198.18.1.2', { pattern: 'title: x', pattern_type: 'sigma' }),
  ];
  site.write('feed.json', JSON.stringify({ type: 'bundle', id: `bundle--${crypto.randomUUID()}`, objects }));

  const { code, stdout, stderr } = await site.entente(['demo', '--once', '--data', 'feed.json']);

  expect([code, stderr]).toEqual([0, '']);
  for (const line of [
    // Five by TAXII, seven by MISP.
    /^ {2}elastic wants 12 and holds 12; splunk wants 12 and holds 12; qradar wants 12 and holds 12$/m,
    /^ {2}elastic wants 11 and holds 11; splunk wants 11 and holds 11; qradar wants 11 and holds 11$/m,
    /^ {2}0 writes to the SIEMs\.$/m,
    /^ipv4-addr +7 +7 +7$/m,
    /^in all +10 +10 +10$/m,
    /^12 claims of the partners are good now; several may be about one value, and 1 value is suppressed\.$/m,
    /^expired +3 +valid_until/m,
    /^withdrawn +2 +the partner revoked it$/m,
    /^refused +1 +TLP:RED is above this SIEM's clearance TLP:AMBER$/m,
    /^refused +1 +pattern type sigma$/m,
    /^refused +1 +data of victims or persons$/m,
    /^refused +1 +not flagged for detection$/m,
    // What the partner holds afterwards, read from it.
    /^ {2}The MISP partner holds 1 sighting: type 0 \(seen\) of attribute [0-9a-f-]{36} \(login\.evil\.example\), at .+Z, and not one word more\.$/m,
  ])
    expect(stdout).toMatch(line);
});
