// The record of what was done, by the launcher: it verifies, every change of it is found and named, and it answers whether a
// value was armed at a moment.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { leafHash } from '../../src/core/audit/tree.ts';
import { eventually } from './site.ts';
import { addresses, aWorld, indicator, type World } from './world.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 90_000 });

let world: World;
beforeEach(async () => {
  world = await aWorld();
  world.site.configure(world.settings());
});
afterEach(() => world.close());

const TAMPERED = [
  {
    sql: `UPDATE audit_record SET body = replace(body, '"actor":"entente"', '"actor":"nobody"') WHERE seq = 2`,
    kind: 'changed',
    record: 2,
  },
  {
    sql: "UPDATE audit_record SET lines = replace(lines, '198.18.1.1', '198.18.1.9') WHERE seq = 2",
    kind: 'rows',
    record: 2,
  },
  { sql: 'DELETE FROM audit_record WHERE seq = 2', kind: 'missing', record: 2 },
  {
    sql: `UPDATE audit_record SET seq = seq + 100 WHERE seq > 2; UPDATE audit_record SET seq = seq - 99 WHERE seq > 2;
      INSERT INTO audit_record SELECT 3, at, action, body, lines, entries FROM audit_record WHERE seq = 2`,
    kind: 'missing',
    record: 3,
  },
  { sql: 'DELETE FROM audit_record WHERE seq >= 3', kind: 'cut_off', record: 3 },
] as const;

interface Verdict {
  readonly sound: boolean;
  readonly size: number;
  readonly agreed: number;
  readonly problems: readonly { readonly kind: string; readonly record: number | null; readonly says: string }[];
  readonly notes: readonly string[];
  readonly places: readonly { readonly place: string; readonly checkpoints: number; readonly trouble: string | null }[];
}

async function verdict(...args: string[]): Promise<Verdict & { readonly code: number | null }> {
  const { code, stdout, stderr } = await world.site.entente(['audit', 'verify', '--json', ...args]);
  expect(stderr).toBe('');
  return { ...(JSON.parse(stdout) as Verdict), code };
}

async function once(): Promise<void> {
  const { code, stderr } = await world.site.entente(['run', '--once']);
  expect([code, stderr]).toEqual([0, stderr]);
}

function tamper(sql: string): void {
  const db = new DatabaseSync(world.site.state);
  db.exec(sql);
  db.close();
}

/** The state with all that SQLite keeps beside it. */
function copyState(to: string): void {
  const db = new DatabaseSync(world.site.state);
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
  copyFileSync(world.site.state, to);
}

function putBack(from: string): void {
  for (const beside of ['', '-wal', '-shm']) rmSync(world.site.state + beside, { force: true });
  copyFileSync(from, world.site.state);
}

it('is sound after a run, and each checkpoint stands in the state, the folder and the SIEM', async () => {
  world.taxii.load(addresses(3).map((value) => indicator(value)));
  await once();

  const found = await verdict();
  expect(found).toMatchObject({ code: 0, sound: true, problems: [] });
  expect(found.agreed).toBeGreaterThan(2);
  expect(found.places.map(({ checkpoints, trouble }) => [checkpoints > 0, trouble])).toEqual([
    [true, null],
    [true, null],
    [true, null],
  ]);
  expect(statSync(world.site.path('state/audit.key')).mode & 0o777).toBe(0o600);
  expect((await world.site.entente(['audit', 'verify'])).stdout).toContain('The record is sound.');
});

it('verifies a copy without the private key, and says what cannot be asked', async () => {
  world.taxii.load(addresses(2).map((value) => indicator(value)));
  await once();
  world.site.remove('state/audit.key');
  world.site.configure(world.settings({ siem: { url: 'http://127.0.0.1:1' } }));

  const found = await verdict();

  expect(found).toMatchObject({ code: 0, sound: true });
  expect(found.places.at(-1)!.trouble).toContain('watch');
});

it('finds and names what is not as it was written', async () => {
  for (let i = 1; i <= 2; i++) {
    world.taxii.load([indicator(`198.18.1.${i}`)]);
    await once();
  }
  const sound = world.site.path('sound.db');
  copyState(sound);
  const { code, size } = await verdict('--offline');
  expect(code).toBe(0);

  for (const { sql, kind, record } of TAMPERED) {
    tamper(sql);
    const found = await verdict('--offline');
    expect([sql, found.code, found.sound]).toEqual([sql, 1, false]);
    expect(found.problems[0]).toMatchObject({ kind, record });
    expect(found.problems[0]!.says).toContain(`record ${record}`);
    putBack(sound);
  }

  tamper(TAMPERED[0]!.sql);
  const { stdout } = await world.site.entente(['audit', 'verify', '--offline']);
  // What follows was signed, as something else.
  expect([stdout.includes('BROKEN'), stdout.includes('are signed with the next checkpoint')]).toEqual([true, false]);
  putBack(sound);

  // With all that the state itself knows of its end: the folder tells, and the SIEM alone.
  tamper(
    `DELETE FROM audit_record WHERE seq >= ${size - 1}; DELETE FROM audit_checkpoint; DELETE FROM meta WHERE name = 'audit_head'`,
  );
  expect((await verdict('--offline')).problems).toMatchObject([
    { kind: 'changed' },
    { kind: 'cut_off', record: size - 1 },
  ]);
  world.site.removeFolder('state/checkpoints');
  const { problems } = await verdict();
  expect(problems.at(-1)).toMatchObject({ kind: 'cut_off', says: expect.stringContaining('watch') as string });
  expect((await world.site.entente(['audit', 'verify'])).stdout).toContain('BROKEN');
});

