// Compares the ledger with what a SIEM really holds, and takes over what stands there under our own mark: after a
// lost or restored state, after an administrator's hand, after a call whose effect nobody knows.
import type { OwnedEntry } from '../contracts/siem-connector.ts';
import { type Found, readBack, seen, type Stand, unknown } from '../ledger/stand.ts';
import { entryKey, OBSERVABLE_TYPES, type Observable, parseEntryKey } from '../model/observable.ts';
import type { SiemState, StoreContext } from './context.ts';
import type { Projector } from './projection.ts';
import type { Settlement, SettleReport, Settling } from './settling.ts';
import { STATE } from './rows.ts';
import { noteOf, receiptOf } from './stand-rows.ts';
import type { StandRuns } from './stand-runs.ts';
import type { Standing, StandTable } from './stand-table.ts';

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
  readonly #stands: StandTable;
  readonly #runs: StandRuns;
  readonly #settling: Settling;
  readonly #running = new Map<number, Run>();

  constructor(store: StoreContext, projector: Projector, stands: StandTable, runs: StandRuns, settling: Settling) {
    this.#store = store;
    this.#projector = projector;
    this.#stands = stands;
    this.#runs = runs;
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
      // Keys that share the slot stand in this one row: none of them is missing.
      if (siem.encoder.foldsSlots) {
        db.run(
          'INSERT INTO seen (siem_id, entry_id) SELECT siem_id, entry_id FROM projection INDEXED BY projection_slot WHERE siem_id = ? AND slot = ? ON CONFLICT DO NOTHING',
          siem.id,
          one.slot,
        );
      }
      const known = this.#entryOf(observable);
      if (known !== undefined) {
        db.run('INSERT INTO seen (siem_id, entry_id) VALUES (?, ?) ON CONFLICT DO NOTHING', siem.id, known);
      }
      const stand = known === undefined ? undefined : this.#stands.load(siem, known);
      if (stand?.call?.kind === 'flight' || stand?.call?.kind === 'accepted') continue;
      if (stand !== undefined && stand.present.revision > run.startedRevision) continue;
      const wrong = wrongOf(stand, one);
      if (wrong !== undefined) this.#name(run.report, wrong, one.key);
      if (run.repair) this.#adopt(siem, observable, known, stand, one, now, run);
    }
  }

  #entryOf({ type, value }: Observable): number | undefined {
    return this.#store.db.get<{ id: number }>(
      'SELECT id FROM entry WHERE type = ? AND value = ?',
      OBSERVABLE_TYPES.indexOf(type),
      value,
    )?.id;
  }

  #newEntry({ type, value }: Observable): number {
    const id = this.#store.ids.take('entry');
    this.#store.db.run(
      'INSERT INTO entry (id, type, value) VALUES (?, ?, ?)',
      id,
      OBSERVABLE_TYPES.indexOf(type),
      value,
    );
    return id;
  }

  /** Takes one row of the SIEM into the ledger as it stands there. */
  #adopt(
    siem: SiemState,
    observable: Observable,
    known: number | undefined,
    stand: Stand | undefined,
    one: OwnedEntry,
    now: number,
    run: { adopted: boolean },
  ): void {
    this.#raiseFloor(one);
    const id = known ?? this.#newEntry(observable);
    const after =
      stand === undefined
        ? unknown(foundOf(one), 'adopted', this.#store.revision, now, slotOf(siem, one))
        : seen(stand, foundOf(one), this.#store.revision);
    this.#stands.write(siem, { id, type: observable.type }, stand, after);
    if (stand !== undefined) return;
    this.#store.db.run('INSERT INTO seen (siem_id, entry_id) VALUES (?, ?) ON CONFLICT DO NOTHING', siem.id, id);
    run.adopted = true;
  }

  #raiseFloor({ revision }: OwnedEntry): void {
    if (revision > this.#store.lastRevision) this.#store.raiseFloor(revision);
  }

  /** A call that had been given up left this behind, or what it overwrote. True when the ledger held something else. */
  found(siem: SiemState, observable: Observable, one: OwnedEntry): boolean {
    this.#raiseFloor(one);
    const { now, revision } = this.#store;
    const known = this.#stands.of(siem, observable);
    if (known?.stand.call !== undefined) return false;
    // Where nobody wants it, and it was ours a moment ago, it goes, and waits for no partner as one that was never known.
    const after =
      known === undefined
        ? unknown(foundOf(one), 'late', revision, now, slotOf(siem, one))
        : seen(known.stand, foundOf(one), revision);
    if (after === known?.stand) return false;
    const id = known?.entry.id ?? this.#entryOf(observable) ?? this.#newEntry(observable);
    this.#stands.write(siem, { id, type: observable.type }, known?.stand, after);
    return true;
  }

  /** Its slot was looked at and nothing of ours stood there. True when the ledger said otherwise. */
  missed(siem: SiemState, observable: Observable): boolean {
    const known = this.#stands.of(siem, observable);
    if (known === undefined || known.stand.present.is === 'no' || known.stand.call !== undefined) return false;
    this.#projector.lost(siem, known, this.#store.now);
    return true;
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
    const rows = this.#stands.select(
      siem,
      '',
      `p.entry_id > ? AND p.entry_id <= ? AND p.present <> 0 AND p.rev <= ?
       AND p.state NOT IN (${STATE.flight}, ${STATE.accepted})
       AND NOT EXISTS (SELECT 1 FROM seen s WHERE s.siem_id = p.siem_id AND s.entry_id = p.entry_id)`,
      run.after,
      last ?? Number.MAX_SAFE_INTEGER,
      run.startedRevision,
    );
    for (const row of rows) {
      const { entry, stand } = row;
      // One that only may be there was never said to be: it is no drift.
      if (stand.wanted.is && stand.present.is === 'yes')
        this.#name(run.report, 'missing', entryKey(entry.type, entry.value));
      if (run.repair) this.#projector.lost(siem, row, this.#store.now);
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
    const found = new Map(owned.map((one) => [one.key, one]));
    const slots = new Set(owned.map((one) => one.slot));
    for (const entryId of entryIds) {
      const known = this.#stands.at(siem, entryId);
      if (known === undefined) continue;
      const { type, value } = known.entry;
      const one = found.get(entryKey(type, value));
      // Another key of ours in the same slot: something stands there that this row may have to remove.
      const shared = siem.encoder.foldsSlots && slots.has(siem.encoder.slot(type, value, siem.spec.settings));
      const next = readBack(known.stand, one && foundOf(one), shared, this.#store.engineTime);
      this.#stands.write(siem, known.entry, known.stand, next);
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
      .map((row) => receiptOf(row.note).receipt)
      .filter((receipt, i, all) => all.indexOf(receipt) === i);
  }

  settleReceipt(
    siem: SiemState,
    receipt: string,
    outcomes: readonly { key: string; settlement: Settlement }[],
  ): SettleReport {
    const report: SettleReport = { applied: 0, parked: 0, superseded: 0 };
    const byKey = new Map(outcomes.map((one) => [one.key, one.settlement]));
    const rows = this.#stands.select(
      siem,
      'INDEXED BY projection_work',
      `p.state <> 0 AND p.state = ${STATE.accepted} AND p.note IN (?, ?)`,
      noteOf('upsert', receipt),
      noteOf('remove', receipt),
    );
    const toldOf = ({ entry }: Standing) => byKey.get(entryKey(entry.type, entry.value));
    const plain = rows.every((row) => {
      const told = toldOf(row);
      return told?.kind === 'applied' && told.handle === undefined;
    });
    const done = plain ? this.#runs.told(siem, receipt) : 0;
    report.applied += done;
    // What is settled has left the state it was read in.
    for (const row of done === rows.length ? [] : rows) {
      let settlement = toldOf(row) ?? ({ kind: 'unknown', retryAt: this.#store.now } as const);
      const op = row.stand.call?.kind === 'accepted' ? row.stand.call.op : 'upsert';
      if (op === 'remove' && settlement.kind === 'park') {
        // A removal is never parked: what should be gone would stay armed and nobody would look.
        report.refusedRemoval = settlement.reason;
        settlement = { kind: 'retry', retryAt: this.#store.now + REFUSED_WAIT_MS };
      }
      this.#settling.one(siem, row.entry.id, { op, before: 'maybe' }, settlement, report);
    }
    return report;
  }
}

/** What the listing says against the ledger. */
function wrongOf(stand: Stand | undefined, one: OwnedEntry): 'stale' | 'orphaned' | undefined {
  if (stand === undefined || stand.present.is === 'no') return stand?.wanted.is === true ? 'stale' : 'orphaned';
  if (stand.present.is === 'yes' && stand.present.revision !== one.revision) return 'stale';
  return stand.adopted ? 'orphaned' : undefined;
}

const foundOf = ({ revision, until, handle }: OwnedEntry): Found => ({ revision, until, handle });

const slotOf = ({ encoder }: SiemState, { slot }: OwnedEntry): string | undefined =>
  encoder.foldsSlots ? slot : undefined;
