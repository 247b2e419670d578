import { describe, expect, it } from 'vitest';
import {
  anIndicator,
  aSiem,
  DAY,
  HOUR,
  indicators,
  ipv4,
  listingOf,
  NOW,
  Rig,
  versionAt,
} from '../../../../test/builders/store.ts';
import { OLDEST_VERSION } from '../../model/timestamp.ts';
import { STATE } from '../rows/rows.ts';
import { readObject } from '../../stix/objects.ts';

const ID = 'indicator--1';
const newer = versionAt(NOW - HOUR);
const older = versionAt(NOW - 2 * DAY);

const armed = (given: object = {}) => {
  const rig = new Rig();
  rig.commit([anIndicator({ objectId: ID, ...given })]);
  expect(rig.deliver()).toEqual(['upsert 192.0.2.1']);
  return rig;
};

describe('a withdrawal that is meant beyond doubt', () => {
  it('takes off what is armed though its version cannot be read: the partner calls it harmless', () => {
    const rig = armed();

    rig.commit([anIndicator({ objectId: ID, benign: true, version: OLDEST_VERSION, digest: 7 })]);

    expect(rig.deliver()).toEqual(['remove 192.0.2.1']);
    rig.commit([anIndicator({ objectId: ID, version: newer, digest: 8 })]);
    expect(rig.deliver()).toEqual(['upsert 192.0.2.1']);
  });

  const LOWER = 'indicator--3fa1c2de-0000-4000-8000-00000000000a';
  const UPPER = `indicator--${LOWER.slice(11).toUpperCase()}`;

  const published = (id: string, facts: object = {}) => {
    const read = readObject({
      type: 'indicator',
      spec_version: '2.1',
      id,
      created: '2026-01-01T00:00:00Z',
      modified: '2026-01-02T00:00:00Z',
      valid_from: '2026-01-01T00:00:00Z',
      pattern_type: 'stix',
      pattern: "[ipv4-addr:value = '192.0.2.1']",
      ...facts,
    });
    if (!('object' in read)) throw new Error(JSON.stringify(read));
    return read.object;
  };

  it.each([
    [LOWER, UPPER],
    [UPPER, LOWER],
  ])('takes off %s by its id in another letter case, also in a first sync, and stays off', (id, other) => {
    for (const later of [false, true]) {
      const rig = new Rig();
      rig.commit([published(id)]);
      expect(rig.deliver()).toEqual(['upsert 192.0.2.1']);
      if (later) rig.store.pollCompleted('partner', NOW);

      const report = rig.commit([published(other, { revoked: true, modified: '2026-01-03T00:00:00Z' })]);

      expect([report.revoked, rig.deliver()]).toEqual([1, ['remove 192.0.2.1']]);
      rig.commit([published(id, { modified: '2026-01-04T00:00:00Z' })]);
      expect(rig.deliver()).toEqual([]);
    }
  });
});

describe('a version from the future', () => {
  const ahead = versionAt(Date.UTC(2083, 2, 16));
  const facts = JSON.stringify({ created: older });
  const reasons = (rig: Rig) => rig.ask('SELECT refusal FROM object');

  it('is armed for a life from its receipt, once and for all', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID, version: ahead, facts })]);
    expect(rig.row()?.until).toBeLessThanOrEqual(NOW + 90 * DAY);
    expect(reasons(rig)).toEqual([{ refusal: 'modified lies more than a day ahead' }]);
    const { until } = rig.row()!;

    rig.commit([anIndicator({ objectId: ID, version: ahead, facts })], NOW + 30 * DAY);
    rig.restart({ siems: [aSiem({ fingerprint: 'b' })] });
    rig.tick(NOW + 30 * DAY);
    expect(rig.row()?.until).toBe(until);
  });

  it('does not lock out the honest ones that follow', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID, version: ahead, facts })]);
    rig.commit([anIndicator({ objectId: ID, version: older, facts, observables: [ipv4('192.0.2.2')] })]);

    expect([rig.deliver(), reasons(rig)]).toEqual([['upsert 192.0.2.2'], [{ refusal: null }]]);
  });

  it('takes nothing from an honest one, and is counted as refused', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);
    const report = rig.commit([anIndicator({ objectId: ID, version: ahead, facts, observables: [ipv4('192.0.2.2')] })]);

    expect(report).toMatchObject({ outdated: 1, refused: { 'modified lies more than a day ahead': 1 } });
    expect(rig.deliver()).toEqual(['upsert 192.0.2.1']);
  });

  it.each([versionAt(NOW), versionAt(Date.UTC(2090, 0))])('is withdrawn by %s', (version) => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID, version: ahead, facts })]);
    rig.deliver();
    rig.commit([anIndicator({ objectId: ID, version, revoked: true })]);

    expect(rig.deliver()).toEqual(['remove 192.0.2.1']);
  });

  it('within the day by which clocks may differ is believed, and lives from its receipt', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID, version: versionAt(NOW + 12 * HOUR) })]);

    expect([rig.row()?.until, reasons(rig)]).toEqual([NOW + 90 * DAY, [{ refusal: null }]]);
  });
});

