import { describe, expect, it, vi } from 'vitest';
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
import { EntryClaims } from '../unit/entry-claims.ts';
import { MOST_ASKED } from './let-in.ts';

const siemWith = (unknownConfidence: 'accept' | 'hold' | 'refuse') => {
  const plain = aSiem();
  const rules = plain.rules['partner']!;
  const intake = { ...rules.intake, unknownConfidence };
  return { ...plain, fingerprint: unknownConfidence, rules: { partner: { ...rules, intake } } };
};
const of = (id: string, value: string, given: Partial<IncomingIndicator> = {}) =>
  anIndicator({ objectId: `indicator--${id}`, observables: [ipv4(value)], ...given });
const holding = () => new Rig({ siems: [siemWith('hold')] });
const heldBy = (rig: Rig) => rig.read((reader) => reader.held());
const decide = (rig: Rig, decision: 'approve' | 'reject', now = NOW) => {
  const [hold] = heldBy(rig);
  return rig.decideHold(hold!.id, decision, hold!.set, 'ana', 'looked at it', now);
};

describe('unknown_confidence: hold', () => {
  it('keeps out what states none, under one hold of the exchange, and lets nothing else wait', () => {
    const rig = holding();
    rig.commit([of('1', '192.0.2.1'), of('2', '192.0.2.2'), of('3', '192.0.2.3', { confidence: 50 })]);

    expect(rig.deliver()).toEqual(['upsert 192.0.2.3']);
    expect(heldBy(rig)).toMatchObject([{ kind: 'intake', siem: 'siem', exchange: 'partner', count: 2 }]);
    expect(rig.read((reader) => [...reader.heldEntries(heldBy(rig)[0]!.id)].map((one) => one.value))).toEqual([
      '192.0.2.1',
      '192.0.2.2',
    ]);
    const [stand] = rig.read((reader) => reader.why(ipv4('192.0.2.1'), NOW))!.siems;
    expect(stand).toMatchObject({ state: 'held', reason: expect.stringMatching(/no confidence is stated/) as string });
  });

  it('goes through what very many objects name in steps, also where a person lets it in', () => {
    const rig = holding();
    const many = (value: string, from: number) => Array.from({ length: 600 }, (_, i) => of(String(from + i), value));
    rig.commit([...many('192.0.2.1', 0), ...many('192.0.2.2', 1000), of('2000', '192.0.2.9')]);
    rig.tick(NOW);
    expect(heldBy(rig)).toMatchObject([{ count: 3 }]);
    const claims = vi.spyOn(EntryClaims.prototype, 'after');

    decide(rig, 'approve');
    const read = claims.mock.calls.length;
    claims.mockRestore();

    // The unit of the decision leaves them to units of their own.
    expect(read).toBe(0);
    expect(rig.ask("SELECT subject FROM sweep WHERE kind = 'crowded'")).toHaveLength(2);
    rig.tick(NOW);
    expect(rig.deliver().toSorted()).toEqual(['upsert 192.0.2.1', 'upsert 192.0.2.2', 'upsert 192.0.2.9']);
    expect(rig.ask('SELECT kind FROM sweep')).toEqual([]);
    expect(rig.ask('SELECT 1 AS one FROM projection WHERE hold IS NOT NULL')).toEqual([]);
  });

  it('lets in what a person approved, for as long as it is wanted, newer versions and a restart included', () => {
    const rig = holding();
    rig.commit([of('1', '192.0.2.1')]);

    expect(decide(rig, 'approve').entries).toBe(1);
    expect(rig.deliver()).toEqual(['upsert 192.0.2.1']);
    rig.commit([of('1', '192.0.2.1', { version: versionAt(NOW), tlp: 'clear' })], NOW + HOUR);
    expect(rig.deliver(NOW + HOUR)).toEqual(['upsert 192.0.2.1']);
    rig.restart();
    rig.tick(NOW + 2 * HOUR);
    expect([rig.deliver(NOW + 2 * HOUR), heldBy(rig)]).toEqual([[], []]);

    rig.commit([of('1', '192.0.2.1', { version: versionAt(NOW + 1), revoked: true })], NOW + 3 * HOUR);
    expect(rig.deliver(NOW + 3 * HOUR)).toEqual(['remove 192.0.2.1']);
    rig.commit([of('9', '192.0.2.1')], NOW + 4 * HOUR);
    expect(rig.deliver(NOW + 4 * HOUR)).toEqual([]);
    expect(heldBy(rig)).toMatchObject([{ kind: 'intake', count: 1 }]);
  });

  it('covers by an approval only what was shown', () => {
    const rig = holding();
    rig.commit([of('1', '192.0.2.1')]);
    const [shown] = heldBy(rig);
    rig.commit([of('2', '192.0.2.2')], NOW + HOUR);

    expect(() => rig.decideHold(shown!.id, 'approve', shown!.set, 'ana', 'x', NOW + HOUR)).toThrow(/has changed/);
    decide(rig, 'approve', NOW + HOUR);
    rig.commit([of('3', '192.0.2.3')], NOW + 2 * HOUR);
    expect(rig.deliver(NOW + 2 * HOUR)).toEqual(['upsert 192.0.2.1', 'upsert 192.0.2.2']);
    expect(heldBy(rig)).toMatchObject([{ count: 1 }]);
  });

  it('keeps out what a person rejected until the partner says something new, which waits again', () => {
    const rig = holding();
    rig.commit([of('1', '192.0.2.1')]);
    decide(rig, 'reject');
    rig.tick(NOW + DAY);
    expect([rig.deliver(NOW + DAY), heldBy(rig)]).toEqual([[], []]);

    rig.commit([of('1', '192.0.2.1', { version: versionAt(NOW), tlp: 'clear' })], NOW + DAY);
    expect(rig.deliver(NOW + DAY)).toEqual([]);
    expect(heldBy(rig)).toMatchObject([{ kind: 'intake', count: 1 }]);
  });

  it('ends by itself when a claim says how sure it is, and when none is left', () => {
    const rig = holding();
    rig.commit([of('1', '192.0.2.1'), of('2', '192.0.2.2')]);
    rig.commit([of('3', '192.0.2.1', { confidence: 80 })], NOW + HOUR);
    rig.commit([of('2', '192.0.2.2', { version: versionAt(NOW), revoked: true })], NOW + HOUR);

    expect(rig.deliver(NOW + HOUR)).toEqual(['upsert 192.0.2.1']);
    expect(heldBy(rig)).toEqual([]);
    expect(rig.rows()).toHaveLength(1);
  });

  it('takes away what stood there before policy asked for a person, and gives it back when it asks no more', () => {
    const rig = new Rig({ siems: [siemWith('accept')] });
    rig.commit([of('1', '192.0.2.1')]);
    expect(rig.deliver()).toEqual(['upsert 192.0.2.1']);

    rig.restart({ siems: [siemWith('hold')] });
    rig.tick(NOW + 1);
    expect(rig.deliver(NOW + 2)).toEqual(['remove 192.0.2.1']);
    rig.tick(NOW + HOUR);
    expect([rig.deliver(NOW + HOUR), heldBy(rig)]).toEqual([
      [],
      [expect.objectContaining({ kind: 'intake', count: 1 })],
    ]);

    rig.restart({ siems: [siemWith('accept')] });
    rig.tick(NOW + 2 * HOUR);
    expect([rig.deliver(NOW + 2 * HOUR), heldBy(rig)]).toEqual([['upsert 192.0.2.1'], []]);
  });

  it('goes with the value when it expires or is suppressed while it waits', () => {
    const rig = holding();
    rig.commit([of('1', '192.0.2.1', { validUntil: NOW + HOUR }), of('2', '192.0.2.2')]);
    rig.store.suppress([ipv4('192.0.2.2')], NOW + 2 * HOUR, 'x', 'ana', NOW);
    expect(heldBy(rig)).toMatchObject([{ count: 1 }]);
    rig.tick(NOW + HOUR);
    expect([heldBy(rig), rig.deliver(NOW + HOUR)]).toEqual([[], []]);

    rig.tick(NOW + 3 * HOUR);
    expect(heldBy(rig)).toMatchObject([{ kind: 'intake', count: 1 }]);
  });
});

