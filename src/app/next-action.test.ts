// With the words of the store itself, since what happens next is read from them.
import { describe, expect, it } from 'vitest';
import { anIndicator, aSiem, DAY, HOUR, indicators, ipv4, NOW, Rig, versionAt } from '../../test/builders/store.ts';
import { type NextActionSource, nextActions } from './next-action.ts';

const ADDRESS = '192.0.2.1';
const TOMORROW = NOW + DAY;
const iso = (ms: number) => new Date(ms).toISOString();
const one = () => anIndicator({ objectId: 'indicator--1', validUntil: TOMORROW });

function next(rig: Rig, given: Partial<NextActionSource> = {}, value = ADDRESS): string {
  const siems = [{ name: 'siem', enabled: true, mode: 'live' as const }];
  return rig.read((reader) => {
    const source = { siems, reader, now: NOW, running: true, ...given };
    const entry = reader.why(ipv4(value), source.now);
    if (entry === undefined) throw new Error(`nothing is known of ${value}`);
    return nextActions(entry, source)[0]!.next_action;
  });
}

function holding(...objects: Parameters<Rig['commit']>[0]): Rig {
  const rig = new Rig();
  rig.commit(objects);
  return rig;
}

describe('what happens next to an entry', () => {
  it('that waits: it is written at the next cycle, or by a daemon that must be started', () => {
    const rig = holding(one());

    expect(next(rig)).toBe('it is written at the next cycle');
    expect(next(rig, { running: false })).toBe(
      'it is written at the next cycle; no daemon runs on this state: entente run, or entente run --once',
    );
  });

  it('that stands there: it goes when it expires, or at the next cycle where that is over', () => {
    const rig = holding(one());
    rig.deliver();

    expect(next(rig)).toBe(
      `it expires at ${iso(TOMORROW)} and is removed then, unless the partner extends or withdraws it before`,
    );
    expect(next(rig, { now: TOMORROW })).toBe(`it expired at ${iso(TOMORROW)} and is removed at the next cycle`);
  });

  it('at a SIEM that is off: nothing, until its switch is turned', () => {
    const rig = holding(one());
    const off = (enabled: boolean, mode: 'live' | 'shadow') => next(rig, { siems: [{ name: 'siem', enabled, mode }] });

    expect([off(false, 'live'), off(true, 'shadow')]).toEqual([
      expect.stringContaining('enabled: true'),
      expect.stringContaining('mode: live'),
    ]);
  });

  it('after a failed call: when it is tried again, and why it failed', () => {
    const rig = holding(one());
    rig.deliver(NOW, 'siem', () => ({ kind: 'retry', retryAt: NOW + HOUR }));
    expect(next(rig)).toBe(`it is written at the next try, ${iso(NOW + HOUR)}`);

    rig.store.note('siem', 'siem', { kind: 'retryable', message: 'siem: ECONNREFUSED' }, NOW);
    expect(next(rig)).toBe(
      `it is written once the SIEM takes it; it is tried again by itself, next at ${iso(NOW + HOUR)} (siem: ECONNREFUSED)`,
    );

    rig.store.note('siem', 'siem', { kind: 'config', message: 'siem: status 401' }, NOW);
    expect(next(rig)).toBe('it is written once a person has acted on this: siem: status 401');
  });

  it('that was revoked: it is removed, and nothing comes after', () => {
    const rig = holding(one());
    rig.deliver();
    rig.commit([anIndicator({ objectId: 'indicator--1', revoked: true, version: versionAt(NOW) })]);
    expect(next(rig)).toBe('it is removed at the next cycle');

    rig.deliver();
    expect(next(rig)).toBe('nothing: nobody vouches for it any more; it comes back when a partner publishes it anew');
  });

  it('that is parked: the command with its ID', () => {
    const rig = holding(one());
    rig.deliver(NOW, 'siem', () => ({ kind: 'park', reason: 'too long' }));

    expect(next(rig)).toContain('entente parked retry 1-1;');
  });

  it('that a brake holds: the commands to decide, and after a rejection what would change it', () => {
    const rig = new Rig({ siems: [aSiem({ brake: { removal: { share: 0.2, atLeast: 3, windowHours: 24 } } })] });
    rig.commit(indicators(0, 20));
    rig.store.pollCompleted('partner', NOW);
    rig.deliver();
    rig.commit(indicators(0, 5, { revoked: true, version: versionAt(NOW) }));
    expect(next(rig, {}, '198.18.0.0')).toBe(
      'the removal brake keeps it armed until a person decides: entente held show 1, then entente held approve 1 --set CODE --reason TEXT, or entente held reject',
    );

    const [hold] = rig.read((reader) => reader.held());
    rig.decideHold(1, 'reject', hold!.set, 'ana', 'a mistake', NOW);
    expect(next(rig, {}, '198.18.0.0')).toBe(
      'hold 1 was rejected: it stays as it is until the partner says something new about it',
    );
  });

  it('that is suppressed: when it comes back, and how sooner', () => {
    const rig = holding(one());
    rig.store.suppress([ipv4(ADDRESS)], NOW + HOUR, 'our scanner', 'ana', NOW, false);

    expect(next(rig)).toBe(
      `it comes back at ${iso(NOW + HOUR)} if it is still vouched for; sooner: entente suppress lift 1`,
    );
  });

  it('that is refused: every reason with what it would need', () => {
    const rig = holding(
      anIndicator({ objectId: 'indicator--1', tlp: 'red' }),
      anIndicator({ objectId: 'indicator--2', benign: true }),
    );

    const told = next(rig);

    expect(told).toMatch(/^refused: /);
    expect(told).toContain("TLP:RED is above this SIEM's clearance TLP:AMBER; would need clearance: red for siem");
    expect(told).toContain('. Or: ');
    expect(told).toContain('the partner marks it benign; would need a new version');
  });

  it('that is not valid yet, or not any more', () => {
    const early = holding(anIndicator({ objectId: 'indicator--1', validFrom: NOW + HOUR }));
    expect(next(early)).toBe(`it is written at ${iso(NOW + HOUR)}, when a claim on it becomes valid`);

    const late = holding(anIndicator({ objectId: 'indicator--1', validUntil: NOW - HOUR }));
    expect(next(late)).toBe('nothing: it expired; a later version from the partner brings it back');
  });

  it('that a new configuration wants: the next cycle judges it again', () => {
    const rig = new Rig({ siems: [aSiem({ observables: ['url'] })] });
    rig.commit([one()]);
    rig.restart({ siems: [aSiem({ fingerprint: 'b' })] });

    expect(next(rig)).toContain('it is judged again at the next cycle');
  });
});
