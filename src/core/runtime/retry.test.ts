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
});
