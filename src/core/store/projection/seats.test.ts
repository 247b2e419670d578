import { describe, expect, it } from 'vitest';
import {
  anExchange,
  anIndicator,
  aSiem,
  DAY,
  HOUR,
  ipv4,
  NOW,
  Rig,
  versionAt,
} from '../../../../test/builders/store.ts';
import type { IncomingIndicator } from '../../model/entry.ts';

/** An indicator of one address that names its last part. */
const of = (n: number, confidence?: number, given: Partial<IncomingIndicator> = {}) =>
  anIndicator({
    objectId: `indicator--${n}`,
    observables: [ipv4(`192.0.2.${n}`)],
    ...(confidence === undefined ? {} : { confidence }),
    ...given,
  });
const limited = (maxEntries: number, given: Parameters<typeof aSiem>[0] = {}) => aSiem({ maxEntries, ...given });
const rigOf = (maxEntries: number) => new Rig({ siems: [limited(maxEntries)] });
const there = (rig: Rig, siem = 'siem') =>
  rig
    .rows(siem)
    .filter((one) => one.present === 1)
    .map((one) => one.value.slice('192.0.2.'.length));
const status = (rig: Rig) => rig.read((reader) => reader.siems()[0]!);
/** Sends what is to be sent, some seconds apart, since what comes waits for what goes. */
const settled = (rig: Rig, now = NOW): string[] => [
  ...rig.deliver(now),
  ...rig.deliver(now + 5000),
  ...rig.deliver(now + 9000),
];

