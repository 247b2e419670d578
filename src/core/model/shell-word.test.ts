import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { shellWord } from './shell-word.ts';

it.each([
  'http://a.example/it\'s; touch x"$(id)`id`\\',
  "'; entente purge --siem all --yes #",
  'https://a.example/?a=b&c=d',
  '$HOME',
  'two words',
])('%s is one word to a shell, and the same one', (value) => {
  expect(execFileSync('sh', ['-c', `printf %s ${shellWord(value)}`], { encoding: 'utf8' })).toBe(value);
});

it('leaves plain values as they are read best, and names what is too long to be read', () => {
  expect([shellWord('198.51.100.7'), shellWord('a.example'), shellWord('2001:db8::1')]).toEqual([
    '198.51.100.7',
    'a.example',
    '2001:db8::1',
  ]);
  expect(shellWord(`http://a.example/${'x'.repeat(400)}`)).toBe('VALUE');
});
