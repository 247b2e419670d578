// What the brakes count and what they do not, what a suppression is put down to, and when a scope says that something is
// gone: each where it is easily counted wrong.
import { describe, expect, it, vi } from 'vitest';
import {
  anExchange,
  aSiem,
  DAY,
  type Given,
  HOUR,
  indicators,
  ipv4,
  MINUTE,
  NOW,
  Rig,
  versionAt,
} from '../../../../test/builders/store.ts';
import { CAUSE } from '../rows/rows.ts';
import { SqliteDatabase } from '../sqlite/database.ts';

const STRICT = { removal: { share: 0.2, atLeast: 3, windowHours: 24 } };
const ALL = 20;
const both = [anExchange(), anExchange({ name: 'other' })];
const listens = (brake: object = STRICT) => aSiem({ listensTo: ['partner', 'other'], brake });

function armed(given: Given = {}, facts: Parameters<typeof indicators>[2] = {}): Rig {
  const rig = new Rig({ siems: [aSiem({ brake: STRICT })], ...given });
  rig.commit(indicators(0, ALL, facts));
  rig.store.pollCompleted('partner', NOW);
  rig.deliver();
  return rig;
}
const withdraw = (from: number, to: number, now = NOW) =>
  indicators(from, to, { revoked: true, version: versionAt(now) });
const held = (rig: Rig) => rig.read((reader) => reader.held());
const decide = (rig: Rig, decision: 'approve' | 'reject', now = NOW) => {
  const [hold] = held(rig);
  return rig.decideHold(hold!.id, decision, hold!.set, 'ana', 'phoned', now);
};

describe('the window of the removal brake', () => {
  // Four of twenty is the share that may go; the fifth within the window is one too many.
  it.each([
    ['to its last minute', DAY - MINUTE, 0],
    ['and no longer', DAY, 1],
  ])('counts %s', (_what, after, passes) => {
    const rig = armed();
    rig.commit(withdraw(0, 4));
    expect(rig.deliver()).toHaveLength(4);

    rig.commit(withdraw(4, 5, NOW + after), NOW + after);

    expect(rig.deliver(NOW + after)).toHaveLength(passes);
  });

  it('counts what was cut short in it, over several commits', () => {
    const rig = armed({}, { validUntil: NOW + 30 * DAY });
    const cut = (from: number, to: number, at: number) =>
      rig.commit(indicators(from, to, { version: versionAt(at), validUntil: NOW + 2 * DAY }), at);
    cut(0, 4, NOW);
    expect(held(rig)).toEqual([]);

    cut(4, 5, NOW + HOUR);

    expect(held(rig)).toMatchObject([{ count: 1 }]);
  });

  it('begins anew with an approval, also for what was cut short', () => {
    const rig = armed({}, { validUntil: NOW + 30 * DAY });
    rig.commit(indicators(0, 10, { version: versionAt(NOW), validUntil: NOW + 2 * DAY }));
    decide(rig, 'approve');

    rig.commit(indicators(10, 11, { version: versionAt(NOW + HOUR), validUntil: NOW + 2 * DAY }), NOW + HOUR);

    expect(held(rig)).toEqual([]);
  });
});

/** Rows of the projection that are written while `work` runs. */
function written(work: () => void): number {
  let rows = 0;
  const spy = vi.spyOn(SqliteDatabase.prototype, 'updateRows');
  try {
    work();
    for (const [table, , , given] of spy.mock.calls) if (table === 'projection') rows += given.length;
    return rows;
  } finally {
    spy.mockRestore();
  }
}

it('writes of what is judged anew only what came to something else', () => {
  const rig = armed({ siems: [aSiem()] });
  const judgedAnew = (fingerprint: string, now: number) => {
    rig.restart({ siems: [aSiem({ fingerprint, ...(now > NOW + HOUR ? { minConfidence: 50 } : {}) })] });
    return written(() => rig.tick(now));
  };
  const before = rig.rows();

  expect(judgedAnew('other', NOW + HOUR)).toBe(0);
  expect(rig.rows()).toEqual(before);

  rig.commit(indicators(0, 5, { version: versionAt(NOW + HOUR), confidence: 20 }), NOW + HOUR);
  rig.deliver(NOW + HOUR);
  expect(judgedAnew('another', NOW + 2 * HOUR)).toBe(5);
});