describe('a watchlist that takes only so many', () => {
  it('holds the surest, of these the newest, of equals the one that was known first', () => {
    const rig = rigOf(3);
    const newer = { version: versionAt(NOW) };
    rig.commit([of(1), of(2, 50), of(3, 80), of(4, 50, newer), of(5, 50), of(6)]);

    settled(rig);

    expect(there(rig)).toEqual(['2', '3', '4']);
    expect(status(rig)).toMatchObject({ wanted: 6, delivered: 3, pending: 0, parked: 3, keptOut: 3 });
  });

  it('takes what is surer by enough in the place of the worst, which goes first, and gives nothing up for less', () => {
    const rig = rigOf(2);
    rig.commit([of(1, 50), of(2, 60)]);
    settled(rig);

    rig.commit([of(3, 59)], NOW + HOUR);
    expect(settled(rig, NOW + HOUR)).toEqual([]);
    rig.commit([of(4, 60)], NOW + 2 * HOUR);

    expect(settled(rig, NOW + 2 * HOUR)).toEqual(['remove 192.0.2.1', 'upsert 192.0.2.4']);
    expect(rig.read((reader) => reader.parked(9)).map((one) => one.value)).toEqual(['192.0.2.3', '192.0.2.1']);
  });

  it('gives a place that gets free to what waited before what is new and no better', () => {
    const rig = rigOf(2);
    rig.commit([1, 2, 3, 4, 5, 6].map((n) => of(n, 50)));
    settled(rig);

    rig.restart({ siems: [limited(4)] });
    rig.commit([of(9, 50)], NOW + HOUR);

    expect(settled(rig, NOW + HOUR)).toEqual(['upsert 192.0.2.3', 'upsert 192.0.2.4']);
  });

  it('takes what is being written, or was with an unknown outcome, as standing there', () => {
    const rig = rigOf(1);
    rig.commit([of(1, 50)]);
    const batch = rig.take(NOW)!;

    rig.commit([of(2, 55)], NOW);
    rig.store.settle(batch.id, [{ kind: 'applied' }], NOW);

    expect([settled(rig), there(rig)]).toEqual([[], ['1']]);
  });

  it('goes on in the next unit with what one does not come to', () => {
    const addresses = Array.from({ length: 700 }, (_, i) => ipv4(`198.51.${100 + (i >> 8)}.${i & 255}`));
    const rig = rigOf(700);
    rig.commit(addresses.map((one, i) => anIndicator({ objectId: `indicator--${i}`, observables: [one] })));

    rig.restart({ siems: [limited(2)] });
    for (let ticks = 0; ticks < 3; ticks++) rig.tick(NOW + HOUR);

    expect(rig.ask('SELECT count(*) AS n FROM projection WHERE kept_out = 0')).toEqual([{ n: 2 }]);
  });

  it('never holds more than that, whatever becomes of the removal', () => {
    const rig = rigOf(1);
    rig.commit([of(1, 50)]);
    settled(rig);
    rig.commit([of(2, 90)], NOW + HOUR);
    const removal = rig.take(NOW + HOUR)!;

    expect(rig.take(NOW + HOUR)).toBeUndefined();
    // It waits for its place, and is not put aside.
    expect(rig.read((reader) => reader.parked(9))).toEqual([]);
    expect(rig.store.nextWork('siem', NOW + HOUR)).toBeGreaterThan(NOW + HOUR);
    rig.store.settle(removal.id, [{ kind: 'applied' }], NOW + HOUR);

    expect(rig.deliver(NOW + HOUR + 5000)).toEqual(['upsert 192.0.2.2']);
  });

  it('tries what waits for something unknown to leave not again because the product changed', () => {
    const rig = rigOf(1);
    const [key, slot] = ['ipv4-addr|192.0.2.77' as never, 'ipv4-addr|192.0.2.77'];
    rig.store.beginComparison('siem', true, NOW);
    rig.store.comparePart('siem', [{ key, slot, writer: rig.store.identity().writer, revision: 5 }], NOW);
    rig.store.endComparison('siem', NOW);
    rig.commit([of(1)]);
    expect([settled(rig), status(rig).parked]).toEqual([[], 1]);

    rig.store.opened('siem', { version: 9 }, NOW + 9000);
    rig.tick(NOW + 9000);

    expect([status(rig).parked, rig.store.nextWork('siem', NOW + 9000)]).toEqual([1, undefined]);
  });

  it('gives a place that gets free to the best that waits', () => {
    const rig = rigOf(1);
    rig.commit([of(1, 50), of(2, 30), of(3, 40)]);
    settled(rig);

    rig.commit([of(1, 50, { revoked: true, version: versionAt(NOW) })], NOW + HOUR);

    expect(settled(rig, NOW + HOUR)).toEqual(['remove 192.0.2.1', 'upsert 192.0.2.3']);
  });

  it('knows no worth beyond what each SIEM may hold of the claims', () => {
    const siems = [limited(1, { listensTo: ['partner', 'other'] }), limited(1, { name: 'two' })];
    const rig = new Rig({ exchanges: [anExchange(), anExchange({ name: 'other' })], siems });
    rig.commit([of(1, 20), of(2, 40)]);
    rig.commit([of(1, 90)], NOW, 'other');

    for (const name of ['siem', 'two']) rig.deliver(NOW, name);

    expect([there(rig), there(rig, 'two')]).toEqual([['1'], ['2']]);
  });

  it('lets what a person suppressed, what expires and what a person is asked about wait for no place', () => {
    const rig = rigOf(2);
    rig.commit([of(1, 90, { validUntil: NOW + HOUR }), of(2, 80), of(3, 10), of(4, 20)]);
    settled(rig);
    expect(there(rig)).toEqual(['1', '2']);

    rig.tick(NOW + HOUR);
    rig.store.suppress([ipv4('192.0.2.2')], NOW + DAY, 'x', 'ana', NOW + HOUR);
    settled(rig, NOW + HOUR);
    expect(there(rig)).toEqual(['3', '4']);

    rig.tick(NOW + DAY);
    settled(rig, NOW + DAY);
    expect(there(rig)).toEqual(['2', '4']);
  });

  it('holds a burst of better ones for a person as any other, and puts nothing out for it before', () => {
    const rig = new Rig({ siems: [limited(3, { brake: { addition: { factor: 2, atLeast: 5 } } })] });
    rig.commit([of(1, 50), of(2, 50), of(3, 50)]);
    rig.store.pollCompleted('partner', NOW);
    settled(rig);

    rig.commit(
      Array.from({ length: 9 }, (_, i) => of(10 + i, 99)),
      NOW + DAY,
    );

    expect(settled(rig, NOW + DAY)).toEqual([]);
    const [hold] = rig.read((reader) => reader.held());
    expect(hold).toMatchObject({ kind: 'addition', count: 9 });
    rig.decideHold(hold!.id, 'approve', hold!.set, 'ana', 'meant', NOW + DAY);
    settled(rig, NOW + DAY);
    expect(there(rig)).toEqual(['10', '11', '12']);
  });

  it('keeps what a held removal keeps, and lets nobody have its place', () => {
    const rig = new Rig({ siems: [limited(3, { brake: { removal: { share: 0.1, atLeast: 2, windowHours: 24 } } })] });
    rig.commit([of(1, 50), of(2, 50), of(3, 50)]);
    settled(rig);
    rig.commit(
      [1, 2].map((n) => of(n, 50, { revoked: true, version: versionAt(NOW) })),
      NOW + HOUR,
    );

    rig.commit([of(7, 99), of(8, 99), of(9, 99)], NOW + HOUR);

    expect(settled(rig, NOW + HOUR)).toEqual(['remove 192.0.2.3', 'upsert 192.0.2.7']);
    const [hold] = rig.read((reader) => reader.held());
    rig.decideHold(hold!.id, 'approve', hold!.set, 'ana', 'meant', NOW + HOUR);
    settled(rig, NOW + HOUR);
    expect(there(rig)).toEqual(['7', '8', '9']);
  });

  it('gives what a held removal keeps its place at once, so that a better one takes that of the worst besides', () => {
    const rig = new Rig({ siems: [limited(2, { brake: { removal: { share: 0.1, atLeast: 1, windowHours: 24 } } })] });
    rig.commit([of(1, 20), of(2, 50)]);
    settled(rig);
    rig.commit([of(1, 20, { revoked: true, version: versionAt(NOW) })], NOW + HOUR);
    const [hold] = rig.read((reader) => reader.held());
    rig.decideHold(hold!.id, 'reject', hold!.set, 'ana', 'still seen here', NOW + HOUR);

    rig.commit([of(3, 90)], NOW + HOUR);

    expect(settled(rig, NOW + HOUR)).toEqual(['remove 192.0.2.2', 'upsert 192.0.2.3']);
    expect(status(rig)).toMatchObject({ parked: 1, keptOut: 1 });
  });

  it('gives no place to what the SIEM refuses for good, until the partner says something new of it', () => {
    const rig = rigOf(2);
    const refusing = (key: string) =>
      key.endsWith('.1') ? ({ kind: 'park', reason: 'no' } as const) : ({ kind: 'applied' } as const);
    rig.commit([of(1, 90), of(2, 80), of(3, 70)]);
    rig.deliver(NOW, 'siem', refusing);
    rig.deliver(NOW + 5000, 'siem', refusing);
    rig.tick(NOW + HOUR);
    rig.deliver(NOW + HOUR, 'siem', refusing);
    expect(there(rig)).toEqual(['2', '3']);

    rig.commit([of(1, 90, { version: versionAt(NOW) })], NOW + 2 * HOUR);

    expect(settled(rig, NOW + 2 * HOUR)).toEqual(['remove 192.0.2.3', 'upsert 192.0.2.1']);
  });

  describe('tries what was refused again', () => {
    const refusing = (key: string) =>
      key.endsWith('.1') ? ({ kind: 'park', reason: 'no', code: 'odd' } as const) : ({ kind: 'applied' } as const);
    /** 1 was refused, and is not there. */
    const refusedOne = (maxEntries: number, confidence: number): Rig => {
      const rig = rigOf(maxEntries);
      // Nothing is judged anew for new rules.
      rig.tick(NOW);
      rig.commit([of(1, confidence), of(2, 80)]);
      rig.deliver(NOW, 'siem', refusing);
      return rig;
    };

    it('after an audit only where a place is free, so that nothing leaves for it and nothing waits behind it', () => {
      const rig = refusedOne(2, 10);
      rig.commit([of(3, 70)], NOW + HOUR);

      rig.store.retryRefused('siem', 'by the SIEM', NOW + HOUR);
      rig.deliver(NOW + HOUR);

      expect(there(rig)).toEqual(['2', '3']);
      expect(rig.read((reader) => reader.parked(9))).toMatchObject([{ value: '192.0.2.1', reason: 'no' }]);
    });

    it('in a place that it then has, which others know to be taken', () => {
      const rig = refusedOne(2, 60);
      rig.store.retryRefused('siem', 'by the SIEM', NOW + HOUR);
      rig.commit([of(3, 50)], NOW + HOUR);

      expect(settled(rig, NOW + HOUR)).toEqual(['upsert 192.0.2.1']);
      rig.commit([of(4, 90)], NOW + 2 * HOUR);

      expect(settled(rig, NOW + 2 * HOUR)).toEqual(['remove 192.0.2.1', 'upsert 192.0.2.4']);
    });

    it('in the place of the worst, when a person asks or the SIEM is another', () => {
      for (const asks of ['person', 'everybody', 'opened'] as const) {
        const rig = refusedOne(1, 95);
        settled(rig);
        expect(there(rig)).toEqual(['2']);

        const id = String(rig.read((reader) => reader.parked(9)).find((one) => one.value === '192.0.2.1')!.id);
        if (asks === 'opened') rig.store.opened('siem', { version: 9 }, NOW + HOUR);
        else rig.store.retryParked(asks === 'person' ? id : undefined, NOW + HOUR);

        expect([asks, settled(rig, NOW + HOUR)]).toEqual([asks, ['remove 192.0.2.2', 'upsert 192.0.2.1']]);
      }
    });
  });

  it('comes to another limit with the next tick: the worst go, or the best that wait come', () => {
    const rig = rigOf(4);
    rig.commit([of(1, 10), of(2, 20), of(3, 30), of(4, 40), of(5, 5)]);
    settled(rig);

    rig.restart({ siems: [limited(2)] });
    rig.tick(NOW + HOUR);
    expect(settled(rig, NOW + HOUR)).toEqual(['remove 192.0.2.1', 'remove 192.0.2.2']);

    rig.restart({ siems: [limited(5)] });
    rig.tick(NOW + DAY);
    expect(settled(rig, NOW + DAY).sort()).toEqual(['upsert 192.0.2.1', 'upsert 192.0.2.2', 'upsert 192.0.2.5']);
  });

  it('is one from the next tick on where it had no limit before, and none where the limit goes', () => {
    const rig = new Rig({ siems: [aSiem()] });
    rig.commit([of(1, 10), of(2, 20), of(3, 30)]);
    settled(rig);

    rig.restart({ siems: [limited(1, { fingerprint: 'limited' })] });
    rig.tick(NOW + HOUR);
    expect(settled(rig, NOW + HOUR)).toEqual(['remove 192.0.2.1', 'remove 192.0.2.2']);

    rig.restart({ siems: [aSiem()] });
    rig.tick(NOW + DAY);
    expect(settled(rig, NOW + DAY)).toEqual(['upsert 192.0.2.1', 'upsert 192.0.2.2']);
    expect(status(rig)).toMatchObject({ keptOut: 0, wanted: 3, delivered: 3 });
  });

  it('says of each that is kept out why, and of the plan what stays out', () => {
    const rig = rigOf(1);
    rig.commit([of(1, 50), of(2, 30)]);
    settled(rig);

    const reason = 'the watchlist is full: memory holds max_entries 1, and what stands there is surer or newer';
    expect(rig.read((reader) => reader.why(ipv4('192.0.2.2'), NOW)!.siems[0])).toMatchObject({
      state: 'parked',
      reason,
    });
    expect(rig.read((reader) => reader.parked(9))).toMatchObject([{ value: '192.0.2.2', reason }]);
    expect(rig.read((reader) => reader.plan('siem').parked)).toEqual({ [reason]: 1 });
  });

  it('asks for nothing while nothing changes, and touches no row for what is worth too little', () => {
    const rig = rigOf(2);
    rig.commit([of(1, 50), of(2, 50), ...Array.from({ length: 50 }, (_, i) => of(10 + i, 20))]);
    settled(rig);
    const before = rig.rows();

    rig.tick(NOW + HOUR);

    expect([rig.store.nextWork('siem', NOW + HOUR), rig.take(NOW + HOUR)]).toEqual([undefined, undefined]);
    rig.commit([of(90, 20)], NOW + HOUR);
    expect(rig.rows().filter((one) => one.value !== '192.0.2.90')).toEqual(before);
    expect(rig.store.nextWork('siem', NOW + HOUR)).toBeUndefined();
  });

  it('stays as it is when what is there is found missing or foreign in the SIEM', () => {
    const rig = rigOf(1);
    rig.commit([of(1, 50), of(2, 30)]);
    settled(rig);

    rig.store.beginComparison('siem', true, NOW + HOUR);
    rig.store.comparePart(
      'siem',
      [
        {
          key: 'ipv4-addr|192.0.2.2' as never,
          slot: 'ipv4-addr|192.0.2.2',
          writer: rig.store.identity().writer,
          revision: 5,
        },
      ],
      NOW + HOUR,
    );
    rig.store.endComparison('siem', NOW + HOUR);

    expect(settled(rig, NOW + HOUR).sort()).toEqual(['remove 192.0.2.2', 'upsert 192.0.2.1']);
  });
});