describe('versions of one object', () => {
  it('replaces all that an object said when a higher version comes', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);
    rig.deliver();

    const report = rig.commit([anIndicator({ objectId: ID, version: newer, observables: [ipv4('192.0.2.2')] })]);

    expect(report).toMatchObject({ changed: 1, created: 0 });
    expect(rig.deliver().sort()).toEqual(['remove 192.0.2.1', 'upsert 192.0.2.2']);
  });

  it('leaves a lower version that comes late aside', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);
    rig.deliver();

    expect(rig.commit([anIndicator({ objectId: ID, version: older, observables: [ipv4('192.0.2.9')] })])).toMatchObject(
      {
        outdated: 1,
      },
    );
    expect(rig.deliver()).toEqual([]);
  });

  it('takes a higher version that comes in a later page of the same commit', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID, version: newer, confidence: 80 }), anIndicator({ objectId: ID })]);

    expect(rig.ask('SELECT confidence FROM object')).toEqual([{ confidence: 80 }]);
  });

  it('keeps a revoked id as a tombstone that no later version brings back', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);
    rig.deliver();
    rig.commit([anIndicator({ objectId: ID, version: newer, revoked: true })]);
    expect(rig.deliver()).toEqual(['remove 192.0.2.1']);

    expect(rig.commit([anIndicator({ objectId: ID, version: versionAt(NOW) })])).toMatchObject({ outdated: 1 });
    expect(rig.deliver()).toEqual([]);
  });

  it('remembers a revocation of an object it never saw', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID, revoked: true })]);

    rig.commit([anIndicator({ objectId: ID, version: newer })]);

    expect(rig.deliver()).toEqual([]);
  });

  it('counts an object that vanished and was revoked then only once', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);
    listingOf(rig, []);

    rig.commit([anIndicator({ objectId: ID, version: newer, revoked: true })]);

    expect(rig.read((reader) => reader.exchanges()[0]?.indicators)).toBe(0);
  });
});

describe('the same version with other content', () => {
  it('keeps the first where the second would arm more', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID, tlp: 'amber', validUntil: NOW + DAY })]);
    rig.deliver();

    expect(rig.commit([anIndicator({ objectId: ID, tlp: 'clear', validUntil: NOW + 9 * DAY })])).toMatchObject({
      conflicting: 1,
    });
    expect(rig.row()?.until).toBe(NOW + DAY);
    expect(rig.deliver()).toEqual([]);
  });

  it.each([
    ['an earlier end', { validUntil: NOW - HOUR }],
    ['a stricter marking', { tlp: 'red' as const }],
    ['that it is benign', { benign: true }],
    ['a revocation', { revoked: true }],
  ])('takes over %s', (_what, given) => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);
    rig.deliver();

    rig.commit([anIndicator({ objectId: ID, ...given })]);

    expect(rig.deliver()).toEqual(['remove 192.0.2.1']);
  });

  it('keeps a stricter marking though an open marking is explained later', () => {
    const rig = new Rig();
    const open = ['marking-definition--1'];
    rig.commit([anIndicator({ objectId: ID, openMarkings: open })]);
    rig.commit([anIndicator({ objectId: ID, openMarkings: open, tlp: 'red' })]);

    rig.commit([{ kind: 'marking', objectId: 'marking-definition--1', statement: 'for members' }]);

    expect(rig.deliver()).toEqual([]);
  });

  it('brings a vanished object back as strict as it returns', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID, tlp: 'green' })]);
    rig.deliver();
    listingOf(rig, []);
    rig.deliver();

    rig.commit([anIndicator({ objectId: ID, tlp: 'red', validUntil: NOW + HOUR })]);

    expect([rig.deliver(), rig.ask('SELECT tlp, state FROM object')]).toEqual([[], [{ tlp: 4, state: 0 }]]);
  });

  it('brings a vanished object back though its content differs', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);
    listingOf(rig, []);
    expect(rig.deliver()).toEqual([]);

    rig.commit([anIndicator({ objectId: ID, facts: JSON.stringify({ name: 'Other words' }) })]);

    expect(rig.deliver()).toEqual(['upsert 192.0.2.1']);
  });
});

