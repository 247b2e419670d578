import { describe, expect, it } from 'vitest';
import { answered, decided, denied, retried, type Ruling, settled, taken, type Telling } from './outbox.ts';

const NOW = 1_768_046_400_000;
const LATER = NOW + 60_000;

const queued: Telling = {
  state: 'queued',
  once: false,
  modified: 10,
  rule: 0,
  reason: 'rule 1',
  since: NOW,
  due: NOW,
  attempt: 0,
  sending: undefined,
  sent: undefined,
  sentAt: undefined,
  receipt: undefined,
  approved: undefined,
  rejected: false,
};
const rules = (action: 'share' | 'hold' | 'deny', given: Partial<Ruling> = {}): Ruling => ({
  decision: { action, rule: 2, reason: action },
  shown: 77,
  delayMs: 0,
  ...given,
});
const sending = taken(queued, rules('share'), NOW);
const sent = settled(sending, { kind: 'sent' }, NOW + 5);
const held: Telling = { ...queued, state: 'held', since: NOW - 5, due: NOW + 9 };

describe('a sighting that may leave', () => {
  it('is sent in the version that was taken', () => {
    expect(sending).toMatchObject({ state: 'sending', sending: 10, rule: 2 });
    expect(sent).toMatchObject({ state: 'sent', sent: 10, sending: undefined, sentAt: NOW + 5, attempt: 0 });
  });

  it.each([
    ['deny', rules('deny'), 'denied'],
    ['hold', rules('hold'), 'held'],
    ['share, of an object that is forgotten', rules('share', { shown: undefined }), 'denied'],
  ] as const)('is not sent where the rules say by now: %s', (_what, ruling, state) => {
    expect(taken(queued, ruling, NOW)).toMatchObject({ state, sending: undefined, due: NOW });
  });

  it('waits for as long as the rules ask for by now', () => {
    expect(taken(queued, rules('share', { delayMs: 1000 }), NOW)).toMatchObject({ state: 'queued', due: NOW + 1000 });
  });

  it('goes again after a failure that heals, and not after one that does not until somebody says so', () => {
    const again = settled({ ...sending, attempt: 3 }, { kind: 'again', at: LATER }, NOW);
    const failed = settled(sending, { kind: 'refused', reason: 'no' }, NOW);

    expect(again).toMatchObject({ state: 'queued', due: LATER, attempt: 4, sending: undefined });
    expect(failed).toMatchObject({ state: 'failed', reason: 'no', since: NOW });
    expect(retried({ ...failed, attempt: 2 }, LATER)).toMatchObject({ state: 'queued', due: LATER, attempt: 0 });
  });

  it('keeps the receipt of its task until that is over', () => {
    const pending = settled(sending, { kind: 'accepted', receipt: 'r' }, NOW);

    expect(pending).toMatchObject({ state: 'pending', receipt: 'r', sending: 10 });
    expect(settled(pending, { kind: 'sent' }, NOW)).toMatchObject({ state: 'sent', receipt: undefined, sent: 10 });
  });

  it('is left as it is by an answer that comes too late', () => {
    expect(settled(sent, { kind: 'again', at: LATER }, NOW)).toBe(sent);
  });
});

describe('hits that add to it', () => {
  it('are decided once more, and wait anew where they change what becomes of it', () => {
    expect(decided(queued, rules('share', { delayMs: 1000 }), NOW)).toMatchObject({ state: 'queued', due: NOW });
    expect(decided(held, rules('share', { delayMs: 1000 }), NOW)).toMatchObject({ state: 'queued', due: NOW + 1000 });
    expect(decided(sent, rules('share'), NOW + 9)).toMatchObject({ state: 'queued', since: NOW + 9, sent: 10 });
  });

  it('wait while it is on its way, and add nothing to an opinion that was told or to a no', () => {
    const opinion: Telling = { ...sent, once: true };
    const no: Telling = { ...held, rejected: true };

    for (const one of [sending, opinion, no]) expect(decided(one, rules('share'), NOW)).toBe(one);
  });
});

describe('a person', () => {
  it('approves what was shown, and nothing else', () => {
    const approved = answered(held, 'approve', 77, NOW);

    expect(approved).toMatchObject({ state: 'queued', approved: 77, due: NOW + 9 });
    expect(taken(approved, rules('hold'), NOW + 9).state).toBe('sending');
    expect(taken(approved, rules('hold', { shown: 78 }), NOW + 9).state).toBe('held');
    expect(taken(approved, rules('deny'), NOW + 9).state).toBe('denied');
  });

  it('rejects for good', () => {
    const rejected = answered(held, 'reject', 77, NOW);

    expect(rejected).toMatchObject({ state: 'denied', rejected: true, approved: undefined });
    expect(taken({ ...rejected, state: 'queued' }, rules('share'), NOW).state).toBe('denied');
  });

  it('who does not decide in time leaves it denied', () => {
    expect(denied(held, 'nobody approved it', NOW, 0)).toMatchObject({
      state: 'denied',
      rule: 0,
      due: NOW + 9,
      since: NOW,
    });
  });
});
