import { describe, expect, it } from 'vitest';
import { CAUSE, PRESENT, STATE } from '../rows/rows.ts';
import { bucketOf, type DifferingRow, shownRow } from './difference-rows.ts';

const NOW = Date.UTC(2026, 0, 10, 12);

/** Wanted, and not there yet. */
const row: DifferingRow = {
  entry_id: 7,
  wanted: 1,
  wanted_rev: 1,
  content: 0,
  vouchers: 0b10,
  until: NOW,
  due: null,
  present: PRESENT.no,
  rev: 0,
  state: STATE.upsert,
  cause: CAUSE.none,
  since: NOW,
  sent_rev: null,
  batch: null,
  attempt: 2,
  next_at: null,
  slot: null,
  handle: null,
  receipt: null,
  reason: null,
  code: null,
  hold: null,
  hold_kind: 0,
  place: null,
  kept_out: 0,
  type: 0,
  value: '198.51.100.1',
  hold_reason: null,
};
const SIEM = { id: 3, name: 'siem' };
const EXCHANGES = [
  { id: 1, name: 'partner' },
  { id: 2, name: 'other' },
];
const shown = (one: DifferingRow) => shownRow(one, SIEM, bucketOf(one), EXCHANGES);

describe('a row that differs', () => {
  it.each([
    ['add', {}, 'vouched for, and not there yet'],
    ['add', { present: PRESENT.maybe, state: STATE.flight }, 'vouched for, and not there yet'],
    ['change', { present: PRESENT.yes }, 'what is said of it changed'],
    ['remove', { wanted: 0, state: STATE.remove, cause: CAUSE.withdrawn }, 'withdrawn by the partner'],
    ['remove', { wanted: 0, state: STATE.remove }, 'nobody vouches for it any more'],
    ['park', { state: STATE.parked, reason: 'too long' }, 'too long'],
    ['park', { state: STATE.parked }, 'refused'],
    [
      'park',
      { state: STATE.settled, wanted: 0, kept_out: 1 },
      'the watchlist is full, and what stands there is surer or newer',
    ],
    ['hold', { state: STATE.held, hold: 5, hold_reason: 'partner withdrew 40' }, 'partner withdrew 40'],
    ['foreign', { state: STATE.held }, 'found in the SIEM under our mark, vouched for by nobody'],
  ] as const)('is shown as %s: %o', (bucket, part, why) => {
    expect(shown({ ...row, ...part })).toMatchObject({ bucket, why });
  });

  it('has a name among all rows, which is that of a parked one too, unless it waits for room', () => {
    expect(shown(row)).toMatchObject({ row: '3-7', id: '3-7', siem: 'siem', type: 'ipv4-addr', attempts: 2 });
    expect(shown({ ...row, kept_out: 1, state: STATE.settled })).toMatchObject({ row: '3-7', id: null });
  });

  it('names who vouches for it, and whether a call is under way', () => {
    expect(shown(row)).toMatchObject({ exchanges: ['partner'], flying: false });
    expect(shown({ ...row, vouchers: 0b110, state: STATE.accepted })).toMatchObject({
      exchanges: ['partner', 'other'],
      flying: true,
    });
  });
});
