// What is gone through in steps (unit/sweeps.ts), as the table `sweep` names it.

/** What is gone through, and whose id `owner` is; null = nobody's. */
export const SWEEP_OWNERS = {
  marking: 'exchange',
  name: 'exchange',
  vanished: 'exchange',
  left: 'exchange',
  recompute: 'siem',
  emptied: 'siem',
  parked: 'siem',
  adopted: 'siem',
  approved: 'hold',
  respelled: null,
  crowded: null,
  told: null,
  expired: null,
  entries: null,
} as const;
export type SweepKind = keyof typeof SWEEP_OWNERS;
