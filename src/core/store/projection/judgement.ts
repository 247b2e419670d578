// What one SIEM shall hold of one entry: what the claims that it admits come to (withheld.ts, merge.ts) and the stand that
// follows (project.ts), written and counted.
import { merge, type Merged } from '../../inventory/merge.ts';
import type { Admission } from '../../ledger/admit.ts';
import type { Worth } from '../../ledger/capacity.ts';
import { held, staysHeld, type Turn } from '../../ledger/holds.ts';
import { type Moment, type Offer, project, projectNew, type Reason } from '../../ledger/project.ts';
import { isVouched, type Stand } from '../../ledger/stand.ts';
import { withheld } from '../../ledger/withheld.ts';
import { digest48 } from '../../model/digest.ts';
import type { Entry } from '../../model/entry.ts';
import { timestampMs } from '../../model/timestamp.ts';
import { listedFor } from '../../policy/intake.ts';
import type { StoredClaim } from '../rows/claims.ts';
import type { StoredEntry } from '../rows/rows.ts';
import { LISTED_OWNER } from '../spec/lists.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import { type Admissions, noted } from './admissions.ts';
import type { Brakes } from './brakes.ts';
import type { HoldTable } from './hold-table.ts';
import type { LetIn } from './let-in.ts';
import type { Seats } from './seats.ts';
import type { StandTable } from './stand-table.ts';
import type { Suppressions } from './suppressions.ts';

const DAY_MS = 86_400_000;

/** What an entry comes to in one SIEM, and what is counted of that. */
export type Came = ReturnType<typeof project>;

/** What it is judged with. */
interface Given {
  readonly store: StoreContext;
  readonly brakes: Brakes;
  readonly holds: HoldTable;
  readonly stands: StandTable;
  readonly seats: Seats;
  readonly letIn: LetIn;
  readonly admissions: Admissions;
  readonly suppressions: Suppressions;
}

export class Judgement {
  readonly #store: StoreContext;
  readonly #brakes: Brakes;
  readonly #holds: HoldTable;
  readonly #stands: StandTable;
  readonly #seats: Seats;
  readonly #letIn: LetIn;
  readonly #admissions: Admissions;
  readonly #suppressions: Suppressions;
  #lastMerge:
    | {
        readonly admitted: Admission<StoredClaim>['admitted'];
        readonly asOf: number;
        readonly merged: Merged;
      }
    | undefined;

  constructor({ store, brakes, holds, stands, seats, letIn, admissions, suppressions }: Given) {
    this.#store = store;
    this.#brakes = brakes;
    this.#holds = holds;
    this.#stands = stands;
    this.#seats = seats;
    this.#letIn = letIn;
    this.#admissions = admissions;
    this.#suppressions = suppressions;
  }

