import { describe, expect, it } from 'vitest';
import type { OwnedEntry } from '../../contracts/siem-connector.ts';
import { entryKey } from '../../model/observable.ts';
import { saneOwned, saneRevision } from './foreign-numbers.ts';

const MOST = 8e15;

describe('a revision that a SIEM reports', () => {
  it.each([
    ['one of ours', 1_768_046_400_000_000, 1_768_046_400_000_000],
    ['none yet', 0, 0],
    ['below all', -5, 0],
    ['between two', 7.9, 7],
    ['beyond every clock', 9e15, MOST],
    ['no number', Number.NaN, MOST],
    ['without end', Number.POSITIVE_INFINITY, MOST],
  ])('counts, %s, as a number that the ledger can keep', (_what, given, kept) => {
    expect(saneRevision(given)).toBe(kept);
  });
});

describe('an entry that a SIEM holds', () => {
  const owned: OwnedEntry = {
    key: entryKey('ipv4-addr', '198.51.100.1'),
    slot: '198.51.100.1',
    writer: 'w',
    revision: 5,
    until: 7,
  };

  it('stays the very one where its numbers are sound', () => {
    const { until: _, ...open } = owned;

    expect(saneOwned(owned)).toBe(owned);
    expect(saneOwned(open)).toBe(open);
  });

  it('has no end where that is no moment, and keeps one that is', () => {
    expect(saneOwned({ ...owned, until: 7.5 })).not.toHaveProperty('until');
    expect(saneOwned({ ...owned, until: Number.NaN })).not.toHaveProperty('until');
    expect(saneOwned({ ...owned, revision: 1e300 })).toEqual({ ...owned, revision: MOST });
  });
});
