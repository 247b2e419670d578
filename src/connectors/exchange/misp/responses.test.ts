import { expect, it } from 'vitest';
import { IndexAnswer, NewsAnswer } from './responses.ts';

it.each([[{}], [[]], [{ response: [] }], [{ response: null }], [{ response: {} }], [{ response: { response: [] } }]])(
  'takes %j for nothing new',
  (given) => {
    expect(NewsAnswer.parse(given)).toEqual([]);
    expect(IndexAnswer.parse(given)).toEqual([]);
  },
);

it('refuses an answer that is nested deeper than any stack', () => {
  const depth = 100_000;
  const given: unknown = JSON.parse(`${'{"response":'.repeat(depth)}[]${'}'.repeat(depth)}`);

  expect(NewsAnswer.safeParse(given).success).toBe(false);
  expect(IndexAnswer.safeParse(given).success).toBe(false);
});
