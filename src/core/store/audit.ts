// Compares the ledger with what a SIEM really holds, and takes over what stands there under our own mark: after a
// lost or restored state, after an administrator's hand, after a call whose effect nobody knows.
import type { OwnedEntry } from '../contracts/siem-connector.ts';
import { OBSERVABLE_TYPES, type Observable, type ObservableType, parseEntryKey } from '../model/observable.ts';
import type { SiemState, StoreContext } from './context.ts';
import type { Projector } from './projection.ts';
import type { Settlement, SettleReport, Settling } from './settling.ts';
import { CAUSE, HOLD, isBusy, PRESENT, type ProjectionRow, restingState, STATE } from './rows.ts';

export interface AuditReport {
  wanted: number;
  present: number;
  /** Keys, at most 1,000 of each. */
  missing: string[];
  stale: string[];
  orphaned: string[];
  counts: { missing: number; stale: number; orphaned: number };
  highestRevision: number;
  /** The end was not gone through yet. */
  more: boolean;
}

interface Run {
  readonly startedAt: number;
  readonly startedRevision: number;
  readonly repair: boolean;
  adopted: boolean;
  /** Last entry that was looked at when the end was gone through. */
  after: number;
  readonly report: AuditReport;
}

const MOST_NAMED = 1000;
/** When a refused removal is tried again. */
const REFUSED_WAIT_MS = 10 * 60_000;
/** Rows of the ledger that one step of an audit's end looks at. */
const STEP = 5000;

export class Audit {
  readonly #store: StoreContext;
  readonly #projector: Projector;
  readonly #settling: Settling;
  readonly #running = new Map<number, Run>();

  constructor(store: StoreContext, projector: Projector, settling: Settling) {
    this.#store = store;
    this.#projector = projector;
    this.#settling = settling;
  }

