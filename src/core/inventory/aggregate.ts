// Hits of one object within one window, as the one sighting that may leave. Pure: the same hits make the same
// sighting, to the byte, whatever the clock says, so that sending twice, or after a restored state, changes nothing
// at the partner. Later hits in the window make a newer version under the same id, never a second sighting.
import { uuidV5 } from '../model/digest.ts';
import type { Tlp } from '../model/marking.ts';
import type { Sighting, SightingKind } from '../model/sighting.ts';

/** Our own random namespace: two daemons of one instance name derive the same ids, nobody else does. */
const SIGHTING_NAMESPACE = '6f0f2f5e-9a36-4c0b-8d5c-3f1f2b7d9e64';

export interface Grid {
  readonly windowMs: number;
  readonly precisionMs: number;
}

/** What one SIEM counted for one entry of the object within the window. */
export interface HitRow {
  readonly siem: number;
  readonly first: number;
  readonly last: number;
  readonly count: number;
}

export interface Totals {
  /** Cut to the precision. */
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly count: number;
  readonly modified: number;
}

export const windowOf = (time: number, grid: Grid): number => Math.floor(time / grid.windowMs) * grid.windowMs;

export const cut = (time: number, grid: Pick<Grid, 'precisionMs'>): number =>
  Math.floor(time / grid.precisionMs) * grid.precisionMs;

/** Largest count STIX knows (STIX 2.1 §5.2). */
const MOST = 999_999_999;

/**
 * All rows of one object in one window. Entries of one object add up within a SIEM; between SIEMs the largest count
 * stands, because the same log often stands in two. Undefined without rows.
 */
export function aggregate(rows: readonly HitRow[], window: number, grid: Grid): Totals | undefined {
  const perSiem = new Map<number, number>();
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const row of rows) {
    perSiem.set(row.siem, (perSiem.get(row.siem) ?? 0) + row.count);
    first = Math.min(first, row.first);
    last = Math.max(last, row.last);
  }
  if (perSiem.size === 0) return undefined;
  const count = Math.min(MOST, Math.max(...perSiem.values()));
  const firstSeen = cut(first, grid);
  const lastSeen = cut(last, grid);
  return { firstSeen, lastSeen, count, modified: modifiedOf(firstSeen, lastSeen, count, window, grid) };
}

/**
 * Epoch microseconds, greater for every content that follows: last seen and count only grow, first seen only falls.
 * The exact time of a hit is not in it. The first ten minutes' worth of versions lie a millisecond apart, because some
 * servers cut what is finer; beyond that a microsecond keeps a flood of hits from running far ahead of the clock.
 */
function modifiedOf(firstSeen: number, lastSeen: number, count: number, window: number, grid: Grid): number {
  const steps = Math.ceil(grid.windowMs / grid.precisionMs) + 1;
  const below = Math.min(steps - 1, Math.floor((window + grid.windowMs - firstSeen) / grid.precisionMs));
  const order = count * steps + below;
  const fine = Math.max(0, order - COARSE_VERSIONS);
  return lastSeen * 1000 + (order - fine) * 1000 + fine;
}

const COARSE_VERSIONS = 600_000;

/** `from`: two exchanges may publish one STIX id under two markings, and neither is to be told of the other's. */
export function sightingUuid(
  instance: string,
  from: string,
  objectId: string,
  window: number,
  kind: SightingKind,
): string {
  return uuidV5(SIGHTING_NAMESPACE, `${kind}\0${instance}\0${from}\0${objectId}\0${window}`);
}

export function sighting(
  kind: SightingKind,
  uuid: string,
  objectId: string,
  window: number,
  grid: Pick<Grid, 'precisionMs'>,
  totals: Totals,
  tlp: Tlp | undefined,
): Sighting {
  return {
    uuid,
    kind,
    objectId,
    firstSeen: totals.firstSeen,
    lastSeen: totals.lastSeen,
    count: totals.count,
    // A window may be finer than the times that may be told.
    created: cut(window, grid),
    modified: totals.modified,
    // What states no level is the strictest: unmarked is never taken for less on the way out.
    tlp: tlp ?? 'red',
  };
}
