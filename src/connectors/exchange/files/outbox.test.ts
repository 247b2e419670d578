import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { failureOf, never, testDeps } from '../../../../test/contract/exchange.ts';
import type { Sighting } from '../../../core/model/sighting.ts';
import { FilesConnector } from './connector.ts';
import { disk, type Disk } from './disk.ts';
import { files } from './index.ts';
import { SEQUENCE } from './outbox.ts';

const folders: string[] = [];
afterEach(() => {
  for (const one of folders.splice(0)) rmSync(one, { recursive: true, force: true });
});

const uuidOf = (n: number) => `00000000-0000-5000-8000-${String(n).padStart(12, '0')}`;
const sighting = (n: number, more: Partial<Sighting> = {}): Sighting => ({
  uuid: uuidOf(n),
  kind: 'seen',
  objectId: `indicator--${uuidOf(n)}`,
  firstSeen: Date.UTC(2026, 0, 5, 10),
  lastSeen: Date.UTC(2026, 0, 5, 11),
  count: 2,
  created: Date.UTC(2026, 0, 5, 10),
  modified: Date.UTC(2026, 0, 5, 11) * 1000,
  tlp: 'amber',
  ...more,
});

const IDENTITY = { id: `identity--${uuidOf(99)}`, name: 'SOC Example', class: 'organization' };

function anOutbox(parts: Partial<Disk> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'entente-outbox-'));
  folders.push(folder);
  const outbox = join(folder, 'out');
  const config = files.config.parse({ type: 'files', path: folder, outbox, settle_secs: 0 });
  const start = () =>
    new FilesConnector(config, { ...testDeps(), identity: IDENTITY }, { disk: { ...disk, ...parts } });
  let connector = start();
  return {
    outbox,
    send: (...sightings: Sighting[]) => connector.send!(sightings, never),
    restart: () => {
      connector = start();
    },
    pages: async () => {
      for await (const page of connector.pages(undefined, never)) return page;
      return undefined;
    },
    names: () => readdirSync(outbox).filter((name) => !name.startsWith('.')),
    all: () => readdirSync(outbox).sort(),
    read: (name: string) =>
      (JSON.parse(readFileSync(join(outbox, name), 'utf8')) as { objects: Record<string, unknown>[] }).objects,
    probe: () => connector.probe(never),
  };
}

const failing = (code: string) => Object.assign(new Error(code), { code });

