// Moments as they are shown.

/** The latest that a date can say. */
const LAST_MS = 8.64e15;

export function iso(ms: number): string;
export function iso(ms: number | null | undefined): string | null;
export function iso(ms: number | null | undefined): string | null {
  return ms === null || ms === undefined ? null : new Date(Math.min(ms, LAST_MS)).toISOString();
}
