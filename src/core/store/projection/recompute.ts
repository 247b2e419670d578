// The sweep that computes the wanted state of a SIEM anew, after a change of configuration (unit/context.ts begins it).
import { OBSERVABLE_TYPES } from '../../model/observable.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import type { Sweeps } from '../unit/sweeps.ts';
import type { Brakes } from './brakes.ts';
import type { Crowds } from './crowds.ts';
import type { Projector } from './projection.ts';

/** Tells the sweeps how it is done: entry by entry, in the order of their ids. */
export function registerRecompute(
  sweeps: Sweeps,
  store: StoreContext,
  projector: Projector,
  brakes: Brakes,
  crowds: Crowds,
): void {
  sweeps.register('recompute', ({ owner, position, argument }, most, now) => {
    const siem = store.siems.find((one) => one.id === owner);
    if (siem === undefined) return { rows: 0, position: undefined };
    // Written by StoreContext.
    const { force } = argument as { readonly force: boolean };
    const rows = store.db.all<{ id: number; type: number; value: string }>(
      'SELECT id, type, value FROM entry WHERE id > ? ORDER BY id LIMIT ?',
      Number(position),
      most,
    );
    const reason = { cause: 'policy', exchangeId: 0, force } as const;
    projector.projectAll(
      rows.map(({ id, type, value }) => ({ entry: { id, type: OBSERVABLE_TYPES[type]!, value }, reason })),
      now,
      siem,
      (one) => crowds.again(one, now),
    );
    // What an exchange that left still carries goes with the steps that follow; the brake judges all of it together.
    for (const id of store.exchangeNames.keys())
      if (!store.exchanges.some((one) => one.id === id))
        brakes.foresee('removal', siem, id, store.tally(`siem:${siem.id}`, `armed:${id}`));
    return { rows: rows.length, position: rows.length < most ? undefined : String(rows.at(-1)!.id) };
  });
}

/** The entry that one under way has come to; undefined: none is. */
export function recomputedUpTo(sweeps: Sweeps, siem: SiemState): number | undefined {
  const position = sweeps.find('recompute', siem.id, '')?.position;
  return position === undefined ? undefined : Number(position);
}
