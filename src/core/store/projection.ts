// Turns claims into what each SIEM shall hold. Every change of wanted state goes through `project`: a new version
// of an object, an expiry, a changed rule, a suppression, the end of a hold.
import type { Claim, Entry, IndicatorFacts } from '../model/entry.ts';
import { PAP_LEVELS, type Pap, type Tlp } from '../model/marking.ts';
import { OBSERVABLE_TYPES, type Observable, type ObservableType } from '../model/observable.ts';
import { type Admitted, condense, merge, mergeClaims } from '../inventory/merge.ts';
import { expiryOf } from '../policy/expiry.ts';
import { holdStays } from '../policy/holds.ts';
import { listedFor, unmarkedTlp } from '../policy/intake.ts';
import type { Brakes } from './brakes.ts';
import type { SiemState, StoreContext, Tally } from './context.ts';
import { decideClaim } from './decide.ts';
import type { ContextTable, Explained } from './explain.ts';
import type { HoldTable } from './hold-table.ts';
import { LISTED_OWNER } from './lists.ts';
import { tlpOf } from './open-markings.ts';
import {
  CAUSE,
  type Cause,
  HOLD,
  isBusy,
  isKept,
  OBJECT,
  type ObjectRow,
  PRESENT,
  type ProjectionRow,
  restingState,
  STATE,
  voucherBit,
} from './rows.ts';

const DAY_MS = 86_400_000;

/** Why a projection is computed: what a row that turns unwanted now is put down to. */
export interface Trigger {
  readonly cause: Cause;
  /** The exchange whose page, listing or removal set this off; 0 = none. */
  readonly exchangeId: number;
  /** Send again even if nothing changed that the digest covers (a threat name arrived). */
  readonly force?: boolean;
}

/**
 * An entry that more objects name is gone through in parts, by a sweep of its own (its claims would not fit into memory,
 * nor be read again with every commit), and names the newest of them alone as its sources.
 */
const CROWDED = 500;

export interface StoredEntry extends Observable {
  readonly id: number;
}

export interface ClaimRow extends ObjectRow {
  exchange_active: number;
}

/** Columns of a claim, in the order in which `claimRow` reads them. */
export const CLAIM_COLUMNS = `o.id, o.exchange_id, o.object_id, o.version, o.state, o.valid_from, o.valid_until, o.confidence,
  o.tlp, o.pap, o.benign, o.open_markings, o.refusal, o.digest, o.facts, o.unexplained, o.life_from`;

export class Projector {
  readonly #store: StoreContext;
  readonly #brakes: Brakes;
  readonly #holds: HoldTable;
  #stale = false;
  readonly #claims;
  readonly #claimsAfter;
  readonly #named;
  readonly #crowd;
  readonly #everyClaim;
  readonly #active: ReadonlySet<number>;
  readonly #row;
  readonly #insert;
  readonly #update;
  readonly #remove;
  readonly #gone;
  readonly #rest;
  readonly #maybe;
  readonly #entry;
  readonly #tallies = new Map<number, Map<ObservableType, Tallies>>();
  /** Keys "type value" that are suppressed now, with the end; small, so it is asked before every write. */
  readonly suppressed = new Map<string, number>();