describe('vanished objects', () => {
  it('are withdrawn when a complete listing lacks them, and count again when they reappear unchanged', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);
    rig.deliver();

    expect(listingOf(rig, [])).toEqual({ vanished: 1 });
    expect(rig.deliver()).toEqual(['remove 192.0.2.1']);

    rig.commit([anIndicator({ objectId: ID })]);
    expect(rig.deliver()).toEqual(['upsert 192.0.2.1']);
  });

  it('stay while another scope still shows them', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })], NOW, 'partner', { scope: 'a' });
    rig.commit([anIndicator({ objectId: ID })], NOW, 'partner', { scope: 'b' });

    const run = rig.store.beginListing('partner', NOW);
    rig.store.listingPart('partner', run, 'b', [{ objectId: ID }], true, NOW);

    expect(rig.store.endListing('partner', run, true, NOW)).toMatchObject({ vanished: 0 });
  });

  it('are not those of a scope that the listing never named, or did not show to its end', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })], NOW, 'partner', { scope: 'hidden' });
    rig.commit(indicators(5, 6), NOW, 'partner', { scope: 'cut' });
    rig.commit(indicators(6, 7), NOW, 'partner', { scope: 'whole' });
    expect(rig.deliver()).toHaveLength(3);

    const run = rig.store.beginListing('partner', NOW);
    rig.store.listingPart('partner', run, 'cut', [], false, NOW);
    rig.store.listingPart('partner', run, 'whole', [], true, NOW);

    expect(rig.store.endListing('partner', run, true, NOW)).toMatchObject({ vanished: 1 });
    expect(rig.deliver()).toEqual(['remove 198.18.0.6']);
  });

  it('stay while the other scope that showed them is hidden from the listing', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })], NOW, 'partner', { scope: 'a' });
    rig.commit([anIndicator({ objectId: ID })], NOW, 'partner', { scope: 'b' });
    listingOf(rig, [ID], true, 'b');

    // `b` was complete once; that says nothing about today.
    expect(listingOf(rig, [], true, 'a')).toEqual({ vanished: 0 });
    expect(listingOf(rig, [], true, 'b')).toEqual({ vanished: 0 });
  });

  it('are only counted unless withdrawing is asked for', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);
    rig.deliver();

    expect(listingOf(rig, [], false).vanished).toBe(1);
    expect(rig.deliver()).toEqual([]);
  });

  it('are not those that a poll brought while the listing ran', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID })]);
    const run = rig.store.beginListing('partner', NOW);
    rig.store.listingPart('partner', run, 'collection-1', [{ objectId: ID }], true, NOW);

    rig.commit([anIndicator({ objectId: ID }), ...indicators(5, 7)]);

    expect(rig.store.endListing('partner', run, true, NOW)).toMatchObject({ vanished: 0 });
  });

  const whole = { scope: 'file', snapshotBegins: true, snapshotEnds: true };

  it('leave a scope with a full snapshot that lacks them', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 3), NOW, 'partner', whole);
    rig.deliver();

    rig.commit(indicators(0, 2), NOW, 'partner', whole);

    expect(rig.deliver()).toEqual(['remove 198.18.0.2']);
  });

  it('are not those that another page of the same snapshot shows', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 4), NOW, 'partner', whole);
    rig.deliver();

    rig.commit(indicators(0, 1), NOW, 'partner', { scope: 'file', snapshotBegins: true });
    rig.commit(indicators(1, 2), NOW, 'partner', { scope: 'file' });
    expect(rig.deliver()).toEqual([]);
    rig.commit(indicators(2, 3), NOW, 'partner', { scope: 'file', snapshotEnds: true });

    expect(rig.deliver()).toEqual(['remove 198.18.0.3']);
  });

  it('are not concluded from a snapshot of which the beginning is missing', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 3), NOW, 'partner', whole);
    rig.deliver();

    rig.commit(indicators(0, 1), NOW, 'partner', { scope: 'file', snapshotEnds: true });

    expect(rig.deliver()).toEqual([]);
  });

  it('go on leaving with the snapshot before one of which the beginning is missing', () => {
    // So slow that a step takes the fewest rows: of what left the second step is still to come.
    let ms = 0;
    const removal = { share: 1, atLeast: 1, windowHours: 1 };
    const rig = new Rig({ siems: [aSiem({ brake: { removal } })], watch: () => (ms += 1000) });
    rig.commit(indicators(0, 210), NOW, 'partner', whole);
    rig.deliver();
    rig.commit([], NOW, 'partner', whole);
    expect(rig.ask("SELECT kind FROM sweep WHERE kind = 'left'")).toHaveLength(1);

    rig.commit([], NOW, 'partner', { scope: 'file', snapshotEnds: true });
    rig.tick(NOW);

    expect(rig.deliver()).toHaveLength(210);
  });

  it('stay while another file shows them', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 2), NOW, 'partner', whole);
    rig.commit(indicators(1, 2), NOW, 'partner', { ...whole, scope: 'other' });
    rig.deliver();

    rig.commit([], NOW, 'partner', whole);

    expect(rig.deliver()).toEqual(['remove 198.18.0.0']);
  });

  it('are not those of which a file holds a version that cannot be read', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 2), NOW, 'partner', whole);
    rig.deliver();
    const objectId = indicators(1, 2)[0]!.objectId;

    rig.commit(indicators(0, 1), NOW, 'partner', { ...whole, refusals: [{ objectId, reason: 'modified is missing' }] });

    expect(rig.deliver()).toEqual([]);
  });

  it('that left a file by thousands are braked together', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 2700), NOW, 'partner', whole);
    rig.store.pollCompleted('partner', NOW);
    rig.deliver();

    rig.commit(indicators(0, 100), NOW, 'partner', whole);
    while (rig.store.tick(NOW, false).more);

    expect(rig.deliver()).toEqual([]);
    expect(rig.ask<{ n: number }>('SELECT count(*) AS n FROM projection WHERE hold IS NOT NULL')).toEqual([
      { n: 2600 },
    ]);
  });
});

