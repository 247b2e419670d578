// What a process that died left behind, put right before the first unit of the next one.
import { recovered } from '../../ledger/call.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import { doubtSince } from './doubts.ts';
import { STATE } from '../rows/rows.ts';
import type { StandRuns } from '../projection/stand-runs.ts';
import type { StandTable } from '../projection/stand-table.ts';

/** What a call that was under way may need to be seen. */
const READ_BACK_MS = 1_000;

export function recover(store: StoreContext, stands: StandTable, runs: StandRuns): void {
  store.opening(() => {
    store.db.run(
      'UPDATE request SET finished = claimed, outcome = ? WHERE claimed IS NOT NULL AND finished IS NULL',
      JSON.stringify({
        ok: false,
        message: 'the daemon stopped while it carried this out; look at status and ask again',
      }),
    );
    for (const siem of store.siems) {
      recoverFlights(store, stands, siem);
      // Who starts again wants to know now how the SIEM is; what nobody knows of is read back soon, not at once.
      runs.atOnce(siem, store.engineTime + READ_BACK_MS);
      recoverHolds(store, siem);
    }
  });
}

/** Rows that were in flight: their call may be on its way still, and is looked at again once it can no longer land. */
function recoverFlights(store: StoreContext, stands: StandTable, siem: SiemState): void {
  const flying = stands.select(siem, 'INDEXED BY projection_work', `p.state <> 0 AND p.state = ${STATE.flight}`);
  for (const { entry, stand } of flying) {
    doubtSince(store, siem, entry, store.engineTime);
    stands.write(siem, entry, stand, recovered(stand, siem.encoder.versioned, store.engineTime + READ_BACK_MS));
  }
}

/** A version before this one lost sight of a hold whose rows had been in flight. */
function recoverHolds(store: StoreContext, siem: SiemState): void {
  store.db.run(
    `UPDATE projection SET state = ${STATE.held} WHERE siem_id = ? AND hold IS NOT NULL AND state = ${STATE.remove}`,
    siem.id,
  );
  const { n } = store.db.get<{ n: number }>(
    `SELECT count(*) AS n FROM projection INDEXED BY projection_hold WHERE hold IS NOT NULL AND siem_id = ? AND state = ${STATE.held}`,
    siem.id,
  )!;
  const owner = `siem:${siem.id}`;
  store.count(owner, 'pending', store.tally(owner, 'held') - n);
  store.tallyOf(owner, 'held').n = n;
}
