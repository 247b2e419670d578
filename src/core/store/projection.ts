// Turns claims into what each SIEM shall hold. Every change of wanted state goes through `project`: a new version
// of an object, an expiry, a changed rule, a suppression, the end of a hold.
import type { Claim, Entry, IndicatorFacts } from '../model/entry.ts';
import { PAP_LEVELS, type Pap, type Tlp } from '../model/marking.ts';
import { type Observable, OBSERVABLE_TYPES } from '../model/observable.ts';
import { type Admitted, condense, merge, mergeClaims } from '../inventory/merge.ts';
import { timestampMs } from '../model/timestamp.ts';
import { expiryOf } from '../policy/expiry.ts';
import type { Worth } from '../ledger/capacity.ts';
import { type Moment, type Offer, project, projectNew, type Reason, type Turn } from '../ledger/project.ts';
import { held, isKept, isVouched, lost, type Stand } from '../ledger/stand.ts';
import { holdStays } from '../policy/holds.ts';
import { listedFor, unmarkedTlp } from '../policy/intake.ts';
import type { Brakes } from './brakes.ts';
import type { SiemState, StoreContext } from './context.ts';
import { decideClaim } from './decide.ts';
import type { ContextTable, Explained } from './explain.ts';
import type { HoldTable } from './hold-table.ts';
import { LetIn, type Question, questionOf } from './let-in.ts';
import { LISTED_OWNER } from './lists.ts';
import { tlpOf } from './open-markings.ts';
import { OBJECT, type ObjectRow, type StoredEntry, voucherBit } from './rows.ts';
import type { Seats } from './seats.ts';
import type { Standing, StandTable } from './stand-table.ts';

const DAY_MS = 86_400_000;

/**
 * An entry that more objects name is gone through in parts, by a sweep of its own (its claims would not fit into memory,
 * nor be read again with every commit), and names the newest of them alone as its sources.
 */
const CROWDED = 500;

export interface ClaimRow extends ObjectRow {
  exchange_active: number;
}

/** Columns of a claim, in the order in which `claimRow` reads them. */
export const CLAIM_COLUMNS = `o.id, o.exchange_id, o.object_id, o.version, o.state, o.valid_from, o.valid_until, o.confidence,
  o.tlp, o.pap, o.benign, o.open_markings, o.refusal, o.digest, o.facts, o.unexplained, o.life_from`;

/** Entries that are judged as one set, and the claims that may be read for them. */
const MOST_TOGETHER = 500;
const MOST_CLAIMS = 5000;

/** An entry to be judged, and why. */
export interface Judged {
  readonly entry: StoredEntry;
  readonly reason: Reason;
}

/** What is known of an entry of the running set. */
interface Loaded {
  /** How many objects name it, as far as that counts. */
  readonly named: number;
  readonly hitDay: number | null;
  /** Published ones, unless it is crowded. */
  readonly claims: ClaimRow[];
  /** All of them, where a hold keeps it. */
  every: ClaimRow[] | undefined;
}

export class Projector {
  readonly #store: StoreContext;
  readonly #brakes: Brakes;
  readonly #holds: HoldTable;
  readonly #stands: StandTable;
  readonly #seats: Seats;
  readonly #letIn: LetIn;
  #stale = false;
  readonly #claims;
  readonly #claimsAfter;
  readonly #named;
  readonly #crowd;
  readonly #everyClaim;
  readonly #active: ReadonlySet<number>;
  readonly #entry;
  readonly #hitDay;
  /** What is known of the entries of the running set, by id. */
  #set: ReadonlyMap<number, Loaded> | undefined;
  /** Keys "type value" that are suppressed now, with the end; small, so it is asked before every write. */
  readonly suppressed = new Map<string, number>();

