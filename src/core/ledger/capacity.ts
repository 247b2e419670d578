// Which entries stand in a watchlist that takes only so many: the best, by confidence and then by recency. A place is an
// entry's claim to stand in one container; who has it is decided by comparing the best that waits with the worst that has
// one, so that a full watchlist costs two look-ups where something changed, and nothing where nothing did.
//
// A place is a number that sorts: container, confidence, minute of the newest claim. Of equals the one that was known first
// is better.

/** What an entry is worth. */
export interface Worth {
  /** 0 to 100; what states none comes behind all that do. */
  readonly confidence: number | undefined;
  /** When the newest of its claims was made, epoch milliseconds. */
  readonly modified: number;
}

/** What stands in the SIEM gives way only to what is this much surer, */
const SURER = 10;
/** or no less sure and this much newer. */
const NEWER_DAYS = 7;

const MINUTE_MS = 60_000;
const NEWER_MINUTES = NEWER_DAYS * 24 * 60;
/** Minutes since 1970 until the year 2225. */
const MINUTES = 2 ** 27;
/** Confidence and minute of one container. */
const OF_ROOM = 2 ** 34;
/** Above every confidence. */
const FIRM = 127;

/** `room`: number of the container. */
export function placeOf(room: number, { confidence, modified }: Worth): number {
  const sure = confidence === undefined ? 0 : 1 + Math.min(100, Math.max(0, Math.round(confidence)));
  const minute = Math.min(MINUTES - 1, Math.max(0, Math.floor(modified / MINUTE_MS)));
  return room * OF_ROOM + sure * MINUTES + minute;
}

export const roomOf = (place: number): number => Math.floor(place / OF_ROOM);

/** Nobody takes it: a person is asked whether it goes. */
export const firm = (place: number): number => roomOf(place) * OF_ROOM + FIRM * MINUTES;

export const isFirm = (place: number): boolean => sureness(place) === FIRM;

/** Places of one container, first and last. */
export const placesOf = (room: number): readonly [number, number] => [room * OF_ROOM, (room + 1) * OF_ROOM - 1];

/** Whether what waits takes the place of what has one. `stands`: it is, or may be, in the SIEM already. */
export function displaces(waiting: number, seated: number, stands: boolean): boolean {
  if (isFirm(seated)) return false;
  if (!stands) return waiting > seated;
  const surer = sureness(waiting) - sureness(seated);
  return surer >= SURER || (surer >= 0 && (waiting % MINUTES) - (seated % MINUTES) >= NEWER_MINUTES);
}

const sureness = (place: number): number => Math.floor((place % OF_ROOM) / MINUTES);

export interface Container {
  readonly most: number;
  /** How many have a place. */
  readonly seated: number;
  /** The best that waits. */
  readonly best: number | undefined;
  /** The worst that has a place, and whether it stands there already. */
  readonly worst: { readonly place: number; readonly stands: boolean } | undefined;
}

/** The next thing to do, until there is none: let the best in, send the worst out, or both. */
type Move = 'in' | 'out' | 'swap';

export function nextMove({ most, seated, best, worst }: Container): Move | undefined {
  if (seated > most) return worst === undefined || isFirm(worst.place) ? undefined : 'out';
  if (best === undefined) return undefined;
  if (seated < most) return 'in';
  return worst !== undefined && displaces(best, worst.place, worst.stands) ? 'swap' : undefined;
}

/** Who has a place or waits for one. */
export interface Seat {
  readonly id: number;
  readonly place: number;
  /** It is, or may be, in the SIEM already. */
  readonly stands: boolean;
}

export interface Moves {
  readonly in: readonly Seat[];
  readonly out: readonly Seat[];
  /** How many single ones they are; where they are as many as may be, more may be left. */
  readonly count: number;
}

/**
 * All that has to move until the container is at rest, `limit` single moves at most. `sitting`: the worst that have a place,
 * worst first; `waiting`: the best that wait, best first; of each `limit` at least, or all. Nobody moves twice: who takes a
 * place is better than who had it, so that who went is no better than any that stay, and who came is better than any that
 * still wait.
 */
export function movesOf(
  { most, seated }: Pick<Container, 'most' | 'seated'>,
  sitting: readonly Seat[],
  waiting: readonly Seat[],
  limit: number,
): Moves {
  const [comes, goes]: [Seat[], Seat[]] = [[], []];
  let count = 0;
  for (; count < limit; count++) {
    const [first, last] = [waiting[comes.length], sitting[goes.length]];
    const now = seated + comes.length - goes.length;
    const move = nextMove({ most, seated: now, best: first?.place, worst: last });
    if (move === undefined) break;
    if (move !== 'in') goes.push(last!);
    if (move !== 'out') comes.push(first!);
  }
  return { in: comes, out: goes, count };
}