it('names an older state that was put back, until a run has taken it up', async () => {
  world.taxii.load([indicator('198.18.1.1')]);
  await once();
  const older = world.site.path('older.db');
  copyState(older);
  world.taxii.load([indicator('198.18.1.2')]);
  await once();
  const { size } = await verdict();
  putBack(older);

  const found = await verdict();
  expect(found.code).toBe(1);
  expect(found.problems[0]).toMatchObject({
    kind: 'cut_off',
    says: expect.stringContaining('an older state was put back') as string,
  });

  world.taxii.load([indicator('198.18.1.3')]);
  await once();
  const after = await verdict();
  expect(after).toMatchObject({ code: 0, sound: true });
  expect(after.notes.join()).toContain(`signed up to ${size}`);
});

it('is exported line by line, each with the hash of the one before, and as tiles', async () => {
  world.taxii.load(addresses(2).map((value) => indicator(value)));
  await once();

  const lines = (
    await world.site.entente(['audit', 'export', '--since', '1d', '--proofs', 'proofs.json', '--tiles', 'tiles'])
  ).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { seq: number; prev: string | null; rows?: { key: string; op: string }[] });

  expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, i) => i));
  lines.forEach((line, i) => {
    const { rows: _rows, ...body } = line;
    const hash = leafHash(JSON.stringify(sorted(body))).toString('hex');
    if (i + 1 < lines.length) expect(lines[i + 1]!.prev).toBe(hash);
  });
  expect(lines.flatMap(({ rows = [] }) => rows.map(({ op }) => op))).toEqual(['arm', 'arm']);
  const proofs = JSON.parse(readFileSync(world.site.path('proofs.json'), 'utf8')) as {
    checkpoint: string;
    size: number;
  };
  expect(readFileSync(world.site.path('tiles/checkpoint'), 'utf8')).toBe(proofs.checkpoint);
  const tile = readFileSync(world.site.path(`tiles/tile/0/000.p/${proofs.size}`));
  expect(tile.subarray(0, 32).toString('hex')).toBe(lines[1]!.prev);
  expect(createHash('sha256').update(tile).digest()).toHaveLength(32);
});

it('changes its key under a daemon, by the word of the one before', async () => {
  world.taxii.load([indicator('198.18.1.1')]);
  const daemon = await world.site.daemon();
  await eventually(() => existsSync(world.site.path('state/audit.key')), 'the key is there');
  const before = readFileSync(world.site.path('state/audit.key'), 'utf8');

  const rotated = await world.site.entente(['audit', 'rotate']);
  expect([rotated.code, rotated.stdout]).toEqual([0, expect.stringContaining('another key from now on')]);
  await daemon.stop();

  expect(readFileSync(world.site.path('state/audit.key'), 'utf8')).not.toBe(before);
  expect(readdirSync(world.site.path('state')).some((name) => name.endsWith('.old'))).toBe(true);
  expect(await verdict()).toMatchObject({ code: 0, sound: true });

  // A key that is lost is said, and goes on.
  world.site.remove('state/audit.key');
  world.taxii.load([indicator('198.18.1.2')]);
  await once();
  const lost = await verdict();
  expect(lost).toMatchObject({ code: 0, sound: true });
  expect(lost.notes.join()).toContain('a key that was lost');
});

it('tells whether a value was armed at a moment, since when and by whose word, and what happened', async () => {
  const published = indicator('198.18.1.1');
  world.taxii.load([published, indicator('198.18.1.2')]);
  await once();
  const between = new Date(Date.now()).toISOString();
  await new Promise((go) => setTimeout(go, 1100));
  await world.site.entente(['suppress', '198.18.1.1', '--hours', '1', '--reason', 'our own scanner', '--by', 'ann']);
  await once();

  interface At {
    readonly entries: readonly { readonly siems: readonly object[]; readonly acts: readonly object[] }[];
  }
  const then = await world.site.ask<At>(['why', '198.18.1[.]1', '--at', between]);
  expect(then.entries[0]!.siems).toMatchObject([
    {
      siem: 'watch',
      state: 'armed',
      reason: 'vouched for by partner',
      object: published['id'],
      until: expect.any(String) as string,
    },
  ]);
  const now = await world.site.ask<At>(['why', '198.18.1.1', '--at', '0m']);
  expect(now.entries[0]!.siems).toMatchObject([{ state: 'not_armed', reason: 'suppressed' }]);
  expect(now.entries[0]!.acts).toMatchObject([
    { action: 'suppress', by: 'ann', detail: { reason: 'our own scanner' } },
  ]);
  const early = await world.site.ask<At>(['why', '198.18.1.1', '--at', '2020-01-01T00:00Z']);
  expect(early.entries[0]!.siems).toMatchObject([
    { state: 'unknown', reason: expect.stringContaining('the record begins') as string },
  ]);
  expect((await world.site.entente(['why', '198.18.1.1', '--at', between])).stdout).toContain('vouched for by partner');

  const { entries } = await world.site.ask<{ entries: { kind: string; subject: string; counts: object }[] }>([
    'history',
  ]);
  expect(entries.map(({ kind, subject }) => `${kind} ${subject}`)).toEqual(
    expect.arrayContaining(['configuration entente', 'poll partner', 'delivery watch', 'decision ann']),
  );
  const difference = await world.site.ask<{ siems: object[] }>(['history', '--compare', between, '0m']);
  expect(difference.siems).toMatchObject([{ siem: 'watch', disarmed: ['ipv4-addr|198.18.1.1'], armed: [] }]);
  expect((await world.site.entente(['history'])).stdout).toContain('our own scanner');
  expect((await world.site.entente(['history', '--compare', between, '0m'])).stdout).toContain('disarmed 1');
});

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, one]) => [name, sorted(one)]),
  );
}
