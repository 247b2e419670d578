// What deploy/ hands out, as far as it can be judged without the products that read it: they judge it in
// test/e2e/deploying.test.ts where they are installed.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import packageFile from '../package.json' with { type: 'json' };
import { parts } from '../src/cli/parts.ts';
import { parseConfig } from '../src/core/config/load.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('every YAML of deploy/', () => {
  it.each(globSync('deploy/**/*.yaml', { cwd: root }))('%s can be read', (path) => {
    const found = parseAllDocuments(read(path)).flatMap((one) => [...one.errors, ...one.warnings]);

    expect(found).toEqual([]);
  });
});

describe('the pod', () => {
  const deployment = parse(read('deploy/kustomize/deployment.yaml'));
  const { spec } = deployment.spec.template;
  const [container] = spec.containers;

  it('is one, replaced and never doubled', () => {
    expect([deployment.spec.replicas, deployment.spec.strategy.type]).toEqual([1, 'Recreate']);
  });

  it('runs as nobody in particular, over a root that it cannot write', () => {
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(spec.automountServiceAccountToken).toBe(false);
  });

  it('mounts each volume that it names, and gets secrets as files', () => {
    const names = (list: { name: string }[]) => list.map((one) => one.name).sort();

    expect(names(container.volumeMounts)).toEqual(names(spec.volumes));
    expect(container.env).toBeUndefined();
  });

  it('is probed where the daemon answers without a token', () => {
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'])
      expect(['/livez', '/readyz']).toContain(container[probe].httpGet.path);
    // Longer than the daemon waits for calls in hand (20 s for loops, and again for its parts).
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(60);
  });

  it('has a configuration that the schema takes, with its state on the volume and its secrets where they are mounted', () => {
    const text = read('deploy/kustomize/entente.yaml');
    const answer = parseConfig('entente.yaml', text, parts.registry, {}, 'unused');
    const mounts = container.volumeMounts.map((one: { mountPath: string }) => one.mountPath);

    expect('problems' in answer ? answer.problems : []).toEqual([]);
    expect(text).toContain('state: /data/');
    for (const [, file] of text.matchAll(/_file: (\/\w+)\//g)) expect(mounts).toContain(file);
  });
});

describe('the compose file', () => {
  const { services } = parse(read('deploy/compose.yaml'));

  it.each(['entente', 'demo'])('runs %s read-only and without capabilities', (name) => {
    expect(services[name]).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
  });

  it('starts the demo only where it is asked for, and publishes on loopback alone', () => {
    expect([services.demo.profiles, services.entente.profiles]).toEqual([['demo'], undefined]);
    expect(services.entente.ports).toEqual(['127.0.0.1:8686:8686']);
  });
});

describe('the image', () => {
  const text = read('Dockerfile');

  it('copies only what is there, and everything that runs', () => {
    const copied = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((one) => (one[1] ?? '').split(' '));

    expect(copied.filter((one) => !existsSync(join(root, one)))).toEqual([]);
    expect(copied).toEqual(expect.arrayContaining(['bin', 'src', 'content', 'config']));
  });

  it('ends as a user who is not root, with a health check and labels of this version', () => {
    expect([...text.matchAll(/^USER (.+)$/gm)].map((one) => one[1])).toEqual(['node']);
    expect(text).toMatch(/^HEALTHCHECK /m);
    expect(text).toContain(`ARG VERSION=${packageFile.version}\n`);
    for (const label of ['title', 'licenses', 'version', 'revision'])
      expect(text).toContain(`org.opencontainers.image.${label}=`);
    // One name for both stages, so that one digest pins both.
    expect([...text.matchAll(/^FROM (\S+)/gm)].map((one) => one[1])).toEqual(['${NODE_IMAGE}', '${NODE_IMAGE}']);
  });
});

describe('the unit', () => {
  const text = read('deploy/systemd/entente.service');

  it('is watched, and not started again after wrong usage', () => {
    expect(text).toMatch(/^Type=notify$/m);
    expect(text).toMatch(/^WatchdogSec=\d+$/m);
    expect(text).toMatch(/^RestartPreventExitStatus=2$/m);
  });
});