  constructor(store: StoreContext, brakes: Brakes, holds: HoldTable) {
    this.#store = store;
    this.#brakes = brakes;
    this.#holds = holds;
    const { db } = store;
    this.#claims = db.lists(
      `SELECT ${CLAIM_COLUMNS} FROM contribution c JOIN object o ON o.id = c.object_id
       WHERE c.entry_id = ? AND o.state = ${OBJECT.published}`,
    );
    this.#claimsAfter = db.lists(
      `SELECT ${CLAIM_COLUMNS} FROM contribution c JOIN object o ON o.id = c.object_id
       WHERE c.entry_id = ? AND c.object_id > ? AND o.state = ${OBJECT.published} ORDER BY c.object_id LIMIT ${CROWDED}`,
    );
    this.#named = db.statement<{ n: number }>(
      `SELECT count(*) AS n FROM (SELECT 1 FROM contribution WHERE entry_id = ? LIMIT ${CROWDED + 1})`,
    );
    this.#crowd = db.statement('UPDATE entry SET crowded = 1 WHERE id = ? AND crowded = 0');
    this.#everyClaim = db.lists(
      `SELECT ${CLAIM_COLUMNS} FROM contribution c JOIN object o ON o.id = c.object_id WHERE c.entry_id = ? LIMIT ${CROWDED}`,
    );
    this.#active = new Set(store.exchanges.map((one) => one.id));
    this.#row = db.statement<ProjectionRow>('SELECT * FROM projection WHERE siem_id = ? AND entry_id = ?');
    this.#insert = db.statement(
      `INSERT INTO projection (siem_id, entry_id, wanted, wanted_rev, content, vouchers, until, due, present, rev, state, cause, since, slot)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?)`,
    );
    this.#update = db.statement(
      `UPDATE projection SET wanted = ?, wanted_rev = ?, content = ?, vouchers = ?, until = ?, due = ?, state = ?, cause = ?, since = ?,
       attempt = ?, next_at = ?, note = ?, hold = ?, hold_kind = ? WHERE siem_id = ? AND entry_id = ?`,
    );
    this.#remove = db.statement('DELETE FROM projection WHERE siem_id = ? AND entry_id = ?');
    this.#gone = db.statement('DELETE FROM projection WHERE siem_id = ? AND entry_id = ? AND due IS NULL');
    this.#maybe = db.statement(`UPDATE projection SET present = ${PRESENT.maybe} WHERE siem_id = ? AND entry_id = ?`);
    this.#rest = db.statement(
      `UPDATE projection SET due = ?, present = ${PRESENT.no}, state = ${STATE.settled}, rev = 0, sent_rev = NULL, batch = NULL, next_at = NULL,
       attempt = 0, note = NULL, handle = NULL, hold = NULL, hold_kind = 0 WHERE siem_id = ? AND entry_id = ?`,
    );
    this.#entry = db.statement<{ type: number; value: string }>('SELECT type, value FROM entry WHERE id = ?');
    this.reloadSuppressions();
  }

  reloadSuppressions(): void {
    this.#stale = false;
    this.suppressed.clear();
    for (const row of this.#store.db.all<{ type: number; value: string; until: number }>(
      'SELECT type, value, max(until) AS until FROM suppression WHERE lifted IS NULL GROUP BY type, value',
    )) {
      this.suppressed.set(`${row.type} ${row.value}`, row.until);
    }
  }

  /** A unit failed: what it learnt of suppressions is read again when it is next needed. */
  forget(): void {
    this.#stale = true;
  }

  storedEntry(entryId: number): StoredEntry | undefined {
    const row = this.#entry.get(entryId);
    return row === undefined ? undefined : { id: entryId, type: OBSERVABLE_TYPES[row.type]!, value: row.value };
  }

  /** True, and remembered, when so many objects name the entry that it is judged by a sweep. */
  isCrowded(entryId: number): boolean {
    if (this.#named.get(entryId)!.n <= CROWDED) return false;
    this.#crowd.run(entryId);
    return true;
  }

  /** Published claims on an entry in parts. An exchange that is no longer configured still shows. */
  *#parts(entryId: number): Generator<ClaimRow[], void, undefined> {
    if (this.#named.get(entryId)!.n <= CROWDED) {
      yield newestFirst(this.#claims(entryId).map((row) => this.claimRow(row, 0)));
      return;
    }
    for (let after = 0; ; ) {
      const rows = this.#claimsAfter(entryId, after).map((row) => this.claimRow(row, 0));
      yield rows;
      if (rows.length < CROWDED) return;
      after = rows.at(-1)!.id;
    }
  }

  /** A claim from the CLAIM_COLUMNS that begin at `at`. */
  claimRow(row: readonly unknown[], at: number): ClaimRow {
    // Columns and types stand side by side in the schema; SQLite itself keeps no types to check.
    const exchange = row[at + 1] as number;
    return {
      id: row[at] as number,
      exchange_id: exchange,
      object_id: row[at + 2] as string,
      version: row[at + 3] as string,
      state: row[at + 4] as number,
      valid_from: row[at + 5] as number,
      valid_until: row[at + 6] as number | null,
      confidence: row[at + 7] as number | null,
      tlp: row[at + 8] as number | null,
      pap: row[at + 9] as number | null,
      benign: row[at + 10] as number,
      open_markings: row[at + 11] as string | null,
      refusal: row[at + 12] as string | null,
      digest: row[at + 13] as number,
      facts: row[at + 14] as string,
      unexplained: row[at + 15] as string | null,
      life_from: row[at + 16] as number | null,
      exchange_active: this.#active.has(exchange) ? 1 : 0,
    };
  }

  /** Computes the entry anew for every SIEM, or for one. Returns how many claims were read. */
  project(entry: StoredEntry, trigger: Trigger, now: number, only?: SiemState): number {
    const each = (only === undefined ? this.#store.siems : [only]).map((siem) => ({ siem, admission: noneYet() }));
    let read = 0;
    for (const rows of this.#parts(entry.id)) {
      read += rows.length;
      for (const { siem, admission } of each) this.#admit(admission, siem, entry, rows, now);
    }
    for (const { siem, admission } of each) this.#projectOne(siem, entry, admission, trigger, now);
    return read;
  }

  /** The usual case of a first sync: a new entry with one claim. No row can exist yet. */
  projectNew(entry: StoredEntry, row: ClaimRow, trigger: Trigger, now: number): void {
    const rows = [row];
    for (const siem of this.#store.siems) {
      const admission = noneYet();
      this.#admit(admission, siem, entry, rows, now);
      this.#projectOne(siem, entry, admission, trigger, now, true);
    }
  }

  /** The merge of those claims that this SIEM may hold, as it would be encoded now. Undefined claims are read here. */
  entryFor(
    siem: SiemState,
    entry: StoredEntry,
    claims: readonly ClaimRow[] | undefined,
    now: number,
    explain: ContextTable['explain'],
  ): Entry | undefined {
    const admission = noneYet();
    if (claims !== undefined) this.#admit(admission, siem, entry, claims, now);
    else for (const rows of this.#parts(entry.id)) this.#admit(admission, siem, entry, rows, now);
    for (const { claim } of admission.admitted)
      claim.explain(explain(claim.exchangeId, claim.objectId, claim.facts.createdBy));
    return mergeClaims(entry, admission.admitted, now).entry;
  }

  /**
   * What a held removal keeps armed, as far as it can still be told: the claims that stood behind it, withdrawn or not,
   * as far as this SIEM may hold them, until the expiry it had.
   */
  keptEntry(
    siem: SiemState,
    entry: StoredEntry,
    until: number | null,
    now: number,
    explain?: ContextTable['explain'],
  ): Entry | undefined {
    const { admitted } = this.#kept(siem, entry, now).admission;
    if (explain !== undefined)
      for (const { claim } of admitted) claim.explain(explain(claim.exchangeId, claim.objectId, claim.facts.createdBy));
    const standing = admitted.map((one) => ({ ...one, until: until ?? one.until }));
    return mergeClaims(entry, standing, now).entry;
  }

  /** A withdrawal is no judgement on what was withdrawn: neither its revocation nor its new validity counts here. */
  #kept(siem: SiemState, entry: StoredEntry, now: number): { rows: number; admission: Admission } {
    const rows = newestFirst(this.#everyClaim(entry.id).map((row) => this.claimRow(row, 0)));
    const stood = rows.map((row) => ({ ...row, benign: 0, valid_from: Math.min(row.valid_from, now) }));
    const admission = noneYet();
    this.#admit(admission, siem, entry, stood, now);
    return { rows: rows.length, admission };
  }

  /** Policy may forbid what a hold keeps: nothing of it then stays. What no claim describes any more says nothing. */
  #mayBeKept(siem: SiemState, entry: StoredEntry, now: number): boolean {
    const { rows, admission } = this.#kept(siem, entry, now);
    return rows === 0 || admission.admitted.length > 0 || admission.left !== undefined;
  }

  #admit(into: Admission, siem: SiemState, entry: StoredEntry, rows: readonly ClaimRow[], now: number): void {
    for (const row of rows) {
      const exchange = this.#store.exchangeNames.get(row.exchange_id) ?? '?';
      const claim = new StoredClaim(row, exchange);
      if (row.exchange_active === 0) into.left ??= row.exchange_id;
      if (decideClaim(siem.spec, entry, claim, row.exchange_active === 1).kind !== 'accept') {
        into.refused = true;
        continue;
      }
      // Accepted means that the SIEM has rules for this exchange.
      const rules = siem.spec.rules[exchange]!;
      // Where unmarked ones are refused, whoever was accepted states a level.
      const unmarked = rules.intake.unmarked === 'refuse' ? 'red' : unmarkedTlp(claim, rules.intake.unmarked);
      const until = expiryOf(claim, rules.lifetime, entry.type);
      if (row.valid_from <= now && now < until) into.vouchers |= voucherBit(row.exchange_id);
      into.admitted.push({ claim, until, unmarked });
    }
    // They were made here, of stored claims.
    if (into.admitted.length > CROWDED) into.admitted = condense(into.admitted, now, CROWDED) as Admission['admitted'];
  }

  #projectOne(
    siem: SiemState,
    entry: StoredEntry,
    admission: Admission,
    trigger: Trigger,
    now: number,
    fresh = false,
  ): void {
    const merged = merge(entry, admission.admitted, now);
    if (this.#stale) this.reloadSuppressions();
    const suppressedUntil =
      this.suppressed.size === 0
        ? undefined
        : this.suppressed.get(`${OBSERVABLE_TYPES.indexOf(entry.type)} ${entry.value}`);
    const suppressed = suppressedUntil !== undefined && suppressedUntil > now;
    const wanted: 0 | 1 = merged.entry !== undefined && !suppressed ? 1 : 0;
    const until = merged.entry?.until ?? null;
    let due = merged.nextChangeAt ?? null;
    if (suppressed) due = due === null ? suppressedUntil : Math.min(due, suppressedUntil);
    const refreshAfter = wanted === 0 ? undefined : refreshAfterMs(siem, entry.id);

    const row = fresh ? undefined : this.#row.get(siem.id, entry.id);
    if (row === undefined) {
      if (wanted === 0 && due === null) return;
      const state = wanted === 1 ? STATE.upsert : STATE.settled;
      const slot = siem.encoder.foldsSlots ? siem.encoder.slot(entry.type, entry.value, siem.spec.settings) : null;
      this.#insert.run(
        siem.id,
        entry.id,
        wanted,
        this.#store.revision,
        merged.digest,
        admission.vouchers,
        until,
        dueFrom(due, now, refreshAfter),
        state,
        CAUSE.none,
        now,
        slot,
      );
      this.count(siem, entry.type, undefined, {
        wanted,
        present: PRESENT.no,
        rev: 0,
        wanted_rev: this.#store.revision,
        state,
        vouchers: admission.vouchers,
        hold_kind: HOLD.none,
      });
      if (wanted === 1) this.#brakes.added(siem, trigger, entry.id);
      return;
    }

    const turned = row.wanted !== wanted;
    const changed = turned || (wanted === 1 && (row.content !== merged.digest || trigger.force === true));
    const sentAt = row.rev / 1000;
    const stale = refreshAfter !== undefined && row.present === PRESENT.yes && now >= sentAt + refreshAfter;
    const lapsed = row.until !== null && row.until <= now;
    const hold = this.#stays(siem, entry, row, { wanted, changed, until, suppressed }, now) ? row.hold : null;
    // What was kept may have been written anew as it was kept, under the revision that is wanted.
    const released = row.hold !== null && hold === null && row.hold_kind === HOLD.removal;
    const fresher = changed || stale || released;
    const wantedRev = fresher ? this.#store.revision : row.wanted_rev;
    const kept = hold !== null && row.hold_kind === HOLD.removal;
    const cause =
      wanted === 1
        ? CAUSE.none
        : !turned
          ? row.cause
          : kept
            ? CAUSE.withdrawn
            : this.#cause(suppressed, lapsed, admission, trigger);
    const busy = isBusy(row.state);
    // An entry that is withdrawn keeps its vouchers until it is gone: they say in whose share it counted.
    const vouchers = wanted === 1 ? admission.vouchers : row.vouchers;
    const next: ProjectionRow = { ...row, wanted, wanted_rev: wantedRev, vouchers };
    // A copy of a state does not know what was sent after it was made; below the mark it may have been this.
    const maySent = row.present === PRESENT.no && row.wanted === 1 && fresher && row.wanted_rev <= siem.openedMark;
    if (maySent) next.present = PRESENT.maybe;
    next.hold = hold;
    if (hold === null) next.hold_kind = HOLD.none;
    const stuck = (row.state === STATE.parked && !changed) || waitsAdopted(row, wanted, lapsed, suppressed);
    if (!busy && !stuck) next.state = restingState(next);
    if (row.hold !== null && hold === null) this.#holds.leave(row.hold, entry.id);

    // What a hold keeps has the expiry it had; only then it goes by itself.
    const lastUntil = kept ? row.until : (until ?? row.until);
    if ((kept || (wanted === 0 && next.present !== PRESENT.no)) && lastUntil !== null && lastUntil > now)
      due = due === null ? lastUntil : Math.min(due, lastUntil);
    const nextDue = dueFrom(due, fresher || row.present !== PRESENT.yes ? now : sentAt, refreshAfter);
    if (wanted === 0 && next.present === PRESENT.no && nextDue === null && !busy && !kept) {
      this.#remove.run(siem.id, entry.id);
      this.count(siem, entry.type, row, undefined);
      return;
    }
    this.#update.run(
      wanted,
      wantedRev,
      wanted === 1 ? merged.digest : row.content,
      vouchers,
      lastUntil,
      nextDue,
      next.state,
      cause,
      turned ? now : row.since,
      fresher && !stuck ? 0 : row.attempt,
      // What must go is looked at without delay, also where a lost call is still to be read back.
      (fresher && !busy && !stuck) || (turned && wanted === 0 && row.state === STATE.uncertain) ? null : row.next_at,
      fresher && !busy && !stuck ? null : row.note,
      next.hold,
      next.hold_kind,
      siem.id,
      entry.id,
    );
    if (maySent) this.#maybe.run(siem.id, entry.id);
    this.count(siem, entry.type, row, next);
    const rejected = row.hold !== null && hold === null && row.hold_kind === HOLD.addition && trigger.exchangeId !== 0;
    if ((turned || rejected) && wanted === 1 && row.present === PRESENT.no && hold === null)
      this.#brakes.added(siem, trigger, entry.id);
    if (row.present === PRESENT.no || hold !== null) return;
    if (turned && wanted === 0 && cause === CAUSE.policy) this.#stopped(siem, entry);
    if (turned && wanted === 0 && cause === CAUSE.withdrawn)
      this.#brakes.withdrawn(siem, trigger.exchangeId !== 0 ? trigger.exchangeId : (admission.left ?? 0), entry.id);
    // Cut short by the partner: it still stands, and goes by itself sooner than was stated before.
    const cut = !turned && wanted === 1 && until !== null && row.until !== null && until < row.until;
    if (cut && trigger.cause === CAUSE.withdrawn && trigger.exchangeId !== 0)
      this.#brakes.withdrawn(siem, trigger.exchangeId, entry.id, row.until ?? undefined);
  }

  /** Policy takes it away: perhaps a never-block list that knows it only now. Counted once, whatever holds it. */
  #stopped(siem: SiemState, entry: StoredEntry): void {
    if (siem !== this.#store.siems[0]) return;
    const [rules] = Object.values(siem.spec.rules);
    for (const { list, action } of rules === undefined ? [] : listedFor(entry, rules.intake))
      if (action === 'refuse') this.#store.count(LISTED_OWNER, `${list} ${action}`, 1);
  }

  #stays(
    siem: SiemState,
    entry: StoredEntry,
    row: ProjectionRow,
    then: { wanted: 0 | 1; changed: boolean; until: number | null; suppressed: boolean },
    now: number,
  ): boolean {
    if (row.hold === null) return false;
    const hold = this.#holds.get(row.hold);
    if (hold === undefined || hold.decision === 'approve') return false;
    return holdStays({
      kind: hold.kind,
      rejected: hold.decision === 'reject',
      wasWanted: row.wanted === 1,
      wanted: then.wanted === 1,
      changed: then.changed,
      offered: then.until ?? undefined,
      kept: row.until ?? undefined,
      now,
      suppressed: then.suppressed,
      allowed: hold.kind === 'addition' || then.wanted === 1 || this.#mayBeKept(siem, entry, now),
    });
  }

  #cause(suppressed: boolean, lapsed: boolean, { left, refused }: Admission, trigger: Trigger): Cause {
    if (suppressed) return CAUSE.suppressed;
    // Whatever else set this off: at its expiry an entry goes, and no brake holds that.
    if (lapsed) return CAUSE.expired;
    if (trigger.cause === CAUSE.withdrawn) return CAUSE.withdrawn;
    // Claims of an exchange that left the configuration are withdrawn, under the brake.
    if (left !== undefined) return CAUSE.withdrawn;
    if (refused) return CAUSE.policy;
    return trigger.cause === CAUSE.none ? CAUSE.expired : trigger.cause;
  }

  /**
   * The row is not wanted and not there any more. It goes, unless it may wait for a moment to come (a claim that is
   * valid from then): the next tick looks.
   */
  countGone(
    siem: SiemState,
    type: ObservableType,
    row: Counted & { readonly entry_id: number; readonly hold?: number | null },
  ): void {
    const gone = this.#gone.run(siem.id, row.entry_id).changes > 0;
    if (!gone) this.#rest.run(this.#store.engineTime, siem.id, row.entry_id);
    const rest = { ...row, present: PRESENT.no, rev: 0, state: STATE.settled, hold_kind: HOLD.none };
    this.count(siem, type, row, gone ? undefined : rest);
    if (row.hold !== undefined && row.hold !== null) this.#holds.leave(row.hold, row.entry_id);
  }

  /**
   * What stood there is lost. What is wanted, and what a held removal keeps armed, is written anew, as far as anybody
   * can still tell what it was; the rest is gone. Undefined: gone.
   */
  lost(siem: SiemState, entry: StoredEntry, row: ProjectionRow, now: number): ProjectionRow | undefined {
    if (row.wanted === 0 && !(isKept(row) && this.keptEntry(siem, entry, row.until, now) !== undefined))
      return undefined;
    const next: ProjectionRow = { ...row, present: PRESENT.no, wanted_rev: this.#store.revision, sent_rev: null };
    if (!isKept(row)) next.rev = 0;
    next.state = row.state === STATE.parked ? row.state : restingState(next);
    return next;
  }

  /** Keeps the tallies in step with one row. Undefined = no row. */
  count(siem: SiemState, type: ObservableType, before: Counted | undefined, after: Counted | undefined): void {
    const of = this.#talliesOf(siem, type);
    if (before !== undefined) this.#tally(of, before, -1);
    if (after !== undefined) this.#tally(of, after, 1);
  }

  #tally(of: Tallies, row: Counted, by: 1 | -1): void {
    if (row.wanted === 1) {
      of.wanted.n += by;
      of.wantedOfType.n += by;
      if (row.present === PRESENT.yes && row.rev === row.wanted_rev) of.delivered.n += by;
      for (const [bit, armed] of of.armed) if ((row.vouchers & bit) !== 0) armed.n += by;
    }
    if (row.present !== PRESENT.no) of.presentOfType.n += by;
    if (row.state === STATE.parked) of.parked.n += by;
    else if (row.state === STATE.held) (row.hold_kind === HOLD.none ? of.adopted : of.held).n += by;
    else if (row.state !== STATE.settled) of.pending.n += by;
  }

  /** Found once per SIEM and type: a first sync would look a million times. */
  #talliesOf(siem: SiemState, type: ObservableType): Tallies {
    let ofSiem = this.#tallies.get(siem.id);
    if (ofSiem === undefined) {
      ofSiem = new Map();
      this.#tallies.set(siem.id, ofSiem);
    }
    let found = ofSiem.get(type);
    if (found === undefined) {
      const of = (name: string) => this.#store.tallyOf(`siem:${siem.id}`, name);
      found = {
        wanted: of('wanted'),
        wantedOfType: of(`wanted:${type}`),
        delivered: of('delivered'),
        presentOfType: of(`present:${type}`),
        parked: of('parked'),
        held: of('held'),
        adopted: of('adopted'),
        pending: of('pending'),
        armed: [...this.#store.exchangeNames.keys()].map((id) => [voucherBit(id), of(`armed:${id}`)]),
      };
      ofSiem.set(type, found);
    }
    return found;
  }
}

