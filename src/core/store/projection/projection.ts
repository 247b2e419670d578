// Turns claims into what each SIEM shall hold. Every change of wanted state goes through here: a new version of an object,
// an expiry, a changed rule, a suppression, the end of a hold. The rules are those of ledger/: what is admitted (admit.ts),
// what waits for a person (withheld.ts), what comes of both (project.ts); here they meet the rows.
import type { Entry } from '../../model/entry.ts';
import { merge, type Merged } from '../../inventory/merge.ts';
import { digest48 } from '../../model/digest.ts';
import { timestampMs } from '../../model/timestamp.ts';
import { type Admission, noneYet } from '../../ledger/admit.ts';
import type { Worth } from '../../ledger/capacity.ts';
import { held, staysHeld, type Turn } from '../../ledger/holds.ts';
import { type Moment, type Offer, project, projectNew, type Reason } from '../../ledger/project.ts';
import { lost } from '../../ledger/found.ts';
import { isKept, isVouched, type Stand } from '../../ledger/stand.ts';
import { withheld } from '../../ledger/withheld.ts';
import { listedFor } from '../../policy/intake.ts';
import { Admissions, noted } from './admissions.ts';
import { ChosenClaims } from './chosen.ts';
import type { Brakes } from './brakes.ts';
import type { StoredClaim } from '../rows/claims.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import { CROWDED, EntryClaims } from '../unit/entry-claims.ts';
import type { HoldTable } from './hold-table.ts';
import { LetIn } from './let-in.ts';
import { LISTED_OWNER } from '../spec/lists.ts';
import type { ObjectRow, StoredEntry } from '../rows/rows.ts';
import type { Seats } from './seats.ts';
import type { Standing, StandTable } from './stand-table.ts';
import { Suppressions } from './suppressions.ts';

const DAY_MS = 86_400_000;
const NO_CLAIMS: readonly ObjectRow[] = [];
/** Entries that are judged as one set. */
const MOST_TOGETHER = 500;

/** An entry to be judged, and why. */
export interface Judged {
  readonly entry: StoredEntry;
  readonly reason: Reason;
}

/** What an entry comes to in one SIEM, and what is counted of that. */
type Came = ReturnType<typeof project>;

export class Projector {
  readonly claims: EntryClaims;
  readonly admissions: Admissions;
  readonly suppressions: Suppressions;
  readonly chosen = new ChosenClaims();
  readonly #store: StoreContext;
  readonly #brakes: Brakes;
  readonly #holds: HoldTable;
  readonly #stands: StandTable;
  readonly #seats: Seats;
  readonly #letIn: LetIn;
  #lastMerge:
    | {
        readonly admitted: Admission<StoredClaim>['admitted'];
        readonly asOf: number;
        readonly merged: Merged;
      }
    | undefined;

