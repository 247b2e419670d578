// Turns claims into what each SIEM shall hold. Every change of wanted state goes through here: a new version of an object,
// an expiry, a changed rule, a suppression, the end of a hold. Here the claims of entries are read and judged for each SIEM
// by the rules of ledger/: what is admitted (admissions.ts), and what comes of it (judgement.ts).
import { type Admission, noneYet } from '../../ledger/admit.ts';
import type { Reason } from '../../ledger/project.ts';
import { lost } from '../../ledger/found.ts';
import { isKept } from '../../ledger/stand.ts';
import { Admissions } from './admissions.ts';
import { ChosenClaims } from './chosen.ts';
import type { Brakes } from './brakes.ts';
import type { StoredClaim } from '../rows/claims.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import { CROWDED, EntryClaims } from '../unit/entry-claims.ts';
import type { HoldTable } from './hold-table.ts';
import { type Came, Judgement } from './judgement.ts';
import { LetIn } from './let-in.ts';
import type { ObjectRow, StoredEntry } from '../rows/rows.ts';
import type { Seats } from './seats.ts';
import type { Standing, StandTable } from './stand-table.ts';
import { Suppressions } from './suppressions.ts';

const NO_CLAIMS: readonly ObjectRow[] = [];
/** Entries that are judged as one set. */
const MOST_TOGETHER = 500;

/** An entry to be judged, and why. */
export interface Judged {
  readonly entry: StoredEntry;
  readonly reason: Reason;
}

export class Projector {
  readonly claims: EntryClaims;
  readonly admissions: Admissions;
  readonly suppressions: Suppressions;
  readonly chosen = new ChosenClaims();
  readonly #store: StoreContext;
  readonly #holds: HoldTable;
  readonly #stands: StandTable;
  readonly #letIn: LetIn;
  readonly #judgement: Judgement;

  constructor(store: StoreContext, brakes: Brakes, holds: HoldTable, stands: StandTable, seats: Seats) {
    this.claims = new EntryClaims(store);
    this.suppressions = new Suppressions(store);
    this.#store = store;
    this.#holds = holds;
    this.#stands = stands;
    this.#letIn = new LetIn(store, holds);
    this.admissions = new Admissions(store, this.claims, this.#letIn);
    const { admissions, suppressions } = this;
    this.#judgement = new Judgement({
      store,
      brakes,
      holds,
      stands,
      seats,
      letIn: this.#letIn,
      admissions,
      suppressions,
    });
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
        this.#judgement.of(siem, entry, this.#stands.load(siem, entry.id), admission, reason, now);
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
    this.#judgement.of(siem, entry, this.#stands.load(siem, entry.id), admission, reason, now, moment);
  }

  /**
   * The usual case of a first sync: a new entry with one claim. No row can exist yet. SIEMs that judge alike come to one
   * stand, unless something of the SIEM itself goes into it.
   */
  projectNew(entry: StoredEntry, row: ObjectRow, reason: Reason, now: number): void {
    let last: { readonly siem: SiemState; readonly admission: Admission<StoredClaim>; readonly came: Came } | undefined;
    for (const { siem, admission } of this.admissions.ofEach(this.#store.siems, entry, [row], now)) {
      if (last !== undefined && last.admission === admission && isPlain(siem) && isSamePace(last.siem, siem)) {
        this.#judgement.write(siem, entry, undefined, last.came, reason);
      } else {
        const came = this.#judgement.of(siem, entry, undefined, admission, reason, now);
        last = isPlain(siem) ? { siem, admission, came } : undefined;
      }
    }
  }

  /** What stood there is lost. */
  lost(siem: SiemState, standing: Standing, now: number): void {
    this.#lost(siem, standing, isKept(standing.stand) && this.#tells(siem, standing, now));
  }

  /** `lost` for many, as a set. */
  lostAll(siem: SiemState, standings: readonly Standing[], now: number): void {
    const told = new Set<Standing>();
    for (const part of this.claims.loadedEvery(standings.filter(({ stand }) => isKept(stand))))
      for (const one of part) if (this.#tells(siem, one, now)) told.add(one);
    this.claims.forget();
    this.#stands.together(() => {
      for (const one of standings) this.#lost(siem, one, told.has(one));
    });
  }

  #lost(siem: SiemState, { entry, stand }: Standing, told: boolean): void {
    this.#stands.write(siem, entry, stand, lost(stand, told, this.#store.revision, this.#store.engineTime));
  }

  /** What a hold keeps, and somebody can still describe. */
  #tells(siem: SiemState, { entry, stand }: Standing, now: number): boolean {
    return this.admissions.keptEntry(siem, entry, stand.wanted.until, now) !== undefined;
  }
}

/** Nothing but its rules says how a new entry comes to stand there: no places, no rows that several entries share. */
const isPlain = ({ encoder, spec }: SiemState): boolean => spec.maxEntries === undefined && !encoder.foldsSlots;

const isSamePace = (a: SiemState, b: SiemState): boolean => a.spec.refreshAfterDays === b.spec.refreshAfterDays;
