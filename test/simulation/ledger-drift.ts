// Whether what is kept about rows is what the rows say: their phase, the tallies of each SIEM and the sets of holds.
import { phaseOf } from '../../src/core/ledger/stand.ts';
import { count, type Tallies } from '../../src/core/ledger/tallies.ts';
import { OBSERVABLE_TYPES } from '../../src/core/model/observable.ts';
import { voucherBit } from '../../src/core/ledger/admit.ts';
import { type ProjectionRow, STATE } from '../../src/core/store/rows/rows.ts';
import { standOf } from '../../src/core/store/rows/stand-rows.ts';

type Joined = ProjectionRow & { readonly siem_id: number; readonly type: number };

type Ask = <R extends object>(sql: string) => R[];

/** In words; undefined: everything agrees. */
export function ledgerDrift(all: Ask, exchanges: number): string | undefined {
  const rows = all<Joined>('SELECT p.*, e.type FROM projection p JOIN entry e ON e.id = p.entry_id');
  const counts = new Map<string, { n: number }>();
  const of = (siem: number, name: string): { n: number } => {
    const key = `siem:${siem} ${name}`;
    const found = counts.get(key) ?? { n: 0 };
    counts.set(key, found);
    return found;
  };
  for (const row of rows) {
    const stand = standOf(row);
    if (STATE[phaseOf(stand)] !== row.state)
      return `entry ${row.entry_id} is ${phaseOf(stand)} and its row says ${row.state}`;
    count(
      talliesOf((name) => of(row.siem_id, name), OBSERVABLE_TYPES[row.type]!, exchanges),
      undefined,
      stand,
    );
  }
  for (const { owner, name, n } of all<{ owner: string; name: string; n: number }>(
    "SELECT owner, name, n FROM tally WHERE owner LIKE 'siem:%'",
  )) {
    const counted = counts.get(`${owner} ${name}`)?.n ?? 0;
    if (counted !== n) return `${owner} counts ${n} ${name}, its rows are ${counted}`;
  }
  for (const { id, entries, n } of all<{ id: number; entries: number; n: number }>(
    'SELECT h.id, h.entries, (SELECT count(*) FROM projection p WHERE p.hold = h.id) AS n FROM hold h',
  ))
    if (entries !== n) return `hold ${id} counts ${entries} entries, its rows are ${n}`;
  return undefined;
}

function talliesOf(of: (name: string) => { n: number }, type: string, exchanges: number): Tallies {
  return {
    wanted: of('wanted'),
    wantedOfType: of(`wanted:${type}`),
    delivered: of('delivered'),
    presentOfType: of(`present:${type}`),
    parked: of('parked'),
    held: of('held'),
    adopted: of('adopted'),
    pending: of('pending'),
    seatedOfType: of(`seated:${type}`),
    outOfType: of(`out:${type}`),
    armed: Array.from({ length: exchanges }, (_, i) => [voucherBit(i + 1), of(`armed:${i + 1}`)]),
  };
}
