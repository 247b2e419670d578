// Freezes the rows that went beyond a brake, and lets a person decide: an approval covers exactly the set that was
// shown, and its rows go to work in steps, so that a hold of a million is not one unit.
import { ConnectorError } from '../../model/failure.ts';
import { held, isAsNoted } from '../../ledger/holds.ts';
import type { Beyond, Brakes } from './brakes.ts';
import type { Crowds } from './crowds.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import type { HoldTable } from './hold-table.ts';
import type { HoldRow } from '../rows/hold-rows.ts';
import type { Projector } from './projection.ts';
import type { Seats } from './seats.ts';
import type { Sweep, Sweeps, SweepStep } from '../unit/sweeps.ts';
import type { Standing, StandTable } from './stand-table.ts';

/** Entries that a refusal names. */
const MOST_NAMED = 5;

export class Holds {
  readonly #store: StoreContext;
  readonly #table: HoldTable;
  readonly #brakes: Brakes;
  readonly #projector: Projector;
  readonly #stands: StandTable;
  readonly #sweeps: Sweeps;
  readonly #crowds: Crowds;
  readonly #seats: Seats;

  constructor(
    store: StoreContext,
    table: HoldTable,
    brakes: Brakes,
    projector: Projector,
    stands: StandTable,
    sweeps: Sweeps,
    crowds: Crowds,
    seats: Seats,
  ) {
    this.#store = store;
    this.#table = table;
    this.#brakes = brakes;
    this.#projector = projector;
    this.#stands = stands;
    this.#sweeps = sweeps;
    this.#crowds = crowds;
    this.#seats = seats;
    sweeps.register('approved', (sweep, most, now) => this.#release(sweep, most, now));
  }

  /** At the end of a unit, inside its transaction. */
  judge(now: number): void {
    for (const group of this.#brakes.judge(now)) this.#freeze(group, now);
    this.#table.remember(now);
  }

  #freeze({ kind, siem, exchangeId, entries, reason }: Beyond, now: number): void {
    this.#stands.together(() => {
      let id: number | undefined;
      const found = this.#stands.standings(siem, [...entries.keys()]);
      const forbidden = kind === 'removal' ? this.#forbidden(siem, found, now) : undefined;
      for (const [entryId, kept] of entries) {
        const one = found.get(entryId);
        if (one === undefined || !isAsNoted(one.stand, kind, kept) || forbidden?.has(entryId) === true) continue;
        id ??= this.#table.open(kind, siem, exchangeId, now, reason);
        const room = this.#seats.roomFor(siem, one.entry.type)?.place;
        const next = held(one.stand, { id, kind }, kept, this.#store.revision, now, room);
        this.#stands.write(siem, one.entry, one.stand, next);
      }
    });
  }

  /** Of what was withdrawn, all that may not stand there either: whoever withdraws may raise the marking with the same word. */
  #forbidden(siem: SiemState, found: ReadonlyMap<number, Standing>, now: number): ReadonlySet<number> {
    const { claims, admissions } = this.#projector;
    const gone = [...found.values()].filter((one) => !one.stand.wanted.is);
    const forbidden = new Set<number>();
    for (const part of claims.loaded(gone)) {
      claims.loadEvery(part.map((one) => one.entry.id));
      for (const { entry } of part) if (!admissions.mayBeKept(siem, entry, now)) forbidden.add(entry.id);
    }
    claims.forget();
    return forbidden;
  }

  /**
   * Approved rows go to work; rejected removals stay armed and rejected additions stay out, until the partner says
   * something new about them. Returns how many entries the set had.
   */
  decide(id: number, decision: 'approve' | 'reject', code: string, by: string, reason: string, now: number): HoldRow {
    const hold = this.#table.get(id);
    if (hold === undefined || hold.decided !== null || hold.entries === 0)
      throw new ConnectorError('permanent', `no hold ${id} is waiting; see entente held list`);
    if (this.#table.code(hold) !== code.toLowerCase()) throw new ConnectorError('permanent', this.#changed(hold, code));
    this.#table.decide(id, decision, by, reason, now);
    if (decision === 'approve') {
      if (hold.kind !== 'intake') this.#brakes.forgive(hold.kind, hold.siem_id, hold.exchange_id);
      this.#sweeps.begin('approved', id, '', null, now);
    }
    return hold;
  }

  /** The rows of an approved hold, each judged as if the hold had never been; of one that very many name, in steps of its own. */
  #release(sweep: Sweep, most: number, now: number): SweepStep {
    const hold = this.#table.get(sweep.owner);
    const siem = hold && this.#store.siems.find((one) => one.id === hold.siem_id);
    // A SIEM that left the configuration keeps its rows as they are; nothing is written there.
    if (hold === undefined || siem === undefined) return { rows: 0, position: undefined };
    const rows = this.#store.db.all<{ entry_id: number }>(
      'SELECT entry_id FROM projection INDEXED BY projection_hold WHERE hold = ? AND siem_id = ? AND entry_id > ? ORDER BY entry_id LIMIT ?',
      hold.id,
      siem.id,
      // What was handed on stands in the hold until it has been gone through.
      Number(sweep.position),
      most,
    );
    const entries = this.#projector.claims.entries(rows.map((row) => row.entry_id));
    const reason = { cause: 'none', exchangeId: 0 } as const;
    this.#projector.projectAll(
      [...entries.values()].map((entry) => ({ entry, reason })),
      now,
      siem,
      (one) => this.#crowds.again(one, now),
    );
    return { rows: rows.length, position: rows.length < most ? undefined : String(rows.at(-1)!.entry_id) };
  }

  #changed(hold: HoldRow, code: string): string {
    const look = `look again: entente held show ${hold.id}`;
    const then = this.#table.past(hold, code.toLowerCase());
    if (then === undefined)
      return `hold ${hold.id} is not the set with the code ${code}: it covers ${hold.entries} entries now; nothing was done; ${look}`;
    const joined = this.#store.db.all<{ value: string }>(
      `SELECT e.value FROM projection p INDEXED BY projection_hold JOIN entry e ON e.id = p.entry_id
       WHERE p.hold = ? AND p.wanted_rev > ? ORDER BY p.entry_id LIMIT ${MOST_NAMED}`,
      hold.id,
      then.revision,
    );
    const names = joined.length === 0 ? '' : ` (among them ${joined.map((one) => one.value).join(', ')})`;
    const difference =
      hold.entries > then.entries
        ? `${hold.entries - then.entries} more`
        : hold.entries < then.entries
          ? `${then.entries - hold.entries} fewer`
          : 'as many, but others';
    return `hold ${hold.id} has changed since it was shown: it covered ${then.entries} entries then and covers ${hold.entries} now, ${difference}${names}; nothing was done; ${look}`;
  }
}
