import { describe, expect, it } from 'vitest';
import {
  NOW,
  ANEW,
  LATER,
  REMOVAL,
  fresh,
  wished,
  withdrawn,
  inFlight,
  there,
  going,
} from '../../../test/builders/stands.ts';
import { gone, isSameStand, phaseOf } from './stand.ts';

describe('a stand', () => {
  it.each([
    ['wanted and not there', fresh, 'upsert'],
    ['taken', inFlight, 'flight'],
    ['written', there, 'settled'],
    ['withdrawn', withdrawn(there), 'remove'],
    ['taken away', going, 'flight'],
    ['wanted in newer words', wished(there, { revision: ANEW }), 'upsert'],
    ['wanted no more and never there', withdrawn(fresh), 'settled'],
  ] as const)('is, %s, %s', (_what, stand, phase) => {
    expect(phaseOf(stand)).toBe(phase);
  });

  it('that is neither wanted nor there is looked at once more where it waits for a moment', () => {
    expect(gone(withdrawn(there), NOW)).toBeUndefined();
    expect(gone({ ...wished(withdrawn(there), { due: LATER }), hold: REMOVAL }, NOW)).toMatchObject({
      hold: undefined,
      wanted: { due: NOW },
    });
  });

  it.each([
    ['wanted otherwise', { wanted: { ...there.wanted, content: 8 } }],
    ['in another revision', { present: { ...there.present, revision: ANEW } }],
    ['under way', { call: { kind: 'flight', sent: 1, batch: 1 } }],
    ['held', { hold: REMOVAL }],
    ['parked', { parked: { reason: 'no', code: undefined } }],
    ['adopted', { adopted: true }],
    ['to be written anew', { again: true }],
    ['waiting', { wait: { attempt: 0, at: LATER } }],
    ['in a place', { place: { at: 1, out: false } }],
    ['in a slot', { slot: 'a' }],
  ] as const)('is another one once it is %s', (_what, part) => {
    expect(isSameStand(there, { ...there, ...part })).toBe(false);
    expect(isSameStand({ ...there, ...part }, structuredClone({ ...there, ...part }))).toBe(true);
  });
});