  constructor(store: StoreContext, brakes: Brakes, holds: HoldTable, stands: StandTable, seats: Seats) {
    this.#store = store;
    this.#brakes = brakes;
    this.#holds = holds;
    this.#stands = stands;
    this.#seats = seats;
    this.#letIn = new LetIn(store, holds);
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
      `SELECT count(*) AS n FROM (SELECT 1 FROM contribution WHERE entry_id = ? LIMIT ${CROWDED + 1}) few`,
    );
    this.#crowd = db.statement('UPDATE entry SET crowded = 1 WHERE id = ? AND crowded = 0');
    this.#everyClaim = db.lists(
      `SELECT ${CLAIM_COLUMNS} FROM contribution c JOIN object o ON o.id = c.object_id WHERE c.entry_id = ? LIMIT ${CROWDED}`,
    );
    this.#active = new Set(store.exchanges.map((one) => one.id));
    this.#entry = db.statement<{ type: number; value: string }>('SELECT type, value FROM entry WHERE id = ?');
    this.#hitDay = db.statement<{ hit_day: number | null }>('SELECT hit_day FROM entry WHERE id = ?');
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
    this.#set = undefined;
    this.#letIn.forget();
  }

  storedEntry(entryId: number): StoredEntry | undefined {
    const row = this.#entry.get(entryId);
    return row === undefined ? undefined : { id: entryId, type: OBSERVABLE_TYPES[row.type]!, value: row.value };
  }

  /** Of those that are there, by id. */
  storedEntries(entryIds: readonly number[]): Map<number, StoredEntry> {
    const rows = this.#store.db.byKeys<{ id: number; type: number; value: string }>(
      'SELECT id, type, value FROM entry WHERE id IN ($keys)',
      entryIds,
    );
    return new Map(rows.map(({ id, type, value }) => [id, { id, type: OBSERVABLE_TYPES[type]!, value }]));
  }

  /**
   * `project` for many entries, as sets: what they need is read before, in a few look-ups, and what comes of it is
   * written after. Returns how many claims were read. `crowded`: what is done with those that are, instead.
   */
  projectAll(judged: readonly Judged[], now: number, only?: SiemState, crowded?: (one: Judged) => void): number {
    let read = 0;
    for (let at = 0; at < judged.length; at += MOST_TOGETHER)
      for (const part of this.#loadedParts(judged.slice(at, at + MOST_TOGETHER)))
        this.#stands.together(() => {
          this.#loadStands(part, only);
          for (const one of part) {
            if (crowded !== undefined && this.isCrowded(one.entry.id)) crowded(one);
            else read += this.project(one.entry, one.reason, now, only);
          }
        });
    this.#set = undefined;
    return read;
  }

  /** What is known of the entries themselves; in parts that together have no more claims than fit into memory. */
  *#loadedParts(judged: readonly Judged[]): Generator<readonly Judged[], void, undefined> {
    const { db } = this.#store;
    const counted = new Map<number, Loaded>();
    for (const [id, n, hitDay] of db.listsByKeys(
      `SELECT e.id, (SELECT count(*) FROM (SELECT 1 FROM contribution c WHERE c.entry_id = e.id LIMIT ${CROWDED + 1}) few), e.hit_day
       FROM entry e WHERE e.id IN ($keys)`,
      judged.map((one) => one.entry.id),
    ) as [number, number, number | null][])
      counted.set(id, { named: n, hitDay, claims: [], every: undefined });
    const whole = (part: readonly Judged[]): readonly Judged[] => {
      this.#set = counted;
      for (const columns of db.listsByKeys(
        `SELECT c.entry_id, ${CLAIM_COLUMNS} FROM contribution c CROSS JOIN object o
         WHERE o.id = c.object_id AND o.state = ${OBJECT.published} AND c.entry_id IN ($keys)`,
        part.map((one) => one.entry.id).filter((id) => (counted.get(id)?.named ?? 0) <= CROWDED),
      ))
        counted.get(columns[0] as number)!.claims.push(this.claimRow(columns, 1));
      return part;
    };
    let part: Judged[] = [];
    let claims = 0;
    for (const one of judged) {
      const named = counted.get(one.entry.id)?.named ?? 0;
      if (part.length > 0 && claims + named > MOST_CLAIMS) {
        yield whole(part);
        for (const { entry } of part) counted.delete(entry.id);
        [part, claims] = [[], 0];
      }
      part.push(one);
      claims += named <= CROWDED ? named : 0;
    }
    if (part.length > 0) yield whole(part);
  }

  /** Rows of the set, the holds that bar them, and what else stood behind those that a hold keeps. */
  #loadStands(part: readonly Judged[], only: SiemState | undefined): void {
    const ids = part.map((one) => one.entry.id);
    const holds = new Set<number>();
    const kept = new Set<number>();
    for (const siem of only === undefined ? this.#store.siems : [only]) {
      this.#stands.loadAll(siem, ids);
      for (const id of ids) {
        const hold = this.#stands.load(siem, id)?.hold;
        if (hold === undefined) continue;
        holds.add(hold.id);
        if (hold.kind === 'removal' && (this.#set?.get(id)?.named ?? 0) <= CROWDED) kept.add(id);
      }
    }
    if (holds.size > 0) this.#holds.know([...holds]);
    for (const id of kept) this.#set!.get(id)!.every = [];
    for (const columns of this.#store.db.listsByKeys(
      `SELECT c.entry_id, ${CLAIM_COLUMNS} FROM contribution c CROSS JOIN object o WHERE o.id = c.object_id AND c.entry_id IN ($keys)`,
      [...kept],
    ))
      this.#set!.get(columns[0] as number)!.every!.push(this.claimRow(columns, 1));
  }

  #namedBy(entryId: number): number {
    return this.#set?.get(entryId)?.named ?? this.#named.get(entryId)!.n;
  }

  /** True, and remembered, when so many objects name the entry that it is judged by a sweep. */
  isCrowded(entryId: number): boolean {
    if (this.#namedBy(entryId) <= CROWDED) return false;
    this.#crowd.run(entryId);
    return true;
  }

  /** Published claims on an entry in parts. An exchange that is no longer configured still shows. */
  *#parts(entryId: number): Generator<ClaimRow[], void, undefined> {
    const loaded = this.#set?.get(entryId);
    if (loaded !== undefined && loaded.named <= CROWDED) {
      yield newestFirst(loaded.claims);
      return;
    }
    if (this.#namedBy(entryId) <= CROWDED) {
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
  project(entry: StoredEntry, reason: Reason, now: number, only?: SiemState): number {
    const each = (only === undefined ? this.#store.siems : [only]).map((siem) => ({ siem, admission: noneYet() }));
    let read = 0;
    // Whatever very many claims say of it, a suppressed entry goes, and at once.
    const unread = this.isSuppressed(entry, now) && this.#namedBy(entry.id) > CROWDED;
    for (const rows of unread ? [] : this.#parts(entry.id)) {
      read += rows.length;
      for (const { siem, admission } of each) this.#admit(admission, siem, entry, rows, now);
    }
    for (const { siem, admission } of each) this.#projectOne(siem, entry, admission, reason, now);
    return read;
  }

  /** The usual case of a first sync: a new entry with one claim. No row can exist yet. */
  projectNew(entry: StoredEntry, row: ClaimRow, reason: Reason, now: number): void {
    const rows = [row];
    for (const siem of this.#store.siems) {
      const admission = noneYet();
      this.#admit(admission, siem, entry, rows, now);
      this.#projectOne(siem, entry, admission, reason, now, true);
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
    // What is sent is in no hold: where only held claims vouch, a person let it in.
    const { admitted, pending } = admission;
    for (const { claim } of [...admitted, ...pending])
      claim.explain(explain(claim.exchangeId, claim.objectId, claim.facts.createdBy));
    return mergeClaims(entry, admitted, now).entry ?? this.#lettingIn(siem, entry, pending, now);
  }

  #lettingIn(siem: SiemState, entry: StoredEntry, pending: Admission['pending'], now: number): Entry | undefined {
    if (pending.length === 0) return undefined;
    return mergeClaims(entry, this.#let(siem, entry, pending), now).entry;
  }

  /** Those of them that a person let in. */
  #let(siem: SiemState, { id }: StoredEntry, pending: Admission['pending']): Admission['pending'] {
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
    const every = this.#set?.get(entry.id)?.every ?? this.#everyClaim(entry.id).map((row) => this.claimRow(row, 0));
    const rows = newestFirst(every);
    const stood = rows.map((row) => ({ ...row, benign: 0, valid_from: Math.min(row.valid_from, now) }));
    const admission = noneYet();
    this.#admit(admission, siem, entry, stood, now);
    // A person let it in as it stood.
    if (admission.admitted.length === 0) admission.admitted = this.#let(siem, entry, admission.pending);
    return { rows: rows.length, admission };
  }

  /** Policy may forbid what a hold keeps: nothing of it then stays. What no claim describes any more says nothing. */
  #mayBeKept(siem: SiemState, entry: StoredEntry, now: number): boolean {
    const { rows, admission } = this.#kept(siem, entry, now);
    return rows === 0 || admission.admitted.length > 0 || admission.left !== undefined;
  }

  /**
   * Claims that policy holds vouch only where none vouches that needs nobody's word, and only once a person let the entry
   * in; until then the entry stands in a hold, or is taken away first where it was armed before policy asked for one.
   */
  #withHeld(siem: SiemState, entry: StoredEntry, admission: Admission, before: Stand | undefined, now: number): Intake {
    const { admitted, pending } = admission;
    if (pending.length === 0 || mergeClaims(entry, admitted, now).entry !== undefined) {
      this.#letIn.over(siem, entry.id);
      return { admission };
    }
    const merged = merge(entry, pending, now);
    if (merged.entry === undefined) {
      this.#letIn.over(siem, entry.id);
      return { admission: { ...admission, admitted: [...admitted, ...pending] } };
    }
    this.#letIn.note(siem, entry.id, before);
    const let_ = this.#let(siem, entry, pending);
    if (mergeClaims(entry, let_, now).entry !== undefined)
      return { admission: { ...admission, ...vouching(let_, now) } };
    this.#letIn.over(siem, entry.id);
    const there = before !== undefined && (before.present.is !== 'no' || before.call !== undefined);
    if (there) return { admission: { ...admission, refused: true }, until: merged.entry.until };
    const ask = pending.find((one) => this.#letIn.asks(siem, one.asks))?.asks;
    if (ask === undefined) return { admission: { ...admission, refused: true } };
    return { admission: { ...admission, ...vouching(pending, now) }, hold: ask };
  }

  #admit(into: Admission, siem: SiemState, entry: StoredEntry, rows: readonly ClaimRow[], now: number): void {
    for (const row of rows) {
      const exchange = this.#store.exchangeNames.get(row.exchange_id) ?? '?';
      const claim = new StoredClaim(row, exchange);
      if (row.exchange_active === 0) into.left ??= row.exchange_id;
      const decision = decideClaim(siem.spec, entry, claim, row.exchange_active === 1);
      const { kind } = decision;
      if (kind === 'refuse') {
        into.refused = true;
        continue;
      }
      // Accepted means that the SIEM has rules for this exchange.
      const rules = siem.spec.rules[exchange]!;
      // Where unmarked ones are refused, whoever was accepted states a level.
      const unmarked = rules.intake.unmarked === 'refuse' ? 'red' : unmarkedTlp(claim, rules.intake.unmarked);
      const lastHit = rules.lifetime.renewOnHit === true ? this.#lastHit(entry) : undefined;
      const until = expiryOf(claim, rules.lifetime, entry.type, lastHit);
      if (kind === 'hold') {
        // Nobody knows how strict it is: where a person lets it in, it counts as the strictest.
        const level = decision.code === 'marking_unexplained' ? { atLeast: 'red' as const } : {};
        const asks = questionOf(row.exchange_id, decision.code, decision.reason);
        into.pending.push({ claim, until, unmarked, ...level, asks });
        continue;
      }
      into.vouchers |= voucherOf({ claim, until }, now);
      into.admitted.push({ claim, until, unmarked });
    }
    // They were made here, of stored claims.
    if (into.admitted.length > CROWDED) into.admitted = condense(into.admitted, now, CROWDED) as Admission['admitted'];
    if (into.pending.length > CROWDED) into.pending = condense(into.pending, now, CROWDED) as Admission['pending'];
  }

  #projectOne(siem: SiemState, entry: StoredEntry, given: Admission, reason: Reason, now: number, fresh = false): void {
    const before = fresh ? undefined : this.#stands.load(siem, entry.id);
    const intake = this.#withHeld(siem, entry, given, before, now);
    const { admitted, refused, vouchers, left } = intake.admission;
    const merged = merge(entry, admitted, now);
    const offer: Offer = {
      vouched: merged.entry !== undefined,
      until: merged.entry?.until,
      content: merged.digest,
      vouchers,
      // What is taken away first comes into its hold when it is looked at after that.
      nextChangeAt: intake.until ?? merged.nextChangeAt,
      refused,
      left,
      suppressedUntil: this.#suppressedUntil(entry),
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
      stand = held(stand, { id, kind: 'addition' }, undefined);
      counted = undefined;
    }
    this.#stands.write(siem, entry, before, stand);
    if (counted?.kind === 'added') this.#brakes.added(siem, reason.exchangeId, entry.id);
    else if (counted?.kind === 'stopped') this.#stopped(siem, entry);
    else if (counted !== undefined) this.#brakes.withdrawn(siem, counted.exchangeId, entry.id, counted.kept);
  }

  /** Policy takes it away: perhaps a never-block list that knows it only now. Counted once, whatever holds it. */
  #stopped(siem: SiemState, entry: StoredEntry): void {
    if (siem !== this.#store.siems[0]) return;
    const [rules] = Object.values(siem.spec.rules);
    for (const { list, action } of rules === undefined ? [] : listedFor(entry, rules.intake))
      if (action === 'refuse') this.#store.count(LISTED_OWNER, `${list} ${action}`, 1);
  }

  /** All that people took off, as of now. */
  suppressedAt(now: number): Observable[] {
    if (this.#stale) this.reloadSuppressions();
    return [...this.suppressed].flatMap(([key, until]) => {
      const at = key.indexOf(' ');
      return until > now ? [{ type: OBSERVABLE_TYPES[Number(key.slice(0, at))]!, value: key.slice(at + 1) }] : [];
    });
  }

  isSuppressed(observable: Observable, now: number): boolean {
    return (this.#suppressedUntil(observable) ?? 0) > now;
  }

  #lastHit({ id }: StoredEntry): number | undefined {
    const loaded = this.#set?.get(id);
    const day = loaded === undefined ? this.#hitDay.get(id)?.hit_day : loaded.hitDay;
    return day === null || day === undefined ? undefined : day * DAY_MS;
  }

  #suppressedUntil({ type, value }: Observable): number | undefined {
    if (this.#stale) this.reloadSuppressions();
    return this.suppressed.size === 0 ? undefined : this.suppressed.get(`${OBSERVABLE_TYPES.indexOf(type)} ${value}`);
  }

  #stays(siem: SiemState, entry: StoredEntry, stand: Stand, turn: Turn, now: number): boolean {
    const hold = stand.hold === undefined ? undefined : this.#holds.get(stand.hold.id);
    if (hold === undefined || hold.decision === 'approve') return false;
    // What intake holds is decided with its claims.
    if (hold.kind === 'intake') return false;
    return holdStays({
      kind: hold.kind,
      rejected: hold.decision === 'reject',
      wasWanted: stand.wanted.is,
      wanted: turn.wanted,
      changed: turn.changed,
      offered: turn.until,
      kept: stand.wanted.until,
      now,
      suppressed: turn.suppressed,
      allowed: hold.kind === 'addition' || turn.wanted || this.#mayBeKept(siem, entry, now),
    });
  }

  /** What stood there is lost. */
  lost(siem: SiemState, { entry, stand }: Standing, now: number): void {
    const told = isKept(stand) && this.keptEntry(siem, entry, stand.wanted.until, now) !== undefined;
    this.#stands.write(siem, entry, stand, lost(stand, told, this.#store.revision, this.#store.engineTime));
  }
}

