import { describe, expect, it } from 'vitest';
import { judgeWriter } from './writer.ts';

const AT = Date.UTC(2026, 0, 10, 3, 0);
const theirs = { writer: 'b', boot: 'b1', revision: 5, at: AT };
const self = { writer: 'a', boot: 'a1', revision: 9, marked: false };

describe('what is said of another writer', () => {
  it('names the moment at which a lost state is taken over, for there is nothing to correct', () => {
    expect(judgeWriter(theirs, self, AT + 30_000)).toMatchObject({
      kind: 'twin',
      reason: expect.stringMatching(/within the last minute; two must not .* this one takes over at 2026-01-10T03:15Z/),
    });
  });

  it('asks for a restart once this one has written too', () => {
    expect(judgeWriter(theirs, { ...self, marked: true }, AT + 300_000)).toMatchObject({
      kind: 'twin',
      reason: expect.stringMatching(/5 minutes ago; .*: stop it, then restart this one$/),
    });
  });
});

describe('another writer', () => {
  const MINUTE = 60_000;

  it.each([
    [14 * MINUTE, 'twin'],
    [15 * MINUTE - 1, 'twin'],
    [15 * MINUTE, 'adopt'],
  ])('is taken over once its mark is old, and not before: %i', (age, kind) => {
    expect(judgeWriter(theirs, self, AT + age).kind).toBe(kind);
  });

  it('gives no place to one that wrote here already, however old its mark', () => {
    expect(judgeWriter(theirs, { ...self, marked: true }, AT + 600 * MINUTE).kind).toBe('twin');
  });

  it('is waited for until its mark is old, and for no longer where that is beyond every clock', () => {
    const freeAt = (at: number) => {
      const verdict = judgeWriter({ ...theirs, at }, self, AT);
      return verdict.kind === 'twin' ? verdict.freeAt : undefined;
    };

    expect(freeAt(AT)).toBe(AT + 15 * MINUTE);
    expect(freeAt(AT + 3_000_000 * MINUTE)).toBe(AT + 30 * MINUTE);
  });
});

describe('our own mark', () => {
  const mine = { writer: 'a', boot: 'a1', revision: 9, at: AT };
  const marked = { ...self, marked: true, markedAt: AT, openedRevision: 5 };

  it('that is as new as this state is no newer life of it', () => {
    expect(judgeWriter(mine, self, AT).kind).toBe('mine');
    expect(judgeWriter({ ...mine, revision: 10 }, self, AT).kind).toBe('adopt');
  });

  it.each([
    ['of an earlier life', { at: AT - 1, revision: 5 }, 'late'],
    ['written later than ours', { at: AT + 1, revision: 5 }, 'twin'],
    ['beyond the revision that this life began with', { at: AT - 1, revision: 6 }, 'twin'],
  ])('under another start, %s', (_what, found, kind) => {
    expect(judgeWriter({ ...mine, boot: 'a0', ...found }, marked, AT + 1).kind).toBe(kind);
  });
});
