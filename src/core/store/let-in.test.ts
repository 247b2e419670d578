import { describe, expect, it } from 'vitest';
import { anIndicator, aSiem, DAY, HOUR, ipv4, NOW, Rig, versionAt } from '../../../test/builders/store.ts';
import type { IncomingIndicator } from '../model/entry.ts';

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