  /** Rows sent after this moment are left out: the listing may or may not show them. */
  begin(siem: SiemState, repair: boolean): void {
    this.#store.db.exec(
      'CREATE TEMP TABLE IF NOT EXISTS seen (siem_id INTEGER, entry_id INTEGER, PRIMARY KEY (siem_id, entry_id)) WITHOUT ROWID',
    );
    this.#store.db.run('DELETE FROM seen WHERE siem_id = ?', siem.id);
    this.#running.set(siem.id, {
      startedAt: this.#store.now,
      startedRevision: this.#store.lastRevision,
      repair,
      adopted: false,
      after: 0,
      report: {
        wanted: 0,
        present: 0,
        missing: [],
        stale: [],
        orphaned: [],
        counts: { missing: 0, stale: 0, orphaned: 0 },
        highestRevision: 0,
        more: true,
      },
    });
  }

  part(siem: SiemState, owned: readonly OwnedEntry[], now: number): void {
    const run = this.#running.get(siem.id);
    if (run === undefined) throw new Error(`no audit of ${siem.spec.name} is running`);
    const { db } = this.#store;
    for (const one of owned) {
      run.report.present++;
      run.report.highestRevision = Math.max(run.report.highestRevision, one.revision);
      const observable = parseEntryKey(one.key);
      if (observable === undefined) {
        this.#name(run.report, 'orphaned', one.key);
        continue;
      }
      const type = OBSERVABLE_TYPES.indexOf(observable.type);
      // Keys that share the slot stand in this one row: none of them is missing.
      if (siem.encoder.foldsSlots) {
        db.run(
          'INSERT INTO seen (siem_id, entry_id) SELECT siem_id, entry_id FROM projection INDEXED BY projection_slot WHERE siem_id = ? AND slot = ? ON CONFLICT DO NOTHING',
          siem.id,
          one.slot,
        );
      }
      const known = db.get<{ id: number }>('SELECT id FROM entry WHERE type = ? AND value = ?', type, observable.value);
      const row =
        known &&
        db.get<ProjectionRow>('SELECT * FROM projection WHERE siem_id = ? AND entry_id = ?', siem.id, known.id);
      if (known !== undefined)
        db.run('INSERT INTO seen (siem_id, entry_id) VALUES (?, ?) ON CONFLICT DO NOTHING', siem.id, known.id);
      if (row !== undefined && (row.state === STATE.flight || row.state === STATE.accepted)) continue;
      if (row !== undefined && row.rev > run.startedRevision) continue;
      if (row === undefined || row.present === PRESENT.no) {
        if (row?.wanted !== 1) this.#name(run.report, 'orphaned', one.key);
        else this.#name(run.report, 'stale', one.key);
      } else if (row.rev !== one.revision && row.present === PRESENT.yes) this.#name(run.report, 'stale', one.key);
      else if (row.wanted === 0 && row.state === STATE.held && row.hold === null)
        this.#name(run.report, 'orphaned', one.key);
      if (run.repair) this.#adopt(siem, observable, known?.id, row, one, now, run);
    }
  }

  /** Takes one row of the SIEM into the ledger as it stands there. */
  #adopt(
    siem: SiemState,
    observable: NonNullable<ReturnType<typeof parseEntryKey>>,
    entryId: number | undefined,
    row: ProjectionRow | undefined,
    one: OwnedEntry,
    now: number,
    run: { adopted: boolean },
  ): void {
    const { db } = this.#store;
    if (one.revision > this.#store.lastRevision) this.#store.raiseFloor(one.revision);
    if (row === undefined) {
      const type = OBSERVABLE_TYPES.indexOf(observable.type);
      const id = entryId ?? this.#store.ids.take('entry');
      if (entryId === undefined)
        db.run('INSERT INTO entry (id, type, value) VALUES (?, ?, ?)', id, type, observable.value);
      db.run(
        `INSERT INTO projection (siem_id, entry_id, wanted, wanted_rev, content, until, present, rev, state, cause, since, slot, handle)
         VALUES (?, ?, 0, ?, 0, ?, ${PRESENT.yes}, ?, ${STATE.held}, ${CAUSE.adopted}, ?, ?, ?)`,
        siem.id,
        id,
        this.#store.revision,
        one.until ?? null,
        one.revision,
        now,
        siem.encoder.foldsSlots ? one.slot : null,
        one.handle ?? null,
      );
      db.run('INSERT INTO seen (siem_id, entry_id) VALUES (?, ?) ON CONFLICT DO NOTHING', siem.id, id);
      this.#projector.count(siem, observable.type, undefined, {
        wanted: 0,
        present: PRESENT.yes,
        rev: one.revision,
        wanted_rev: 0,
        state: STATE.held,
        vouchers: 0,
        hold_kind: HOLD.none,
      });
      run.adopted = true;
      return;
    }
    this.#takeOver(siem, observable.type, row, one);
  }

  /** The row follows what was found. True when it held something else. */
  #takeOver(siem: SiemState, type: ObservableType, row: ProjectionRow, one: OwnedEntry): boolean {
    if (row.present === PRESENT.yes && row.rev === one.revision) return false;
    const wantedRev =
      row.wanted === 1 && row.wanted_rev === one.revision && row.present !== PRESENT.no
        ? row.wanted_rev
        : this.#store.revision;
    const next: ProjectionRow = {
      ...row,
      present: PRESENT.yes,
      rev: one.revision,
      wanted_rev: wantedRev,
      sent_rev: null,
      note: null,
      handle: one.handle ?? row.handle,
    };
    // An adopted row waits for its partners.
    next.state = row.state === STATE.held && row.hold === null ? STATE.held : restingState(next);
    this.write(siem, type, row, next);
    return true;
  }

  /** A call that had been given up left this behind, or what it overwrote. True when the ledger held something else. */
  found(siem: SiemState, observable: Observable, one: OwnedEntry): boolean {
    const { db } = this.#store;
    if (one.revision > this.#store.lastRevision) this.#store.raiseFloor(one.revision);
    const row = this.#rowOf(siem, observable);
    if (row !== undefined) return !isBusy(row.state) && this.#takeOver(siem, observable.type, row, one);
    // Nobody wants it, and it was ours a moment ago: it goes, and waits for no partner as one that was never known.
    const type = OBSERVABLE_TYPES.indexOf(observable.type);
    const { id } =
      db.get<{ id: number }>('SELECT id FROM entry WHERE type = ? AND value = ?', type, observable.value) ??
      db.get<{ id: number }>('INSERT INTO entry (type, value) VALUES (?, ?) RETURNING id', type, observable.value)!;
    const next = { wanted: 0, wanted_rev: this.#store.revision, present: PRESENT.yes, state: STATE.remove } as const;
    db.run(
      `INSERT INTO projection (siem_id, entry_id, wanted, wanted_rev, content, until, present, rev, state, cause, since, slot, handle)
       VALUES (?, ?, 0, ?, 0, ?, ${next.present}, ?, ${next.state}, ${CAUSE.late}, ?, ?, ?)`,
      siem.id,
      id,
      next.wanted_rev,
      one.until ?? null,
      one.revision,
      this.#store.now,
      siem.encoder.foldsSlots ? one.slot : null,
      one.handle ?? null,
    );
    this.#projector.count(siem, observable.type, undefined, {
      ...next,
      rev: one.revision,
      vouchers: 0,
      hold_kind: HOLD.none,
    });
    return true;
  }

  /** Its slot was looked at and nothing of ours stood there. True when the ledger said otherwise. */
  missed(siem: SiemState, observable: Observable): boolean {
    const row = this.#rowOf(siem, observable);
    if (row === undefined || row.present === PRESENT.no || isBusy(row.state)) return false;
    this.#absent(siem, observable, row);
    return true;
  }

  #absent(siem: SiemState, { type, value }: Observable, row: ProjectionRow): void {
    const next = this.#projector.lost(siem, { id: row.entry_id, type, value }, row, this.#store.now);
    if (next === undefined) this.#projector.countGone(siem, type, row);
    else this.write(siem, type, row, { ...next, note: null });
  }

  #rowOf(siem: SiemState, { type, value }: Observable): ProjectionRow | undefined {
    return this.#store.db.get<ProjectionRow>(
      'SELECT p.* FROM entry e JOIN projection p ON p.entry_id = e.id WHERE e.type = ? AND e.value = ? AND p.siem_id = ?',
      OBSERVABLE_TYPES.indexOf(type),
      value,
      siem.id,
    );
  }

  write(siem: SiemState, type: ObservableType, before: ProjectionRow, next: ProjectionRow): void {
    this.#store.db.run(
      `UPDATE projection SET present = ?, rev = ?, wanted_rev = ?, sent_rev = ?, state = ?, next_at = NULL, attempt = 0, note = ?, handle = ?
       WHERE siem_id = ? AND entry_id = ?`,
      next.present,
      next.rev,
      next.wanted_rev,
      next.sent_rev,
      next.state,
      next.note,
      next.handle,
      siem.id,
      before.entry_id,
    );
    this.#projector.count(siem, type, before, next);
  }

  /**
   * Everything was listed: what the ledger holds and the listing did not show is missing. One step: to be asked again
   * while there is more, since a SIEM may have been emptied.
   */
  end(siem: SiemState, now: number): AuditReport {
    const run = this.#running.get(siem.id);
    if (run === undefined) throw new Error(`no audit of ${siem.spec.name} is running`);
    const { db } = this.#store;
    const last = db.get<{ entry_id: number }>(
      `SELECT entry_id FROM projection WHERE siem_id = ? AND entry_id > ? ORDER BY entry_id LIMIT 1 OFFSET ${STEP - 1}`,
      siem.id,
      run.after,
    )?.entry_id;
    const rows = db.all<ProjectionRow & { type: number; value: string }>(
      `SELECT p.*, e.type, e.value FROM projection p JOIN entry e ON e.id = p.entry_id
       WHERE p.siem_id = ? AND p.entry_id > ? AND p.entry_id <= ? AND p.present <> 0 AND p.rev <= ?
       AND p.state NOT IN (${STATE.flight}, ${STATE.accepted})
       AND NOT EXISTS (SELECT 1 FROM seen s WHERE s.siem_id = p.siem_id AND s.entry_id = p.entry_id)`,
      siem.id,
      run.after,
      last ?? Number.MAX_SAFE_INTEGER,
      run.startedRevision,
    );
    for (const row of rows) {
      const type = OBSERVABLE_TYPES[row.type]!;
      // One that only may be there was never said to be: it is no drift.
      if (row.wanted === 1 && row.present === PRESENT.yes) this.#name(run.report, 'missing', `${type}|${row.value}`);
      if (run.repair) this.#absent(siem, { type, value: row.value }, row);
    }
    if (last !== undefined) {
      run.after = last;
      return run.report;
    }
    // What nobody vouches for waits for the partners, as after an adoption.
    if (run.adopted) db.run('UPDATE siem SET adopted_at = coalesce(adopted_at, ?) WHERE id = ?', now, siem.id);
    run.report.wanted = this.#store.tally(`siem:${siem.id}`, 'wanted');
    const { missing, stale, orphaned } = run.report.counts;
    db.run('UPDATE siem SET drift = ? WHERE id = ?', missing + stale + orphaned, siem.id);
    if (run.repair) {
      db.run(
        'UPDATE siem SET repaired_at = ?, list_again = CASE WHEN list_again > ? THEN list_again END WHERE id = ?',
        now,
        run.startedAt,
        siem.id,
      );
    }
    // What nobody here knew goes too, once every partner has been polled to its end: it may be news of theirs.
    db.run('DELETE FROM seen WHERE siem_id = ?', siem.id);
    this.#running.delete(siem.id);
    run.report.more = false;
    return run.report;
  }

  #name(report: AuditReport, kind: 'missing' | 'stale' | 'orphaned', key: string): void {
    report.counts[kind]++;
    if (report[kind].length < MOST_NAMED) report[kind].push(key);
  }

  /** Slots whose last call may or may not have had its effect, once their waiting time is over. */
  uncertain(siem: SiemState, now: number, limit: number): { slots: string[]; entryIds: number[] } {
    const rows = this.#store.db.all<{ entry_id: number; type: number; value: string }>(
      `SELECT p.entry_id, e.type, e.value FROM projection p INDEXED BY projection_work JOIN entry e ON e.id = p.entry_id
       WHERE p.siem_id = ? AND p.state <> 0 AND p.state = ${STATE.uncertain} AND (p.next_at IS NULL OR p.next_at <= ?) ORDER BY p.entry_id LIMIT ?`,
      siem.id,
      now,
      limit,
    );
    return {
      slots: rows.map((row) => siem.encoder.slot(OBSERVABLE_TYPES[row.type]!, row.value, siem.spec.settings)),
      entryIds: rows.map((row) => row.entry_id),
    };
  }

  /** What the read-back of those slots showed. */
  resolve(siem: SiemState, entryIds: readonly number[], owned: readonly OwnedEntry[]): void {
    const found = new Map(owned.map((one) => [one.key as string, one]));
    const slots = new Set(owned.map((one) => one.slot));
    for (const entryId of entryIds) {
      const row = this.#store.db.get<ProjectionRow & { type: number; value: string }>(
        'SELECT p.*, e.type, e.value FROM projection p JOIN entry e ON e.id = p.entry_id WHERE p.siem_id = ? AND p.entry_id = ?',
        siem.id,
        entryId,
      );
      if (row === undefined || row.state !== STATE.uncertain) continue;
      const type = OBSERVABLE_TYPES[row.type]!;
      const one = found.get(`${type}|${row.value}`);
      // Another key of ours in the same slot: something stands there that this row may have to remove.
      const shared =
        siem.encoder.foldsSlots && slots.has(siem.encoder.slot(type, row.value, siem.spec.settings))
          ? PRESENT.maybe
          : PRESENT.no;
      const next: ProjectionRow = {
        ...row,
        present: one === undefined ? shared : PRESENT.yes,
        rev: one?.revision ?? 0,
        sent_rev: null,
        handle: one?.handle ?? null,
      };
      next.state = restingState(next);
      // What never stood there a hold cannot keep.
      if (next.wanted === 0 && next.present === PRESENT.no && (row.hold === null || row.rev === 0))
        this.#projector.countGone(siem, type, row);
      else this.write(siem, type, row, next);
    }
  }

  /** Receipts whose tasks are still to be asked for; they outlive a crash because they are rows. */
  receipts(siem: SiemState): string[] {
    return this.#store.db
      .all<{ note: string }>(
        `SELECT DISTINCT note FROM projection INDEXED BY projection_work
         WHERE siem_id = ? AND state <> 0 AND state = ${STATE.accepted} AND note IS NOT NULL`,
        siem.id,
      )
      .map((row) => row.note.slice(row.note.indexOf(' ') + 1))
      .filter((receipt, i, all) => all.indexOf(receipt) === i);
  }

  settleReceipt(
    siem: SiemState,
    receipt: string,
    outcomes: readonly { key: string; settlement: Settlement }[],
  ): SettleReport {
    const report: SettleReport = { applied: 0, parked: 0, superseded: 0 };
    const byKey = new Map(outcomes.map((one) => [one.key, one.settlement]));
    const rows = this.#store.db.all<{ entry_id: number; note: string; type: number; value: string }>(
      `SELECT p.entry_id, p.note, e.type, e.value FROM projection p INDEXED BY projection_work JOIN entry e ON e.id = p.entry_id
       WHERE p.siem_id = ? AND p.state <> 0 AND p.state = ${STATE.accepted} AND p.note IN (?, ?)`,
      siem.id,
      `upsert ${receipt}`,
      `remove ${receipt}`,
    );
    const toldOf = (row: { type: number; value: string }) => byKey.get(`${OBSERVABLE_TYPES[row.type]}|${row.value}`);
    const plain = rows.every((row) => {
      const told = toldOf(row);
      return told?.kind === 'applied' && told.handle === undefined;
    });
    const done = plain ? this.#settlePlain(siem, receipt) : 0;
    report.applied += done;
    // What is settled has left the state it was read in.
    for (const row of done === rows.length ? [] : rows) {
      let settlement = toldOf(row) ?? ({ kind: 'unknown', retryAt: this.#store.now } as const);
      const op = row.note.startsWith('upsert ') ? 'upsert' : 'remove';
      if (op === 'remove' && settlement.kind === 'park') {
        // A removal is never parked: what should be gone would stay armed and nobody would look.
        report.refusedRemoval = settlement.reason;
        settlement = { kind: 'retry', retryAt: this.#store.now + REFUSED_WAIT_MS };
      }
      this.#settling.row(siem, row.entry_id, op, PRESENT.maybe, settlement, report);
    }
    return report;
  }

  /** All changes of the task were applied: its rows at once, but for those whose wish changed meanwhile. */
  #settlePlain(siem: SiemState, receipt: string): number {
    const { db } = this.#store;
    const owner = `siem:${siem.id}`;
    const waiting = (op: string): string => `SELECT p.entry_id FROM projection p INDEXED BY projection_work
      WHERE p.siem_id = ${siem.id} AND p.state <> 0 AND p.state = ${STATE.accepted} AND p.note = ? AND p.wanted_rev = p.sent_rev AND p.hold IS NULL AND ${op}`;
    const upserted = db.run(
      `UPDATE projection SET state = ${STATE.settled}, present = ${PRESENT.yes}, rev = sent_rev, sent_rev = NULL, batch = NULL,
         attempt = 0, next_at = NULL, note = NULL
       WHERE siem_id = ? AND entry_id IN (${waiting('p.wanted = 1')})`,
      siem.id,
      `upsert ${receipt}`,
    );
    this.#store.count(owner, 'delivered', upserted);
    // Such a row goes at the next tick, which looks whether it waits for a claim to come (Projector.countGone).
    const gone = waiting('p.wanted = 0 AND p.due IS NOT NULL');
    const types = db.all<{ type: number; n: number }>(
      `SELECT type, count(*) AS n FROM entry WHERE id IN (${gone}) GROUP BY type`,
      `remove ${receipt}`,
    );
    const removed = db.run(
      `UPDATE projection SET state = ${STATE.settled}, present = ${PRESENT.no}, rev = 0, sent_rev = NULL, batch = NULL,
         attempt = 0, next_at = NULL, note = NULL, handle = NULL, due = ?
       WHERE siem_id = ? AND entry_id IN (${gone})`,
      this.#store.engineTime,
      siem.id,
      `remove ${receipt}`,
    );
    for (const { type, n } of types) this.#store.count(owner, `present:${OBSERVABLE_TYPES[type]}`, -n);
    this.#store.count(owner, 'pending', -upserted - removed);
    return upserted + removed;
  }
}
