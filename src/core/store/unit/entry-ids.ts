// Entries by what they are about, in a few look-ups.
import { type EntryKey, entryKey, OBSERVABLE_TYPES, type Observable } from '../../model/observable.ts';
import type { Database, Values } from '../sql/port.ts';
import type { StoreContext } from './context.ts';

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

/** The same of all of them: those that nobody knew are made. */
export function entriesOf({ db, ids }: StoreContext, observables: readonly Observable[]): Map<string, number> {
  const found = entryIdsOf(db, observables);
  const fresh: Values[] = [];
  for (const one of observables) {
    if (found.has(storedKey(one))) continue;
    const id = ids.take('entry');
    found.set(storedKey(one), id);
    fresh.push([id, OBSERVABLE_TYPES.indexOf(one.type), one.value]);
  }
  db.insertRows('entry', ['id', 'type', 'value'], fresh);
  return found;
}

/** Its key in these, with the value as the database has it. */
export const storedKey = ({ type, value }: Observable): EntryKey => entryKey(type, value.toWellFormed());