const slotOf = ({ encoder, spec }: SiemState, { type, value }: StoredEntry): string | undefined =>
  encoder.foldsSlots ? encoder.slot(type, value, spec.settings) : undefined;

/** What comes first where not all have room. */
const worthOf = (entry: Entry | undefined): Worth | undefined =>
  entry === undefined
    ? undefined
    : { confidence: entry.confidence, modified: timestampMs(entry.claims[0]?.version) ?? entry.validFrom };

/** Spread over the last tenth, so that a million entries of one day are not touched again on one day. */
function refreshAfterMs({ spec }: SiemState, entryId: number): number | undefined {
  if (spec.refreshAfterDays === undefined) return undefined;
  return spec.refreshAfterDays * DAY_MS * (1 - (entryId % 1000) / 10_000);
}

/** Sorted here: nearly every entry has one claim, and the database would set up a sort for each. */
export function newestFirst(claims: ClaimRow[]): ClaimRow[] {
  if (claims.length > 1) claims.sort((a, b) => (a.version < b.version ? 1 : a.version > b.version ? -1 : a.id - b.id));
  return claims;
}

/** What counts of the claims, and what is to be done about those that policy holds. */
interface Intake {
  readonly admission: Admission;
  /** The entry goes into the intake hold that asks this. */
  readonly hold?: Question;
  /** It stands there and goes first; its claims vouch until then. */
  readonly until?: number;
}

