import { describe, expect, it } from 'vitest';
import { HOUR, indicators, MINUTE, NOW, Rig } from '../../../../test/builders/store.ts';
import { type HistoryEntry, HistoryReader, type HistoryQuery } from '../read/history.ts';

const failure = { kind: 'retryable', message: 'partner: ECONNREFUSED' } as const;

function historyOf(rig: Rig, query: Partial<HistoryQuery> = {}): HistoryEntry[] {
  const reader = new HistoryReader(rig.spec);
  try {
    return reader.history({ limit: 100, ...query });
  } finally {
    reader.close();
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();

describe('the history', () => {
  it('tells of a poll in one row, however many commits it took', () => {
    const rig = new Rig();

    rig.commit(indicators(0, 3));
    expect(historyOf(rig, { kinds: ['poll'] })).toMatchObject([{ until: null, counts: { new: 3 } }]);
    rig.commit(indicators(3, 5), NOW + 1000);
    rig.store.pollCompleted('partner', NOW + 2000);

    expect(historyOf(rig, { kinds: ['poll'] })).toMatchObject([
      {
        kind: 'poll',
        subject: 'partner',
        at: iso(NOW),
        until: iso(NOW + 2000),
        counts: { objects: 5, new: 5, polls: 1 },
      },
    ]);
  });

  it('tells in one row of polls that brought nothing, until one does or a day is over', () => {
    const rig = new Rig();

    for (let i = 0; i < 30; i++) rig.store.pollCompleted('partner', NOW + i * HOUR);
    rig.commit(indicators(0, 1), NOW + 30 * HOUR);
    rig.store.pollCompleted('partner', NOW + 30 * HOUR);

    expect(historyOf(rig, { kinds: ['poll'] }).map(({ counts }) => counts)).toEqual([
      { objects: 1, new: 1, polls: 1 },
      { polls: 6 },
      { polls: 24 },
    ]);
  });

  it('tells since when a peer fails, of what, and until when', () => {
    const rig = new Rig();

    rig.store.note('exchange', 'partner', failure, NOW);
    rig.store.note('exchange', 'partner', { kind: 'config', message: 'partner: status 401' }, NOW + MINUTE);
    expect(historyOf(rig, { kinds: ['outage'] })).toMatchObject([
      { at: iso(NOW), until: null, role: 'exchange', detail: { reason: 'partner: status 401' } },
    ]);
    rig.store.note('exchange', 'partner', undefined, NOW + HOUR);
    rig.store.note('siem', 'siem', failure, NOW + HOUR);

    expect(historyOf(rig, { kinds: ['outage'] }).map(({ subject, until }) => [subject, until])).toEqual([
      ['siem', null],
      ['partner', iso(NOW + HOUR)],
    ]);
  });

  it('is paged by the last one shown', () => {
    const rig = new Rig();
    for (let i = 0; i < 5; i++) {
      rig.store.note('exchange', 'partner', failure, NOW + i * HOUR);
      rig.store.note('exchange', 'partner', undefined, NOW + i * HOUR + MINUTE);
    }

    const first = historyOf(rig, { limit: 2, kinds: ['outage'] });
    const then = historyOf(rig, { limit: 2, kinds: ['outage'], before: first.at(-1)!.id });

    expect([...first, ...then].map(({ at }) => at)).toEqual([4, 3, 2, 1].map((i) => iso(NOW + i * HOUR)));
    expect(historyOf(rig, { kinds: ['outage'], since: NOW + 3 * HOUR })).toHaveLength(2);
  });

  it('closes an outage of a peer that is well again when a poll ends', () => {
    const rig = new Rig();

    rig.store.note('exchange', 'partner', failure, NOW);
    rig.store.pollCompleted('partner', NOW + HOUR);

    expect(historyOf(rig, { kinds: ['outage'] })).toMatchObject([{ until: iso(NOW + HOUR) }]);
  });
});
