import { describe, expect, it } from 'vitest';
import { anIndicator, DAY, indicators, ipv4, listingOf, NOW, Rig, versionAt } from '../../../../test/builders/store.ts';

const GONE_DAYS = 90;
const LATER = NOW + 200 * DAY;

function retain(rig: Rig, now = LATER): void {
  rig.tick(now);
  rig.deliver(now);
  rig.tick(now);
  while (rig.store.retain(GONE_DAYS, now).more);
}

const ids = (rig: Rig): string[] =>
  rig.ask<{ object_id: string }>('SELECT object_id FROM object').map((one) => one.object_id);

describe('what is over', () => {
  it('is forgotten once it expired long ago in every SIEM, though nothing says that it vanished', () => {
    const rig = new Rig();
    rig.commit([
      ...indicators(0, 3, { validUntil: NOW + DAY }),
      anIndicator({ objectId: 'indicator--lasting', observables: [ipv4('192.0.2.9')], validUntil: LATER + DAY }),
      anIndicator({ objectId: 'indicator--recent', observables: [ipv4('192.0.2.8')], validUntil: LATER - DAY }),
      anIndicator({ objectId: 'indicator--revoked', revoked: true, validUntil: NOW + DAY }),
    ]);
    rig.deliver();

    retain(rig);

    expect(ids(rig).sort()).toEqual(['indicator--lasting', 'indicator--recent', 'indicator--revoked']);
    expect(rig.ask('SELECT value FROM entry ORDER BY value')).toEqual([{ value: '192.0.2.8' }, { value: '192.0.2.9' }]);
    expect(rig.read((reader) => reader.exchanges()[0]?.indicators)).toBe(2);
  });

  it('stays while the most patient SIEM could still hold it', () => {
    const rig = new Rig();
    // Without an end of its own: 90 days by the configuration.
    rig.commit(indicators(0, 1));

    retain(rig, NOW + 150 * DAY);
    expect(ids(rig)).toHaveLength(1);
    retain(rig, NOW + 190 * DAY);
    expect(ids(rig)).toEqual([]);
  });

  it('is no tombstone: a revoked id stays, and no later version brings it back', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: 'indicator--1', revoked: true })]);

    retain(rig);
    rig.commit([anIndicator({ objectId: 'indicator--1', version: versionAt(LATER) })], LATER);

    expect(rig.deliver(LATER)).toEqual([]);
  });

  it('takes lifted and ended suppressions along, and no other', () => {
    const rig = new Rig();
    const until = LATER + DAY;
    const [lifted] = rig.store.suppress([ipv4('192.0.2.1')], until, 'noise', 'op', NOW);
    rig.store.lift(lifted!, NOW);
    rig.store.suppress([ipv4('192.0.2.2')], NOW + DAY, 'noise', 'op', NOW);
    rig.store.suppress([ipv4('192.0.2.3')], until, 'noise', 'op', NOW);

    retain(rig);

    expect(rig.ask('SELECT value FROM suppression')).toEqual([{ value: '192.0.2.3' }]);
  });
});

describe('objects that a listing lacks and that are kept', () => {
  it('are told once, and again when they were shown in between', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 5));
    const all = indicators(0, 5).map((one) => one.objectId);

    expect(listingOf(rig, all.slice(2), false)).toEqual({ vanished: 2 });
    expect(listingOf(rig, all.slice(1), false)).toEqual({ vanished: 0 });
    expect(listingOf(rig, all.slice(2), false)).toEqual({ vanished: 1 });
    expect(rig.deliver()).toHaveLength(5);
  });
});

describe('an id of a row', () => {
  it('is never given twice, whatever was deleted since', () => {
    const rig = new Rig();
    const given = () =>
      rig.ask<{ o: number; e: number }>('SELECT max(o.id) AS o, max(e.id) AS e FROM object o, entry e')[0]!;
    rig.commit(indicators(0, 3, { validUntil: NOW + DAY }));
    const [suppression] = rig.store.suppress([ipv4('192.0.2.1')], NOW + DAY, 'noise', 'op', NOW);
    const before = given();
    retain(rig);
    expect(rig.ask('SELECT count(*) AS n FROM entry')).toEqual([{ n: 0 }]);

    rig.restart();
    rig.commit(indicators(5, 6), LATER);
    const [next] = rig.store.suppress([ipv4('192.0.2.1')], LATER + DAY, 'noise', 'op', LATER);

    expect(given()).toEqual({ o: before.o + 1, e: before.e + 1 });
    expect(next).toBe(suppression! + 1);
  });

  it('goes with all that hangs on its row', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 1, { validUntil: NOW + DAY }));
    rig.sql(
      'INSERT INTO hit (entry_id, start, verdict, siem_id, part, first, last, n) SELECT id, 0, 0, 1, 0, 1, 1, 1 FROM entry',
    );

    retain(rig);

    expect(rig.ask('SELECT count(*) AS n FROM hit')).toEqual([{ n: 0 }]);
  });
});
