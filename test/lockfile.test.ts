// The lockfile installs the same bytes from any registry, on any platform, without running anything of strangers.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const root = join(import.meta.dirname, '..');
const Pins = z.record(z.string(), z.string()).default({});
const manifest = z
  .object({ dependencies: Pins, devDependencies: Pins, optionalDependencies: Pins })
  .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
const lock = z
  .object({
    packages: z.record(
      z.string(),
      z.object({
        resolved: z.string().optional(),
        integrity: z.string().optional(),
        license: z.string().optional(),
        dev: z.boolean().default(false),
        hasInstallScript: z.boolean().default(false),
        optionalDependencies: Pins,
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')));
const { '': _, ...packages } = lock.packages;
const named = (holds: (one: (typeof packages)[string]) => boolean): string[] =>
  Object.keys(packages).filter((name) => holds(packages[name]!));

/** Each lets us ship the package inside a product without conditions on our own source. */
const PERMISSIVE = new Set(['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'BlueOak-1.0.0']);

describe('the lockfile', () => {
  it('names no download address: every registry will do', () => {
    expect(named((one) => one.resolved !== undefined)).toEqual([]);
  });

  it('has a checksum for everything we ship', () => {
    // npm writes none for developer tools of platforms on which the lockfile was not made.
    expect(named((one) => !one.dev && one.integrity === undefined)).toEqual([]);
  });

  it('holds no package that runs a script when it is installed', () => {
    // npm ci would run it with the rights of whoever builds.
    expect(named((one) => one.hasInstallScript)).toEqual([]);
  });

  it('has an entry for every optional dependency, also of other platforms', () => {
    const missing = Object.entries(lock.packages).flatMap(([from, { optionalDependencies }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => !(`${from}/node_modules/${name}` in packages) && !(`node_modules/${name}` in packages))
        .map((name) => `${from || 'package.json'} wants ${name}`),
    );

    expect(missing).toEqual([]);
  });

  it('has only permissive licences in what we ship', () => {
    const shipped = named((one) => !one.dev);

    expect(shipped).toContain('node_modules/zod');
    expect(
      shipped
        .filter((name) => !PERMISSIVE.has(packages[name]?.license ?? ''))
        .map((name) => `${name}: ${packages[name]?.license ?? 'no licence named'}`),
    ).toEqual([]);
  });
});

describe('package.json', () => {
  it('pins every dependency to one version', () => {
    const pins = Object.entries({
      ...manifest.dependencies,
      ...manifest.devDependencies,
      ...manifest.optionalDependencies,
    });

    expect(pins.length).toBeGreaterThan(10);
    expect(pins.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });
});
