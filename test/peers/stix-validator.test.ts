// What leaves is STIX 2.1 to OASIS' own validator, in strict mode, where warnings count as errors.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { TLP_LEVELS } from '../../src/core/model/marking.ts';
import { aggregate, sighting, sightingUuid } from '../../src/core/inventory/aggregate.ts';
import { buildIdentity, buildSighting } from '../../src/core/stix/build.ts';
import { pythonPeer } from './python.ts';

const run = promisify(execFile);
const validator = await pythonPeer('stix2-validator');
const folder = mkdtempSync(join(tmpdir(), 'entente-stix-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const US = { id: 'identity--0c3a5b2e-2f5b-4c8e-9d0f-5a8c3f6b1d11', name: 'SOC Example', class: 'organization' };
const OBJECT = 'indicator--7df7da76-baa5-48be-98b3-ae9b4bd84184';
const TEN = Date.UTC(2026, 0, 5, 10);
const GRID = { windowMs: 3_600_000, precisionMs: 60_000 };

async function verdict(objects: readonly unknown[]): Promise<string> {
  const file = join(folder, 'objects.json');
  writeFileSync(file, JSON.stringify(objects));
  const python = validator.kind === 'ready' ? validator.python : '';
  // By its interpreter: the first line of an installed script names a folder that may have moved.
  const script = join(dirname(python), 'stix2_validator');
  // 103 recommends random ids (STIX 2.1 §2.9, SHOULD); ours are derived, so that a repeat is the same sighting.
  const arguments_ = [script, '--version', '2.1', '--strict', '--no-cache', '-d', '103', file];
  try {
    await run(python, arguments_, { timeout: 120_000 });
    return 'valid';
  } catch (error) {
    return error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error);
  }
}

describe.skipIf(validator.kind === 'missing')('stix2-validator, strict', () => {
  const made = (['seen', 'false_positive'] as const).flatMap((kind) =>
    [...TLP_LEVELS, undefined].flatMap((tlp, n) =>
      [1, 700_000, 999_999_999].map((count) => {
        const first = TEN + n * 61_000;
        const totals = aggregate([{ siem: 1, first, last: first + 1_800_000, count }], TEN, GRID)!;
        const uuid = sightingUuid(`soc-${count}`, 'partner', OBJECT, TEN, kind);
        return buildSighting(sighting(kind, uuid, OBJECT, TEN, GRID, totals, tlp), US, n % 2 === 0)!;
      }),
    ),
  );

  it('accepts every sighting, opinion and identity we make', async () => {
    expect(made).toHaveLength(36);
    expect(await verdict([...made, buildIdentity(US)])).toBe('valid');
  });

  it('would have said so otherwise', async () => {
    expect(await verdict([{ ...made[0], sighting_of_ref: 'nonsense' }])).toContain('nonsense');
  });
});
