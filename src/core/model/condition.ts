// Every condition a part can be in, by a word that stays the same: each has its chapter in docs/runbook.md, whose address
// status prints. What a person reads is the reason; this is where to look it up.

export const CONDITIONS = [
  'well',
  'quiet',
  'odd',
  'first-contact',
  'never-reached',
  'unreachable',
  'stale',
  'refused',
  'refused-for-good',
  'bug',
  'hold-waits',
  'hold-overdue',
  'full',
  'disabled',
  'shadow',
  'idle',
  'clock-doubted',
  'reload-refused',
  'state-away',
] as const;

export type Condition = (typeof CONDITIONS)[number];

/** Undefined where there is nothing to look up. */
export const runbookOf = (condition: Condition): string | null =>
  condition === 'well' ? null : `docs/runbook.md#${condition}`;
