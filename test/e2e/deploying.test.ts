// What deploy/ hands out, judged by the tools that read it, and tried: the watchdog's word, an upgrade and the way back. A tool that is not installed is a skip with its name.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { MIGRATIONS } from '../../src/core/store/sql/schema.ts';
import { asSchema } from '../builders/older-state.ts';
import { eventually, Site } from './site.ts';
import { addresses, aWorld, indicator, revoked, type World } from './world.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 90_000 });

const root = join(import.meta.dirname, '../..');
const tool = (name: string, ...args: string[]) => spawnSync(name, args, { cwd: root, encoding: 'utf8' });
const missing = (name: string, ...args: string[]) => tool(name, ...args).error !== undefined;

describe('systemd', () => {
  const UNITS = ['entente.service', 'entente-backup.service', 'entente-backup.timer'].map(
    (name) => `deploy/systemd/${name}`,
  );

  it('takes the units', ({ skip }) => {
    if (missing('systemd-analyze', '--version')) skip('systemd-analyze is not installed');
    const { stdout, stderr } = tool('systemd-analyze', 'verify', '--man=no', ...UNITS);
    // Nothing is installed in /opt here.
    const said = `${stdout}${stderr}`
      .split('\n')
      .filter((one) => one !== '' && !/\/opt\/entente\/.* not executable/.test(one));

    expect(said.filter((one) => /entente/.test(one))).toEqual([]);
  });

  it('finds little exposed', ({ skip }) => {
    if (missing('systemd-analyze', '--version')) skip('systemd-analyze is not installed');
    const { stdout } = tool('systemd-analyze', 'security', '--offline=true', UNITS[0] ?? '');
    const level = /exposure level for entente\.service: ([\d.]+)/.exec(stdout)?.[1];

    expect(Number(level)).toBeLessThanOrEqual(1.6);
  });

  it('hears that the daemon is ready, and then that it lives', async ({ skip }) => {
    if (missing('systemd-notify', '--version')) skip('systemd-notify is not installed');
    if (missing('python3', '--version')) skip('python3, which has datagram sockets, is not installed');
    const site = new Site();
    const socket = join(mkdtempSync(join(tmpdir(), 'entente-notify-')), 's');
    // Descriptors that come with a word (systemd-notify waits until one is closed) are closed as they are dropped.
    const script = `import socket,sys
s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.bind(sys.argv[1]); print('bound',flush=True)
while True: print(s.recv(4096).decode().strip(),flush=True)`;
    const listener = spawn('python3', ['-c', script, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    let heard = '';
    listener.stdout.on('data', (chunk: Buffer) => {
      heard += chunk.toString('utf8');
    });
    try {
      await eventually(() => heard.includes('bound'), 'the listener listens');
      site.configure({ instance: 'soc-one' });
      const daemon = await site.daemon({ env: { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '1500000' } });
      await eventually(
        () => heard.includes('READY=1') && (heard.match(/WATCHDOG=1/g)?.length ?? 0) >= 3,
        'it said that it is ready and, several times, that it lives',
      );
      // One that is stopped, as by SIGSTOP, says nothing any more: that is what the watchdog is for.
      daemon.process.signal('SIGSTOP');
      await new Promise((go) => setTimeout(go, 1_000)); // a word under way arrives
      const before = heard;
      await new Promise((go) => setTimeout(go, 2_000));
      expect(heard).toBe(before);
      daemon.process.signal('SIGCONT');
      expect((await daemon.stop()).code).toBe(0);
    } finally {
      listener.kill('SIGKILL');
      site.close();
      rmSync(join(socket, '..'), { recursive: true, force: true });
    }
  });

  it('is not missed where it is not', async () => {
    const site = new Site();
    try {
      site.configure({ instance: 'soc-one' });
      const daemon = await site.daemon({ env: { NOTIFY_SOCKET: '/nowhere/s', PATH: '/nowhere' } });
      await daemon.ready();
      await eventually(() => daemon.process.stderr.includes('could not be told that Entente lives'), 'it says so');
      expect((await daemon.stop()).code).toBe(0);
    } finally {
      site.close();
    }
  });
});

describe('kubectl', () => {
  it('builds the objects of the base, all in one namespace', ({ skip }) => {
    if (missing('kubectl', 'version', '--client')) skip('kubectl is not installed');
    const { status, stdout, stderr } = tool('kubectl', 'kustomize', 'deploy/kustomize');
    expect([status, stderr]).toEqual([0, '']);
    const objects = parseAllDocuments(stdout).map((one) => one.toJS());
    const kinds = objects.map((one) => String(one.kind)).sort();
    const deployment = objects.find((one) => one.kind === 'Deployment');
    const config = objects.find((one) => one.kind === 'ConfigMap').metadata.name;

    expect(kinds).toEqual([
      'ConfigMap',
      'Deployment',
      'Namespace',
      'NetworkPolicy',
      'PersistentVolumeClaim',
      'Service',
    ]);
    expect(new Set(objects.map((one) => one.metadata.namespace ?? one.metadata.name))).toEqual(new Set(['entente']));
    expect(deployment.spec.template.spec.volumes).toContainEqual({ name: 'config', configMap: { name: config } });
    expect(deployment.spec.template.spec.containers[0].image).toMatch(/:\d+\.\d+\.\d+$/);
    const selector = { matchLabels: { 'app.kubernetes.io/name': 'entente' } };
    expect(deployment.spec.selector).toEqual(selector);
    expect(objects.find((one) => one.kind === 'NetworkPolicy').spec.podSelector).toEqual(selector);
  });
});

describe('an upgrade', () => {
  let world: World;
  beforeEach(async () => {
    world = await aWorld({ taxii: { data: addresses(30).map((value) => indicator(value)) } });
    world.site.configure(world.settings());
  });
  afterEach(() => world.close());

  const NEWEST = MIGRATIONS.length;
  const versionOf = (path: string) => {
    const db = new DatabaseSync(path, { readOnly: true });
    try {
      return (db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
    } finally {
      db.close();
    }
  };

  it.each([1, 5, 10, NEWEST - 1])(
    'takes a state of schema %i along, and leaves it beside for the way back',
    async (schema) => {
      const { site } = world;
      await site.entente(['run', '--once']);
      asSchema(site.state, schema);
      rmSync(`${site.state}.new`, { force: true });
      world.taxii.load([indicator('198.18.9.9'), revoked('198.18.0.1')]);

      expect((await site.entente(['run', '--once'])).code).toBe(0);
      const armed = [...addresses(30), '198.18.9.9'].filter((one) => one !== '198.18.0.1').sort();
      expect(world.armed()).toEqual(armed);
      expect(versionOf(site.state)).toBe(NEWEST);
      expect(versionOf(`${site.state}.schema-${schema}.bak`)).toBe(schema);

      // The way back: an older version refuses what a newer one wrote, and takes what was left beside.
      const db = new DatabaseSync(site.state);
      db.exec(`PRAGMA user_version = ${NEWEST + 1}`);
      db.close();
      const refused = await site.entente(['run', '--once']);
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('was written by a newer version')]);
      for (const rest of ['', '-wal', '-shm']) rmSync(`${site.state}${rest}`, { force: true });
      copyFileSync(`${site.state}.schema-${schema}.bak`, site.state);
      chmodSync(site.state, 0o600);
      rmSync(`${site.state}.schema-${schema}.bak`);
      expect((await site.entente(['run', '--once'])).code).toBe(0);
      expect((await site.entente(['reconcile', '--repair'])).code).toBe(0);
      expect(world.armed()).toEqual(armed);
      expect(existsSync(`${site.state}.schema-${schema}.bak`)).toBe(true);
    },
  );
});
