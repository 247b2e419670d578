// What stands behind the numbers: every published claim with its decision at one SIEM. A scan, for people who ask
// once (`plan`, the demo); status has tallies.
import { OBSERVABLE_TYPES } from '../../model/observable.ts';
import { expiryOf } from '../../policy/expiry.ts';
import { openReading } from '../state/open.ts';
import { decideClaim } from '../../ledger/admit.ts';
import { withLists } from '../spec/lists.ts';
import { hitTime } from '../rows/rows.ts';
import { type ClaimRow, toClaim } from '../rows/claims.ts';
import type { StoreSpec } from '../spec/spec.ts';

interface ClaimSummary {
  /** Claims that vouch now. */
  live: number;
  expired: number;
  /** valid_from is still to come. */
  waiting: number;
  revoked: number;
  /** Indicators whose pattern or value cannot become an entry, and claims this SIEM may not hold, by reason. */
  readonly refused: Record<string, number>;
  /** The same by code: a reason may name the value, and then each is another. */
  readonly refusedAs: Record<string, RefusedAs>;
}

interface RefusedAs {
  claims: number;
  /** The first that was met. */
  readonly reason: string;
  /** Further ones of this code. */
  otherReasons: number;
}

export function claimSummary(given: StoreSpec, siemName: string, now: number): ClaimSummary {
  const { spec } = withLists(given);
  const siem = spec.siems.find((one) => one.name === siemName);
  if (siem === undefined) throw new Error(`no SIEM ${siemName}`);
  const summary: ClaimSummary = { live: 0, expired: 0, waiting: 0, revoked: 0, refused: {}, refusedAs: {} };
  const refuse = (code: string, reason: string, n: number) => {
    const before = summary.refused[reason];
    summary.refused[reason] = (before ?? 0) + n;
    summary.refusedAs[code] ??= { claims: 0, reason, otherReasons: 0 };
    const as = summary.refusedAs[code];
    as.claims += n;
    if (before === undefined && reason !== as.reason) as.otherReasons++;
  };
  const db = openReading(spec.path, { cacheMb: 4 });
  try {
    const rows = db.iterate<ClaimRow & { exchange: string; type: number; value: string; hit_day: number | null }>(
      `SELECT o.*, x.name AS exchange, x.active AS exchange_active, e.type, e.value, e.hit_day FROM contribution c JOIN object o ON o.id = c.object_id
       JOIN exchange x ON x.id = o.exchange_id JOIN entry e ON e.id = c.entry_id WHERE o.state = 0`,
    );
    for (const row of rows) {
      const type = OBSERVABLE_TYPES[row.type]!;
      const claim = toClaim(row, row.exchange);
      const decision = decideClaim(siem, { type, value: row.value }, claim, row.exchange_active === 1);
      // What waits for a person is none of the refused: the plan tells it as held.
      if (decision.kind === 'hold') continue;
      if (decision.kind === 'refuse') refuse(decision.code, decision.reason, 1);
      else if (row.valid_from > now) summary.waiting++;
      else if (expiryOf(claim, siem.rules[row.exchange]!.lifetime, type, hitTime(row.hit_day)) <= now)
        summary.expired++;
      else summary.live++;
    }
    for (const row of db.all<{ refusal: string; n: number }>(
      'SELECT refusal, count(*) AS n FROM object WHERE refusal IS NOT NULL AND state = 0 GROUP BY refusal',
    )) {
      refuse(row.refusal, row.refusal, row.n);
    }
    summary.revoked = db.get<{ n: number }>('SELECT count(*) AS n FROM object WHERE state = 1')?.n ?? 0;
  } finally {
    db.close();
  }
  return summary;
}
