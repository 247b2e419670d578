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
    /^ {2}elastic wants 5 and holds 5; splunk wants 5 and holds 5; qradar wants 5 and holds 5$/m,
    /^ {2}0 writes to the SIEMs\.$/m,
    /^ipv4-addr +4 +4 +4$/m,
    /^in all +4 +4 +4$/m,
    /^6 claims of the partner are good now; several may be about one value, and 1 value is suppressed\.$/m,
    /^expired +3 +valid_until/m,
    /^withdrawn +2 +the partner revoked it$/m,
    /^refused +1 +TLP:RED is above this SIEM's clearance TLP:AMBER$/m,
    /^refused +1 +pattern type sigma$/m,
  ])
    expect(stdout).toMatch(line);
});
