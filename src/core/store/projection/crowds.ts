// Entries that very many objects name. One unit goes through a part of their claims for one SIEM and keeps what it came
// to in the argument of its sweep; the next one goes on from there. Begun anew when a claim changes meanwhile.
import { mergeClaims } from '../../inventory/merge.ts';
import { type Admission, noneYet } from '../../ledger/admit.ts';
import type { Json } from '../../model/json.ts';
import type { StoredClaim } from '../rows/claims.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import { CROWDED } from '../unit/entry-claims.ts';
import type { Judged, Projector } from './projection.ts';
import type { StoredEntry } from '../rows/rows.ts';
import type { Sweep, Sweeps, SweepStep } from '../unit/sweeps.ts';
import { bothOf, reasonOf } from '../unit/touched.ts';

/** Claims that one unit goes through: some 20 ms. */
const PART = 10_000;

/** What the claims up to `after` come to for one SIEM, by the rules with this fingerprint, as of `moment`. */
interface Part {
  readonly siem: number;
  readonly rules: string;
  readonly moment: number;
  readonly after: number;
  readonly vouchers: number;
  readonly refused: boolean;
  readonly left?: number;
  /** Row ids of those that the result depends on. */
  readonly objects: readonly number[];
}

export class Crowds {
  readonly #store: StoreContext;
  readonly #projector: Projector;
  readonly #sweeps: Sweeps;

  constructor(store: StoreContext, projector: Projector, sweeps: Sweeps) {
    this.#store = store;
    this.#projector = projector;
    this.#sweeps = sweeps;
    sweeps.register('crowded', (sweep, _most, now) => this.#step(sweep, now));
  }

  /** Its claims, or the rules, changed: what was gone through of them counts no longer. */
  again({ entry, reason }: Judged, now: number): void {
    this.#projector.chosen.forget(entry.id);
    const waiting = this.#waiting(entry);
    const both = waiting === undefined ? reason : bothOf(reasonOf(waiting.argument), reason);
    this.#sweeps.later('crowded', 0, String(entry.id), { ...both }, now);
  }

  /** Only time went by, or nobody remembers what its claims came to: one that is under way does. */
  look({ entry, reason }: Judged, now: number): void {
    if (this.#waiting(entry) === undefined) this.#sweeps.later('crowded', 0, String(entry.id), { ...reason }, now);
  }

  #waiting(entry: StoredEntry): Sweep | undefined {
    return this.#sweeps.find('crowded', 0, String(entry.id));
  }

  #step({ subject, position, argument }: Sweep, now: number): SweepStep {
    const entry = this.#projector.claims.entries([Number(subject)]).get(Number(subject));
    // One SIEM after the other: the claims are gone through for each.
    const [siem] = this.#store.siems.filter((one) => one.id > Number(position)).sort((a, b) => a.id - b.id);
    if (entry === undefined || siem === undefined) return { rows: 0, position: undefined };
    const reason = reasonOf(argument);
    const done = { position: String(siem.id), argument: { ...reason } };
    // Its claims do not matter.
    if (this.#projector.suppressions.has(entry, now))
      return { rows: this.#projector.project(entry, reason, now, siem), ...done };

    const part = partFor(siem, argument);
    const moment = part?.moment ?? now;
    const admission = this.#goneThrough(siem, entry, part);
    let [after, read] = [part?.after ?? 0, 0];
    for (let more = true; more; ) {
      if (read >= PART)
        return {
          rows: read,
          position: position === '' ? '0' : position,
          argument: { ...reason, part: { ...partOf(siem, admission), moment, after } },
        };
      const rows = this.#projector.claims.after(entry.id, after);
      this.#projector.admissions.admit(admission, siem, entry, rows, moment);
      read += rows.length;
      after = rows.at(-1)?.id ?? after;
      more = rows.length === CROWDED;
    }
    // All that vouched then is over: what does now was perhaps not looked at as such.
    if (moment < now && isOver(entry, admission, moment, now))
      return { rows: read, position: position === '' ? '0' : position, argument: { ...reason } };
    this.#projector.projectAdmitted(entry, reason, now, siem, admission, moment);
    return { rows: read, ...done };
  }

  #goneThrough(siem: SiemState, entry: StoredEntry, part: Part | undefined): Admission<StoredClaim> {
    const admission = noneYet<StoredClaim>();
    if (part === undefined) return admission;
    const rows = this.#projector.claims.byIds(part.objects);
    this.#projector.admissions.admit(admission, siem, entry, rows, part.moment);
    admission.vouchers |= part.vouchers;
    admission.refused ||= part.refused;
    admission.left ??= part.left;
    return admission;
  }
}

function partFor(siem: SiemState, argument: Json): Part | undefined {
  // Written above.
  const { part } = argument as { readonly part?: Part };
  return part?.siem === siem.id && part.rules === siem.spec.fingerprint ? part : undefined;
}

const partOf = (siem: SiemState, { admitted, pending, vouchers, refused, left }: Admission<StoredClaim>) => ({
  siem: siem.id,
  rules: siem.spec.fingerprint,
  vouchers,
  refused,
  ...(left === undefined ? {} : { left }),
  objects: [...admitted, ...pending].map(({ claim }) => claim.rowId),
});

const isOver = (entry: StoredEntry, { admitted, pending }: Admission<StoredClaim>, moment: number, now: number) =>
  [admitted, pending].some((claims) => {
    const until = mergeClaims(entry, claims, moment).entry?.until;
    return until !== undefined && until <= now;
  });
