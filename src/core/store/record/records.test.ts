import { describe, expect, it } from 'vitest';
import {
  aSiem,
  anIndicator,
  DAY,
  indicators,
  ipv4,
  MINUTE,
  NOW,
  Rig,
  versionAt,
} from '../../../../test/builders/store.ts';
import type { RecordBody, RecordRow } from '../../audit/record.ts';
import { RecordVerifier, type StoredRecord, type Verdict } from '../../audit/verify.ts';
import { HEAD } from './head.ts';

type Stored = StoredRecord & { readonly entries: string | null };

const storedIn = (rig: Rig): Stored[] =>
  rig.ask<Stored>('SELECT seq, body, lines, entries FROM audit_record ORDER BY seq');

const recordsIn = (rig: Rig): (RecordBody & { readonly rows: RecordRow[] })[] =>
  storedIn(rig).map(({ body, lines }) => ({
    ...(JSON.parse(body) as RecordBody),
    rows: (lines?.split('\n') ?? []).map((line) => JSON.parse(line) as RecordRow),
  }));

/** As the state itself would be verified. */
function verdictOf(rig: Rig, prunedBelow = 0): Verdict {
  const head = rig.ask<{ value: string }>(`SELECT value FROM meta WHERE name = '${HEAD}'`)[0];
  const expected =
    head === undefined ? { size: 0, last: null } : (JSON.parse(head.value) as { size: number; last: string });
  const verifier = new RecordVerifier('origin', [], { prunedBelow, expected });
  for (const one of storedIn(rig)) verifier.add(one);
  return verifier.end();
}

