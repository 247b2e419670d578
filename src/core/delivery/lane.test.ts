import { describe, expect, it } from 'vitest';
import { Lane } from './lane.ts';

/** Work that ends when it is told to, and says when it began. */
function work(began: string[], name: string) {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const run = () => {
    began.push(name);
    return promise;
  };
  return { run, end: resolve, fail: reject };
}

describe('the lane', () => {
  it('lets one work after the other, also behind one that failed', async () => {
    const lane = new Lane();
    const began: string[] = [];
    const [first, second] = [work(began, 'first'), work(began, 'second')];
    const turns = [lane.exclusive(first.run), lane.exclusive(second.run)];
    await Promise.resolve();
    expect(began).toEqual(['first']);

    first.fail(new Error('503'));
    second.end();

    expect(await Promise.allSettled(turns)).toMatchObject([{ status: 'rejected' }, { status: 'fulfilled' }]);
    expect(began).toEqual(['first', 'second']);
  });

  it('lets others work beside a listing, one after the other, and never otherwise', async () => {
    const lane = new Lane();
    const began: string[] = [];
    const [listing, one, two] = [work(began, 'listing'), work(began, 'one'), work(began, 'two')];
    await lane.beside(work(began, 'no listing').run);

    const listed = lane.exclusive(() => lane.listing(listing.run));
    await Promise.resolve();
    const beside = [lane.beside(one.run), lane.beside(two.run)];
    await Promise.resolve();
    expect(began).toEqual(['listing', 'one']);
    one.end();
    two.end();
    await Promise.all(beside);
    listing.end();
    await listed;
    await lane.beside(work(began, 'too late').run);

    expect(began).toEqual(['listing', 'one', 'two']);
  });

  it('is not held up for ever by what failed beside a listing', async () => {
    const lane = new Lane();
    const began: string[] = [];
    const [listing, broken, sound] = [work(began, 'listing'), work(began, 'broken'), work(began, 'sound')];
    const listed = lane.exclusive(() => lane.listing(listing.run));
    await Promise.resolve();
    const failed = lane.beside(broken.run);
    broken.fail(new Error('the state is away'));
    await expect(failed).rejects.toThrow('the state is away');

    sound.end();
    await lane.beside(sound.run);
    listing.end();
    await listed;

    await lane.besideEnded;
    expect(began).toEqual(['listing', 'broken', 'sound']);
  });
});
