// What people ask for over a state of 300,000 objects, and an audit of as many entries that was cut off: no unit of it
// grows with the feed.
import { describe, expect, it, vi } from 'vitest';
import { largeStates, onThread } from '../../../../test/builders/large-state.ts';
import { RELEASE } from '../../../../test/builders/sightings.ts';
import { anIndicator, DAY, ipv4, NOW, versionAt } from '../../../../test/builders/store.ts';
import { entryKey } from '../../model/observable.ts';
import type { BuiltBatch } from '../delivery/batch-builder.ts';

// Seconds on a quiet machine; what is bounded is processor time.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const MANY = 300_000;
/** Milliseconds that anybody may wait behind one unit on a machine that has other work besides. */
const WAIT = 1500;

/** Of the only change. */
const bodyOf = ({ bytes }: BuiltBatch): unknown => JSON.parse(Buffer.from(bytes).toString());

describe('at 300,000 rows, under the heaps of the daemon, no unit is long when', () => {
  const state = largeStates(MANY);

  it('a hold of them is shown, told and approved', async () => {
    const rig = state({ are: 'held' });
    const first = await onThread(rig);
    const [hold] = rig.read((reader) => reader.held());
    expect(hold).toMatchObject({ id: 1, count: MANY });
    // Page by page, as held show prints it: never all of it at once.
    const start = process.cpuUsage();
    expect(rig.read((reader) => reader.heldEntries(1).next().done)).toBe(false);
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(WAIT / 5);
    expect(rig.read((reader) => new Set(reader.heldEntries(1)).size)).toBe(MANY);
    expect(JSON.stringify(rig.read((reader) => [reader.siems(), reader.held()])).length).toBeLessThan(5000);

    const wrong = { holds: [{ id: 1, set: '00000000' }], sightings: [] };
    await expect(first.store.decide(wrong, 'approve', 'ana', 'phoned', NOW)).rejects.toThrow(/covers 300000 entries/);
    await first.store.decide({ holds: [{ id: 1, set: hold!.set }], sightings: [] }, 'approve', 'ana', 'phoned', NOW);
    const pending = () => rig.read((reader) => reader.siems()[0]!.pending);
    // How many steps that takes follows from what each costs here.
    while (pending() <= 10_000) await first.store.tick(NOW, false);
    await first.store.terminate();

    const second = await onThread(rig);
    const before = pending();
    await second.store.tick(NOW, false);
    expect(before).toBeGreaterThan(10_000);
    expect(pending()).toBeGreaterThan(before);
    expect(rig.ask('SELECT count(*) AS n FROM projection WHERE hold = 1')).toEqual([{ n: MANY - pending() }]);
    expect(Math.max(first.longest(), second.longest())).toBeLessThan(WAIT);
    await second.store.terminate();
  });

  it('an audit of them was cut off, and begins anew', async () => {
    const rig = state({ are: 'present' });
    const parts = Array.from({ length: MANY / 5000 }, (_, part) =>
      Array.from({ length: 5000 }, (_, i) => {
        const n = part * 5000 + i + 1;
        const key = entryKey('ipv4-addr', `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);
        return { key, slot: key, writer: 'w', revision: 1 };
      }),
    );
    const first = await onThread(rig);
    await first.store.beginComparison('siem', true, NOW);
    for (const part of parts.slice(0, 10)) await first.store.comparePart('siem', part, NOW);
    await first.store.endComparison('siem', NOW);
    await first.store.terminate();

    const second = await onThread(rig);
    await second.store.beginComparison('siem', true, NOW);
    for (const part of parts.slice(0, -1)) await second.store.comparePart('siem', part, NOW);
    let report = await second.store.endComparison('siem', NOW);
    while (report.more) report = await second.store.endComparison('siem', NOW);

    // Neither what the first one had found nor how far it had come is left of it: just what was not listed is missing.
    expect(report).toMatchObject({ present: MANY - 5000, counts: { missing: 5000, stale: 0, orphaned: 0 } });
    expect(Math.max(first.longest(), second.longest())).toBeLessThan(WAIT);
    await second.store.terminate();
  });

  it('all of them name one value, which is armed, suppressed and taken back', async () => {
    const rig = state({ are: 'of one value' });
    const thread = await onThread(rig);
    const { store } = thread;
    const value = ipv4('10.0.0.1');

    while ((await store.tick(NOW, false)).more);
    const batch = await store.takeBatch('siem', { maxItems: 500, maxBytes: 5_000_000 }, NOW);
    await store.settleAll(batch!.id, NOW);
    expect(rig.read((reader) => reader.siems()[0])).toMatchObject({ wanted: 1, delivered: 1 });
    const urgent = process.cpuUsage();
    const [id] = await store.suppress([value], NOW + DAY, 'ours', 'ana', NOW, false);
    const { user, system } = process.cpuUsage(urgent);

    expect(await store.urgent('siem')).toBe(true);
    // It does not go through the claims.
    expect((user + system) / 1000).toBeLessThan(WAIT / 5);
    await store.lift(id!, NOW);
    while ((await store.tick(NOW, false)).more);
    expect(rig.read((reader) => reader.siems()[0])).toMatchObject({ wanted: 1 });
    // Each of its units goes through some of the claims.
    expect(thread.longest()).toBeLessThan(WAIT / 5);
    await store.terminate();
  });

  it('what all of them say of one value counts, though the process dies after each step', () => {
    const rig = state({ are: 'of one value' });
    // Neither the newest nor the last that are gone through.
    rig.sql('UPDATE object SET confidence = 99 WHERE id = 5; UPDATE object SET tlp = 2 WHERE id = 150000');
    let steps = 0;
    for (let more = true; more; steps++) {
      rig.restart();
      ({ more } = rig.store.tick(NOW, false));
    }

    expect(steps).toBeGreaterThan(MANY / 20_000);
    expect(bodyOf(rig.take()!)).toMatchObject({ confidence: 99, tlp: 'amber' });
  });

  it('one of them changes while they are gone through, and they are gone through anew', () => {
    const rig = state({ are: 'of one value' });
    rig.restart();
    for (let i = 0; i < 3; i++) rig.store.tick(NOW, false);
    expect(rig.ask('SELECT 1 AS one FROM sweep WHERE argument LIKE \'%"part":%\'')).toHaveLength(1);

    rig.commit([
      anIndicator({
        objectId: 'indicator--5',
        version: versionAt(NOW),
        confidence: 99,
        observables: [ipv4('10.0.0.1')],
      }),
    ]);

    expect(rig.ask('SELECT position, argument LIKE \'%"part":%\' AS part FROM sweep')).toEqual([
      { position: '', part: 0 },
    ]);
    while (rig.store.tick(NOW, false).more);
    expect(bodyOf(rig.take()!)).toMatchObject({ confidence: 99 });
  });

  it('nobody remembers what they say of one value, which is gone through before it is sent', () => {
    const rig = state({ are: 'of one value' });
    rig.restart();
    while (rig.store.tick(NOW, false).more);
    rig.restart();
    const start = process.cpuUsage();
    expect(rig.take()).toBeUndefined();
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(WAIT / 5);
    while (rig.store.tick(NOW + 1000, false).more);

    expect(rig.take(NOW + 1000)!.changes).toHaveLength(1);
  });

  it('one value that all of them name is seen, again and again', async () => {
    const rig = state({ are: 'of one value' }, { release: RELEASE });
    // Nobody is told what lives at a private address.
    rig.sql("DELETE FROM sweep WHERE kind = 'crowded'; UPDATE entry SET value = '192.0.2.1'");
    const thread = await onThread(rig);
    const hits = Array.from({ length: 100 }, (_, i) => ({
      key: entryKey('ipv4-addr', '192.0.2.1'),
      verdict: 'seen' as const,
      first: NOW + i,
      last: NOW + i,
      count: 1,
      dedupe: `hit-${i}`,
    }));

    await thread.store.commitHits('siem', hits, 'x', NOW + 1000);
    for (let i = 0; i < 3; i++) await thread.store.tick(NOW + 1000, true);

    expect(rig.ask('SELECT min(n) AS n FROM outbox')).toEqual([{ n: 100 }]);
    expect(thread.longest()).toBeLessThan(WAIT);
    await thread.store.terminate();
  });
});
