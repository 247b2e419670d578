// A foreign judge of the record: Go's own code for transparency logs (golang.org/x/mod/sumdb) reads the files that
// `audit export --tiles` writes, and finds what was changed in them. Debian packages golang-go and golang-golang-x-mod-dev.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { storeSpec } from '../../src/app/specs.ts';
import { exchanges, siems } from '../../src/connectors/registry.ts';
import { loadConfig } from '../../src/core/config/load.ts';
import { openStore } from '../../src/core/store/store.ts';
import { addresses, aWorld, indicator, type World } from '../e2e/world.ts';
import { describeWith, tryStart } from './available.ts';

const SOURCE = join(import.meta.dirname, 'tlog', 'main.go');
/** Where Debian puts the sources of Go packages. */
const GOPATH = process.env['ENTENTE_GOPATH'] ?? '/usr/share/gocode';
/** More than a bundle of 256, so that the tree has a level above its tiles, and the last tile is not full. */
const MANY = 600;

const folder = mkdtempSync(join(tmpdir(), 'entente-tiles-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const judge = await tryStart("Go's verifier of transparency logs", async () => {
  if (spawnSync('go', ['version']).error !== undefined)
    throw new Error('go is not installed (Debian package golang-go)');
  if (!existsSync(join(GOPATH, 'src/golang.org/x/mod/sumdb/tlog')))
    throw new Error(`no golang.org/x/mod under ${GOPATH} (Debian package golang-golang-x-mod-dev)`);
  const cache = join(process.env['ENTENTE_PEERS_DIR'] ?? folder, 'go-build');
  mkdirSync(cache, { recursive: true });
  const program = join(folder, 'judge');
  // No module and no network: what is built is this one file and what Debian brought.
  const env = { ...process.env, GO111MODULE: 'off', GOFLAGS: '', GOPATH, GOCACHE: cache, CGO_ENABLED: '0' };
  execFileSync('go', ['build', '-o', program, SOURCE], { env, timeout: 180_000 });
  return program;
});

/** Each is a unit of its own, and a record. */
function act(file: string): void {
  const answer = loadConfig(file, { siems, exchanges }, {});
  if ('problems' in answer) throw new Error(answer.problems.map((one) => one.message).join('; '));
  const store = openStore(storeSpec(answer.config), new Map(siems.map((one) => [one.type, one])));
  for (let n = 0; n < MANY; n++) store.acted('request', 'ann', { asked: `for the ${n}. time` }, Date.now());
  store.close();
}

describeWith("the record, judged by Go's own code", judge, (program) => {
  let world: World;
  let tiles: string;
  let key: string;

  beforeAll(async () => {
    world = await aWorld();
    world.site.configure(world.settings());
    world.taxii.load(addresses(3).map((value) => indicator(value)));
    expect((await world.site.entente(['run', '--once'])).code).toBe(0);
    act(world.site.path('entente.yaml'));
    expect((await world.site.entente(['run', '--once'])).code).toBe(0);
    expect((await world.site.entente(['audit', 'export', '--tiles', 'tiles'])).code).toBe(0);
    tiles = world.site.path('tiles');
    const { keys } = await world.site.ask<{ keys: string[] }>(['audit', 'verify', '--offline']);
    key = keys.at(-1) ?? '';
  }, 180_000);
  afterAll(() => world.close());

  const judged = () => {
    const { status, stdout, stderr } = spawnSync(program, [tiles, key], { encoding: 'utf8', timeout: 60_000 });
    return { status, said: stdout + stderr };
  };

  it('is sound: the signature, each record, and the tree over all of them', () => {
    const { status, said } = judged();

    expect([status, said]).toEqual([0, expect.stringMatching(/^6\d\d records of entente\/soc-one\n$/)]);
  });

  it.each([
    ['a record', 'tile/entries/001', 'has another root'],
    ['a hash of the tree', 'tile/0/000', 'tile 0/000 is not that of the records'],
    ['a hash above it', 'tile/1/000.p/2', 'tile 1/000.p/2 is not that of the records'],
    ['the checkpoint', 'checkpoint', 'signature'],
  ])('is found out where %s was changed', (_, file, says) => {
    const path = join(tiles, file);
    const whole = readFileSync(path);
    const changed = Buffer.from(whole);
    const at = Math.floor(changed.length / 3);
    changed[at] = changed[at]! ^ 1;
    try {
      writeFileSync(path, changed);
      expect(judged()).toEqual({ status: 1, said: expect.stringContaining(says) as string });
    } finally {
      writeFileSync(path, whole);
    }
  });
});
