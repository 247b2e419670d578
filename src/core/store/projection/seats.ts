// Who stands in a watchlist that takes only so many (`max_entries`): the rule of ledger/capacity.ts over the rows. What
// claims vouch for has a place or waits for one; both are found by one index, best first, so that a container in which
// nothing changed costs nothing, and one in which something did costs two look-ups, and what has to move one set.
import { type Moves, movesOf, placeOf, placesOf, type Seat, type Worth } from '../../ledger/capacity.ts';
import type { Room } from '../../ledger/project.ts';
import { letIn, putOut } from '../../ledger/rest.ts';
import type { Stand } from '../../ledger/stand.ts';
import { OBSERVABLE_TYPES, type ObservableType } from '../../model/observable.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import { ROOM_NAMES } from '../rows/full-containers.ts';
import { PRESENT } from '../rows/rows.ts';
import type { StandTable } from './stand-table.ts';

/** Moves of one unit at most; ticks go on with the rest. */
const MOST_MOVES = 500;
const NOTHING: Worth = { confidence: undefined, modified: 0 };

interface Row {
  readonly entry_id: number;
  readonly place: number;
  readonly present: number;
}

const seatOf = ({ entry_id: id, place, present }: Row): Seat => ({ id, place, stands: present !== PRESENT.no });

export class Seats {
  readonly #store: StoreContext;
  readonly #stands: StandTable;
  readonly #best;
  readonly #worst;
  /** Of each SIEM that takes only so many, the number of the container of each type. */
  readonly #rooms: ReadonlyMap<SiemState, ReadonlyMap<ObservableType, number>>;

  constructor(store: StoreContext, stands: StandTable) {
    this.#store = store;
    this.#stands = stands;
    const find = (order: string) =>
      store.db.statement<Row>(
        `SELECT entry_id, place, present FROM projection INDEXED BY projection_place
         WHERE siem_id = ? AND kept_out = ? AND place IS NOT NULL AND place >= ? AND place <= ? ORDER BY ${order} LIMIT ?`,
      );
    this.#best = find('place DESC, entry_id');
    this.#worst = find('place, entry_id DESC');
    const limited = store.siems.filter(({ spec }) => spec.maxEntries !== undefined);
    this.#rooms = new Map(limited.map((siem) => [siem, roomsOf(siem)]));
    // Another limit, or what a crash left half done.
    for (const [siem, rooms] of this.#rooms) for (const room of rooms.values()) stands.moved(siem, room);
    store.opening(() => store.setMeta(ROOM_NAMES, JSON.stringify(Object.fromEntries(limited.map(namesOf)))));
  }

  /** What an entry is worth there; without any worth, what vouches for nothing. Undefined: the watchlist takes all. */
  roomFor(siem: SiemState, type: ObservableType, worth: Worth = NOTHING): Room | undefined {
    const room = this.#rooms.get(siem)?.get(type);
    if (room === undefined) return undefined;
    // What waits already comes first.
    const full = this.#count(siem, room, 'seated') >= siem.spec.maxEntries! || this.#count(siem, room, 'out') > 0;
    return { place: placeOf(room, worth), full };
  }

  /** At the end of a unit, inside its transaction: containers in which something changed come to rest. */
  settle(now: number): void {
    let left = MOST_MOVES;
    for (const [siem, rooms] of this.#stands.placesMoved)
      for (const room of rooms) {
        if (!this.#rooms.has(siem) || siem.spec.maxEntries === undefined) rooms.delete(room);
        else {
          left -= this.#rest(siem, room, left, now);
          if (left <= 0) return;
          rooms.delete(room);
        }
      }
  }

  /** There is more to move. */
  get more(): boolean {
    return [...this.#stands.placesMoved.values()].some((rooms) => rooms.size > 0);
  }

  #rest(siem: SiemState, room: number, most: number, now: number): number {
    // Nearly always nothing has to move, which the first of those that wait and of those that sit tell.
    if (this.#moves(siem, room, 1).count === 0) return 0;
    const moves = this.#moves(siem, room, most);
    const { revision } = this.#store;
    this.#stands.together(() => {
      this.#move(siem, moves.out, (stand) => putOut(stand, revision, now));
      this.#move(siem, moves.in, (stand) => letIn(stand, revision, now));
    });
    return moves.count;
  }

  #moves(siem: SiemState, room: number, limit: number): Moves {
    const [first, last] = placesOf(room);
    const sitting = this.#worst.all(siem.id, 0, first, last, limit).map(seatOf);
    const waiting = this.#best.all(siem.id, 1, first, last, limit).map(seatOf);
    const container = { most: siem.spec.maxEntries!, seated: this.#count(siem, room, 'seated') };
    return movesOf(container, sitting, waiting, limit);
  }

  #move(siem: SiemState, seats: readonly Seat[], step: (stand: Stand) => Stand): void {
    const standings = this.#stands.standings(
      siem,
      seats.map((one) => one.id),
    );
    for (const { id } of seats) {
      const found = standings.get(id);
      if (found === undefined) throw new Error(`entry ${id} has a place and no row`);
      const next = step(found.stand);
      // Who cannot be moved would be found again and again.
      if (next === found.stand) throw new Error(`entry ${id} does not leave its place`);
      this.#stands.write(siem, found.entry, found.stand, next);
    }
  }

  #count(siem: SiemState, room: number, what: 'seated' | 'out'): number {
    let n = 0;
    for (const [type, number] of this.#rooms.get(siem)!)
      if (number === room) n += this.#store.tally(`siem:${siem.id}`, `${what}:${type}`);
    return n;
  }
}

/** Several types may share a container: its number is that of the first of them. */
function roomsOf({ encoder, spec }: SiemState): ReadonlyMap<ObservableType, number> {
  const names = OBSERVABLE_TYPES.map((type) => encoder.container(type, spec.settings));
  return new Map(OBSERVABLE_TYPES.map((type, i) => [type, names.indexOf(names[i]!)]));
}

const namesOf = ({ encoder, spec }: SiemState): [string, string[]] => [
  spec.name,
  OBSERVABLE_TYPES.map((type) => encoder.container(type, spec.settings)),
];