describe('a record', () => {
  it('is made of a batch that a SIEM applied, with what it was and by whose word', () => {
    const rig = new Rig();

    rig.commit([anIndicator({ objectId: 'indicator--1' })]);
    const batch = rig.take()!;
    expect(recordsIn(rig).map((one) => one.action)).toEqual(['configuration']);
    rig.store.settleAll(batch.id, NOW + MINUTE);

    expect(recordsIn(rig)).toMatchObject([
      { seq: 0, prev: null, action: 'configuration', detail: { siems: ['siem'], exchanges: ['partner'] } },
      {
        seq: 1,
        action: 'deliver',
        actor: 'entente',
        at: new Date(NOW + MINUTE).toISOString(),
        counts: { siem: { arm: 1 } },
        rows: [
          {
            siem: 'siem',
            op: 'arm',
            key: 'ipv4-addr|192.0.2.1',
            reason: 'vouched for by partner',
            object: 'indicator--1',
            marking: 'green',
            revision: batch.changes[0]!.revision,
          },
        ],
      },
    ]);
    expect(verdictOf(rig)).toMatchObject({ sound: true, size: 2 });
  });

  it('tells a change from an arming, and a disarming with its cause', () => {
    const rig = new Rig();
    const given = { objectId: 'indicator--1' };
    rig.commit([anIndicator(given)]);
    rig.deliver();

    rig.commit([anIndicator({ ...given, version: versionAt(NOW), confidence: 80 })], NOW + MINUTE);
    rig.deliver(NOW + MINUTE);
    rig.commit([anIndicator({ ...given, version: versionAt(NOW + 1), revoked: true })], NOW + 2 * MINUTE);
    rig.deliver(NOW + 2 * MINUTE);

    expect(recordsIn(rig).flatMap(({ rows }) => rows.map(({ op, reason, object }) => [op, reason, object]))).toEqual([
      ['arm', 'vouched for by partner', 'indicator--1'],
      ['change', 'vouched for by partner', 'indicator--1'],
      ['disarm', 'withdrawn by the partner (partner)', 'indicator--1'],
    ]);
  });

  it('says nothing of what failed or is unknown', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: 'indicator--1' })]);

    rig.store.settle(rig.take()!.id, [{ kind: 'retry', retryAt: NOW }], NOW);
    rig.store.settle(rig.take(NOW + 1)!.id, [{ kind: 'unknown', retryAt: NOW }], NOW + 1);

    expect(recordsIn(rig).map((one) => one.action)).toEqual(['configuration']);
  });

  it('tells of one in a batch whose wish changed while it flew', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 3));
    const batch = rig.take()!;
    rig.commit(indicators(1, 2, { version: versionAt(NOW), confidence: 70 }), NOW + 1);
    rig.store.settleAll(batch.id, NOW + 2);

    expect(recordsIn(rig)[1]).toMatchObject({ counts: { siem: { arm: 3 } } });
    expect(verdictOf(rig).sound).toBe(true);
  });

  it('tells of a task that a SIEM carried out later', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 2));
    const batch = rig.take()!;
    rig.store.settle(
      batch.id,
      batch.changes.map(() => ({ kind: 'accepted', receipt: 'task 7' })),
      NOW,
    );
    expect(recordsIn(rig)).toHaveLength(1);
    const told = batch.changes.map(({ key }) => ({ key, settlement: { kind: 'applied' } as const }));
    rig.store.settleReceipt('siem', 'task 7', told, NOW + 1);

    expect(recordsIn(rig)[1]).toMatchObject({
      counts: { siem: { arm: 2 } },
      rows: [
        { object: 'indicator--0', reason: 'vouched for by partner', marking: 'green' },
        { object: 'indicator--1' },
      ],
    });
  });

  it('tells what a hold bars, and who let it go', () => {
    const rig = new Rig({ siems: [aSiem({ brake: { removal: { share: 0.1, atLeast: 1, windowHours: 24 } } })] });
    rig.commit(indicators(0, 4));
    rig.deliver();
    rig.commit(indicators(0, 3, { version: versionAt(NOW), revoked: true }), NOW + 1);
    const [hold] = rig.read((reader) => reader.held());
    rig.decideHold(hold!.id, 'approve', hold!.set, 'ann', 'the partner was asked', NOW + 2);
    rig.tick(NOW + 3);
    rig.deliver(NOW + 3);

    const records = recordsIn(rig);
    expect(records.map(({ action, actor, counts }) => [action, actor, counts])).toEqual([
      ['configuration', 'entente', {}],
      ['deliver', 'entente', { siem: { arm: 4 } }],
      ['hold', 'entente', { siem: { hold: 3 } }],
      ['decide', 'ann', { siem: expect.objectContaining({ approve: 1 }) as object }],
      ...records.slice(4).map(({ action, actor, counts }) => [action, actor, counts]),
    ]);
    expect(records[3]).toMatchObject({ detail: { decision: 'approve', reason: 'the partner was asked' } });
    expect(records.at(-1)).toMatchObject({ counts: { siem: { disarm: 3 } } });
  });

  it('tells what a person took off, and what was refused to a person', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: 'indicator--1' })]);
    rig.deliver();

    const [id] = rig.store.suppress([ipv4('192.0.2.1')], NOW + DAY, 'noise', 'bob', NOW + 1);
    rig.store.lift(id!, NOW + 2, 'suppress', 'ann');
    rig.store.acted('refused', 'eve', { kind: 'decide' }, NOW + 3, 'the set has changed');

    expect(recordsIn(rig).slice(2)).toMatchObject([
      {
        action: 'suppress',
        actor: 'bob',
        detail: { reason: 'noise' },
        rows: [{ op: 'suppress', key: 'ipv4-addr|192.0.2.1' }],
      },
      { action: 'lift', actor: 'ann', rows: [{ op: 'lift', key: 'ipv4-addr|192.0.2.1' }] },
      {
        action: 'refused',
        actor: 'eve',
        detail: { kind: 'decide' },
        rows: [{ op: 'refuse', reason: 'the set has changed' }],
      },
    ]);
  });

  it('names each version of policy and configuration once', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 1));
    rig.restart();
    rig.commit(indicators(1, 2), NOW + 1);
    rig.restart({ siems: [aSiem({ clearance: 'green', fingerprint: 'b' })] });
    rig.commit(indicators(2, 3), NOW + 2);

    const versions = recordsIn(rig).map(({ action, policy_version: version }) => [action, version]);
    expect(versions.map(([action]) => action)).toEqual(['configuration', 'configuration']);
    expect(versions[0]![1]).not.toBe(versions[1]![1]);
    expect(verdictOf(rig)).toMatchObject({ sound: true, size: 2 });
  });

  it('counts alone, where that is the level, but tells whole what a person does', () => {
    const rig = new Rig({ audit: { level: 'counts', valuesDays: 365 } });
    rig.commit(indicators(0, 2));
    rig.deliver();
    rig.store.suppress([ipv4('198.18.0.1')], NOW + DAY, 'noise', 'bob', NOW + 1);

    expect(recordsIn(rig).map(({ counts, rows_root: root, rows }) => [counts, root === null, rows.length])).toEqual([
      [{}, true, 0],
      [{ siem: { arm: 2 } }, true, 0],
      [{ entente: { suppress: 1 } }, false, 1],
    ]);
  });

  it('is as if it had never been, where its unit fails', () => {
    const rig = new Rig();
    rig.commit(indicators(0, 2));
    const batch = rig.take()!;

    expect(() => rig.store.settle(batch.id, [{ kind: 'applied' }, null as never], NOW)).toThrow();
    expect(recordsIn(rig)).toHaveLength(1);
    expect(() => rig.store.lift(99, NOW)).toThrow('no suppression');
    rig.store.settleAll(batch.id, NOW + 1);

    expect(recordsIn(rig)[1]).toMatchObject({ counts: { siem: { arm: 2 } } });
    expect(verdictOf(rig)).toMatchObject({ sound: true, size: 2 });
  });
});