/** Spread over the last tenth, so that a million entries of one day are not touched again on one day. */
function refreshAfterMs({ spec }: SiemState, entryId: number): number | undefined {
  if (spec.refreshAfterDays === undefined) return undefined;
  return spec.refreshAfterDays * DAY_MS * (1 - (entryId % 1000) / 10_000);
}

/** When a row is looked at next: when its claims say so, or when what was sent then has to be touched again. */
function dueFrom(due: number | null, sentAt: number, refreshAfter: number | undefined): number | null {
  if (refreshAfter === undefined) return due;
  const refreshAt = Math.ceil(sentAt + refreshAfter);
  return due === null ? refreshAt : Math.min(due, refreshAt);
}

/** Sorted here: nearly every entry has one claim, and the database would set up a sort for each. */
export function newestFirst(claims: ClaimRow[]): ClaimRow[] {
  if (claims.length > 1) claims.sort((a, b) => (a.version < b.version ? 1 : a.version > b.version ? -1 : a.id - b.id));
  return claims;
}

/** What the claims on an entry come to for one SIEM, as far as they were gone through. */
interface Admission {
  admitted: (Admitted & { readonly claim: StoredClaim })[];
  refused: boolean;
  vouchers: number;
  /** An exchange among them that left the configuration. */
  left: number | undefined;
}

