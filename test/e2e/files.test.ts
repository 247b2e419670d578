// A separated network by the launcher: files come into a folder and arm, change and withdraw, are refused or wait, and
// what was seen leaves as numbered files.
import { mkdirSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import { type RunningElastic, startElastic } from '../../src/simulators/elastic/index.ts';
import type { StixObject } from '../../src/simulators/stix-object.ts';
import { type Ended, type Settings, Site, type Status } from './site.ts';
import { idFor, INDEX, indicator, INSTANCE, valuesOf } from './world.ts';

// Each starts a handful of processes, next to other tests that keep the machine busy.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

const GREEN = 'marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb';
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

interface Files {
  readonly accepted: number;
  readonly refused: number;
  readonly waiting: number;
}

async function aSeparatedNetwork(exchange: Settings = {}) {
  const site = new Site();
  closers.push(() => site.close());
  const sim: RunningElastic = await startElastic({});
  closers.push(() => sim.close());
  const auth = { username: sim.username, password: sim.password };
  site.configure({
    instance: INSTANCE,
    identity: { id: 'identity--0c3a5b2e-2f5b-4c8e-9d0f-5a8c3f6b1d11', name: 'SOC Example' },
    exchanges: [{ name: 'low-side', type: 'files', path: './inbox', outbox: './outbox', ...exchange }],
    siems: [{ name: 'watch', type: 'elastic', url: sim.url, auth }],
    release: [{ to: 'low-side', tlp: ['green'], action: 'share' }],
  });
  mkdirSync(site.path('inbox'));
  const long = new Date(Date.now() - 3_600_000);
  return {
    site,
    sim,
    /** An old file, as it lies there when nobody writes it any more. */
    put: (name: string, text: string) => utimesSync(site.write(`inbox/${name}`, text), long, long),
    once: async (code = 0): Promise<Ended> => {
      const ended = await site.entente(['run', '--once']);
      expect(ended, ended.stderr).toMatchObject({ code });
      return ended;
    },
    files: async () => (await site.ask<Status>(['status'])).exchanges[0] as unknown as { files: Files },
    armed: () => valuesOf(sim, INDEX),
    names: (folder: string) =>
      readdirSync(site.path(folder))
        .filter((name) => !name.startsWith('.'))
        .sort(),
  };
}

const bundle = (...objects: StixObject[]) => JSON.stringify({ type: 'bundle', id: 'bundle--1', objects });
const green = (value: string) => indicator(value, { object_marking_refs: [GREEN] });

describe('a folder of files', () => {
  it('arms what it holds, follows what changes, and accounts for each file', async () => {
    // Long, since the machine may take its time between writing and looking.
    const { site, sim, put, once, files, armed, names } = await aSeparatedNetwork({ settle_secs: 1800 });
    put('low-1.json', bundle(green('198.18.1.1'), green('198.18.1.2')));
    put('low-2.jsonl', `${JSON.stringify(green('198.18.1.3'))}\n`);
    put('low-4.json', bundle(green('198.18.1.4')).slice(0, -7));
    site.write('inbox/young.json', bundle(green('198.18.1.5')));

    await once();

    expect(armed()).toEqual(['198.18.1.1', '198.18.1.2', '198.18.1.3']);
    expect(await files()).toMatchObject({
      state: 'ok',
      files: { accepted: 2, refused: 1, waiting: 1 },
      collections: [{ reason: expect.stringMatching(/1 file is refused.*low-\*\.json 2 to 3/) }],
    });
    const listed = await site.entente(['refused', 'list', '--json']);
    expect(JSON.parse(listed.stdout)).toMatchObject({
      exchange: 'low-side',
      object_id: 'low-4.json',
      code: 'file_is_cut_off',
    });
    expect((await site.entente(['status'])).stdout).toMatch(/FILES OF +ACCEPTED +REFUSED +WAITING\s+low-side +2 +1 +1/);

    put('low-1.json', bundle(green('198.18.1.2'), green('198.18.1.6')));
    put('low-4.json', bundle(green('198.18.1.4')));
    put('young.json', bundle(green('198.18.1.5')));
    await once();

    expect(armed()).toEqual(['198.18.1.2', '198.18.1.3', '198.18.1.4', '198.18.1.5', '198.18.1.6']);
    expect((await files()).files).toEqual({ accepted: 4, refused: 0, waiting: 0 });
    expect((await site.entente(['refused', 'list'])).stdout).toContain('Nothing is refused.');

    const time = new Date().toISOString();
    const matched = { id: elastic.slot('ipv4-addr', '198.18.1.6', null), index: INDEX, field: 'source.ip' };
    const fields = { 'kibana.alert.original_time': time, threat: { enrichments: [{ matched }] } };
    const event = { time, index: '.internal.alerts-security.alerts-default-000001', fields };
    await fetch(`${sim.url}/_sim/events`, { method: 'POST', body: JSON.stringify([event, event]) });
    await once();
    await once();

    expect(names('outbox')).toEqual(['sightings-000001.json']);
    const sent = JSON.parse(readFileSync(site.path('outbox/sightings-000001.json'), 'utf8')) as { objects: object[] };
    expect(sent).toMatchObject({
      type: 'bundle',
      objects: [{ type: 'identity' }, { type: 'sighting', count: 2, sighting_of_ref: idFor('198.18.1.6') }],
    });
  });

  it('is emptied where files are deliveries, and takes nothing off for what one lacks', async () => {
    const { site, put, once, files, armed, names } = await aSeparatedNetwork({ after: 'move', settle_secs: 0 });
    put('low.json', bundle(green('198.18.2.1')));
    put('broken.json', '{"type":"bundle"');
    // What would be done is worked out on a copy of the state; the folder has no copy.
    const plan = await site.ask<{ siems: { add: number }[] }>(['plan']);
    expect([plan.siems[0]?.add, names('inbox')]).toEqual([1, ['broken.json', 'low.json']]);
    await once();
    put('low.json', bundle(green('198.18.2.2')));
    await once();

    expect(armed()).toEqual(['198.18.2.1', '198.18.2.2']);
    expect(names('inbox')).toEqual(['done', 'refused']);
    expect([names('inbox/done'), names('inbox/refused')]).toEqual([['low.json', 'low~1.json'], ['broken.json']]);
    expect((await files()).files).toEqual({ accepted: 2, refused: 1, waiting: 0 });
    expect((await site.entente(['check', '--probe'])).stdout).toMatch(/moves what was read into done\/ and refused\//);
  });

  it('that is not there is told, and takes nothing off', async () => {
    const { site, put, once, files, armed } = await aSeparatedNetwork();
    put('a.json', bundle(green('198.18.3.1')));
    await once();
    site.removeFolder('inbox');

    await once(1);

    expect(await files()).toMatchObject({
      state: 'failing',
      reason: expect.stringMatching(/inbox is not there \(ENOENT\)/),
    });
    expect(armed()).toEqual(['198.18.3.1']);
  });
});
