// A real Prometheus scrapes a running daemon and evaluates the shipped rules; every query of rules and dashboard is asked of
// it. promtool judges rules and trials. Debian has both in one package; here it is looked for on the PATH.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { ALERTS, ALERT_TRIALS, alertRules, dashboardQueries, metricsIn } from '../builders/monitoring.ts';
import { type Daemon, eventually } from '../e2e/site.ts';
import { aWorld, indicator, type World } from '../e2e/world.ts';
import { describeWith, tryStart } from './available.ts';

const found = await tryStart('prometheus', async () => {
  for (const tool of ['prometheus', 'promtool'])
    if (spawnSync(tool, ['--version']).error !== undefined)
      throw new Error(`${tool} is not installed (Debian package prometheus)`);
  return execFileSync('prometheus', ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? '';
});

describeWith('promtool', found, () => {
  it('takes the rules', () => {
    const told = spawnSync('promtool', ['check', 'rules', ALERTS], { encoding: 'utf8' });
    expect([told.status, told.stdout]).toEqual([0, expect.stringContaining(`${alertRules().length} rules found`)]);
  });

  it('sees each alert silent first and then fire', () => {
    const told = spawnSync('promtool', ['test', 'rules', ALERT_TRIALS], { encoding: 'utf8' });
    expect([told.status, told.stdout + told.stderr]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });
});

describeWith('Prometheus', found, (version) => {
  let world: World;
  let daemon: Daemon;
  let folder: string;
  let url: string;
  let server: ChildProcess;
  let printed = '';

  const ask = async <T>(path: string): Promise<T> => {
    const answer = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(10_000) });
    return ((await answer.json()) as { data: T }).data;
  };
  const query = async (text: string) =>
    (
      await ask<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
        `/api/v1/query?query=${encodeURIComponent(text)}`,
      )
    ).result;

  beforeAll(async () => {
    world = await aWorld();
    // A token that states its end, and a value that is refused, so that no metric is without a number.
    const claims = Buffer.from(JSON.stringify({ exp: 1_700_000_000 })).toString('base64url');
    world.site.configure({
      ...world.settings({ top: { policy: { min_confidence: 50, unknown_confidence: 'hold' } } }),
      siems: [
        { name: 'watch', type: 'elastic', url: world.elastic.url, auth: { api_key: world.elastic.apiKey } },
        { name: 'away', type: 'splunk', url: 'http://127.0.0.1:9', auth: { token: `a.${claims}.c` } },
      ],
    });
    world.taxii.load([
      indicator('198.18.0.1', { confidence: 80 }),
      indicator('198.18.0.2'),
      indicator('10.0.0.1', { confidence: 80 }),
      indicator('198.18.0.3', { pattern_type: 'sigma', pattern: 'title: x' }),
    ]);
    daemon = await world.site.daemon();
    folder = mkdtempSync(join(tmpdir(), 'entente-prometheus-'));
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    writeFileSync(
      join(folder, 'prometheus.yml'),
      stringify({
        global: { scrape_interval: '1s', evaluation_interval: '1s' },
        rule_files: [ALERTS],
        scrape_configs: [{ job_name: 'entente', static_configs: [{ targets: [new URL(daemon.url).host] }] }],
      }),
    );
    server = spawn(
      'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    server.stderr?.on('data', (chunk: Buffer) => {
      printed += chunk.toString('utf8');
    });
    await eventually(
      async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok === true,
      `${version} is ready`,
      60_000,
    );
  }, 120_000);
  afterAll(async () => {
    server?.kill('SIGKILL');
    await daemon?.stop();
    await world?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  it('scrapes the daemon', async () => {
    interface Target {
      health: string;
      lastError: string;
    }
    let target: Target | undefined;
    await eventually(
      async () => {
        [target] = (await ask<{ activeTargets: Target[] }>('/api/v1/targets')).activeTargets;
        return target?.health === 'up' || (target?.lastError ?? '') !== '';
      },
      'it was scraped',
      60_000,
    );
    expect([target?.health, target?.lastError]).toEqual(['up', '']);
  });

  it('evaluates every rule without an error', async () => {
    interface Group {
      rules: { name: string; health: string; lastError?: string }[];
    }
    let rules: Group['rules'] = [];
    await eventually(
      async () => {
        rules = (await ask<{ groups: Group[] }>('/api/v1/rules')).groups.flatMap((one) => one.rules);
        return rules.length > 0 && rules.every((one) => one.health !== 'unknown');
      },
      'all rules were evaluated',
      60_000,
    );

    expect(rules.map((one) => [one.name, one.health, one.lastError])).toEqual(
      alertRules().map((one) => [one.alert, 'ok', undefined]),
    );
    expect(printed).not.toMatch(/level=error/);
  });

  it('fires what has no patience, and keeps the others pending', async () => {
    const alerts = async () =>
      (await ask<{ alerts: { labels: Record<string, string>; state: string }[] }>('/api/v1/alerts')).alerts;
    await eventually(
      async () => {
        const [told, state] = [
          await alerts(),
          (name: string, want: string) => (one: { labels: Record<string, string>; state: string }) =>
            one.labels['alertname'] === name && one.state === want,
        ];
        return (
          told.some(state('EntenteCredentialEndsNow', 'firing')) && told.some(state('EntenteHoldsUndecided', 'pending'))
        );
      },
      'the token that ended fires, and the hold is noticed',
      60_000,
    );
  });

  it('has a number for every metric that rules and dashboard ask for', async () => {
    const names = new Set([...alertRules().map((one) => one.expr), ...dashboardQueries()].flatMap(metricsIn));
    await eventually(
      async () =>
        (await query('entente_peer_failures_total')).length > 0 &&
        (await query('entente_siem_entries{kind="delivered"} > 0')).length > 0,
      'it delivered, and the SIEM that is away failed',
      60_000,
    );
    const missing: string[] = [];
    for (const name of names) if ((await query(name)).length === 0) missing.push(name);

    expect(missing).toEqual([]);
  });

  it('takes every query of the dashboard', async () => {
    for (const text of dashboardQueries()) {
      const plain = text.replaceAll('$instance', '.*');
      const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(plain)}`);
      expect([plain, answer.status]).toEqual([plain, 200]);
    }
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
