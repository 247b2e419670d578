import { describe, expect, it } from 'vitest';
import { happeningsOf } from './happenings.ts';

const record = { seq: 5, policy_version: 'v1' };
const delivery = (counts: Record<string, number>) => ({
  kind: 'delivery',
  role: 'siem',
  subject: 'siem',
  counts,
  detail: {},
  seq: 5,
});

describe('what the history tells of a record', () => {
  it.each([
    ['configuration', 'configuration', 'entente', { policy_version: 'v1', level: 'values' }],
    ['key', 'record', 'entente', { action: 'key', level: 'values' }],
    ['gap', 'record', 'entente', { action: 'gap', level: 'values' }],
    ['suppress', 'decision', 'ann', { action: 'suppress', level: 'values' }],
  ] as const)('%s is a row of its own, of kind %s', (action, kind, actor, detail) => {
    const told = happeningsOf({ action, actor, detail: { level: 'values' } }, { ...record, counts: {} });

    expect(told).toEqual([
      {
        one: { kind, role: actor === 'ann' ? 'person' : 'entente', subject: actor, counts: {}, detail, seq: 5 },
        together: false,
      },
    ]);
  });

  it('what came of it goes on in one row for each peer and kind', () => {
    const counts = { siem: { arm: 3, disarm: 1, hold: 2 }, partner: { tell: 4 }, idle: {} };

    expect(happeningsOf({ action: 'deliver', actor: 'entente', detail: {} }, { ...record, counts })).toEqual([
      { one: delivery({ arm: 3, change: 0, disarm: 1 }), together: true },
      { one: { ...delivery({ hold: 2, unhold: 0 }), kind: 'hold' }, together: true },
      {
        one: { kind: 'sighting', role: 'exchange', subject: 'partner', counts: { told: 4 }, detail: {}, seq: 5 },
        together: true,
      },
    ]);
  });

  it('a decision counts all that came of it, wherever', () => {
    const counts = { a: { disarm: 2 }, b: { disarm: 3, unhold: 1 } };
    const [decision] = happeningsOf({ action: 'decide', actor: 'ann', detail: {} }, { ...record, counts });

    expect(decision?.one.counts).toEqual({ disarm: 5, unhold: 1 });
  });
});
