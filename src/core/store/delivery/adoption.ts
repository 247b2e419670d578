// What was found in a SIEM under our own mark and nobody here vouches for waits until every partner was polled to its
// end; then it goes, in steps and under the brake.
import { released, takenOff } from '../../ledger/found.ts';
import type { Observable } from '../../model/observable.ts';
import type { Brakes } from '../projection/brakes.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import { entriesOf, storedKey } from '../unit/entry-ids.ts';
import { STATE } from '../rows/rows.ts';
import type { Standing, StandTable } from '../projection/stand-table.ts';
import type { Sweep, Sweeps, SweepStep } from '../unit/sweeps.ts';

export class Adoption {
  readonly #store: StoreContext;
  readonly #stands: StandTable;
  readonly #brakes: Brakes;
  readonly #sweeps: Sweeps;
  /** Their listing is under way: until it ends nobody knows what stands there. */
  readonly #listing = new Set<number>();

  constructor(store: StoreContext, stands: StandTable, brakes: Brakes, sweeps: Sweeps) {
    this.#store = store;
    this.#stands = stands;
    this.#brakes = brakes;
    this.#sweeps = sweeps;
    sweeps.register('adopted', (sweep, most, now) => this.#step(sweep, most, now));
  }

  /**
   * The SIEM is taken over: rows nobody vouches for wait until every partner was polled to its end since `now`. Said
   * before the listing, and once more when it is over (`listed`). `off`: what people took off.
   */
  begin(siem: SiemState, others: boolean, listed: boolean, off: readonly Observable[], now: number): void {
    if (listed) this.#listing.delete(siem.id);
    else this.#listing.add(siem.id);
    this.#store.db.run('UPDATE siem SET adopted_at = ? WHERE id = ?', now, siem.id);
    // What they had under way may land behind the listing.
    if (others)
      this.#store.db.run('UPDATE siem SET list_again = ? WHERE id = ?', now + siem.spec.longestCallMs, siem.id);
    this.takeOff(siem, off, now);
  }

  /**
   * What a person takes off goes by its key: while a lost state is taken over it may stand there, whether or not the
   * listing has come to it. What is not there is removed in vain.
   */
  takeOff(siem: SiemState, observables: readonly Observable[], now: number): void {
    if (!this.#listing.has(siem.id)) return;
    const { revision } = this.#store;
    const entries = entriesOf(this.#store, observables);
    this.#stands.together(() => {
      this.#stands.loadAll(siem, [...entries.values()]);
      for (const { type, value } of observables) {
        const id = entries.get(storedKey({ type, value }))!;
        const slot = siem.encoder.foldsSlots ? siem.encoder.slot(type, value, siem.spec.settings) : undefined;
        const stand = this.#stands.load(siem, id);
        this.#stands.write(siem, { id, type, value }, stand, takenOff(stand, revision, now, slot));
      }
    });
  }

  /** Once all exchanges the SIEM listens to completed a poll since its adoption, what is still unvouched goes. */
  release(siem: SiemState, now: number): void {
    const adopted = this.#adoptedAt(siem);
    if (adopted === undefined) return;
    const waiting = this.#store.exchanges.some((exchange) => {
      if (siem.spec.rules[exchange.spec.name] === undefined) return false;
      const polled = this.#store.db.get<{ poll_completed: number | null }>(
        'SELECT poll_completed FROM exchange WHERE id = ?',
        exchange.id,
      )?.poll_completed;
      return polled === undefined || polled === null || polled < adopted;
    });
    if (waiting) return;
    this.#store.db.run('UPDATE siem SET adopted_at = NULL WHERE id = ?', siem.id);
    this.#sweeps.begin('adopted', siem.id, '', null, now);
  }

  #adoptedAt(siem: SiemState): number | undefined {
    const row = this.#store.db.get<{ adopted_at: number | null }>('SELECT adopted_at FROM siem WHERE id = ?', siem.id);
    return row?.adopted_at ?? undefined;
  }

  #step({ owner, position }: Sweep, most: number, now: number): SweepStep {
    const siem = this.#store.siems.find((one) => one.id === owner);
    // Taken over once more meanwhile: everything waits for the partners again.
    if (siem === undefined || this.#adoptedAt(siem) !== undefined) return { rows: 0, position: undefined };
    const rows = this.#stands.select(
      siem,
      'INDEXED BY projection_work',
      `p.state <> 0 AND p.state = ${STATE.held} AND p.entry_id > ? ORDER BY p.entry_id LIMIT ?`,
      Number(position),
      most,
    );
    this.#stands.together(() => {
      for (const row of rows) if (row.stand.adopted && row.stand.wanted.cause === 'adopted') this.#let(siem, row, now);
    });
    // What is still to come is judged with it.
    this.#brakes.foresee('removal', siem, 0, this.#store.tally(`siem:${siem.id}`, 'adopted'));
    return { rows: rows.length, position: rows.length < most ? undefined : String(rows.at(-1)!.entry.id) };
  }

  #let(siem: SiemState, { entry, stand }: Standing, now: number): void {
    this.#stands.write(siem, entry, stand, released(stand));
    // What expired meanwhile is no withdrawal; the rest counts, whichever partner it came from.
    const { until } = stand.wanted;
    if (until === undefined || until > now) this.#brakes.withdrawn(siem, 0, entry.id);
  }
}
