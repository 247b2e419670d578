// What each peer did in each half hour, for the bars of the board: a few sums, kept for some days. Added to, so that a
// half hour in which the daemon was started anew is one half hour.
import type { Database } from '../sql/port.ts';

export const SAMPLE_MS = 30 * 60_000;
const KEPT_MS = 8 * 86_400_000;

export interface Sample {
  /** Of the half hour, epoch milliseconds. */
  readonly start: number;
  /** `whole` is the instance itself, with an empty name. */
  readonly role: 'exchange' | 'siem' | 'whole';
  readonly peer: string;
  /** Seconds spent in step, behind or recovering, failing, and paused; what is missing is not known. */
  readonly ok: number;
  readonly behind: number;
  readonly failing: number;
  readonly paused: number;
  /** The last that was seen in it. */
  readonly entries: number;
  readonly hits: number;
  readonly told: number;
  /** New objects that were followed until they were armed: how many, their seconds in all, and the longest. */
  readonly armed: number;
  readonly armed_secs: number;
  readonly armed_most: number;
}

export function keepSamples(db: Database, samples: readonly Sample[], now: number): void {
  for (const one of samples)
    db.run(
      `INSERT INTO sample (start, role, peer, ok, behind, failing, paused, entries, hits, told, armed, armed_secs, armed_most)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (start, role, peer) DO UPDATE SET ok = sample.ok + excluded.ok, behind = sample.behind + excluded.behind,
         failing = sample.failing + excluded.failing, paused = sample.paused + excluded.paused, entries = excluded.entries,
         hits = sample.hits + excluded.hits, told = sample.told + excluded.told, armed = sample.armed + excluded.armed,
         armed_secs = sample.armed_secs + excluded.armed_secs,
         armed_most = CASE WHEN excluded.armed_most > sample.armed_most THEN excluded.armed_most ELSE sample.armed_most END`,
      one.start,
      one.role,
      one.peer,
      one.ok,
      one.behind,
      one.failing,
      one.paused,
      one.entries,
      one.hits,
      one.told,
      one.armed,
      one.armed_secs,
      one.armed_most,
    );
  db.run('DELETE FROM sample WHERE start < ?', now - KEPT_MS);
}
