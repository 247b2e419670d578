// A state that the code of 2026-11-28 made by running (commit 92ab0fb, schema 2, before the ledger was built anew): not told
// by today's code as asSchema does, so that it holds what was really written then. 55 addresses of 198.18.0.0/16, the second
// revoked, the third suppressed, 21 to 45 withdrawn at once and held; one AND and one file name refused, and two marked above the clearance.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MIGRATIONS } from '../../src/core/store/sql/schema.ts';
import { addresses, aWorld, indicator, type World } from './world.ts';

const FORMER = gunzipSync(readFileSync(join(import.meta.dirname, '../builders/former-state.db.gz')));
const AT = Date.UTC(2026, 2, 1);
/** Two minutes after the last command of then. */
const clock = new Date(AT + 8 * 60_000).toISOString();

const values = addresses(55);
const published = (value: string, more: object = {}) =>
  indicator(value, { valid_until: '2099-01-01T00:00:00.000Z', ...more }, AT);
const withdrawn = (value: string) => published(value, { revoked: true, modified: new Date(AT).toISOString() });
const gone = new Set([values[1], values[2]]);
const held = new Set(values.slice(20, 45));

describe('a state of the former version', () => {
  let world: World;
  beforeEach(async () => {
    world = await aWorld();
    const policy = { max_days: 36_500, removal_brake: { share: 0.2, at_least: 5, window_hours: 24 } };
    world.site.configure(world.settings({ top: { policy } }));
    mkdirSync(dirname(world.site.state), { recursive: true, mode: 0o700 });
    writeFileSync(world.site.state, FORMER, { mode: 0o600 });
    world.taxii.load(
      values.map((value) => (value === values[1] || held.has(value) ? withdrawn(value) : published(value))),
    );
  });
  afterEach(() => world.close());

  const backup = () => `${world.site.state}.schema-2.bak`;
  const once = () => world.site.entente(['run', '--once'], { clock });
  const schemaOf = (path: string) => {
    const db = new DatabaseSync(path, { readOnly: true });
    try {
      const rows = db.prepare('SELECT count(*) AS n FROM projection').get() as { n: number };
      return [db.prepare('PRAGMA user_version').get(), db.prepare('PRAGMA integrity_check').get(), rows.n];
    } finally {
      db.close();
    }
  };

  it('goes on where it stood, with its holds and suppressions, and lies beside as it was', async () => {
    // The SIEM is empty: what stood there is written anew, what a hold keeps there as well.
    expect(await once()).toMatchObject({ code: 0 });

    expect(world.armed()).toEqual(values.filter((value) => !gone.has(value)).sort());
    expect(await world.site.ask(['held', 'list'], { clock })).toMatchObject({
      held: [{ id: 1, kind: 'removal', siem: 'watch', exchange: 'partner', count: 25 }],
    });
    expect(await world.site.ask(['suppress', 'list'], { clock })).toMatchObject({
      suppressions: [{ value: values[2], reason: 'our own relay' }],
    });
    expect(await world.site.ask(['why', values[0]!], { clock })).toMatchObject({
      entries: [{ value: values[0], siems: [{ name: 'watch', state: 'delivered' }] }],
    });
    expect(await world.site.ask(['status'], { clock })).toMatchObject({
      exchanges: [{ indicators: 33 }],
      siems: [{ wanted: 28, delivered: 28, held: 25 }],
    });
    expect(schemaOf(world.site.state)).toMatchObject([
      { user_version: MIGRATIONS.length },
      { integrity_check: 'ok' },
      54,
    ]);
    expect(schemaOf(backup())).toMatchObject([{ user_version: 2 }, { integrity_check: 'ok' }, 54]);

    expect((await once()).stdout).toMatch(/wrote 0 changes/);
    const { stdout } = await world.site.entente(['held', 'show', '1'], { clock });
    const set = /--set (\w+)/.exec(stdout)?.[1] ?? '';
    expect(
      await world.site.entente(['held', 'approve', '1', '--set', set, '--reason', 'true'], { clock }),
    ).toMatchObject({
      code: 0,
    });
    expect((await once()).code).toBe(0);
    expect(world.armed()).toEqual(values.filter((value) => !gone.has(value) && !held.has(value)).sort());
  });

  it.each<[string, (bytes: Buffer) => Buffer, number, RegExp]>([
    [
      'whose pages are torn',
      (bytes) => bytes.fill(0xa5, 4096 * 3, 4096 * 30),
      1,
      /entente\.db is damaged.*restore a backup/,
    ],
    ['that is cut', (bytes) => bytes.subarray(0, 4096 * 20), 1, /entente\.db is damaged.*restore a backup/],
    [
      'that a newer version wrote',
      (bytes) => {
        bytes.writeUInt32BE(MIGRATIONS.length + 1, 60);
        return bytes;
      },
      2,
      /was written by a newer version .*install that version, or restore a backup/,
    ],
  ])('%s is refused in words, and nothing is written to a SIEM', async (_what, damage, code, words) => {
    const bytes = damage(Buffer.from(FORMER));
    writeFileSync(world.site.state, bytes);

    const refused = await once();

    expect([refused.code, refused.stderr]).toEqual([code, expect.stringMatching(words)]);
    expect(refused.stderr).not.toMatch(/\n\s+at /);
    // Not even an index was made.
    expect(() => world.armed()).toThrow('no such index');
    if (existsSync(backup())) expect(readFileSync(backup()).equals(bytes)).toBe(true);
  });
});
