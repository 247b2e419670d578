// Two brakes against a partner's mistakes: one when unusually much is withdrawn at once, one when unusually much
// is added. They count over a window and per exchange and SIEM, never per plan, or many small plans would pass.
// What counts as withdrawn or added is the caller's to say; here is only the arithmetic.

/** What one SIEM allows one exchange. */
export interface BrakeSettings {
  readonly removal: { readonly share: number; readonly atLeast: number; readonly windowHours: number };
  readonly addition: { readonly factor: number; readonly atLeast: number };
}

export const DEFAULT_BRAKES: BrakeSettings = {
  removal: { share: 0.2, atLeast: 100, windowHours: 24 },
  addition: { factor: 10, atLeast: 10_000 },
};

type BrakeVerdict = 'pass' | 'hold';

interface RemovalCount {
  /** Entries that this exchange withdrew from this SIEM within the window: revoked, deleted, vanished, cut short. Never expiry. */
  readonly withdrawnInWindow: number;
  /** Entries of this exchange that stood in this SIEM when the window began. */
  readonly armed: number;
  /** Share of `armed` that may go, 0 to 1. */
  readonly share: number;
  /** Below this number nothing is held, however large its share. */
  readonly atLeast: number;
}

export function removalBrake({ withdrawnInWindow, armed, share, atLeast }: RemovalCount): BrakeVerdict {
  return withdrawnInWindow >= atLeast && withdrawnInWindow > armed * share ? 'hold' : 'pass';
}

interface AdditionCount {
  readonly addedInWindow: number;
  /** What this exchange usually adds in such a window. */
  readonly usual: number;
  readonly factor: number;
  readonly atLeast: number;
  /** The first sync brings everything at once and is exempt. */
  readonly firstSync: boolean;
}

export function additionBrake({ addedInWindow, usual, factor, atLeast, firstSync }: AdditionCount): BrakeVerdict {
  return !firstSync && addedInWindow >= atLeast && addedInWindow > usual * factor ? 'hold' : 'pass';
}
