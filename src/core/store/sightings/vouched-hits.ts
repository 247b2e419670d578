// The hits that objects vouched for: of all that is counted on the values of an object, what came from SIEMs that may
// hold what it claims. Elsewhere it vouched for nothing.
import type { HitRow } from '../../inventory/aggregate.ts';
import { decideClaim, type NumberedClaim } from '../../ledger/admit.ts';
import { keyOf, questionOf } from '../../ledger/holds.ts';
import { entryKey, OBSERVABLE_TYPES } from '../../model/observable.ts';
import { expiryOf } from '../../policy/expiry.ts';
import { toClaim } from '../rows/claims.ts';
import type { ReleasedRow, Releases } from '../rows/releases.ts';
import { hitTime } from '../rows/rows.ts';
import type { StoreContext } from '../unit/context.ts';
import { ARMED, BY_HAND } from './hits.ts';
import { IN_STARTS, startsOf } from './windows.ts';

/** Of one object, what is told of together. */
export interface ObjectWindow {
  readonly objectId: number;
  readonly start: number;
  readonly verdict: number;
}

export const windowKey = ({ objectId, start, verdict }: ObjectWindow): string => `${objectId} ${start} ${verdict}`;

/** What is counted on one value of an object. */
interface CountedOn {
  readonly object_id: number;
  readonly start: number;
  readonly verdict: number;
  readonly siem_id: number;
  readonly first: number;
  readonly last: number;
  readonly n: number;
  readonly id: number;
  readonly type: number;
  readonly value: string;
  readonly hit_day: number | null;
}

/** It counts, or only where a person let the entry in for this. */
interface Vouched {
  readonly key: string;
  readonly hit: HitRow;
  readonly letIn?: { readonly siem: number; readonly entryId: number; readonly asked: string };
}

export class VouchedHits {
  readonly #store: StoreContext;
  readonly #releases: Releases;

  constructor(store: StoreContext, releases: Releases) {
    this.#store = store;
    this.#releases = releases;
  }

  /** By `windowKey`. The windows are as many as one look-up names. */
  of(windows: readonly ObjectWindow[], objects: ReadonlyMap<number, ReleasedRow>): Map<string, HitRow[]> {
    const asked = new Set(windows.map(windowKey));
    const claims = new Map([...objects].map(([id, row]) => [id, toClaim(row, row.exchange)]));
    // CROSS JOIN keeps SQLite from walking all hits of the windows instead of the few entries of the objects.
    const counted = this.#store.db.byKeys<CountedOn>(
      `SELECT c.object_id, h.start, h.verdict, h.siem_id, h.first, h.last, h.n, e.id, e.type, e.value, e.hit_day
       FROM contribution c CROSS JOIN hit h CROSS JOIN entry e CROSS JOIN object o
       WHERE h.start ${IN_STARTS} AND c.object_id IN ($keys) AND o.id = c.object_id AND h.entry_id = c.entry_id
       AND ${ARMED} <= h.part AND e.id = c.entry_id`,
      [...objects.keys()],
      ...startsOf(windows),
    );
    const vouched = counted.flatMap((row) => {
      const key = windowKey({ objectId: row.object_id, start: row.start, verdict: row.verdict });
      const object = objects.get(row.object_id);
      const claim = claims.get(row.object_id);
      if (!asked.has(key) || object === undefined || claim === undefined) return [];
      const one = this.#judged(row, claim, object.exchange_active === 1);
      return one === undefined ? [] : [{ key, ...one }];
    });
    const found = new Map<string, HitRow[]>();
    for (const { key, hit } of this.#letIn(vouched)) {
      const known = found.get(key);
      if (known === undefined) found.set(key, [hit]);
      else known.push(hit);
    }
    return found;
  }

  #judged(row: CountedOn, claim: NumberedClaim, active: boolean): Omit<Vouched, 'key'> | undefined {
    const type = OBSERVABLE_TYPES[row.type]!;
    // It may have become one after these hits came.
    if (this.#releases.ignores(entryKey(type, row.value))) return undefined;
    const hit = { siem: row.siem_id, first: row.first, last: row.last, count: row.n };
    if (row.siem_id === BY_HAND.id) return { hit };
    const siem = this.#store.siems.find((one) => one.id === row.siem_id);
    if (siem === undefined) return undefined;
    const decision = decideClaim(siem.spec, { type, value: row.value }, claim, active);
    if (decision.kind === 'refuse') return undefined;
    const rules = siem.spec.rules[claim.exchange];
    // One that had ended when the value was seen armed nothing then.
    if (rules !== undefined && expiryOf(claim, rules.lifetime, type, hitTime(row.hit_day)) <= row.first)
      return undefined;
    if (decision.kind === 'accept') return { hit };
    const asked = keyOf(questionOf(claim.exchangeId, decision.code, decision.reason));
    return { hit, letIn: { siem: siem.id, entryId: row.id, asked } };
  }

  /** A person let the entry in, though policy holds such claims. */
  #letIn(vouched: readonly Vouched[]): Vouched[] {
    const answered = new Map<string, string>();
    const waiting = vouched.flatMap(({ letIn }) => letIn ?? []);
    for (const [siem, all] of Map.groupBy(waiting, (one) => one.siem))
      for (const [entryId, asked] of this.#store.db.listsByKeys(
        'SELECT entry_id, asked FROM let_in WHERE siem_id = ? AND entry_id IN ($keys)',
        [...new Set(all.map((one) => one.entryId))],
        siem,
      ) as [number, string][])
        answered.set(`${siem} ${entryId}`, asked);
    return vouched.filter(
      ({ letIn }) => letIn === undefined || answered.get(`${letIn.siem} ${letIn.entryId}`) === letIn.asked,
    );
  }
}