describe('a marking that nobody can tell the meaning of', () => {
  const [FIRST, SECOND] = ['marking-definition--1', 'marking-definition--2'];
  const under = (id: string, value: string, marking: string, given: Partial<IncomingIndicator> = {}) =>
    of(id, value, { openMarkings: [marking], tlp: 'green', ...given });
  const definition = (objectId: string, given: { tlp?: 'green' | 'red'; unread?: string }) =>
    ({ kind: 'marking', objectId, ...given }) as const;
  /** What is sent, with the level that it is sent with. */
  const sentBy = (rig: Rig, now = NOW) => {
    const batch = rig.take(now);
    if (batch === undefined) return [];
    const text = Buffer.from(batch.bytes).toString('utf8');
    rig.store.settle(
      batch.id,
      batch.changes.map(() => ({ kind: 'applied' })),
      now,
    );
    return batch.changes.map(({ op }) => [op, /"tlp":"(.*?)"/.exec(text)?.[1]]);
  };

  it('holds its objects for a person, all of one marking together, whether it never came or is of a kind that we do not know', () => {
    const rig = new Rig();
    rig.commit([definition(SECOND, { unread: 'which is of a kind that we do not know' })]);
    rig.commit([under('1', '192.0.2.1', FIRST), under('2', '192.0.2.2', FIRST), under('3', '192.0.2.3', SECOND)]);

    expect(rig.deliver()).toEqual([]);
    expect(heldBy(rig)).toMatchObject([
      { kind: 'intake', exchange: 'partner', count: 2, reason: `refers to ${FIRST}, which nobody explained` },
      { kind: 'intake', count: 1, reason: `refers to ${SECOND}, which is of a kind that we do not know` },
    ]);
    const found = rig.read((reader) => reader.why(ipv4('192.0.2.1'), NOW))!;
    expect(found.siems[0]).toMatchObject({
      state: 'held',
      reason: expect.stringContaining('nobody explained') as string,
    });
    expect(found.claims[0]!.decisions[0]).toMatchObject({
      decision: 'hold',
      reason: `refers to ${FIRST}, which nobody explained`,
    });
  });

  it('counts as TLP:RED where a person lets its object in, whatever else the object states', () => {
    const rig = new Rig();
    rig.commit([under('1', '192.0.2.1', FIRST)]);

    decide(rig, 'approve');

    expect(sentBy(rig)).toEqual([['upsert', 'red']]);
  });

  it.each([
    ['stricter than the SIEM may hold takes away what a person had let in', 'red', [['remove', undefined]]],
    ['that fits leaves it there, as what it says', 'green', [['upsert', 'green']]],
  ] as const)('and whose explanation comes later: one that is %s', (_what, tlp, sent) => {
    const rig = new Rig();
    rig.commit([under('1', '192.0.2.1', FIRST)]);
    decide(rig, 'approve');
    rig.deliver();

    rig.commit([definition(FIRST, { tlp })], NOW + HOUR);
    rig.tick(NOW + HOUR);

    expect([sentBy(rig, NOW + HOUR), heldBy(rig)]).toEqual([sent, []]);
  });

  it('is let in by itself alone: another one, and another partner under the same id, ask again', () => {
    const rig = new Rig({
      exchanges: [anExchange(), anExchange({ name: 'other' })],
      siems: [aSiem({ listensTo: ['partner', 'other'] })],
    });
    rig.commit([under('1', '192.0.2.1', FIRST)]);
    decide(rig, 'approve');
    expect(rig.deliver()).toEqual(['upsert 192.0.2.1']);

    rig.commit([under('1', '192.0.2.1', SECOND, { version: versionAt(NOW) })], NOW + HOUR);
    rig.commit([under('7', '192.0.2.1', FIRST)], NOW + HOUR, 'other');

    expect(rig.deliver(NOW + HOUR)).toEqual(['remove 192.0.2.1']);
    rig.tick(NOW + HOUR);
    expect(heldBy(rig)).toMatchObject([{ kind: 'intake', count: 1 }]);
  });

  it('is not covered by what a person said of a missing confidence', () => {
    const rig = holding();
    rig.commit([of('1', '192.0.2.1')]);
    decide(rig, 'approve');
    expect(rig.deliver()).toEqual(['upsert 192.0.2.1']);

    rig.commit([under('1', '192.0.2.1', FIRST, { version: versionAt(NOW) })], NOW + HOUR);

    expect(rig.deliver(NOW + HOUR)).toEqual(['remove 192.0.2.1']);
  });

  it('lets in nothing of a claim under another one beside it', () => {
    const rig = new Rig();
    rig.commit([under('1', '192.0.2.1', FIRST, { confidence: 40 })]);
    decide(rig, 'approve');
    rig.deliver();

    rig.commit(
      [
        under('1', '192.0.2.1', FIRST, { confidence: 50, version: versionAt(NOW) }),
        under('2', '192.0.2.1', SECOND, { confidence: 90 }),
      ],
      NOW + HOUR,
    );

    const sent = JSON.parse(Buffer.from(rig.take(NOW + HOUR)!.bytes).toString('utf8')) as object;
    expect(sent).toMatchObject({ confidence: 50, sources: ['partner/indicator--1'] });
  });

  it('asks for so many markings of one partner at most, and keeps the others out unasked', () => {
    const rig = new Rig();
    rig.commit(
      Array.from({ length: MOST_ASKED + 5 }, (_, i) => under(`${i}`, `192.0.2.${i}`, `marking-definition--${i}`)),
    );

    expect([rig.deliver(), heldBy(rig).length]).toEqual([[], MOST_ASKED]);
  });
});
