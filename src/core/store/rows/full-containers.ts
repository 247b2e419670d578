// What is said of an entry that finds no place in a watchlist that takes only so many (`max_entries`), and how its container
// is called: both stand in the state for whoever reads it.
import { roomOf } from '../../ledger/capacity.ts';

/** Begins the reason of a row that waits for room. */
const FULL = 'the watchlist is full';

/** Why an entry is kept out for good, as long as nothing changes. */
export const fullReason = (container: string, most: number): string =>
  `${waitingFor(container)} max_entries ${most}, and what stands there is surer or newer`;

export const isFull = (reason: string): boolean => reason.startsWith(`${FULL}: `);

export const waitingFor = (container: string): string => `${FULL}: ${container} holds`;

/** Under this name the state keeps how the containers of each SIEM are called, by their numbers. */
export const ROOM_NAMES = 'rooms';

/** How a container is called in the state of another thread. */
export function roomName(names: string | undefined, siem: string, place: number): string {
  // Written by projection/seats.ts.
  const known = names === undefined ? {} : (JSON.parse(names) as Readonly<Record<string, readonly string[]>>);
  return known[siem]?.[roomOf(place)] ?? 'it';
}