describe('a partner withdraws', () => {
  it('a value that it takes out of its pattern', () => {
    const rig = armed();

    rig.commit(indicators(0, 10, { version: versionAt(NOW), observables: [ipv4('192.0.2.7')] }));

    expect(held(rig)).toMatchObject([{ kind: 'removal', count: 10 }]);
  });

  it('and once held is not counted again for the same entries', () => {
    const rig = armed({}, { validUntil: NOW + 30 * DAY });
    rig.commit(indicators(0, 10, { version: versionAt(NOW), validUntil: NOW + 2 * DAY }));
    rig.commit(withdraw(0, 10, NOW + HOUR), NOW + HOUR);
    decide(rig, 'reject', NOW + HOUR);

    rig.commit(withdraw(10, 11, NOW + 2 * HOUR), NOW + 2 * HOUR);

    expect(held(rig)).toMatchObject([{ count: 1, reason: expect.stringContaining('withdrew 11 of') }]);
  });

  it('nothing by a stricter marking that leaves another claim with an earlier end', () => {
    const rig = new Rig({ siems: [aSiem({ brake: STRICT })] });
    const longer = indicators(0, ALL, { validUntil: NOW + 30 * DAY });
    const shorter = longer.map((one) => ({ ...one, objectId: `${one.objectId}-b`, validUntil: NOW + 5 * DAY }));
    rig.commit([...longer, ...shorter]);
    rig.store.pollCompleted('partner', NOW);
    rig.deliver();

    rig.commit(indicators(0, ALL, { version: versionAt(NOW), validUntil: NOW + 30 * DAY, tlp: 'red' }));

    expect([held(rig), rig.deliver().length]).toEqual([[], ALL]);
    expect(rig.rows()[0]).toMatchObject({ until: NOW + 5 * DAY });
  });

  it('in the share of what it vouches for now, not of what is to begin', () => {
    const rig = new Rig({ exchanges: both, siems: [listens()] });
    rig.commit(indicators(0, ALL));
    const begins = indicators(0, ALL, { validFrom: NOW + 30 * DAY }).map((one) => ({
      ...one,
      objectId: `x-${one.objectId}`,
    }));
    rig.commit([...begins, ...indicators(100, 104)], NOW, 'other');
    for (const one of ['partner', 'other']) rig.store.pollCompleted(one, NOW);
    rig.deliver();

    rig.commit(withdraw(100, 103), NOW, 'other');

    expect(held(rig)).toMatchObject([{ exchange: 'other', count: 3 }]);
  });
});

describe('an exchange that leaves the configuration', () => {
  const strictFor = (other: number) => {
    const siem = listens({ removal: { share: 1, atLeast: 3, windowHours: 24 } });
    const brake = { ...siem.brakes['other']!, removal: { share: other, atLeast: 3, windowHours: 24 } };
    return { ...siem, brakes: { ...siem.brakes, other: brake } };
  };
  const leaves = (siem: ReturnType<typeof strictFor>): Rig => {
    const gone = aSiem({ listensTo: ['partner', 'other', 'gone'], brake: STRICT });
    const rig = new Rig({ exchanges: [...both, anExchange({ name: 'gone' })], siems: [gone] });
    rig.commit(indicators(0, ALL), NOW, 'gone');
    for (const one of ['partner', 'other', 'gone']) rig.store.pollCompleted(one, NOW);
    rig.deliver();
    rig.restart({ exchanges: both, siems: [{ ...siem, fingerprint: 'b' }] });
    rig.tick(NOW);
    return rig;
  };

  it('brakes by the strictest settings of the SIEM', () => {
    expect(held(leaves(strictFor(0.2)))).toMatchObject([{ exchange: 'gone', count: ALL }]);
    expect(leaves(strictFor(1)).deliver()).toHaveLength(ALL);
  });

  it('is judged as a whole, in however many steps its claims go', { timeout: 60_000 }, () => {
    const brake = { removal: { share: 0.9, atLeast: 3, windowHours: 24 } };
    const rig = new Rig({ exchanges: both, siems: [listens(brake)] });
    rig.commit(indicators(0, 3000), NOW, 'other');
    for (const one of ['partner', 'other']) rig.store.pollCompleted(one, NOW);
    rig.deliver();

    rig.restart({ exchanges: [anExchange()], siems: [{ ...listens(brake), fingerprint: 'b' }] });
    rig.store.tick(NOW, false);

    expect(rig.take()).toBeUndefined();
    rig.tick(NOW);
    expect([rig.take(), held(rig)]).toMatchObject([undefined, [{ count: 3000 }]]);
  });

  it('holds up no suppression of what another vouches for as well', () => {
    const rig = new Rig({ exchanges: both, siems: [listens()] });
    rig.commit(indicators(0, ALL));
    rig.commit(
      indicators(0, ALL).map((one) => ({ ...one, objectId: `x-${one.objectId}` })),
      NOW,
      'other',
    );
    for (const one of ['partner', 'other']) rig.store.pollCompleted(one, NOW);
    rig.deliver();
    rig.restart({ exchanges: [anExchange()] });
    rig.tick(NOW);
    rig.deliver();

    const values = indicators(0, ALL).flatMap((one) => one.observables);
    rig.store.suppress(values, NOW + DAY, 'noise', 'op', NOW);

    expect([held(rig), rig.deliver().length]).toEqual([[], ALL]);
    expect(rig.rows().map((row) => row.cause)).not.toContain(CAUSE.withdrawn);
  });
});

