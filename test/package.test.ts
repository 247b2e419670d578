// What `npm pack` makes runs where it is installed: under node_modules, where Node strips no types, and without any of
// the tools and tests of a clone.
import { execFile, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
  engines: { node: string };
  dependencies: Record<string, string>;
};
const releaseInto = (place: string) =>
  spawnSync(process.execPath, [join(root, 'deploy/release.mjs'), place], { cwd: root, encoding: 'utf8' });

let folder: string;
let files: string[];
let launcher: string;
let touched: boolean;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'entente-package-'));
  // Two at once, since others may pack as well: neither may see what the other builds.
  const release = [join(root, 'deploy/release.mjs')];
  const built = existsSync(join(root, 'dist')) ? statSync(join(root, 'dist')).mtimeMs : undefined;
  await Promise.all(
    ['release', 'another'].map((name) => promisify(execFile)(process.execPath, [...release, join(folder, name)])),
  );
  touched = (existsSync(join(root, 'dist')) ? statSync(join(root, 'dist')).mtimeMs : undefined) !== built;
  const tarball = join(folder, 'release', `entente-${manifest.version}.tgz`);
  spawnSync('tar', ['-xzf', tarball, '-C', folder]);
  files = readdirSync(join(folder, 'package'), { recursive: true, encoding: 'utf8' });
  // As npm would lay it out: the package in node_modules, and beside it what it depends on.
  const modules = join(folder, 'site', 'node_modules');
  mkdirSync(modules, { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules')))
    if (!name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(modules, name));
  spawnSync('mv', [join(folder, 'package'), join(modules, 'entente')]);
  launcher = join(modules, 'entente', 'bin', 'entente.mjs');
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const entente = (...args: string[]) =>
  spawnSync(process.execPath, [launcher, ...args], { cwd: folder, encoding: 'utf8', timeout: 60_000 });

describe('the package', () => {
  it('has no sources, tests, benches or tools in it, and what people read', () => {
    expect(files.filter((one) => /(\.ts$|\.test\.|^test|^bench|\/testing\.|^\.|vitest|biome)/.test(one))).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'docs/runbook.md', 'config/example.yaml']));
    const pictures = files.filter((one) => one.startsWith('docs/pictures/')).sort();
    expect(pictures).toEqual(['board.png', 'flow.svg', 'value.png'].map((one) => `docs/pictures/${one}`));
    const client = ['client.js', 'style.css', 'icon.svg'].map((one) => `dist/src/web/client/${one}`);
    expect(files).toEqual(expect.arrayContaining(client));
  });

  it('runs under node_modules, its store on a thread of its own too', () => {
    writeFileSync(join(folder, 'entente.yaml'), 'instance: soc-one\n');

    const told = entente('version', '--json');
    expect(told).toMatchObject({ status: 0, stderr: '' });
    // Written down when it was packed; a plain copy of the sources has none, and says so.
    const commit = existsSync(join(root, '.git')) ? expect.stringMatching(/^[0-9a-f]{40}(-dirty)?$/) : null;
    expect(JSON.parse(told.stdout)).toEqual({
      version: expect.any(String),
      schema: expect.any(Number),
      commit,
      node: process.versions.node,
    });
    expect(entente('run', '--help').stdout).toContain('entente run --once');
    expect(entente('run', '--once')).toMatchObject({ status: 0, stdout: expect.stringContaining('Read 0 objects') });
    expect(entente('reconcile', '--siem', 'none').stderr).toContain('no SIEM named none');
  });
});

/** Packages that are no tools. */
function installed(): number {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; version: string }>;
  };
  const names = Object.entries(packages)
    .filter(([path, one]) => path !== '' && one.dev !== true)
    .map(([path, one]) => `${path.split('node_modules/').at(-1)}@${one.version}`);
  return new Set(names).size;
}

describe('a release', () => {
  it('is the package, what it is made of, and the checksums of both', () => {
    const place = join(folder, 'release');
    const bill = `entente-${manifest.version}.cdx.json`;
    expect(readdirSync(place).sort()).toEqual(['SHA256SUMS', bill, `entente-${manifest.version}.tgz`]);
    expect(spawnSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: place }).status).toBe(0);

    const told = JSON.parse(readFileSync(join(place, bill), 'utf8')) as {
      bomFormat: string;
      metadata: { component: { name: string } };
      components: { name: string }[];
    };
    expect([told.bomFormat, told.metadata.component.name]).toEqual(['CycloneDX', 'entente']);
    const names = told.components.map((one) => one.name.split('/').at(-1));
    const direct = Object.keys(manifest.dependencies).map((one) => one.split('/').at(-1));
    expect(direct.filter((one) => !names.includes(one))).toEqual([]);
    expect(names).not.toContain('vitest');
    expect(told.components.length).toBe(installed());
  });

  it('is the same whoever packs beside it, and leaves what stands in the sources alone', () => {
    const sums = (name: string) => readFileSync(join(folder, name, 'SHA256SUMS'), 'utf8').split('\n');

    const packages = ['release', 'another'].map((name) => sums(name).find((one) => one.endsWith('.tgz')));
    expect(packages[0]).toBeDefined();
    expect(packages[1]).toBe(packages[0]);
    expect(touched).toBe(false);
  });

  it('leaves a folder alone in which something stands', () => {
    expect(releaseInto(join(folder, 'release'))).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('not empty'),
    });
  });
});

describe('engines', () => {
  it('and README agree on the Node that is needed', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');

    const major = /^>=(\d+)$/.exec(manifest.engines.node)?.[1];
    expect(readme).toContain(`with Node ${major} or newer`);
    expect(readme).not.toMatch(/npx --no entente/);
  });
});
