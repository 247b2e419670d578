import { describe, expect, it } from 'vitest';
import { decidedAct, liftedAct, offAct, refusedRows } from './acts.ts';

const VALUE = { type: 'ipv4-addr', value: '198.51.100.1' } as const;
const NOTHING = { siem: null, key: null, reason: '', object: null, marking: null };

describe('what a person did', () => {
  it('names each value that was taken off, and the one that came back', () => {
    const detail = { reason: 'ours' };
    const row = { ...NOTHING, key: 'ipv4-addr|198.51.100.1' };

    expect(offAct('suppress', 'ann', detail, [VALUE])).toEqual({
      action: 'suppress',
      actor: 'ann',
      detail,
      rows: [{ ...row, op: 'suppress' }],
    });
    expect(offAct('harmless', 'ann', detail, [VALUE, VALUE]).rows).toHaveLength(2);
    expect(liftedAct('harmless', 3, 'ann', VALUE)).toEqual({
      action: 'lift',
      actor: 'ann',
      detail: { of: 'harmless', id: 3 },
      rows: [{ ...row, op: 'lift' }],
    });
  });

  it('has our words for a refusal in a row, which goes with its values, cut to a length', () => {
    expect(refusedRows(undefined)).toEqual([]);
    expect(refusedRows('no such hold')).toEqual([{ ...NOTHING, op: 'refuse', reason: 'no such hold' }]);
    expect(refusedRows('x'.repeat(10_000))[0]!.reason).toHaveLength(2000);
  });

  it('names each hold and each sighting under the code that was shown', () => {
    const asked = { holds: [{ id: 1, set: 'aaaa' }], sightings: [{ id: 2, set: 'bbbb' }] };
    const decided = {
      holds: [{ id: 1, kind: 'removal', siem: 'siem-a', exchange: 'partner', entries: 40 }],
      sightings: [{ id: 2, exchange: 'partner', count: 3 }],
    };

    expect(decidedAct(asked, decided, 'reject', 'ann', 'a mistake')).toEqual({
      action: 'decide',
      actor: 'ann',
      detail: { decision: 'reject', reason: 'a mistake', holds: 1, sightings: 1 },
      rows: [
        {
          ...NOTHING,
          op: 'reject',
          siem: 'siem-a',
          object: 'hold 1',
          reason: 'removal of 40 entries of partner, shown under aaaa',
        },
        { ...NOTHING, op: 'reject', siem: 'partner', object: 'sighting s2', reason: 'counted 3, shown under bbbb' },
      ],
    });
  });
});