  /** From the claims that it admits, as of `asOf`. */
  of(
    siem: SiemState,
    entry: StoredEntry,
    before: Stand | undefined,
    given: Admission<StoredClaim>,
    reason: Reason,
    now: number,
    /** Of the claims, where going through them took a while. */
    asOf = now,
  ): Came {
    const intake = withheld(entry, given, before, this.#answers(siem, entry, before), asOf);
    if (intake.over) this.#letIn.over(siem, entry.id);
    const { admitted, refused, vouchers, left } = intake.admission;
    const merged = this.#mergeOf(entry, admitted, asOf);
    const offer: Offer = {
      vouched: merged.entry !== undefined,
      until: merged.entry?.until,
      content: contentOf(merged.digest, merged.entry === undefined ? [] : noted(siem, entry)),
      vouchers,
      // What is taken away first comes into its hold when it is looked at after that.
      nextChangeAt: intake.until ?? merged.nextChangeAt,
      refused,
      left,
      suppressedUntil: this.#suppressions.until(entry),
      room:
        siem.spec.maxEntries === undefined ? undefined : this.#seats.roomFor(siem, entry.type, worthOf(merged.entry)),
    };
    const moment: Moment = {
      now,
      revision: this.#store.revision,
      refreshAfter: refreshAfterMs(siem, entry.id),
      sentUpTo: siem.openedMark,
    };
    let changed = true;
    const projected =
      before === undefined
        ? projectNew(offer, moment, slotOf(siem, entry))
        : project(before, offer, reason, moment, (turn) => {
            changed = turn.changed;
            return intake.hold === undefined && this.#stays(siem, entry, before, turn, now);
          });
    let { stand, counted } = projected;
    if (intake.hold !== undefined && stand !== undefined && isVouched(stand)) {
      const id = this.#letIn.holdFor(siem, intake.hold, before, changed, now);
      stand = held(stand, { id, kind: 'addition' }, undefined, this.#store.revision, now, offer.room?.place);
      counted = undefined;
    }
    const came = { stand, counted };
    this.write(siem, entry, before, came, reason);
    return came;
  }

  /** What it came to. */
  write(
    siem: SiemState,
    entry: StoredEntry,
    before: Stand | undefined,
    { stand, counted }: Came,
    reason: Reason,
  ): void {
    this.#stands.write(siem, entry, before, stand);
    if (counted?.kind === 'added') this.#brakes.added(siem, reason.exchangeId, entry.id);
    else if (counted?.kind === 'stopped') this.#stopped(siem, entry);
    else if (counted !== undefined) this.#brakes.withdrawn(siem, counted.exchangeId, entry.id, counted.kept);
  }

  /** SIEMs that judge alike hold the same, one after the other. */
  #mergeOf(entry: StoredEntry, admitted: Admission<StoredClaim>['admitted'], asOf: number): Merged {
    if (this.#lastMerge?.admitted === admitted && this.#lastMerge.asOf === asOf) return this.#lastMerge.merged;
    const merged = merge(entry, admitted, asOf);
    this.#lastMerge = { admitted, asOf, merged };
    return merged;
  }

  #answers(siem: SiemState, { id }: StoredEntry, before: Stand | undefined): Parameters<typeof withheld>[3] {
    let noted = false;
    return {
      letIn: (question) => {
        if (!noted) this.#letIn.note(siem, id, before);
        noted = true;
        return this.#letIn.has(siem, id, question);
      },
      mayAsk: (question) => this.#letIn.asks(siem, question),
    };
  }

  #stays(siem: SiemState, entry: StoredEntry, stand: Stand, turn: Turn, now: number): boolean {
    const hold = stand.hold === undefined ? undefined : this.#holds.get(stand.hold.id);
    return staysHeld(hold, stand, turn, now, () => this.#admissions.mayBeKept(siem, entry, now));
  }

  /** Policy takes it away: perhaps a never-block list that knows it only now. Counted once, whatever holds it. */
  #stopped(siem: SiemState, entry: StoredEntry): void {
    if (siem !== this.#store.siems[0]) return;
    const [rules] = Object.values(siem.spec.rules);
    for (const { list, action } of rules === undefined ? [] : listedFor(entry, rules.intake))
      if (action === 'refuse') this.#store.count(LISTED_OWNER, `${list} ${action}`, 1);
  }
}

const slotOf = ({ encoder, spec }: SiemState, { type, value }: StoredEntry): string | undefined =>
  encoder.foldsSlots ? encoder.slot(type, value, spec.settings) : undefined;

/** A list that comes to name the value has the entry written again. */
const contentOf = (digest: number, lists: readonly string[]): number =>
  lists.length === 0 ? digest : digest48(`${digest} ${lists.join()}`);

/** What comes first where not all have room. */
const worthOf = (entry: Entry | undefined): Worth | undefined =>
  entry === undefined
    ? undefined
    : { confidence: entry.confidence, modified: timestampMs(entry.claims[0]?.version) ?? entry.validFrom };

/** Entries that are touched again together: a moment for each would be a page of the index by moments for each. */
const TOGETHER_AGAIN = 128;
const GOLDEN = 0.618033988749895;

/** Spread over the last tenth, so that a million entries of one day are not touched again on one day. */
function refreshAfterMs({ spec }: SiemState, entryId: number): number | undefined {
  if (spec.refreshAfterDays === undefined) return undefined;
  // Steps of the golden ratio spread few and many alike.
  const share = (Math.floor(entryId / TOGETHER_AGAIN) * GOLDEN) % 1;
  return spec.refreshAfterDays * DAY_MS * (1 - share / 10);
}
