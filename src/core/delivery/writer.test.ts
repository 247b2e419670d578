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
