// A moment as a person types it: a time, or how long ago.
import { timestampMs } from './timestamp.ts';

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** 2026-11-28T06:00Z, with seconds or without, or 90m, 6h, 2d ago; undefined: neither. */
export function timeOf(text: string, now: number): number | undefined {
  const [, number, unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (number !== undefined) return now - Number(number) * UNITS[unit]!;
  return timestampMs(text) ?? timestampMs(text.replace(/^(\d{4}-\d\d-\d\dT\d\d:\d\d)Z$/, '$1:00Z'));
}
