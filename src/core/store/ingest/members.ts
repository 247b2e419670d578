// What sweeps of one kind go through, several of them in one step: members of each subject, as the database orders them.
// Where they are few, as those of very many subjects are, they are read as one set; of a subject with very many members so
// many are read as the step has rows for.
import type { Database } from '../sql/port.ts';
import type { Sweep, SweepStep } from '../unit/sweeps.ts';

/** Members of several subjects that are read together: no less than what one step has rows for. */
const MOST_TOGETHER = 2500;

/** How they are read. */
interface Members<T> {
  /** Of these subjects, in any order of the subjects: whichever are found first, where there are more than `most`. */
  readonly ofAll: (subjects: readonly string[], most: number) => readonly (readonly [subject: string, member: T])[];
  /** Behind the place to which the sweep came. */
  readonly ofOne: (sweep: Sweep, most: number) => readonly T[];
}

/** For one step, which ends as soon as `most` rows are handled. Begins with the first of `sweeps`, and takes no place of another one. */
export function membersOf<T extends number | string>(
  sweeps: readonly Sweep[],
  most: number,
  { ofAll, ofOne }: Members<T>,
): { readonly first: readonly T[]; steps(work: (member: T) => number): SweepStep[] } {
  const begun = sweeps.findIndex((one) => one.position !== '');
  let set = begun < 0 ? sweeps : sweeps.slice(0, begun);
  // One among them may have very many.
  for (; set.length > 1; set = set.slice(0, set.length >> 1)) {
    const found = ofAll(
      set.map((one) => one.subject),
      MOST_TOGETHER,
    );
    if (found.length >= MOST_TOGETHER) continue;
    const each = Map.groupBy(found, ([subject]) => subject);
    return inTurn(
      set.map(({ subject }) => [...new Set(each.get(subject)?.map(([, member]) => member))]),
      most,
      false,
    );
  }
  const members = ofOne(sweeps[0]!, most);
  return inTurn([members], most, members.length >= most);
}

function inTurn<T extends number | string>(each: readonly (readonly T[])[], most: number, mayBeMore: boolean) {
  return {
    /** Those that the step comes to at most. */
    first: each.flat().slice(0, most),
    steps(work: (member: T) => number): SweepStep[] {
      const steps: SweepStep[] = [];
      let left = most;
      for (const members of each) {
        if (left <= 0) break;
        const { rows, last, more } = whileItFits(members, left, mayBeMore, work);
        steps.push({ rows, position: more ? String(last) : undefined });
        left -= Math.max(1, rows);
      }
      return steps;
    },
  };
}

/** Goes through `given`, behind which there may be more, until so many rows are handled. */
export function whileItFits<T>(
  given: readonly T[],
  most: number,
  mayBeMore: boolean,
  work: (one: T) => number,
): { readonly rows: number; readonly last: T | undefined; readonly more: boolean } {
  let rows = 0;
  for (const [i, one] of given.entries()) {
    rows += Math.max(1, work(one));
    if (rows >= most) return { rows, last: one, more: mayBeMore || i + 1 < given.length };
  }
  return { rows, last: given.at(-1), more: false };
}

/** Objects of an exchange that wait for a marking definition, by their rows. */
export const objectsWaiting = (db: Database, exchangeId: number): Members<number> => ({
  // Bounded within, where no database looks at all of them to find which come first.
  ofAll: (markings, most) =>
    db.listsByKeys(
      `SELECT marking_id, object_id FROM (SELECT marking_id, object_id FROM unexplained
         WHERE exchange_id = ? AND marking_id IN ($keys) LIMIT ${most}) few ORDER BY marking_id, object_id`,
      markings,
      exchangeId,
    ) as [string, number][],
  ofOne: ({ subject, position }, most) =>
    db
      .all<{ id: number }>(
        `SELECT object_id AS id FROM unexplained WHERE exchange_id = ? AND marking_id = ? AND object_id > ?
         ORDER BY object_id LIMIT ?`,
        exchangeId,
        subject,
        Number(position),
        most,
      )
      .map((row) => row.id),
});

/** Ids of the indicators of an exchange that indicate what has a name. */
export const sourcesOf = (db: Database, exchangeId: number): Members<string> => ({
  ofAll: (targets, most) =>
    db.listsByKeys(
      `SELECT target, source FROM (SELECT target, source FROM relation INDEXED BY relation_target
         WHERE exchange_id = ? AND relation = 'indicates' AND target IN ($keys) LIMIT ${most}) few ORDER BY target, source`,
      targets,
      exchangeId,
    ) as [string, string][],
  ofOne: ({ subject, position }, most) =>
    db
      .all<{ source: string }>(
        `SELECT DISTINCT source FROM relation INDEXED BY relation_target
         WHERE exchange_id = ? AND target = ? AND source > ? AND relation = 'indicates' ORDER BY source LIMIT ?`,
        exchangeId,
        subject,
        position,
        most,
      )
      .map((row) => row.source),
});
