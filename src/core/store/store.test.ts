import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from '../../../test/property.ts';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  anIndicator,
  aSiem,
  DAY,
  HOUR,
  indicators,
  ipv4,
  listingOf,
  MINUTE,
  NOW,
  Rig,
  versionAt,
} from '../../../test/builders/store.ts';
import { statePlaces } from '../../../test/builders/states.ts';
import { OBSERVABLE_TYPES } from '../model/observable.ts';
import type { Settlement } from './delivery/settling.ts';
import { migrate, schemaVersion, SqliteDatabase } from './sqlite/database.ts';
import { takeLock } from './sqlite/lock.ts';
import { openBeside, openReading } from './state/open.ts';
import { insertRequest, REQUEST_LIFE_MS, requestOutcome } from './unit/requests.ts';
import { scratchFolder } from '../../../test/builders/scratch.ts';

function aFolder(): string {
  const folder = scratchFolder('entente-db-');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe('the state file', () => {
  it('belongs to one instance', () => {
    const rig = new Rig();

    expect(() => rig.restart({ instance: 'other' })).toThrow(/belongs to instance "test-instance"/);
    rig.restart({ instance: 'test-instance' });
  });

  it('of an older schema is brought up to date after a backup beside it', () => {
    const path = join(aFolder(), 'state.db');
    const db = new SqliteDatabase(path);
    migrate(db, ['CREATE TABLE one (id INTEGER)']);

    migrate(db, ['CREATE TABLE one (id INTEGER)', 'CREATE TABLE two (id INTEGER)']);

    expect(schemaVersion(db)).toBe(2);
    expect(existsSync(`${path}.schema-1.bak`)).toBe(true);
    db.close();
  });

  it('of a newer schema is refused', () => {
    const db = new SqliteDatabase(join(aFolder(), 'state.db'));
    migrate(db, ['CREATE TABLE one (id INTEGER)', 'CREATE TABLE two (id INTEGER)']);

    expect(() => migrate(db, ['CREATE TABLE one (id INTEGER)'])).toThrow(/newer version/);
    db.close();
  });

  it('is copied while running, and over nothing', () => {
    const rig = new Rig();
    const copy = join(aFolder(), 'copy.db');
    rig.store.backup(copy);

    expect(() => rig.store.backup(copy)).toThrow(/exists already/);
  });

  it('keeps its revisions and its time over a restart, though the clock ran back a little', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 1));
    const { revision, engineTime } = rig.store.identity();

    rig.restart();
    rig.commit(indicators(1, 2), NOW - MINUTE);

    expect(rig.store.identity().revision).toBeGreaterThan(revision);
    expect(rig.store.identity().engineTime).toBe(engineTime);
  });

  it('takes a long step back of time, which only comes confirmed, and still never reuses a revision', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 1), NOW + 365 * DAY);
    const { revision } = rig.store.identity();

    rig.commit(indicators(1, 2), NOW);

    expect(rig.store.identity().engineTime).toBe(NOW);
    expect(rig.store.identity().revision).toBeGreaterThan(revision);
  });

  it('undoes a unit that fails as a whole, its batch too', () => {
    const rig = new Rig({
      encoder: {
        encode: (entry) => {
          if (entry.value === '198.18.0.1') throw new Error('encoder broke');
          return { slot: entry.key, body: '{}\n' };
        },
      },
    });
    rig.commit(indicators(0, 2));
    const before = rig.rows();

    expect(() => rig.take()).toThrow('encoder broke');

    expect(rig.rows()).toEqual(before);
  });
});

describe('the lock', () => {
  it('refuses a second holder, names the first, and is free once that was killed', async () => {
    const path = join(aFolder(), 'state.db');
    const program = `import { takeLock } from ${JSON.stringify(join(import.meta.dirname, 'sqlite/lock.ts'))};
      takeLock(${JSON.stringify(path)}, 'the first');
      console.log('locked');
      setInterval(() => {}, 1000);`;
    const child: ChildProcess = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout!, 'data');

    expect(takeLock(path, 'the second')).toEqual({ heldBy: 'the first' });

    child.kill('SIGKILL');
    await once(child, 'exit');
    const lock = takeLock(path, 'the second');
    expect(lock).toHaveProperty('release');
    if ('release' in lock) lock.release();
  });
});

describe('a request', () => {
  const ask = (rig: Rig, kind: string, now: number): number => {
    const db = openBeside(rig.place);
    onTestFinished(() => db.close());
    return insertRequest(db, kind, { value: 1 }, 'op', now);
  };
  const outcome = (rig: Rig, id: number) => {
    const db = openReading(rig.place);
    try {
      return requestOutcome(db, id);
    } finally {
      db.close();
    }
  };

  it('is claimed once and answered', () => {
    const rig = new Rig();
    const id = ask(rig, 'poll', NOW);

    expect(rig.store.claimRequest(NOW)).toEqual({ id, kind: 'poll', arguments: { value: 1 }, by: 'op' });
    expect(rig.store.claimRequest(NOW)).toBeUndefined();
    rig.store.finishRequest(id, { ok: true }, NOW);
    expect(outcome(rig, id)).toEqual({ ok: true });
  });

  it('that nobody claims in time never fires', () => {
    const rig = new Rig();
    const id = ask(rig, 'approve', NOW);

    expect(rig.store.claimRequest(NOW + REQUEST_LIFE_MS + 1)).toBeUndefined();
    expect(outcome(rig, id)).toMatchObject({ ok: false });
  });

  it.each([-DAY, 365 * DAY])('made by a clock that is %i ms off lives as long as any other', (off) => {
    const rig = new Rig();
    rig.store.tick(NOW, false);
    const taken = ask(rig, 'suppress', NOW + off);
    expect(rig.store.claimRequest(NOW + 1000)).toMatchObject({ id: taken });

    const late = ask(rig, 'approve', NOW + off);
    expect(rig.store.claimRequest(NOW + REQUEST_LIFE_MS + 2000)).toBeUndefined();
    expect(outcome(rig, late)).toMatchObject({ ok: false });
  });

  it('that a dead daemon had claimed is answered by the next one', () => {
    const rig = new Rig();
    const id = ask(rig, 'poll', NOW);
    rig.store.claimRequest(NOW);

    rig.restart();

    expect(outcome(rig, id)).toMatchObject({ ok: false });
  });
});

