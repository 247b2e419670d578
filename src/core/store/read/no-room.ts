// Why an entry found no place, in the words of the state.
import { fullReason, ROOM_NAMES, roomName } from '../rows/full-containers.ts';
import type { StoreSpec } from '../spec/spec.ts';
import type { Database } from '../sql/port.ts';

/** Why better ones keep an entry out of a watchlist that takes only so many. */
export function noRoom(db: Database, spec: StoreSpec, siem: string, place: number): string {
  const names = db.get<{ value: string }>('SELECT value FROM meta WHERE name = ?', ROOM_NAMES)?.value;
  const most = spec.siems.find((one) => one.name === siem)?.maxEntries ?? 0;
  return fullReason(roomName(names, siem, place), most);
}
