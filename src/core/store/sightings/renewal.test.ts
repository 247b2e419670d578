import { expect, it } from 'vitest';
import { anIndicator, aSiem, DAY, HOUR, ipv4, NOW, Rig, versionAt } from '../../../../test/builders/store.ts';
import { entryKey } from '../../model/observable.ts';

const siemWith = (renewOnHit: boolean) => {
  const plain = aSiem();
  const rules = plain.rules['partner']!;
  const lifetime = { defaultDays: 10, byType: {}, maxDays: 30, renewOnHit };
  return { ...plain, fingerprint: String(renewOnHit), rules: { partner: { ...rules, lifetime } } };
};
const hit = (at: number, verdict: 'seen' | 'false_positive' = 'seen') => ({
  key: entryKey('ipv4-addr', '192.0.2.1'),
  dedupe: `${at} ${verdict}`,
  first: at,
  last: at,
  count: 1,
  verdict,
});

it('a hit begins a default lifetime anew, by day, up to the longest life, and a restart forgets nothing of it', () => {
  const rig = new Rig({ siems: [siemWith(true)] });
  const start = NOW - DAY;
  rig.commit([anIndicator({ objectId: 'indicator--1', version: versionAt(start), validFrom: start })]);
  rig.deliver();
  expect(rig.row()!.until).toBe(start + 10 * DAY);

  const at = NOW + 5 * DAY;
  const day = Math.floor(at / DAY) * DAY;
  rig.store.commitHits('siem', [hit(at), hit(at + HOUR)], 'x', at + HOUR);
  expect(rig.row()!.until).toBe(day + 10 * DAY);
  expect(rig.deliver(at + HOUR)).toEqual(['upsert 192.0.2.1']);
  rig.store.commitHits('siem', [hit(at + 2 * HOUR)], 'y', at + 2 * HOUR);
  expect(rig.deliver(at + 2 * HOUR)).toEqual([]);
  const [decision] = rig.read((reader) => reader.why(ipv4('192.0.2.1'), at))!.claims[0]!.decisions;
  expect(decision!.reason).toMatch(/^no valid_until: hit here \S+ \+ 10 days for ipv4-addr = /);

  rig.restart();
  rig.tick(start + 11 * DAY);
  expect(rig.deliver(start + 11 * DAY)).toEqual([]);
  rig.store.commitHits('siem', [hit(start + 14 * DAY)], 'z', start + 14 * DAY);
  rig.store.commitHits('siem', [hit(start + 23 * DAY)], 'z', start + 23 * DAY);
  expect(rig.row()!.until).toBe(start + 30 * DAY);
});

it('neither without the setting, nor by a verdict, nor against what the partner states', () => {
  const off = new Rig({ siems: [siemWith(false)] });
  off.commit([anIndicator({ objectId: 'indicator--1' })]);
  const before = off.row()!.until;
  off.store.commitHits('siem', [hit(NOW + DAY)], 'x', NOW + DAY);
  expect(off.row()!.until).toBe(before);

  const on = new Rig({ siems: [siemWith(true)] });
  on.commit([anIndicator({ objectId: 'indicator--1', validUntil: NOW + 2 * DAY })]);
  on.store.commitHits('siem', [hit(NOW + DAY), hit(NOW + DAY, 'false_positive')], 'x', NOW + DAY);
  expect(on.row()!.until).toBe(NOW + 2 * DAY);
});
