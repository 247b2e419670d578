import { expect, it } from 'vitest';
import { Secret } from '../core/runtime/secret.ts';
import { sessionCookie, sessionHolds } from './session.ts';

const token = Secret.of('t0ken');
const HOUR = 3_600_000;

it('a session holds for twelve hours, under the token that began it alone', () => {
  const pair = sessionCookie(token, 0, false).split(';')[0];

  expect(sessionHolds(pair, token, 12 * HOUR - 1)).toBe(true);
  expect(sessionHolds(pair, token, 12 * HOUR)).toBe(false);
  expect(sessionHolds(pair, Secret.of('another'), 1)).toBe(false);
  // Nobody gives it a longer life.
  expect(sessionHolds(pair?.replace(/=\d+/, `=${24 * HOUR}`), token, 1)).toBe(false);
});