/** What the claims on an entry come to for one SIEM, as far as they were gone through. */
interface Admission {
  admitted: (Admitted & { readonly claim: StoredClaim })[];
  /** Those that policy holds until a person lets the entry in. */
  pending: (Admitted & { readonly claim: StoredClaim; readonly asks: Question })[];
  refused: boolean;
  vouchers: number;
  /** An exchange among them that left the configuration. */
  left: number | undefined;
}

/** These, and who vouches by them now. */
const vouching = (admitted: Admission['admitted'], now: number): Pick<Admission, 'admitted' | 'vouchers'> => ({
  admitted,
  vouchers: admitted.reduce((bits, one) => bits | voucherOf(one, now), 0),
});

const voucherOf = ({ claim, until }: { readonly claim: StoredClaim; readonly until: number }, now: number): number =>
  claim.validFrom <= now && now < until ? voucherBit(claim.exchangeId) : 0;

const noneYet = (): Admission => ({
  admitted: [],
  pending: [],
  refused: false,
  vouchers: 0,
  left: undefined,
});

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

  get factsText(): string {
    return this.#text;
  }

  get facts(): IndicatorFacts {
    this.#facts ??= JSON.parse(this.#text) as IndicatorFacts;
    return this.#facts;
  }
}

export function toClaim(row: ObjectRow, exchange: string): Claim {
  return new StoredClaim(row, exchange);
}
