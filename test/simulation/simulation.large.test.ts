// More seeds than the fast tests have time for.
import { expect, it } from 'vitest';
import { failuresOf } from './seeds-in-a-row.ts';

it('store, pollers and deliverers converge once faults stop, whatever came before', {
  timeout: 1_200_000,
}, async () => {
  expect((await failuresOf(41, 100)).join('\n\n')).toBe('');
});
