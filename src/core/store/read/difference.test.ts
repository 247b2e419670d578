import { describe, expect, it } from 'vitest';
import { anIndicator, aSiem, DAY, indicators, ipv4, NOW, Rig, versionAt } from '../../../../test/builders/store.ts';
import type { DifferenceAsked } from './difference.ts';
import type { DifferenceRow } from './difference-rows.ts';
import { PagesReader } from './pages.ts';

function reading<T>(rig: Rig, look: (reader: PagesReader) => T): T {
  const reader = new PagesReader(rig.place);
  try {
    return look(reader);
  } finally {
    reader.close();
  }
}

/** All pages one after the other. */
function rowsOf(rig: Rig, asked: DifferenceAsked = {}): DifferenceRow[] {
  return reading(rig, (reader) => {
    const rows: DifferenceRow[] = [];
    for (let after: string | undefined; ; ) {
      const page = reader.difference({ ...asked, after });
      rows.push(...page.rows);
      expect(page.rows.length).toBeLessThanOrEqual(50);
      after = page.next;
      if (after === undefined) return rows;
    }
  });
}

describe('the difference', () => {
  it('goes through every row that differs once, SIEM by SIEM, and says why and what of', () => {
    const rig = new Rig({ siems: [aSiem(), aSiem({ name: 'other' })] });
    rig.commit(indicators(0, 130));

    const rows = rowsOf(rig);

    expect(new Set(rows.map((one) => `${one.siem} ${one.value}`)).size).toBe(260);
    expect(rows[0]).toMatchObject({
      bucket: 'add',
      wanted: true,
      present: 'no',
      exchanges: ['partner'],
      why: 'vouched for, and not there yet',
    });
    expect(rowsOf(rig, { siem: 'other' }).length).toBe(130);
    expect(rowsOf(rig, { exchange: 'nobody' })).toEqual([]);
    expect(rowsOf(rig, { type: 'url' })).toEqual([]);
  });

  it('gives rows by their names, those that still differ', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 3));
    const [a, b, c] = rowsOf(rig).map(({ row }) => row);
    expect(reading(rig, (reader) => reader.rows([c!, a!, '9-1', a!])).map((one) => one.row)).toEqual([a, c]);

    rig.deliver(NOW, 'siem', (key) =>
      key.endsWith('198.18.0.1') ? { kind: 'park', reason: 'too long' } : { kind: 'applied' },
    );

    const left = reading(rig, (reader) => reader.rows([a!, b!, c!]));
    expect(left).toMatchObject([{ row: b, id: b, value: '198.18.0.1', bucket: 'park', why: 'too long' }]);
  });

  it('tells what is to be added, changed, removed, held and parked apart, and counts them', () => {
    const rig = new Rig({ siems: [aSiem({ brake: { removal: { share: 0.2, atLeast: 3, windowHours: 24 } } })] });
    rig.commit(indicators(0, 20));
    rig.deliver(NOW, 'siem', (key) =>
      key.endsWith('198.18.0.19') ? { kind: 'park', reason: 'too long' } : { kind: 'applied' },
    );
    const again = { version: versionAt(NOW + 1) };
    rig.commit([
      ...indicators(0, 1, { ...again, validUntil: NOW + 5 * DAY }),
      ...indicators(1, 2, { ...again, revoked: true }),
      anIndicator({ objectId: 'indicator--new', observables: [ipv4('192.0.2.77')] }),
    ]);
    const one = rowsOf(rig);
    rig.deliver();
    rig.commit(indicators(2, 12, { ...again, revoked: true }));
    const counts = reading(rig, (reader) => reader.difference({})).counts[0]!.buckets;

    const buckets = Object.fromEntries(one.map(({ value, bucket }) => [value, bucket]));
    expect(buckets).toEqual({
      '198.18.0.0': 'change',
      '198.18.0.1': 'remove',
      '192.0.2.77': 'add',
      '198.18.0.19': 'park',
    });
    expect(one.find(({ bucket }) => bucket === 'remove')).toMatchObject({
      wanted: false,
      present: 'yes',
      why: 'withdrawn by the partner',
    });
    expect(one.find(({ bucket }) => bucket === 'park')).toMatchObject({ why: 'too long' });
    expect(counts.park.n).toBe(1);
    expect(counts.hold.n + counts.remove.n).toBe(10);
    const held = rowsOf(rig, { bucket: 'hold' });
    expect(held.length).toBe(counts.hold.n);
    expect(held[0]).toMatchObject({ hold: 1, why: expect.stringContaining('partner withdrew') });
    expect(reading(rig, (reader) => reader.held(1, 0))?.entries.length).toBe(counts.hold.n);
    expect(reading(rig, (reader) => reader.held(2, 0))).toBeUndefined();
  });
});

it('what has no place in a full watchlist is parked, the best first, each once over all pages', () => {
  const rig = new Rig({ siems: [aSiem({ maxEntries: 5 })] });
  rig.commit(indicators(0, 130, { confidence: 50 }));
  rig.deliver();

  const rows = rowsOf(rig, { bucket: 'park' });

  expect(new Set(rows.map((one) => one.value)).size).toBe(125);
  expect(rows.length).toBe(125);
  expect(rows[0]).toMatchObject({ bucket: 'park', id: null, why: expect.stringContaining('full') });
  expect(reading(rig, (reader) => reader.difference({})).counts[0]?.buckets.park.n).toBe(125);
});
