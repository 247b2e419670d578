// A rule or a panel over a metric that does not exist is silent for ever, which looks like good news.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createMetrics } from '../src/core/runtime/metrics.ts';
import { STATES } from '../src/core/model/status.ts';
import { alertRules, anchorsOf, dashboardQueries, metricsIn } from './builders/monitoring.ts';

const root = join(import.meta.dirname, '..');

/** Each is told something, so that each stands in the answer. */
async function everyMetric(): Promise<Set<string>> {
  const metrics = createMetrics('1');
  metrics.ingested('partner', { objects: 1, refused: 1 });
  metrics.delivered('watch', 'applied', 1);
  metrics.failed('siem', 'watch', 'config');
  metrics.ran('siem', 'watch', 1);
  metrics.neverBlocked('list', 'refuse', 1);
  const counts = { wanted: 1, delivered: 1, pending: 0, parked: 0, kept_out: 0, held: 0, rejected: 0 };
  metrics.siem('watch', { ...counts, oldestPendingSecs: 0, drift: 0 });
  for (const state of STATES) metrics.state('siem', 'watch', state);
  metrics.sightings({ hits: 1, sent: 1 });
  metrics.reloaded(true);
  metrics.holds({ removal: 1 });
  metrics.toReview(1);
  metrics.audit({ sound: true, records: 1, signedAtMs: 1 });
  metrics.succeeded('siem', 'watch', 1);
  metrics.expires('token', 'own', 'siem', 'watch', 1);
  return new Set([...(await metrics.text()).matchAll(/^(\w+)(?:\{| )/gm)].map((one) => one[1] ?? ''));
}

describe.each([
  ['deploy/prometheus/alerts.yaml', () => alertRules().map((one) => one.expr), 10],
  ['deploy/grafana/entente.json', dashboardQueries, 20],
])('%s', (_, queries, least) => {
  it('asks only for metrics that are told', async () => {
    const known = await everyMetric();
    const asked = queries().flatMap(metricsIn);

    expect(queries().length).toBeGreaterThan(least);
    expect(asked.filter((one) => one !== 'up' && !known.has(one))).toEqual([]);
  });
});

describe('the alert rules', () => {
  it('each lead to a chapter of the runbook, and have their trial', () => {
    const anchors = anchorsOf(readFileSync(join(root, 'docs/runbook.md'), 'utf8'));
    const tried = parse(readFileSync(join(root, 'deploy/prometheus/alerts.test.yaml'), 'utf8')) as {
      tests: { name: string }[];
    };

    for (const { alert, annotations } of alertRules()) {
      const [file, anchor = ''] = annotations.runbook.split('#');
      expect([alert, file, anchors.includes(anchor)]).toEqual([alert, 'docs/runbook.md', true]);
    }
    expect(tried.tests.map((one) => one.name)).toEqual(alertRules().map((one) => one.alert));
  });

  it('ask for every metric that a panel shows and a person must act on', () => {
    const asked = new Set(alertRules().flatMap(({ expr }) => metricsIn(expr)));

    for (const name of [
      'peer_state',
      'siem_drift_entries',
      'holds_undecided',
      'config_last_reload_successful',
      'audit_chain_ok',
    ])
      expect(asked).toContain(`entente_${name}`);
  });
});
