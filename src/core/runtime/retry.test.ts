import { describe, expect, it } from 'vitest';
import { backoffMs } from './retry.ts';

describe('how long to wait', () => {
  const busy = (retryAfterMs: number) => ({ kind: 'retryable', message: '503', retryAfterMs }) as const;

  it('is at least what the peer asks for, and never longer than the cap for its asking', () => {
    expect(backoffMs(1, busy(90_000), 0)).toBe(90_000);
    expect(backoffMs(1, busy(86_400_000), 0)).toBe(15 * 60_000);
    expect(backoffMs(1, busy(86_400_000), 0, 60_000)).toBe(60_000);
  });

  it('goes its own way where the asking makes no sense', () => {
    expect(backoffMs(1, busy(-5), 1)).toBe(1_000);
    expect(backoffMs(1, busy(Number.NaN), 1)).toBe(1_000);
    expect(backoffMs(1, busy(Number.POSITIVE_INFINITY), 1)).toBe(15 * 60_000);
  });

  it.each([
    ['config', 'between_403'],
    ['config', 'http_404_page'],
    ['config', 'http_405_patch'],
    ['config', 'http_413'],
    ['permanent', undefined],
  ] as const)('is short at first after a refusal that may be over in a moment (%s %s)', (kind, code) => {
    const refusal = { kind, message: 'no', ...(code === undefined ? {} : { code }) };

    expect([1, 2, 3].map((attempt) => backoffMs(attempt, refusal, 1))).toEqual([1_000, 2_000, 4_000]);
    expect(backoffMs(30, refusal, 1)).toBe(kind === 'config' ? 60_000 : 10 * 60_000);
  });

  it.each(['http_401', 'http_403', 'http_401_page', 'http_407_page', 'session_unknown', undefined])(
    'is never short where an account may be locked or rights are missing (%s)',
    (code) => {
      const refusal = { kind: 'config', message: 'no', ...(code === undefined ? {} : { code }) } as const;

      expect(backoffMs(1, refusal, 0)).toBe(30_000);
    },
  );
});