  constructor(store: StoreContext, brakes: Brakes, holds: HoldTable, stands: StandTable, seats: Seats) {
    this.claims = new EntryClaims(store);
    this.suppressions = new Suppressions(store);
    this.#store = store;
    this.#brakes = brakes;
    this.#holds = holds;
    this.#stands = stands;
    this.#seats = seats;
    this.#letIn = new LetIn(store, holds);
    this.admissions = new Admissions(store, this.claims, this.#letIn);
  }

  /** A unit failed. */
  forget(): void {
    this.suppressions.forget();
    this.claims.forget();
    this.chosen.clear();
    this.#letIn.forget();
  }

  // ---- what each SIEM shall hold

  /**
   * `project` for many entries, as sets: what they need is read before, in a few look-ups, and what comes of it is
   * written after. Returns how many claims were read. `crowded`: what is done with those that are, instead.
   */
  projectAll(judged: readonly Judged[], now: number, only?: SiemState, crowded?: (one: Judged) => void): number {
    let read = 0;
    for (let at = 0; at < judged.length; at += MOST_TOGETHER)
      for (const part of this.claims.loaded(judged.slice(at, at + MOST_TOGETHER)))
        this.#stands.together(() => {
          this.#loadStands(
            part.map((one) => one.entry.id),
            only,
          );
          for (const one of part) {
            if (crowded !== undefined && this.claims.isCrowded(one.entry.id) && !this.suppressions.has(one.entry, now))
              crowded(one);
            else read += this.project(one.entry, one.reason, now, only);
          }
        });
    this.claims.forget();
    return read;
  }

  /** Rows of the set, the holds that bar them, and what else stood behind those that a hold keeps. */
  #loadStands(ids: readonly number[], only: SiemState | undefined): void {
    const holds = new Set<number>();
    const kept = new Set<number>();
    for (const siem of only === undefined ? this.#store.siems : [only]) {
      this.#stands.loadAll(siem, ids);
      for (const id of ids) {
        const hold = this.#stands.load(siem, id)?.hold;
        if (hold !== undefined) holds.add(hold.id);
        if (hold?.kind === 'removal') kept.add(id);
      }
    }
    this.#holds.know([...holds]);
    this.claims.loadEvery([...kept]);
  }

  /** Computes the entry anew for every SIEM, or for one. Returns how many claims were read. */
  project(entry: StoredEntry, reason: Reason, now: number, only?: SiemState): number {
    const siems = only === undefined ? this.#store.siems : [only];
    // Whatever very many claims say of it, a suppressed entry goes, and at once.
    const isCrowded = this.claims.namedBy(entry.id) > CROWDED;
    const unread = isCrowded && this.suppressions.has(entry, now);
    let read = 0;
    if (isCrowded && !unread) {
      const each = siems.map((siem) => ({ siem, admission: noneYet<StoredClaim>() }));
      for (const rows of this.claims.parts(entry.id)) {
        read += rows.length;
        for (const { siem, admission } of each) this.admissions.admit(admission, siem, entry, rows, now);
      }
      for (const { siem, admission } of each) this.projectAdmitted(entry, reason, now, siem, admission, now);
      return read;
    }
    for (const rows of unread ? [NO_CLAIMS] : this.claims.parts(entry.id)) {
      read += rows.length;
      for (const { siem, admission } of this.admissions.ofEach(siems, entry, rows, now))
        this.#one(siem, entry, this.#stands.load(siem, entry.id), admission, reason, now);
    }
    return read;
  }

  /** A crowded one, of which all claims were gone through, as of `moment`. */
  projectAdmitted(
    entry: StoredEntry,
    reason: Reason,
    now: number,
    siem: SiemState,
    admission: Admission<StoredClaim>,
    moment: number,
  ): void {
    const objects = [...admission.admitted, ...admission.pending].map(({ claim }) => claim.rowId);
    this.chosen.keep(siem.id, entry.id, { moment, objects });
    this.#one(siem, entry, this.#stands.load(siem, entry.id), admission, reason, now, moment);
  }

  /**
   * The usual case of a first sync: a new entry with one claim. No row can exist yet. SIEMs that judge alike come to one
   * stand, unless something of the SIEM itself goes into it.
   */
  projectNew(entry: StoredEntry, row: ObjectRow, reason: Reason, now: number): void {
    let last: { readonly siem: SiemState; readonly admission: Admission<StoredClaim>; readonly came: Came } | undefined;
    for (const { siem, admission } of this.admissions.ofEach(this.#store.siems, entry, [row], now)) {
      if (last !== undefined && last.admission === admission && isPlain(siem) && isSamePace(last.siem, siem)) {
        this.#write(siem, entry, undefined, last.came, reason);
      } else {
        const came = this.#one(siem, entry, undefined, admission, reason, now);
        last = isPlain(siem) ? { siem, admission, came } : undefined;
      }
    }
  }

  #one(
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
      suppressedUntil: this.suppressions.until(entry),
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
      stand = held(stand, { id, kind: 'addition' }, undefined, this.#store.revision, now);
      counted = undefined;
    }
    const came = { stand, counted };
    this.#write(siem, entry, before, came, reason);
    return came;
  }

  #write(
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
    return staysHeld(hold, stand, turn, now, () => this.admissions.mayBeKept(siem, entry, now));
  }

  /** Policy takes it away: perhaps a never-block list that knows it only now. Counted once, whatever holds it. */
  #stopped(siem: SiemState, entry: StoredEntry): void {
    if (siem !== this.#store.siems[0]) return;
    const [rules] = Object.values(siem.spec.rules);
    for (const { list, action } of rules === undefined ? [] : listedFor(entry, rules.intake))
      if (action === 'refuse') this.#store.count(LISTED_OWNER, `${list} ${action}`, 1);
  }

  /** What stood there is lost. */
  lost(siem: SiemState, { entry, stand }: Standing, now: number): void {
    const told = isKept(stand) && this.admissions.keptEntry(siem, entry, stand.wanted.until, now) !== undefined;
    this.#stands.write(siem, entry, stand, lost(stand, told, this.#store.revision, this.#store.engineTime));
  }
}

const slotOf = ({ encoder, spec }: SiemState, { type, value }: StoredEntry): string | undefined =>
  encoder.foldsSlots ? encoder.slot(type, value, spec.settings) : undefined;

/** Nothing but its rules says how a new entry comes to stand there: no places, no rows that several entries share. */
const isPlain = ({ encoder, spec }: SiemState): boolean => spec.maxEntries === undefined && !encoder.foldsSlots;

const isSamePace = (a: SiemState, b: SiemState): boolean => a.spec.refreshAfterDays === b.spec.refreshAfterDays;

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
