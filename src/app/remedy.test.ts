import { expect, it } from 'vitest';
import { aClaim } from '../../test/builders/claim.ts';
import { aSiem, ipv4 } from '../../test/builders/store.ts';
import type { Claim } from '../core/model/entry.ts';
import type { IntakeRules } from '../core/policy/intake.ts';
import { decideClaim } from '../core/ledger/admit.ts';
import type { SiemSpec } from '../core/store/spec/spec.ts';
import { remedyFor } from './remedy.ts';

const NOTHING = { networks: [], domains: [] };
const CONFIGURED = { values: [], cidrs: ['192.0.2.0/24'], domains: [] };
const UNLISTED: SiemSpec = aSiem({ listensTo: [] });

function reasonOf(claim: Partial<Claim>, rules: Partial<IntakeRules>, spec?: SiemSpec, active = true): string {
  const base = aSiem();
  const partner = base.rules['partner']!;
  const siem = spec ?? { ...base, rules: { partner: { ...partner, intake: { ...partner.intake, ...rules } } } };
  const decision = decideClaim(siem, ipv4('192.0.2.1'), aClaim({ exchange: 'partner', ...claim }), active);
  return decision.kind === 'accept' ? 'accepted' : decision.reason;
}

it.each([
  [
    reasonOf({ unexplained: 'marking-definition--1, which nobody explained', tlp: 'green' }, {}),
    'a definition of marking-definition--1 from the partner',
  ],
  [reasonOf({ unexplained: 'a marking that cannot be read' }, {}), 'markings that can be read'],
  [reasonOf({ benign: true }, {}), 'not marked benign'],
  [reasonOf({ tlp: undefined } as never, { unmarked: 'refuse' }), 'policy.unmarked other than refuse'],
  [reasonOf({ tlp: undefined } as never, { clearance: 'green' }), 'clearance: amber for siem if it may hold that'],
  [
    reasonOf({ tlp: undefined, facts: { tlpLabel: 'red' } } as never, {}),
    'without that label, or clearance: red for siem if it may hold that',
  ],
  [reasonOf({ unexplained: 'a level in its labels that we do not know' }, {}), 'markings that can be read'],
  [reasonOf({ tlp: 'amber+strict' }, {}), 'clearance: amber+strict for siem'],
  [
    reasonOf({ pap: 'red' }, { hosting: 'cloud' }),
    'hosting: on_premises for siem if it stands there, or highest_pap: red',
  ],
  [reasonOf({}, { hosting: 'cloud' }), 'policy.without_pap: green if the partner means that, or highest_pap: amber'],
  [reasonOf({ pap: 'amber' }, { highestPap: 'green' }), 'highest_pap: amber for siem'],
  [reasonOf({ confidence: undefined } as never, { unknownConfidence: 'hold' }), 'policy.unknown_confidence: accept'],
  [
    reasonOf({ facts: { labels: ['NATO SECRET'] } }, { maxClassification: 'unclassified' }),
    'policy.max_classification: secret',
  ],
  [reasonOf({ facts: { labels: ['exercise:cyber-europe="2024"'] } }, {}), 'none of an exercise'],
  [
    reasonOf({}, { neverBlock: { actions: {}, own: NOTHING, configured: CONFIGURED } }),
    'another never_block in policy, which names it, and policy.never_block.list_actions: { documentation: note }',
  ],
  [reasonOf({ confidence: 5 }, { minConfidence: 10 }), 'policy.min_confidence of at most 5'],
  [reasonOf({}, { neverBlock: { actions: {}, own: NOTHING } }), 'list_actions: { documentation: note }'],
  [
    reasonOf({}, { neverBlock: { actions: {}, own: { ...NOTHING, networks: ['192.0.2.0/24'] } } }),
    'configuration of own',
  ],
  [reasonOf({}, {}, undefined, false), 'the exchange partner in the configuration'],
  [reasonOf({}, {}, UNLISTED), 'partner among the exchanges of siem'],
  [reasonOf({}, {}, aSiem({ observables: ['url'] })), 'ipv4-addr among the observables of siem'],
])('%s: would need a remedy that names the setting', (reason, remedy) => {
  expect(remedyFor(reason, 'siem')).toContain(remedy);
});
