import { describe, expect, it } from 'vitest';
import {
  ADDITION,
  ANEW,
  answer,
  applied,
  FIRST,
  fresh,
  going,
  inFlight,
  NOW,
  REMOVAL,
  there,
  wished,
  withdrawn,
} from '../../../../test/builders/stands.ts';
import { lost, readBack, unknown } from '../../ledger/found.ts';
import { held } from '../../ledger/holds.ts';
import { postponed } from '../../ledger/rest.ts';
import type { Is, Stand } from '../../ledger/stand.ts';
import { changesOf, Vouchers } from './changes.ts';

const vouchers = new Vouchers(
  new Map([
    [1, 'partner'],
    [2, 'other'],
  ]),
);
const said = (before: Stand | undefined, after: Stand | undefined, was: Is = before?.present.is ?? 'no') =>
  changesOf(before, after, was, vouchers).map(({ op, revision, reason }) => `${op} ${revision} ${reason}`);

const found = { revision: 50, until: undefined, handle: undefined };
const doubted: Stand = { ...inFlight, call: { kind: 'uncertain', sent: FIRST } };
const missing = withdrawn({ ...doubted, present: { ...there.present, is: 'maybe' } });

describe('what a change is for the record', () => {
  it.each([
    ['a wish', undefined, fresh, []],
    ['a call that begins', fresh, inFlight, []],
    ['another time to try', fresh, postponed(fresh, NOW), []],
    ['what stands there already', there, there, []],
    ['what is wanted no more, and stands there', there, withdrawn(there), []],
    [
      'what was found and not known',
      undefined,
      unknown(found, 'adopted', ANEW, NOW, undefined),
      ['arm 50 found in the SIEM under our mark, vouched for by nobody'],
    ],
    [
      'what a late call wrote',
      undefined,
      unknown(found, 'late', ANEW, NOW, undefined),
      ['arm 50 written late by a call that had been given up'],
    ],
    [
      'what a person took off and is found',
      undefined,
      unknown(found, 'suppressed', ANEW, NOW, undefined),
      ['arm 50 stands there and is to go: suppressed'],
    ],
    ['what is lost', there, lost(there, false, ANEW, NOW), [`disarm ${ANEW} lost in the SIEM`]],
    ['what never was known to stand there', missing, undefined, [`disarm ${ANEW} withdrawn by the partner (partner)`]],
    [
      'what came into a hold',
      withdrawn(there),
      held(withdrawn(there), REMOVAL, undefined, ANEW, NOW),
      [`hold ${ANEW} hold 1 (removal)`],
    ],
    ['what left its hold', held(fresh, ADDITION, undefined, ANEW, NOW), fresh, [`unhold ${FIRST} hold 2 (addition)`]],
    [
      'what went from hold to hold',
      { ...there, hold: REMOVAL },
      { ...there, hold: ADDITION },
      [`unhold ${FIRST} hold 1 (removal)`, `hold ${FIRST} hold 2 (addition)`],
    ],
  ] as const)('is told of %s', (_what, before, after, rows) => {
    expect(said(before, after)).toEqual(rows);
  });

  it('is told of a call by what stood there before it', () => {
    const written = answer('upsert', applied)(inFlight);

    expect(said(inFlight, written, 'no')).toEqual([`arm ${FIRST} vouched for by partner`]);
    expect(said(inFlight, written, 'yes')).toEqual([`change ${FIRST} vouched for by partner`]);
    expect(said(going, answer('remove', applied)(going), 'yes')).toEqual([
      `disarm ${ANEW} withdrawn by the partner (partner)`,
    ]);
    expect(said(withdrawn(inFlight), undefined, 'no')).toEqual([]);
  });

  it('counts what may show the words of another key in its row as gone', () => {
    const shared = readBack({ ...doubted, present: there.present }, undefined, true, NOW);

    expect(said({ ...doubted, present: there.present }, shared)).toEqual([
      `disarm ${FIRST} it went before it was wanted again`,
    ]);
  });

  it('names all that vouch, and those that did', () => {
    const both = wished(inFlight, { vouchers: 0b110 });

    expect(said(both, answer('upsert', applied)(both), 'no')).toEqual([`arm ${FIRST} vouched for by partner, other`]);
  });
});
