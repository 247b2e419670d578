import { describe, expect, it, vi } from 'vitest';
import { inTurns } from './turns.ts';

const soon = async () => {
  await new Promise((go) => setTimeout(go, 5));
};

async function* counting(name: string, to: number, fails = false): AsyncGenerator<string, void, undefined> {
  for (let n = 1; n <= to; n++) yield `${name}${n}`;
  if (fails) throw new Error(`${name} broke`);
}

async function all(sources: readonly string[], open: (source: string) => AsyncGenerator<string, void, undefined>) {
  const seen: string[] = [];
  for await (const turn of inTurns(sources, open, soon))
    seen.push(turn.kind === 'value' ? turn.value : `${turn.source} ${turn.error === undefined ? 'ends' : 'fails'}`);
  return seen;
}

describe('readings in turns', () => {
  it('go one after the other while all of them answer', async () => {
    expect(await all(['a', 'b'], (name) => counting(name, 2))).toEqual(['a1', 'a2', 'a ends', 'b1', 'b2', 'b ends']);
  });

  it('go on behind one that fails', async () => {
    expect(await all(['a', 'b'], (name) => counting(name, 1, name === 'a'))).toEqual(['a1', 'a fails', 'b1', 'b ends']);
  });

  it('overtake those that are silent, and use what these say later', async () => {
    const answer = Promise.withResolvers<void>();
    async function* silent() {
      await answer.promise;
      yield 'late';
    }
    const seen: string[] = [];
    for await (const turn of inTurns(
      ['a', 'b', 'c', 'd'],
      (name) => (name === 'd' ? counting(name, 2) : silent()),
      soon,
    )) {
      if (turn.kind === 'end') continue;
      seen.push(turn.value);
      if (turn.value === 'd2') answer.resolve();
    }

    expect(seen).toEqual(['d1', 'd2', 'late', 'late', 'late']);
  });

  it('begin no more than four at once', async () => {
    const answer = Promise.withResolvers<void>();
    let begun = 0;
    const turns = inTurns(
      ['a', 'b', 'c', 'd', 'e', 'f'],
      async function* () {
        begun++;
        await answer.promise;
        yield 'x';
      },
      soon,
    );
    const first = turns.next();
    await vi.waitFor(() => expect(begun).toBe(4), 30_000);
    for (let i = 0; i < 5; i++) await soon();
    expect(begun).toBe(4);
    answer.resolve();
    await first;
    await turns.return();
  });
});
