// What deploy/ asks Prometheus for, for tests that hold it against what /metrics has.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '../..');
export const ALERTS = join(root, 'deploy/prometheus/alerts.yaml');
export const ALERT_TRIALS = join(root, 'deploy/prometheus/alerts.test.yaml');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook: string };
}

export function alertRules(): readonly Rule[] {
  const { groups } = parse(readFileSync(ALERTS, 'utf8')) as { groups: { rules: Rule[] }[] };
  return groups.flatMap((one) => one.rules);
}

export function dashboardQueries(): string[] {
  const { panels } = JSON.parse(readFileSync(join(root, 'deploy/grafana/entente.json'), 'utf8')) as {
    panels: { targets: { expr: string }[] }[];
  };
  return panels.flatMap((one) => one.targets.map(({ expr }) => expr));
}

/** Names of metrics in a query: words before a brace, a bracket or an operator, that are no function or label. */
export function metricsIn(query: string): string[] {
  const bare = query.replace(/\{[^}]*\}/g, '{}').replace(/\b(by|without)\s*\([^)]*\)/g, '');
  return [...bare.matchAll(/\b([a-z_][a-z0-9_]*)\b(?!\s*\()/g)]
    .map((one) => one[1] ?? '')
    .filter((one) => /^(up|entente_.*|process_.*|nodejs_.*)$/.test(one));
}

/** What GitHub and others make of headings. */
export const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ +(.+)$/gm)].map((one) =>
    (one[1] ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