describe('retention', () => {
  it('prunes values and their salt, and leaves the chain', () => {
    const rig = new Rig({ audit: { level: 'values', valuesDays: 10 } });
    rig.commit(indicators(0, 2));
    rig.deliver();
    rig.store.suppress([ipv4('198.18.0.1')], NOW + DAY, 'noise', 'bob', NOW + 5 * DAY);

    while (rig.store.retainRecords(NOW + 11 * DAY).more);

    expect(recordsIn(rig).map(({ rows }) => rows.length)).toEqual([0, 0, 1]);
    expect(rig.ask<{ seq: number }>('SELECT DISTINCT seq FROM audit_entry')).toEqual([{ seq: 2 }]);
    expect(verdictOf(rig, 2)).toMatchObject({ sound: true, notes: [expect.stringContaining('pruned') as string] });
    expect(verdictOf(rig, 0)).toMatchObject({ sound: false, problems: [{ kind: 'rows', record: 1 }] });
  });
});

describe('a record that was tampered with', () => {
  function written(): Rig {
    const rig = new Rig();
    for (let i = 0; i < 6; i++) {
      rig.commit(indicators(i, i + 1), NOW + i);
      rig.deliver(NOW + i);
    }
    return rig;
  }

  it.each([
    ["UPDATE audit_record SET body = replace(body, 'entente', 'nobody') WHERE seq = 3", 'changed', 3],
    ["UPDATE audit_record SET body = '{}' WHERE seq = 3", 'missing', 3],
    ["UPDATE audit_record SET body = replace(body, 'entente', 'nobody') WHERE seq = 6", 'changed', 6],
    ["UPDATE audit_record SET lines = replace(lines, '198.18.0.2', '198.18.0.3') WHERE seq = 3", 'rows', 3],
    ['UPDATE audit_record SET lines = NULL WHERE seq = 3', 'rows', 3],
    ['DELETE FROM audit_record WHERE seq = 3', 'missing', 3],
    ['DELETE FROM audit_record WHERE seq = 0', 'missing', 0],
    ['DELETE FROM audit_record WHERE seq > 4', 'cut_off', 5],
    [
      'DELETE FROM audit_record WHERE seq = 3; UPDATE audit_record SET seq = -seq WHERE seq > 3; UPDATE audit_record SET seq = -seq - 1 WHERE seq < 0',
      'missing',
      3,
    ],
    [
      'UPDATE audit_record SET seq = seq + 100 WHERE seq > 3; UPDATE audit_record SET seq = seq - 99 WHERE seq > 3; INSERT INTO audit_record SELECT 4, at, action, body, lines, entries FROM audit_record WHERE seq = 3',
      'missing',
      4,
    ],
  ])('is found: %s', (sql, kind, record) => {
    const rig = written();
    expect(verdictOf(rig)).toMatchObject({ sound: true, size: 7 });

    rig.sql(sql);

    const { sound, problems } = verdictOf(rig);
    expect(sound).toBe(false);
    expect(problems[0]).toMatchObject({ kind, record });
  });
});
