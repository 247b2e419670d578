// Entries by what they are about, in a few look-ups.
import { entryKey, OBSERVABLE_TYPES, type Observable } from '../../model/observable.ts';
import type { Database } from '../sql/port.ts';

/** Of those that anybody knows, by their keys. */
export function entryIdsOf(db: Database, observables: readonly Observable[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const [type, all] of Map.groupBy(observables, (one) => one.type))
    for (const [id, value] of db.listsByKeys(
      'SELECT id, value FROM entry WHERE type = ? AND value IN ($keys)',
      [...new Set(all.map((one) => one.value))],
      OBSERVABLE_TYPES.indexOf(type),
    ) as [number, string][])
      found.set(entryKey(type, value), id);
  return found;
}
