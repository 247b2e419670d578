// What became of each value between two moments, by the record alone: in steps, since there may be very many records, and
// each may be of thousands of values.
import type { RecordBody, RecordRow } from '../../audit/record.ts';
import type { Database } from '../sql/port.ts';

/** Of one SIEM. The lists name entry keys; of what was pruned, or never told, there are counts alone. */
export interface Between {
  readonly siem: string;
  /** Of all that was done, gone again or not: arm, change, disarm. */
  readonly counts: Counts;
  /** Armed at the later moment, and not at the earlier one. */
  readonly armed: readonly string[];
  readonly disarmed: readonly string[];
  /** Armed at both, and written anew between them. */
  readonly changed: readonly string[];
}
type Counts = Readonly<Record<string, number>>;

/** counts: too many values changed to be named. nothing: there are too many records to be gone through. */
export type Compared =
  | { readonly told: 'all'; readonly siems: readonly Between[] }
  | { readonly told: 'counts'; readonly siems: readonly Pick<Between, 'siem' | 'counts'>[] }
  | { readonly told: 'nothing' };

export interface Most {
  readonly records: number;
  readonly values: number;
}
export const ANY_NUMBER: Most = { records: Number.MAX_SAFE_INTEGER - 1, values: Number.MAX_SAFE_INTEGER };

/** What became of one value: whether it stood there before, and whether it does at the end. */
interface Fold {
  readonly was: boolean;
  readonly is: boolean;
}

const BODIES = 100;
/** With their lines, of which each may have thousands. */
const WHOLE = 10;
const LINES_AT_ONCE = 500;
const OPS = ['arm', 'change', 'disarm'];
/** These arm nothing and are not read. */
const OTHERS = "('key', 'gap', 'configuration')";

export function* comparison(db: Database, from: number, to: number, most: Most): Generator<undefined, Compared> {
  const { n, first, last } = db.get<{ n: number; first: number | null; last: number | null }>(
    `SELECT count(*) AS n, min(seq) AS first, max(seq) AS last FROM
       (SELECT seq FROM audit_record WHERE at > ? AND at <= ? ORDER BY at LIMIT ?) found`,
    from,
    to,
    most.records + 1,
  )!;
  if (n > most.records) return { told: 'nothing' };
  if (first === null || last === null) return { told: 'all', siems: [] };
  const within = { from, to, first, last };
  const counts = yield* counted(db, within);
  const all = [...counts.values()].flatMap((one) => Object.values(one)).reduce((sum, one) => sum + one, 0);
  if (all > most.values) return { told: 'counts', siems: [...counts].map(([siem, some]) => ({ siem, counts: some })) };
  const values = yield* folded(db, within, counts);
  return { told: 'all', siems: [...counts].map(([siem, some]) => told(siem, some, values.get(siem) ?? new Map())) };
}

interface Within {
  readonly from: number;
  readonly to: number;
  readonly first: number;
  readonly last: number;
}

/** Page by page, since a read that stays open would keep the database from tidying up. */
function* pages<R extends { readonly seq: number }>(
  db: Database,
  columns: string,
  { from, to, first, last }: Within,
  size: number,
): Generator<R> {
  for (let next = first; ; ) {
    const page = db.all<R>(
      `SELECT seq, ${columns} FROM audit_record WHERE seq >= ? AND seq <= ? AND at > ? AND at <= ?
         AND action NOT IN ${OTHERS} ORDER BY seq LIMIT ?`,
      next,
      last,
      from,
      to,
      size,
    );
    yield* page;
    if (page.length < size) return;
    next = page.at(-1)!.seq + 1;
  }
}

function* counted(db: Database, within: Within): Generator<undefined, Map<string, Record<string, number>>> {
  const siems = new Map<string, Record<string, number>>();
  for (const { body } of pages<{ seq: number; body: string }>(db, 'body', within, BODIES)) {
    const { counts } = JSON.parse(body) as RecordBody;
    for (const [siem, ops] of Object.entries(counts))
      for (const op of OPS) {
        const n = ops[op] ?? 0;
        if (n === 0) continue;
        const of = siems.get(siem) ?? {};
        siems.set(siem, of);
        of[op] = (of[op] ?? 0) + n;
      }
    yield;
  }
  return siems;
}

function* folded(
  db: Database,
  within: Within,
  counts: ReadonlyMap<string, unknown>,
): Generator<undefined, Map<string, Map<string, Fold>>> {
  const siems = new Map<string, Map<string, Fold>>();
  for (const { lines } of pages<{ seq: number; lines: string | null }>(db, 'lines', within, WHOLE)) {
    for (const [i, line] of (lines ?? '').split('\n').entries()) {
      if (i % LINES_AT_ONCE === 0) yield;
      if (line === '') continue;
      // Written by records.ts.
      const row = JSON.parse(line) as RecordRow;
      if (row.siem === null || row.key === null || !OPS.includes(row.op) || !counts.has(row.siem)) continue;
      const values = siems.get(row.siem) ?? new Map<string, Fold>();
      siems.set(row.siem, values);
      values.set(row.key, { was: values.get(row.key)?.was ?? row.op !== 'arm', is: row.op !== 'disarm' });
    }
  }
  return siems;
}

function told(siem: string, counts: Counts, values: ReadonlyMap<string, Fold>): Between {
  const of = (was: boolean, is: boolean) =>
    [...values].flatMap(([key, one]) => (one.was === was && one.is === is ? [key] : []));
  return { siem, counts, armed: of(false, true), disarmed: of(true, false), changed: of(true, true) };
}