describe('what explains an indicator', () => {
  const threat = [
    { kind: 'name', objectId: 'malware--1', version: newer, type: 'malware', name: 'Sample' },
    {
      kind: 'relationship',
      objectId: 'relationship--1',
      version: newer,
      revoked: false,
      relation: 'indicates',
      source: ID,
      target: 'malware--1',
    },
  ] as const;

  it.each([
    ['name', [threat[1], threat[0]]],
    ['relationship', [threat[0], threat[1]]],
  ])('is sent again when the %s comes late', (_what, [first, second]) => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID }), first!]);
    rig.deliver();

    rig.commit([second!]);

    expect(rig.deliver()).toEqual(['upsert 192.0.2.1']);
  });

  it('is kept out again when the unit that explained its marking failed', () => {
    const rig = new Rig();
    const marked = anIndicator({ objectId: ID, openMarkings: ['marking-definition--1'] });
    const explaining = { kind: 'marking', objectId: 'marking-definition--1', tlp: 'green' } as const;
    const broken = { ...anIndicator({ objectId: 'indicator--broken' }), validFrom: null } as never;
    expect(() => rig.commit([explaining, marked, broken])).toThrow(/NOT NULL|not-null/);

    rig.commit([marked]);

    expect(rig.deliver()).toEqual([]);
    rig.commit([explaining]);
    expect(rig.deliver()).toHaveLength(1);
  });

  const decision = (rig: Rig) =>
    rig.read((reader) => reader.why(ipv4('192.0.2.1'), NOW))?.claims[0]?.decisions[0]?.reason;

  it('keeps an object out by a marking that never came, whatever the clearance, and says so', () => {
    const siem = aSiem();
    const rules = {
      ...siem.rules['partner']!,
      intake: { ...siem.rules['partner']!.intake, clearance: 'red' as const },
    };
    const rig = new Rig({ siems: [{ ...siem, rules: { partner: rules } }] });
    rig.commit([anIndicator({ objectId: ID, openMarkings: ['marking-definition--1'] })]);

    expect([rig.deliver(), decision(rig)]).toEqual([[], 'refers to marking-definition--1, which nobody explained']);
  });

  it('keeps an object out by a definition that is not understood', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID, openMarkings: ['marking-definition--1', 'marking-definition--2'] })]);
    rig.commit([{ kind: 'marking', objectId: 'marking-definition--1', statement: 'for members' }]);
    rig.commit([
      { kind: 'marking', objectId: 'marking-definition--2', unread: 'of the kind iep, which we do not know' },
    ]);

    expect([rig.deliver(), decision(rig)]).toEqual([
      [],
      'refers to marking-definition--2, of the kind iep, which we do not know',
    ]);
  });

  it('takes the strictest of what is stated and what a definition says, in either order', () => {
    const definition = { kind: 'marking', objectId: 'marking-definition--1', tlp: 'clear', pap: 'green' } as const;
    for (const objects of [
      [definition, anIndicator({ objectId: ID, tlp: 'amber', pap: 'red', openMarkings: ['marking-definition--1'] })],
      [anIndicator({ objectId: ID, tlp: 'amber', pap: 'red', openMarkings: ['marking-definition--1'] }), definition],
    ]) {
      const rig = new Rig();
      for (const object of objects) rig.commit([object]);
      expect(rig.ask('SELECT tlp, pap, unexplained FROM object')).toEqual([{ tlp: 2, pap: 3, unexplained: null }]);
    }
  });

  it('takes a stricter definition over what is stated', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID, tlp: 'clear', openMarkings: ['marking-definition--1'] })]);
    rig.commit([{ kind: 'marking', objectId: 'marking-definition--1', tlp: 'red', pap: 'red' }]);

    expect(rig.ask('SELECT tlp, pap FROM object')).toEqual([{ tlp: 4, pap: 3 }]);
    expect([rig.deliver(), decision(rig)]).toEqual([[], "TLP:RED is above this SIEM's clearance TLP:AMBER"]);
  });

  it('keeps the name of the highest version, however late an older one comes', () => {
    const rig = new Rig();
    const name = (version: string, text: string) =>
      ({ kind: 'name', objectId: 'malware--1', version, type: 'malware', name: text }) as const;
    for (const one of [name(newer, 'new'), name(older, 'old')]) rig.commit([one]);
    expect(rig.ask('SELECT body FROM context')).toEqual([{ body: 'new' }]);

    rig.commit([name(versionAt(NOW), 'newest')]);
    expect(rig.ask('SELECT body FROM context')).toEqual([{ body: 'newest' }]);
  });

  it('is kept out until an open marking is explained', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID, openMarkings: ['marking-definition--1'] })]);
    expect(rig.deliver()).toEqual([]);

    rig.commit([{ kind: 'marking', objectId: 'marking-definition--1', statement: 'for members' }]);

    expect(rig.deliver()).toEqual(['upsert 192.0.2.1']);
  });

  it('leaves an entry alone that is not wanted', () => {
    const rig = new Rig({ siems: [aSiem({ brake: { removal: { share: 0, atLeast: 1, windowHours: 24 } } })] });
    rig.commit([anIndicator({ objectId: ID }), anIndicator({ objectId: 'indicator--2', tlp: 'red' })]);
    rig.deliver();
    rig.commit([anIndicator({ objectId: ID, version: newer, revoked: true })]);
    expect(rig.row()?.state).toBe(STATE.held);

    rig.commit([threat[0], { ...threat[1], source: 'indicator--2' }]);

    expect(rig.row()?.state).toBe(STATE.held);
  });
});
