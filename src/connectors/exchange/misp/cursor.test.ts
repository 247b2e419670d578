import { describe, expect, it } from 'vitest';
import { pruned, readCursor } from './cursor.ts';

const marks = (count: number, pub: (i: number) => number) =>
  Object.fromEntries(
    Array.from({ length: count }, (_one, i) => [`event-${i}`, { pub: pub(i), ts: 1, digest: i, read: 1 }]),
  );

describe('what a MISP cursor remembers', () => {
  it('are the events that are listed again at the next poll', () => {
    expect(
      Object.keys(
        pruned(
          marks(10, (i) => 1000 * i),
          9000,
        ),
      ),
    ).toEqual(['event-9']);
    expect(
      Object.keys(
        pruned(
          marks(3, (i) => 8600 + 100 * i),
          9000,
        ),
      ),
    ).toEqual(['event-1', 'event-2']);
  });

  it('are thousands where so many were published at once, or they would be read at each poll', () => {
    expect(
      Object.keys(
        pruned(
          marks(3000, () => 9000),
          9000,
        ),
      ),
    ).toHaveLength(3000);
  });

  it('are the last of them where there are more than a commit should carry', () => {
    const kept = pruned(
      marks(6000, (i) => 9000 + (i % 2)),
      9001,
    );

    expect(Object.keys(kept)).toHaveLength(5000);
    expect(Object.values(kept).filter((mark) => mark.pub === 9001)).toHaveLength(3000);
  });

  it('is nothing where it cannot be read', () => {
    expect(readCursor({ v: 2 })).toEqual({ v: 1, marks: {}, failed: [], away: {} });
    expect(readCursor(undefined)).toEqual(readCursor('nonsense'));
  });
});
