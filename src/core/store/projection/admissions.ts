// Claims as rows, admitted by the rules of each SIEM (ledger/admit.ts), and the entries that are sent for them.
import { mergeClaims } from '../../inventory/merge.ts';
import { admit, type Admission, noneYet } from '../../ledger/admit.ts';
import type { Entry } from '../../model/entry.ts';
import { notedLists } from '../../policy/never-block.ts';
import { StoredClaim } from '../rows/claims.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import { CROWDED, type EntryClaims } from '../unit/entry-claims.ts';
import type { Explanations } from '../unit/explanations.ts';
import { firstAlike } from './alike.ts';
import type { LetIn } from './let-in.ts';
import type { ObjectRow, StoredEntry } from '../rows/rows.ts';

type Admitted = Admission<StoredClaim>;

export class Admissions {
  readonly #store: StoreContext;
  readonly #claims: EntryClaims;
  readonly #letIn: LetIn;
  readonly #active: ReadonlySet<number>;
  readonly #firstAlike: ReadonlyMap<SiemState, SiemState>;

  constructor(store: StoreContext, claims: EntryClaims, letIn: LetIn) {
    this.#store = store;
    this.#claims = claims;
    this.#letIn = letIn;
    this.#firstAlike = firstAlike(store.siems);
    this.#active = new Set(store.exchanges.map((one) => one.id));
  }

  /** Judges all claims on the entry for each of these SIEMs. Those that judge alike share what it comes to. */
  ofEach(
    siems: readonly SiemState[],
    entry: StoredEntry,
    rows: readonly ObjectRow[],
    now: number,
  ): readonly { readonly siem: SiemState; readonly admission: Admitted }[] {
    const claims = this.#claimsOf(rows);
    const made: { siem: SiemState; admission: Admitted }[] = [];
    for (const siem of siems) {
      const first = this.#firstAlike.get(siem);
      const same = made.find((one) => one.siem === first)?.admission;
      // A question to a person names the SIEM.
      const shared = same?.pending.length === 0;
      const admission = shared ? same : noneYet<StoredClaim>();
      if (!shared) this.#admit(admission, siem, entry, claims, now);
      made.push({ siem, admission });
    }
    return made;
  }

  /** Judges more claims on the entry for this SIEM. */
  admit(into: Admitted, siem: SiemState, entry: StoredEntry, rows: readonly ObjectRow[], now: number): void {
    this.#admit(into, siem, entry, this.#claimsOf(rows), now);
  }

  #claimsOf(rows: readonly ObjectRow[]): StoredClaim[] {
    return rows.map((row) => new StoredClaim(row, this.#store.exchangeNames.get(row.exchange_id) ?? '?'));
  }

  #admit(into: Admitted, siem: SiemState, entry: StoredEntry, claims: readonly StoredClaim[], now: number): void {
    admit(into, siem.spec, entry, claims, {
      now,
      isActive: (exchangeId) => this.#active.has(exchangeId),
      lastHit: () => this.#claims.lastHit(entry.id),
      most: CROWDED,
    });
  }

  /** The merge of those claims that this SIEM may hold, as it would be encoded now. Undefined claims are read here. */
  entryFor(
    siem: SiemState,
    entry: StoredEntry,
    claims: readonly ObjectRow[] | undefined,
    now: number,
    explain: Explanations['explain'],
  ): Entry | undefined {
    const admission: Admitted = noneYet();
    for (const rows of claims === undefined ? this.#claims.parts(entry.id) : [claims])
      this.admit(admission, siem, entry, rows, now);
    // What is sent is in no hold: where only held claims vouch, a person let it in.
    const { admitted, pending } = admission;
    for (const { claim } of [...admitted, ...pending])
      claim.explain(explain(claim.exchangeId, claim.objectId, claim.facts.createdBy));
    const entryOf = mergeClaims(entry, admitted, now).entry;
    if (entryOf !== undefined || pending.length === 0) return withNoted(entryOf, noted(siem, entry));
    return withNoted(mergeClaims(entry, this.#let(siem, entry, pending), now).entry, noted(siem, entry));
  }

  /** Those of them that a person let in. */
  #let(siem: SiemState, { id }: StoredEntry, pending: Admitted['pending']): Admitted['pending'] {
    return pending.filter((one) => this.#letIn.has(siem, id, one.asks));
  }

  /**
   * What a held removal keeps armed, as far as it can still be told: the claims that stood behind it, withdrawn or not,
   * as far as this SIEM may hold them, until the expiry it had.
   */
  keptEntry(
    siem: SiemState,
    entry: StoredEntry,
    until: number | undefined,
    now: number,
    explain?: Explanations['explain'],
  ): Entry | undefined {
    const { admitted } = this.#kept(siem, entry, now).admission;
    if (explain !== undefined)
      for (const { claim } of admitted) claim.explain(explain(claim.exchangeId, claim.objectId, claim.facts.createdBy));
    const standing = admitted.map((one) => ({ ...one, until: until ?? one.until }));
    return withNoted(mergeClaims(entry, standing, now).entry, noted(siem, entry));
  }

  /** A withdrawal is no judgement on what was withdrawn: neither its revocation nor its new validity counts here. */
  #kept(siem: SiemState, entry: StoredEntry, now: number): { rows: number; admission: Admitted } {
    const rows = this.#claims.every(entry.id);
    const stood = rows.map((row) => ({ ...row, benign: 0, valid_from: Math.min(row.valid_from, now) }));
    const admission: Admitted = noneYet();
    this.admit(admission, siem, entry, stood, now);
    // A person let it in as it stood.
    if (admission.admitted.length === 0) admission.admitted = this.#let(siem, entry, admission.pending);
    return { rows: rows.length, admission };
  }

  /** Policy may forbid what a hold keeps: nothing of it then stays. What no claim describes any more says nothing. */
  mayBeKept(siem: SiemState, entry: StoredEntry, now: number): boolean {
    const { rows, admission } = this.#kept(siem, entry, now);
    return rows === 0 || admission.admitted.length > 0 || admission.left !== undefined;
  }
}

/** Lists that only note are the same for all exchanges. */
export function noted({ spec }: SiemState, entry: StoredEntry): readonly string[] {
  const [rules] = Object.values(spec.rules);
  const lists = rules?.intake.neverBlock;
  return lists === undefined ? [] : notedLists(entry, lists);
}

const withNoted = (entry: Entry | undefined, lists: readonly string[]): Entry | undefined =>
  entry === undefined || lists.length === 0 ? entry : { ...entry, noted: lists };
