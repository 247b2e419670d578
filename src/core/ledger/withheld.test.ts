// What becomes of claims that policy holds, in a table.
import { describe, expect, it } from 'vitest';
import { aClaim } from '../../../test/builders/claim.ts';
import type { Observable } from '../model/observable.ts';
import { type Admission, noneYet, type NumberedClaim, voucherBit, type Weighed } from './admit.ts';
import { keyOf, type Question, questionOf, staysHeld } from './holds.ts';
import { type Answers, withheld } from './withheld.ts';

const NOW = Date.UTC(2026, 0, 10, 12);
const DAY = 86_400_000;
const address: Observable = { type: 'ipv4-addr', value: '192.0.2.1' };
const unsure = questionOf(1, 'confidence_unknown', 'it states no confidence');
const marked = questionOf(1, 'marking_unexplained', 'a marking that nobody explained');

const weighed = (exchangeId = 1, until = NOW + DAY): Weighed<NumberedClaim> => ({
  claim: { ...aClaim(), exchangeId },
  until,
  unmarked: 'green',
});
const pending = (asks: Question, exchangeId = 1, until?: number) => ({ ...weighed(exchangeId, until), asks });
const of = (given: Partial<Admission<NumberedClaim>>): Admission<NumberedClaim> => ({ ...noneYet(), ...given });

const nobody: Answers = { letIn: () => false, mayAsk: () => true };
const letIn = (question: Question): Answers => ({ ...nobody, letIn: (one) => keyOf(one) === keyOf(question) });
const standing = { present: { is: 'yes', revision: 1, handle: undefined }, call: undefined } as const;
const absent = { ...standing, present: { is: 'no', revision: 0, handle: undefined } } as const;
const flying = { ...absent, call: { kind: 'flight', sent: 1, batch: 1 } } as const;

const held = of({ pending: [pending(unsure)] });

describe('what policy holds', () => {
  it.each([
    ['waits in a hold that asks for it', held, undefined, nobody, { hold: unsure, over: true }],
    ['waits where it is known and does not stand there', held, absent, nobody, { hold: unsure }],
    ['vouches once a person let it in', held, standing, letIn(unsure), { over: false }],
    ['goes first where it stands there', held, standing, nobody, { until: NOW + DAY, over: true }],
    ['goes first while its call is under way', held, flying, nobody, { until: NOW + DAY }],
    [
      'asks nobody where another vouches',
      of({ admitted: [weighed()], pending: [pending(unsure)] }),
      undefined,
      nobody,
      { over: true },
    ],
    ['asks nobody where it is over', of({ pending: [pending(unsure, 1, NOW)] }), undefined, nobody, { over: true }],
  ] as const)('%s', (_what, admission, before, answers, expected) => {
    const { hold, until, over } = withheld(address, admission, before, answers, NOW);

    expect({ hold, until, over }).toMatchObject(expected);
    expect(hold).toEqual('hold' in expected ? expected.hold : undefined);
    expect(until).toEqual('until' in expected ? expected.until : undefined);
  });

  it('stays out, refused, where no more may be asked', () => {
    const { admission, hold } = withheld(address, held, undefined, { ...nobody, mayAsk: () => false }, NOW);

    expect([hold, admission.admitted, admission.refused]).toEqual([undefined, [], true]);
  });

  it('asks for what may still be asked', () => {
    const both = of({ pending: [pending(marked), pending(unsure)] });
    const mayAsk = (one: Question) => keyOf(one) === keyOf(unsure);

    expect(withheld(address, both, undefined, { ...nobody, mayAsk }, NOW).hold).toEqual(unsure);
  });

  it('vouches by the claims that were let in, and by none beside them', () => {
    const both = of({ pending: [pending(marked, 1), pending(unsure, 2)] });

    const { admission } = withheld(address, both, undefined, letIn(unsure), NOW);

    expect(admission.admitted.map((one) => one.claim.exchangeId)).toEqual([2]);
    expect(admission.vouchers).toBe(voucherBit(2));
  });
});

describe('the hold that a stand names', () => {
  const turn = { wanted: false, changed: true, until: undefined, suppressed: false };
  const stand = {
    wanted: {
      is: false,
      revision: 1,
      content: 0,
      vouchers: 1,
      until: NOW + DAY,
      due: undefined,
      cause: 'withdrawn',
      since: NOW,
    },
  } as const;
  const removal = { kind: 'removal', decision: null } as const;

  it.each([
    ['goes on', removal, {}, true, true],
    ['goes on once it is rejected', { ...removal, decision: 'reject' as const }, {}, true, true],
    ['ends when it is approved', { ...removal, decision: 'approve' as const }, {}, true, false],
    ['ends where policy forbids what it keeps', removal, {}, false, false],
    ['ends where its value is suppressed', removal, { suppressed: true }, true, false],
    ['is not asked here where intake holds it', { kind: 'intake' as const, decision: null }, {}, true, false],
    ['is none any more', undefined, {}, true, false],
    ['of an addition ends with it', { kind: 'addition' as const, decision: null }, {}, true, false],
    [
      'of an addition goes on while it is wanted',
      { kind: 'addition' as const, decision: null },
      { wanted: true },
      false,
      true,
    ],
  ])('%s', (_what, hold, given, mayBeKept, stays) => {
    expect(staysHeld(hold, stand, { ...turn, ...given }, NOW, () => mayBeKept)).toBe(stays);
  });
});
