// How a row of `hold` stands for a set, and the code under which a person decides on it.
import { sha256 } from '../../runtime/ids.ts';

/** `intake`: policy wants a person to look before they are armed. Their rows are held as additions are. */
export type HoldKind = 'removal' | 'addition' | 'intake';

/** What a brake freezes. */
export type BrakeKind = Exclude<HoldKind, 'intake'>;

export interface HoldRow {
  readonly id: number;
  readonly kind: HoldKind;
  readonly siem_id: number;
  readonly exchange_id: number;
  readonly created: number;
  readonly reason: string;
  readonly decided: number | null;
  readonly decision: 'approve' | 'reject' | null;
  readonly decided_by: string | null;
  readonly decision_reason: string | null;
  readonly entries: number;
  readonly sum: number;
}

/**
 * Eight digits that stand for exactly the set that was shown. `secret` is this state's own, so that a partner who knows
 * everything else cannot make a set that looks like the one that was shown.
 */
export function setCode(secret: string, hold: Pick<HoldRow, 'id' | 'entries' | 'sum'>): string {
  return sha256(`hold ${secret} ${hold.id} ${hold.entries} ${hold.sum}`).slice(0, 8);
}
