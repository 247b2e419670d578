// Containers (an index, a collection, a reference set) as a SIEM has them. Rows of one that is gone, was made anew or is
// named for the first time do not stand there: they become absent in steps, before anything is sent.
import { OBSERVABLE_TYPES } from '../../model/observable.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import { doubt } from './doubts.ts';
import type { Projector } from '../projection/projection.ts';
import { STATE } from '../rows/rows.ts';
import type { StandTable } from '../projection/stand-table.ts';
import type { Sweep, Sweeps, SweepStep } from '../unit/sweeps.ts';

type Found = Readonly<Record<string, string>>;

/** What a sweep goes through, and what is known of the SIEM once it is over; nothing new after a purge. */
interface Emptying {
  readonly names: readonly string[];
  readonly found: Found | null;
}

export class Containers {
  readonly #store: StoreContext;
  readonly #projector: Projector;
  readonly #stands: StandTable;
  readonly #sweeps: Sweeps;
  /** Rows that became absent since somebody asked, by SIEM. */
  readonly #absent = new Map<number, number>();

  constructor(store: StoreContext, projector: Projector, stands: StandTable, sweeps: Sweeps) {
    this.#store = store;
    this.#projector = projector;
    this.#stands = stands;
    this.#sweeps = sweeps;
    sweeps.register('emptied', (sweep, most, now) => this.#step(sweep, most, now));
  }

  known(siem: SiemState): Found {
    const row = this.#store.db.get<{ containers: string }>('SELECT containers FROM siem WHERE id = ?', siem.id)!;
    return JSON.parse(row.containers) as Found;
  }

  /** One step, to be asked again while there is more. */
  note(siem: SiemState, found: Found, now: number): { lost: string[]; rows: number; more: boolean } {
    const known = this.known(siem);
    const changed = [...new Set([...Object.keys(known), ...Object.keys(found)])].filter(
      (name) => found[name] !== known[name],
    );
    const under = this.#sweeps.find('emptied', siem.id, '');
    const argument = { names: changed, found };
    const same = under !== undefined && JSON.stringify(under.argument) === JSON.stringify(argument);
    if (changed.length > 0 && !same) this.#sweeps.begin('emptied', siem.id, '', argument, now);
    else this.#sweeps.stepOf('emptied', siem.id, '', now);
    const rows = this.#absent.get(siem.id) ?? 0;
    this.#absent.delete(siem.id);
    const lost = changed.filter((name) => known[name] !== undefined);
    return { lost, rows, more: this.#sweeps.find('emptied', siem.id, '') !== undefined };
  }

  /** A purge emptied the SIEM: nothing of it is present any more. */
  purged(siem: SiemState, now: number): void {
    const names = OBSERVABLE_TYPES.map((type) => siem.encoder.container(type, siem.spec.settings));
    this.#sweeps.begin('emptied', siem.id, '', { names: [...new Set(names)], found: null }, now);
  }

  #step({ owner, position, argument }: Sweep, most: number, now: number): SweepStep {
    const siem = this.#store.siems.find((one) => one.id === owner);
    if (siem === undefined) return { rows: 0, position: undefined };
    const { db } = this.#store;
    // As put there above.
    const { names, found } = argument as unknown as Emptying;
    const touched = new Set(
      OBSERVABLE_TYPES.filter((type) => names.includes(siem.encoder.container(type, siem.spec.settings))),
    );
    const rows = this.#stands.select(
      siem,
      '',
      `p.entry_id > ? AND p.present <> 0 AND p.state <> ${STATE.flight} ORDER BY p.entry_id LIMIT ?`,
      Number(position),
      most,
    );
    const emptied = rows.filter((row) => touched.has(row.entry.type));
    // Its task may still be carried out, in what is made anew.
    for (const { entry, stand } of emptied) if (stand.call?.kind === 'accepted') doubt(this.#store, siem, entry);
    this.#projector.lostAll(siem, emptied, now);
    const changed = emptied.length;
    this.#absent.set(siem.id, (this.#absent.get(siem.id) ?? 0) + changed);
    if (rows.length === most) return { rows: rows.length, position: String(rows.at(-1)!.entry.id) };
    if (found !== null) db.run('UPDATE siem SET containers = ? WHERE id = ?', JSON.stringify(found), siem.id);
    return { rows: rows.length, position: undefined };
  }
}
