// What a change from stand to stand is for the record: that something came to stand in a SIEM, changed or went there, came
// into a hold or left it, and by whose word. Pure.
import type { RowOp } from '../../audit/record.ts';
import { voucherBit } from '../../ledger/admit.ts';
import { type Is, isKept, type Stand } from '../../ledger/stand.ts';
import { CAUSE, CAUSE_TEXT } from '../rows/rows.ts';

/** One row of the record, of an entry that is known. */
export interface Change {
  readonly op: RowOp;
  readonly revision: number;
  readonly reason: string;
}

const NONE: readonly Change[] = [];

/** `was`: what stood there before the call that is settled now. */
export function changesOf(
  before: Stand | undefined,
  after: Stand | undefined,
  was: Is,
  vouchers: Vouchers,
): readonly Change[] {
  const op = presenceOp(before, after, was);
  const [left, joined] = [before?.hold, after?.hold];
  if (op === undefined && left?.id === joined?.id) return NONE;
  const changes: Change[] = [];
  const { wanted, present } = (after ?? before)!;
  if (op !== undefined) {
    const revision = op === 'disarm' ? wanted.revision : present.revision;
    const reason = op === 'disarm' ? whyGone(before!, vouchers) : whyThere(after!, vouchers);
    changes.push({ op, revision, reason });
  }
  if (left?.id === joined?.id) return changes;
  for (const [of, hold] of [['unhold', left] as const, ['hold', joined] as const])
    if (hold !== undefined)
      changes.push({ op: of, revision: wanted.revision, reason: `hold ${hold.id} (${hold.kind})` });
  return changes;
}

/** What changed in what is known to stand there. `maybe` is neither. */
function presenceOp(
  before: Stand | undefined,
  after: Stand | undefined,
  was: Is,
): 'arm' | 'change' | 'disarm' | undefined {
  const is = after?.present.is ?? 'no';
  const stood = before?.present;
  if (is === 'yes' && (stood?.is !== 'yes' || was !== 'yes' || stood.revision !== after!.present.revision))
    return was === 'yes' ? 'change' : 'arm';
  // What only may have stood there, and never was known to, is no loss.
  const known = was === 'yes' || (was === 'maybe' && stood !== undefined && stood.revision !== 0);
  // Looked for and found under another key's words, which fill the same row: from here it only may stand there.
  const lost = is === 'maybe' && after!.present.revision === 0;
  return known && (is === 'no' || lost) ? 'disarm' : undefined;
}

function whyGone(stand: Stand, vouchers: Vouchers): string {
  const { wanted, call } = stand;
  if (!wanted.is && !isKept(stand)) return causeOf(stand, vouchers);
  return call === undefined ? 'lost in the SIEM' : 'it went before it was wanted again';
}

function whyThere(stand: Stand, vouchers: Vouchers): string {
  const { wanted } = stand;
  if (wanted.is || isKept(stand)) return vouchers.by(wanted.vouchers);
  return wanted.cause === 'adopted' || wanted.cause === 'late'
    ? CAUSE_TEXT[CAUSE[wanted.cause]]
    : `stands there and is to go: ${causeOf(stand, vouchers)}`;
}

function causeOf({ wanted }: Stand, vouchers: Vouchers): string {
  const text = CAUSE_TEXT[CAUSE[wanted.cause]];
  const names = wanted.cause === 'withdrawn' || wanted.cause === 'unlisted' ? vouchers.names(wanted.vouchers) : '';
  return names === '' ? text : `${text} (${names})`;
}

/** Names of those whose claims carry an entry. */
export class Vouchers {
  readonly #exchangeNames: ReadonlyMap<number, string>;
  readonly #texts = new Map<number, string>();

  /** Of all exchanges ever seen, by id. */
  constructor(exchangeNames: ReadonlyMap<number, string>) {
    this.#exchangeNames = exchangeNames;
  }

  names(bits: number): string {
    return [...this.#exchangeNames].flatMap(([id, name]) => ((bits & voucherBit(id)) === 0 ? [] : [name])).join(', ');
  }

  /** As the record says it. */
  by(bits: number): string {
    let text = this.#texts.get(bits);
    if (text === undefined) {
      text = `vouched for by ${this.names(bits)}`;
      this.#texts.set(bits, text);
    }
    return text;
  }
}