describe('the outbox', () => {
  it('takes sightings as numbered bundles that stand for themselves, one marking each', async () => {
    const box = anOutbox();

    const outcomes = await box.send(sighting(1), sighting(2), sighting(3, { tlp: 'green' }));
    await box.send(sighting(4, { kind: 'false_positive' }));

    expect(outcomes.map(({ kind }) => kind)).toEqual(['sent', 'sent', 'sent']);
    expect(box.names()).toEqual(['sightings-000001.json', 'sightings-000002.json', 'sightings-000003.json']);
    expect(box.read('sightings-000001.json').map(({ type }) => type)).toEqual(['identity', 'sighting', 'sighting']);
    expect(box.read('sightings-000001.json')[1]).toMatchObject({
      id: `sighting--${uuidOf(1)}`,
      sighting_of_ref: `indicator--${uuidOf(1)}`,
      created_by_ref: IDENTITY.id,
      count: 2,
    });
    expect(box.read('sightings-000003.json').map(({ type }) => type)).toEqual(['identity', 'opinion']);
    expect(JSON.parse(readFileSync(join(box.outbox, 'sightings-000001.json'), 'utf8'))).toMatchObject({
      type: 'bundle',
      id: expect.stringMatching(/^bundle--[0-9a-f-]{36}$/),
    });
  });

  it('gives no number twice, whoever takes the files away and however often it starts', async () => {
    const box = anOutbox();
    await box.send(sighting(1));
    rmSync(join(box.outbox, 'sightings-000001.json'));
    box.restart();
    await box.send(sighting(2));
    rmSync(join(box.outbox, SEQUENCE));
    box.restart();
    await box.send(sighting(3));

    expect(box.names()).toEqual(['sightings-000002.json', 'sightings-000003.json']);
  });

  it.each(['ENOSPC', 'EDQUOT', 'EIO'])('keeps the sightings while the disk refuses them: %s', async (code) => {
    let full = true;
    const open: Disk['open'] = (path, ...rest) => {
      if (full && String(path).endsWith('.json.tmp')) return Promise.reject(failing(code));
      return disk.open(path, ...rest);
    };
    const box = anOutbox({ open });

    const failure = await failureOf(box.send(sighting(1)));
    expect(failure.kind).toBe('retryable');
    expect(failure.message).toMatch(/^exchange partner: the outbox .*; sightings are kept and tried again$/);

    full = false;
    await box.send(sighting(1, { attempt: 1 }));
    expect(box.all()).toEqual([SEQUENCE, 'sightings-000001.json']);
  });

  it('asks for a person where the right is missing, and tells what went out before', async () => {
    let writes = 0;
    const open: Disk['open'] = (path, ...rest) =>
      String(path).endsWith('.json.tmp') && ++writes === 2
        ? Promise.reject(failing('EACCES'))
        : disk.open(path, ...rest);
    const box = anOutbox({ open });

    const outcomes = await box.send(sighting(1), sighting(2, { tlp: 'green' }), sighting(3, { tlp: 'clear' }));

    expect(outcomes).toMatchObject([
      { uuid: uuidOf(1), kind: 'sent' },
      { uuid: uuidOf(2), kind: 'failed', failure: { kind: 'config' } },
      { uuid: uuidOf(3), kind: 'failed', failure: { kind: 'config' } },
    ]);
    expect(box.names()).toEqual(['sightings-000001.json']);
  });

  it('leaves no gap and no second file wherever a crash comes', async () => {
    // Each call that changes the folder is a step; the process dies at one of them after the other.
    for (let deadline = 1; deadline < 12; deadline++) {
      let steps = 0;
      let dead = false;
      const alive = () => {
        if (dead || ++steps >= deadline) {
          dead = true;
          throw new Error('died');
        }
      };
      const open: Disk['open'] = async (path, flags, ...rest) => {
        if (flags === 'w') alive();
        return disk.open(path, flags, ...rest);
      };
      const rename: Disk['rename'] = async (from, to) => {
        alive();
        await disk.rename(from, to);
      };
      const unlink: Disk['unlink'] = async (path) => {
        alive();
        await disk.unlink(path);
      };
      const parts: Partial<Disk> = { open, rename, unlink };
      const box = anOutbox(parts);
      await box.send(sighting(1), sighting(2, { tlp: 'green' })).catch(() => {});
      dead = false;
      steps = Number.NEGATIVE_INFINITY;
      box.restart();

      const outcomes = await box.send(sighting(1, { attempt: 1 }), sighting(2, { tlp: 'green', attempt: 1 }));

      expect(outcomes.map(({ kind }) => kind)).toEqual(['sent', 'sent']);
      expect(box.all().filter((name) => name !== `${SEQUENCE}.tmp`)).toEqual([
        SEQUENCE,
        'sightings-000001.json',
        'sightings-000002.json',
      ]);
      const ids: unknown[] = box
        .names()
        .flatMap((name) => box.read(name).flatMap(({ type, id }) => (type === 'sighting' ? id : [])));
      expect(ids).toEqual([`sighting--${uuidOf(1)}`, `sighting--${uuidOf(2)}`]);
    }
  });

  it('refuses what STIX has no form for, and names the indicator of a MISP attribute', async () => {
    const box = anOutbox();

    const outcomes = await box.send(sighting(1, { kind: 'expired' }), sighting(2, { objectId: uuidOf(2) }));

    expect(outcomes).toMatchObject([
      { uuid: uuidOf(1), kind: 'failed', failure: { kind: 'permanent' } },
      { uuid: uuidOf(2), kind: 'sent' },
    ]);
    expect(box.read('sightings-000001.json')[1]).toMatchObject({ sighting_of_ref: `indicator--${uuidOf(2)}` });
  });

  it('is not read, though it lies within the folder that is', async () => {
    const box = anOutbox();
    await box.send(sighting(1));

    expect(await box.pages()).toBeUndefined();
    expect(await box.probe()).toMatchObject({ ok: true, message: expect.stringContaining('reports into') });
  });

  it('says what to do when nobody knows the last number', async () => {
    const box = anOutbox();
    await box.send(sighting(1));
    writeFileSync(join(box.outbox, SEQUENCE), 'broken');
    box.restart();

    expect((await failureOf(box.send(sighting(2)))).message).toMatch(/holds no number; write the last number/);
  });
});