describe('retention', () => {
  it('forgets what vanished long ago and entries that nothing refers to', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 3));
    listingOf(rig, []);
    rig.commit([anIndicator({ objectId: 'indicator--r', revoked: true })]);
    rig.tick(NOW + 200 * DAY);

    while (rig.store.retain(90, NOW + 200 * DAY).more);

    expect(rig.ask('SELECT object_id FROM object')).toEqual([{ object_id: 'indicator--r' }]);
    expect(rig.ask('SELECT * FROM entry')).toEqual([]);
  });
});

describe('tallies', () => {
  const settlement = (dice: number): Settlement =>
    (
      [
        { kind: 'applied' },
        { kind: 'applied' },
        { kind: 'retry', retryAt: NOW },
        { kind: 'unknown', retryAt: NOW },
        { kind: 'park', reason: 'no' },
        { kind: 'superseded', revision: NOW * 1000 },
        { kind: 'accepted', receipt: 'task' },
      ] as const
    )[dice % 7]!;

  it.each([
    ['with versions', {}],
    ['without versions, folding', { versioned: false, foldsSlots: true }],
  ])('equal the rows after any sequence of units, %s', { timeout: 120_000 }, (_what, product) => {
    const operation = fc.tuple(fc.nat(9), fc.nat(11), fc.nat(6));
    fc.assert(
      fc.property(fc.array(operation, { minLength: 5, maxLength: 40 }), (operations) => {
        const rig = new Rig({ product, siems: [aSiem({ maxEntries: 5 }), aSiem({ name: 'two', clearance: 'green' })] });
        let now = NOW;
        for (const [what, which, dice] of operations) {
          now += HOUR;
          const value = `http://a.example/${'xXyYzZ'[dice % 6]}`;
          const one = anIndicator({
            objectId: `indicator--${which}`,
            version: versionAt(now),
            tlp: dice % 2 === 0 ? 'green' : 'amber',
            revoked: what === 1,
            confidence: 10 * (which % 5),
            validUntil: now + (dice + 1) * 3 * HOUR,
            observables: [{ type: 'url', value }, ipv4(`192.0.2.${which}`)],
          });
          if (what < 4) rig.commit([one], now);
          else if (what < 7) {
            const batch = rig.take(now, dice % 2 === 0 ? 'siem' : 'two', { maxItems: 4, maxBytes: 10_000 });
            if (batch !== undefined && dice === 6) rig.store.settleAll(batch.id, now);
            else if (batch !== undefined)
              rig.store.settle(
                batch.id,
                batch.changes.map((_, i) => settlement(which + i + dice)),
                now,
              );
          } else if (what === 7) {
            rig.tick(now);
            rig.store.resolve('siem', rig.store.uncertain('siem', 9, now).entryIds, [], now);
            rig.store.settleReceipt('siem', 'task', [], now);
          } else if (what === 8) rig.store.containers('siem', { memory: String(dice) }, now);
          else {
            rig.store.beginComparison('two', true, now);
            rig.store.endComparison('two', now);
          }
        }
        compareTallies(rig);
        rig.restart();
        compareTallies(rig);
        rig.close();
      }),
      // Each takes a state of its own, which is dear on a server.
      { numRuns: statePlaces.onServer ? 3 : 30 },
    );
  });
});

function compareTallies(rig: Rig): void {
  const count = (where: string, siem: number): number =>
    rig.ask<{ n: number }>(
      `SELECT count(*) AS n FROM projection p JOIN entry e ON e.id = p.entry_id WHERE p.siem_id = ${siem} AND ${where}`,
    )[0]!.n;
  const tallies = rig.ask<{ owner: string; name: string; n: number }>("SELECT * FROM tally WHERE owner LIKE 'siem:%'");
  for (const siem of [1, 2]) {
    const kept = Object.fromEntries(
      tallies.filter((one) => one.owner === `siem:${siem}` && one.n !== 0).map((one) => [one.name, one.n]),
    );
    const counted: Record<string, number> = {
      wanted: count('wanted = 1', siem),
      delivered: count('wanted = 1 AND present = 1 AND rev = wanted_rev', siem),
      parked: count('state = 6', siem),
      held: count('state = 7', siem),
      pending: count('state IN (1, 2, 3, 4, 5)', siem),
      'armed:1': count('wanted = 1 AND vouchers & 2 <> 0', siem),
    };
    OBSERVABLE_TYPES.forEach((type, i) => {
      counted[`wanted:${type}`] = count(`wanted = 1 AND e.type = ${i}`, siem);
      counted[`present:${type}`] = count(`present <> 0 AND e.type = ${i}`, siem);
      counted[`seated:${type}`] = count(`place IS NOT NULL AND kept_out = 0 AND e.type = ${i}`, siem);
      counted[`out:${type}`] = count(`kept_out = 1 AND e.type = ${i}`, siem);
    });
    expect(count('place IS NOT NULL AND kept_out = 0', siem)).toBeLessThanOrEqual(5);
    expect(kept).toEqual(Object.fromEntries(Object.entries(counted).filter(([, n]) => n !== 0)));
  }
}
