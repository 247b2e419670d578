// Compares the ledger with all that a SIEM really holds under our own mark. What it finds goes into the ledger like
// what any look finds (findings.ts).
import type { OwnedEntry } from '../../contracts/siem-connector.ts';
import type { Stand } from '../../ledger/stand.ts';
import { entryKey, type Observable, parseEntryKey } from '../../model/observable.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import { entryIdsOf } from '../unit/entry-ids.ts';
import type { Findings } from './findings.ts';
import type { Projector } from '../projection/projection.ts';
import { STATE } from '../rows/rows.ts';
import type { StandTable } from '../projection/stand-table.ts';

export interface ComparisonReport {
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
  readonly report: ComparisonReport;
}

const MOST_NAMED = 1000;
/** Rows of the ledger that one step of a comparison's end looks at. */
const STEP = 5000;

export class Comparison {
  readonly #store: StoreContext;
  readonly #projector: Projector;
  readonly #stands: StandTable;
  readonly #findings: Findings;
  readonly #running = new Map<number, Run>();

  constructor(store: StoreContext, projector: Projector, stands: StandTable, findings: Findings) {
    this.#store = store;
    this.#projector = projector;
    this.#stands = stands;
    this.#findings = findings;
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
    if (run === undefined) throw new Error(`no comparison of ${siem.spec.name} is running`);
    for (const one of owned) {
      run.report.present++;
      run.report.highestRevision = Math.max(run.report.highestRevision, one.revision);
    }
    const named = owned.map((one) => ({ one, observable: parseEntryKey(one.key) }));
    const entries = entryIdsOf(
      this.#store.db,
      named.flatMap(({ observable }) => observable ?? []),
    );
    this.#seen(siem, [...entries.values(), ...this.#sharing(siem, owned)]);
    const adopted: number[] = [];
    this.#stands.together(() => {
      this.#stands.loadAll(siem, [...entries.values()]);
      for (const { one, observable } of named)
        if (observable === undefined) this.#name(run.report, 'orphaned', one.key);
        else {
          const id = this.#compare(siem, run, observable, entries.get(one.key.toWellFormed()), one, now);
          if (id === undefined) continue;
          entries.set(one.key.toWellFormed(), id);
          adopted.push(id);
        }
    });
    this.#seen(siem, adopted);
    if (adopted.length > 0) run.adopted = true;
  }

  /** Keys that share the slot of a row stand in it: none of them is missing. */
  #sharing(siem: SiemState, owned: readonly OwnedEntry[]): number[] {
    if (!siem.encoder.foldsSlots) return [];
    return this.#store.db
      .listsByKeys(
        'SELECT entry_id FROM projection INDEXED BY projection_slot WHERE siem_id = ? AND slot IN ($keys)',
        [...new Set(owned.map((one) => one.slot))],
        siem.id,
      )
      .map(([id]) => id as number);
  }

  #seen(siem: SiemState, entryIds: readonly number[]): void {
    const rows = [...new Set(entryIds)].map((id) => [siem.id, id]);
    this.#store.db.insertRows('seen', ['siem_id', 'entry_id'], rows, 'nothing');
  }

  /** Returns the entry where the ledger held no row of it, and does now. */
  #compare(
    siem: SiemState,
    run: Run,
    observable: Observable,
    known: number | undefined,
    one: OwnedEntry,
    now: number,
  ): number | undefined {
    const stand = known === undefined ? undefined : this.#stands.load(siem, known);
    if (stand?.call?.kind === 'flight' || stand?.call?.kind === 'accepted') return undefined;
    if (stand !== undefined && stand.present.revision > run.startedRevision) return undefined;
    const wrong = wrongOf(stand, one);
    if (wrong !== undefined) this.#name(run.report, wrong, one.key);
    if (!run.repair) return undefined;
    const id = this.#findings.adopt(siem, observable, known, stand, one, now);
    return stand === undefined ? id : undefined;
  }

  /**
   * Everything was listed: what the ledger holds and the listing did not show is missing. One step: to be asked again
   * while there is more, since a SIEM may have been emptied.
   */
  end(siem: SiemState, now: number): ComparisonReport {
    const run = this.#running.get(siem.id);
    if (run === undefined) throw new Error(`no comparison of ${siem.spec.name} is running`);
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
    // One that only may be there was never said to be: it is no drift.
    for (const { entry, stand } of rows)
      if (stand.wanted.is && stand.present.is === 'yes')
        this.#name(run.report, 'missing', entryKey(entry.type, entry.value));
    if (run.repair) this.#projector.lostAll(siem, rows, this.#store.now);
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

  #name(report: ComparisonReport, kind: 'missing' | 'stale' | 'orphaned', key: string): void {
    report.counts[kind]++;
    if (report[kind].length < MOST_NAMED) report[kind].push(key);
  }
}

/** What the listing says against the ledger. */
function wrongOf(stand: Stand | undefined, one: OwnedEntry): 'stale' | 'orphaned' | undefined {
  if (stand === undefined || stand.present.is === 'no') return stand?.wanted.is === true ? 'stale' : 'orphaned';
  if (stand.present.is === 'yes' && stand.present.revision !== one.revision) return 'stale';
  return stand.adopted ? 'orphaned' : undefined;
}
