import { describe, expect, it } from 'vitest';
import { aPage } from '../../../test/builders/store.ts';
import { packPage } from '../store/ingest/wire.ts';
import { COMMIT_OBJECTS, Commits } from './commits.ts';

const PAGE = COMMIT_OBJECTS / 5;

/** Commits end when they are told to. */
function held() {
  const cursors: unknown[][] = [];
  const ends: ((error?: Error) => void)[] = [];
  const commits = new Commits((pages) => {
    cursors.push(pages.map((page) => page.cursor));
    return new Promise<void>((resolve, reject) => {
      ends.push((error) => (error === undefined ? resolve() : reject(error)));
    });
  });
  let added = 0;
  const read = async (pages: number): Promise<void> => {
    for (let i = 0; i < pages; i++) await commits.add(packPage(aPage([], { cursor: ++added })), PAGE, 0);
  };
  return { commits, cursors, ends, read, added: () => added };
}

/** All that can go on without an end goes on. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('pages on their way into the store', () => {
  it('gather while a commit runs, at most two commits of them, and keep their order', async () => {
    const { commits, cursors, ends, read, added } = held();
    const reading = read(20);
    await settle();
    expect(cursors).toEqual([[1, 2, 3, 4, 5]]);
    expect(added()).toBe(15);

    ends[0]?.();
    await settle();
    expect(cursors).toHaveLength(2);
    expect(added()).toBe(20);

    ends[1]?.();
    await settle();
    ends[2]?.();
    await settle();
    await reading;
    const drained = commits.drain();
    ends[3]?.();
    await drained;
    expect(cursors.flat()).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(cursors.map((one) => one.length)).toEqual([5, 5, 5, 5]);
  });

  it('are not committed behind a commit that failed', async () => {
    const { commits, cursors, ends, read } = held();
    const reading = read(20);
    await settle();
    ends[0]?.(new Error('disk is full'));

    await expect(reading).rejects.toThrow('disk is full');
    await expect(commits.drain()).rejects.toThrow('disk is full');
    expect(cursors).toHaveLength(1);
  });

  it('are committed at the end, however few', async () => {
    const { commits, cursors, ends, read } = held();
    await read(1);
    const drained = commits.drain();
    ends[0]?.();
    await drained;

    expect(cursors).toEqual([[1]]);
    await commits.drain();
  });
});
