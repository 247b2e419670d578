// What `npm pack` makes runs where it is installed: under node_modules, where Node strips no types, and without any of
// the tools and tests of a clone.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

let folder: string;
let files: string[];
let launcher: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'entente-package-'));
  const packed = spawnSync('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root, encoding: 'utf8' });
  const [tarball] = readdirSync(folder);
  if (tarball === undefined) throw new Error(`npm pack made nothing: ${packed.stdout}${packed.stderr}`);
  spawnSync('tar', ['-xzf', join(folder, tarball), '-C', folder]);
  files = readdirSync(join(folder, 'package'), { recursive: true, encoding: 'utf8' });
  // As npm would lay it out: the package in node_modules, and beside it what it depends on.
  const modules = join(folder, 'site', 'node_modules');
  mkdirSync(modules, { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules')))
    if (!name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(modules, name));
  spawnSync('mv', [join(folder, 'package'), join(modules, 'entente')]);
  launcher = join(modules, 'entente', 'bin', 'entente.mjs');
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const entente = (...args: string[]) =>
  spawnSync(process.execPath, [launcher, ...args], { cwd: folder, encoding: 'utf8', timeout: 60_000 });

describe('the package', () => {
  it('has no sources, tests, benches or tools in it, and what people read', () => {
    expect(files.filter((one) => /(\.ts$|\.test\.|^test|^bench|\/testing\.|^\.|vitest|biome)/.test(one))).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'docs/runbook.md', 'config/example.yaml']));
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

describe('engines', () => {
  it('and README agree on the Node that is needed', async () => {
    const { default: manifest } = await import('../package.json', { with: { type: 'json' } });
    const { readFileSync } = await import('node:fs');
    const readme = readFileSync(join(root, 'README.md'), 'utf8');

    const major = /^>=(\d+)$/.exec(manifest.engines.node)?.[1];
    expect(readme).toContain(`with Node ${major} or newer`);
    expect(readme).not.toMatch(/npx --no entente/);
  });
});