const noneYet = (): Admission => ({ admitted: [], refused: false, vouchers: 0, left: undefined });

interface Tallies {
  readonly wanted: Tally;
  readonly wantedOfType: Tally;
  readonly delivered: Tally;
  readonly presentOfType: Tally;
  readonly parked: Tally;
  readonly held: Tally;
  /** Wait for the partners, not for a person. */
  readonly adopted: Tally;
  readonly pending: Tally;
  readonly armed: readonly (readonly [bit: number, tally: Tally])[];
}

export type Counted = Pick<
  ProjectionRow,
  'wanted' | 'present' | 'rev' | 'wanted_rev' | 'state' | 'vouchers' | 'hold_kind'
>;

/** Adopted rows wait for the partners; what expired of them goes with the release. */
const waitsAdopted = (row: ProjectionRow, wanted: 0 | 1, lapsed: boolean, suppressed: boolean): boolean =>
  row.state === STATE.held &&
  row.hold === null &&
  row.wanted === wanted &&
  !suppressed &&
  (!lapsed || row.cause === CAUSE.adopted);

/** A claim as policy sees it. Facts are parsed only when somebody looks, since most claims are merged unseen. */
class StoredClaim implements Claim {
  readonly exchange: string;
  readonly exchangeId: number;
  readonly objectId: string;
  readonly version: string;
  readonly digest: number;
  readonly validFrom: number;
  readonly benign: boolean;
  // Always set: objects of one shape are read twice as fast.
  readonly validUntil: number | undefined;
  readonly lifeFrom: number | undefined;
  readonly unexplained: string | undefined;
  readonly confidence: number | undefined;
  readonly tlp: Tlp | undefined;
  readonly pap: Pap | undefined;
  provider: string | undefined;
  threats: readonly string[] | undefined;
  readonly #text: string;
  #facts: IndicatorFacts | undefined;

  constructor(row: ObjectRow, exchange: string) {
    this.exchange = exchange;
    this.exchangeId = row.exchange_id;
    this.objectId = row.object_id;
    this.version = row.version;
    this.digest = row.digest;
    this.validFrom = row.valid_from;
    this.benign = row.benign === 1;
    this.validUntil = row.valid_until ?? undefined;
    this.lifeFrom = row.life_from ?? undefined;
    this.unexplained = row.unexplained ?? undefined;
    this.confidence = row.confidence ?? undefined;
    this.tlp = tlpOf(row);
    this.pap = row.pap === null ? undefined : PAP_LEVELS[row.pap]!;
    this.provider = undefined;
    this.threats = undefined;
    this.#text = row.facts;
    this.#facts = undefined;
  }

  explain({ provider, threats }: Explained): void {
    this.provider = provider;
    this.threats = threats;
  }

  get facts(): IndicatorFacts {
    this.#facts ??= JSON.parse(this.#text) as IndicatorFacts;
    return this.#facts;
  }
}

export function toClaim(row: ObjectRow, exchange: string): Claim {
  return new StoredClaim(row, exchange);
}