describe('the addition brake', () => {
  const synced = (atLeast: number) => armed({ siems: [aSiem({ brake: { addition: { factor: 10, atLeast } } })] });
  const next = NOW + 25 * HOUR;

  it('does not count what is vouched for again while it still stands', () => {
    const rig = synced(5);
    rig.commit(withdraw(0, 10));
    rig.commit(indicators(0, 10).map((one) => ({ ...one, objectId: `x-${one.objectId}` })));

    rig.commit(indicators(100, 101));

    expect([held(rig), rig.deliver().filter((one) => one === 'upsert 198.18.0.100')]).toMatchObject([[], [{}]]);
  });

  it('takes what a person approved for what is usual', () => {
    const rig = synced(20);
    rig.commit(indicators(100, 160));
    decide(rig, 'approve');
    rig.deliver();

    rig.commit(indicators(160, 220, { version: versionAt(next) }), next);

    expect([held(rig), rig.deliver(next).length]).toEqual([[], 60]);
  });

  it('remembers what is usual for as many windows as it asks for', () => {
    const rig = synced(20);
    rig.commit(indicators(100, 115));
    rig.deliver();
    while (rig.store.retain(90, next).more);

    rig.commit(indicators(160, 220, { version: versionAt(next) }), next);

    expect([held(rig), rig.deliver(next).length]).toEqual([[], 60]);
  });

  it('judges a rejected addition again when the partner changes it', () => {
    const rig = synced(20);
    rig.commit(indicators(100, 160));
    decide(rig, 'reject');

    rig.commit(indicators(100, 160, { version: versionAt(NOW), confidence: 9 }));

    expect([rig.deliver(), held(rig)]).toMatchObject([[], [{ kind: 'addition', count: 60 }]]);
  });
});

describe('what a hold keeps', () => {
  it.each([
    ['is called harmless', { benign: true }],
    ['begins later', { validFrom: NOW + 300 * DAY }],
  ])('stays held and is written anew though it %s now', (_what, says) => {
    const rig = armed({ encoder: { container: () => 'watch' } });
    rig.commit(indicators(0, 10, { version: versionAt(NOW), ...says }));
    expect(held(rig)).toMatchObject([{ count: 10 }]);

    rig.restart({ siems: [aSiem({ brake: STRICT, fingerprint: 'b' })] });
    rig.tick(NOW);
    while (rig.store.containers('siem', { watch: 'made anew' }, NOW).more);

    expect([rig.deliver().length, held(rig)]).toMatchObject([ALL, [{ count: 10 }]]);
  });

  it('is put down to the withdrawal when its shorter validity is over', () => {
    const rig = armed({}, { validUntil: NOW + 30 * DAY });
    rig.commit(indicators(0, 10, { version: versionAt(NOW), validUntil: NOW + HOUR }));

    rig.tick(NOW + HOUR);

    expect(rig.rows()[0]).toMatchObject({ wanted: 0, cause: CAUSE.withdrawn });
  });
});

describe('a snapshot of one scope', () => {
  it('takes nothing away that another scope shows', () => {
    const rig = new Rig();
    const whole = (scope: string) => ({ scope, snapshotBegins: true, snapshotEnds: true });
    rig.commit(indicators(0, 2), NOW, 'partner', whole('a'));
    rig.commit(indicators(1, 2), NOW, 'partner', whole('b'));
    rig.deliver();

    rig.commit([], NOW, 'partner', whole('a'));

    expect(rig.deliver()).toEqual(['remove 198.18.0.0']);
  });
});

describe('revisions', () => {
  it('lie above one that is found, also where it is the very one of this unit', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 1));
    const at = NOW + 1000;
    const batch = rig.take()!;

    rig.store.settle(batch.id, [{ kind: 'superseded', revision: at * 1000 }], at);

    expect(rig.take(at)!.changes[0]!.revision).toBeGreaterThan(at * 1000);
  });

  it('are those of one unit, however fast units follow', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 1));
    rig.commit(indicators(1, 2));

    const [first, second] = rig.take()!.changes;

    expect(second!.revision).toBeGreaterThan(first!.revision);
  });
});
