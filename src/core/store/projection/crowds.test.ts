// A value that very many objects name is judged in parts: what changes while its claims are gone through is not lost, and
// what was gone through counts only as long as it holds.
import { describe, expect, it } from 'vitest';
import {
  aSiem,
  anExchange,
  anIndicator,
  DAY,
  HOUR,
  ipv4,
  NOW,
  Rig,
  versionAt,
} from '../../../../test/builders/store.ts';
import type { IncomingIndicator } from '../../model/entry.ts';

/** Claims that one unit goes through. */
const PART = 10_000;
const WITHDRAWN = 2;

const naming = (from: number, to: number, given: Partial<IncomingIndicator> = {}): IncomingIndicator[] =>
  Array.from({ length: to - from }, (_, i) =>
    anIndicator({ objectId: `indicator--${from + i}`, observables: [ipv4('192.0.2.1')], ...given }),
  );

describe('a value that very many objects name', () => {
  it('is armed by what vouches in its first part alone, for as long as that does', () => {
    const rig = new Rig();
    rig.commit(naming(0, 2, { validUntil: NOW + 3 * HOUR }));
    rig.commit(naming(2, PART + 500, { validUntil: NOW - HOUR }));

    rig.tick(NOW);

    expect(rig.row()).toMatchObject({ wanted: 1, until: NOW + 3 * HOUR });
  });

  it('is not armed for what was over when its last part was gone through', () => {
    const rig = new Rig();
    rig.commit(naming(0, PART + 100, { validUntil: NOW + HOUR }));
    rig.commit(naming(PART + 100, PART + 600, { validUntil: NOW + HOUR / 2 }));
    rig.store.tick(NOW, false);

    // In so many steps; begun anew once, and not for ever.
    for (let i = 0; i < 5; i++) {
      rig.store.tick(NOW + 2 * HOUR, false);
      expect(rig.row()?.wanted ?? 0).toBe(0);
    }

    expect(rig.ask('SELECT 1 AS one FROM sweep')).toEqual([]);
  });

  it('keeps the vouchers of its first part when it comes to the others', () => {
    const rig = new Rig({
      exchanges: [anExchange(), anExchange({ name: 'other' })],
      siems: [aSiem({ listensTo: ['partner', 'other'] })],
    });
    // Nothing of the partner's stands out: only that it vouches.
    rig.commit(naming(0, PART / 2, { confidence: 10, validUntil: NOW + DAY }));
    for (const [at, days] of [1 / 2, 9, 9, 9].entries())
      rig.commit(naming(at * 2500, (at + 1) * 2500, { confidence: 90, validUntil: NOW + days * DAY }), NOW, 'other');

    rig.tick(NOW);

    expect(rig.ask('SELECT vouchers FROM projection')).toEqual([{ vouchers: (1 << 1) | (1 << 2) }]);
  });

  it('is counted as withdrawn though something else is said of it before its claims were gone through', () => {
    const rig = new Rig();
    rig.commit(naming(0, 600));
    rig.tick(NOW);
    rig.deliver();

    rig.commit(naming(0, 600, { revoked: true, version: versionAt(NOW) }), NOW + 1);
    rig.commit(naming(600, 601, { validFrom: NOW + 30 * DAY }), NOW + 2);
    rig.tick(NOW + 3);

    expect(rig.row()).toMatchObject({ wanted: 0, cause: WITHDRAWN });
  });
});
