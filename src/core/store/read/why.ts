// Why a value is armed, or is not: each claim on it with the decision of each SIEM, and how its rows stand.
import { OBSERVABLE_TYPES, type Observable } from '../../model/observable.ts';
import { PAP_LEVELS } from '../../model/marking.ts';
import { withDetail } from '../../model/refusal.ts';
import { decideClaim } from '../../ledger/admit.ts';
import { explainExpiry } from '../../policy/expiry.ts';
import { type ClaimRow, toClaim } from '../rows/claims.ts';
import type { HoldRow } from '../rows/hold-rows.ts';
import { tlpOf } from '../rows/open-markings.ts';
import { CAUSE_TEXT, hitTime, type ProjectionRow, STATE } from '../rows/rows.ts';
import { type OnLists, withFound, withLists } from '../spec/lists.ts';
import type { StoreSpec } from '../spec/spec.ts';
import type { Database } from '../sql/port.ts';
import { iso } from './moments.ts';
import { noRoom } from './no-room.ts';

export interface WhyEntry {
  readonly type: string;
  readonly value: string;
  readonly claims: readonly {
    readonly exchange: string;
    readonly object_id: string;
    readonly name: string | null;
    readonly modified: string;
    readonly tlp: string | null;
    readonly pap: string | null;
    readonly confidence: number | null;
    readonly valid_until: string | null;
    readonly state: 'published' | 'revoked' | 'vanished';
    /** What of its pattern no list can hold, where not all of it is armed. */
    readonly left_out: string | null;
    readonly decisions: readonly { readonly siem: string; readonly decision: string; readonly reason: string }[];
  }[];
  readonly siems: readonly {
    readonly name: string;
    readonly state: 'delivered' | 'pending' | 'parked' | 'held' | 'not_wanted';
    readonly reason: string | null;
    readonly since: string | null;
    readonly until: string | null;
  }[];
  readonly hits: Readonly<Record<string, never>>;
  readonly releases: readonly never[];
}

interface SuppressedRow {
  readonly id: number;
  readonly until: number;
  readonly reason: string;
  readonly made_by: string;
  readonly review: number | null;
}

const OBJECT_STATES = ['published', 'revoked', 'vanished'] as const;

export class WhyReader {
  readonly #db: Database;
  readonly #given: StoreSpec;
  #ready: StoreSpec | undefined;

  constructor(db: Database, given: StoreSpec) {
    this.#db = db;
    this.#given = given;
  }

  /** With its never-block lists, which are long and read only when a decision is asked for. */
  get #spec(): StoreSpec {
    this.#ready ??= withLists(this.#given).spec;
    return this.#ready;
  }

  /** `found`: on which lists it stands, where somebody else looked that up. */
  why(observable: Observable, now: number, found?: OnLists): WhyEntry | undefined {
    const { siems } = found === undefined ? this.#spec : withFound(this.#given, found);
    const type = OBSERVABLE_TYPES.indexOf(observable.type);
    const entry = this.#db.get<{ id: number; hit_day: number | null }>(
      'SELECT id, hit_day FROM entry WHERE type = ? AND value = ?',
      type,
      observable.value,
    );
    if (entry === undefined) return undefined;
    const rows = this.#db.all<ClaimRow & { exchange: string }>(
      `SELECT o.*, e.name AS exchange, e.active AS exchange_active FROM contribution c JOIN object o ON o.id = c.object_id
       JOIN exchange e ON e.id = o.exchange_id WHERE c.entry_id = ? ORDER BY o.version DESC`,
      entry.id,
    );
    const suppressed = this.#db.get<SuppressedRow>(
      'SELECT id, until, reason, made_by, review FROM suppression WHERE type = ? AND value = ? AND lifted IS NULL AND until > ? ORDER BY until DESC',
      type,
      observable.value,
      now,
    );
    return {
      ...observable,
      claims: rows.map((row) => ({
        exchange: row.exchange,
        object_id: row.object_id,
        name: toClaim(row, row.exchange).facts.name ?? null,
        modified: row.version,
        tlp: tlpOf(row) ?? null,
        pap: row.pap === null ? null : PAP_LEVELS[row.pap]!,
        confidence: row.confidence,
        valid_until: iso(row.valid_until),
        state: OBJECT_STATES[row.state]!,
        left_out: row.refusal === null ? null : withDetail(row.refusal, toClaim(row, row.exchange).facts.detail),
        decisions: siems.map((siem) => ({
          siem: siem.name,
          ...this.#decision(siem, observable, row, hitTime(entry.hit_day), now),
        })),
      })),
      siems: siems.map((siem) => this.#stand(siem.name, entry.id, suppressed, now)),
      hits: {},
      releases: [],
    };
  }

  #decision(
    siem: StoreSpec['siems'][number],
    observable: Observable,
    row: ClaimRow & { exchange: string },
    lastHit: number | undefined,
    now: number,
  ): { decision: string; reason: string } {
    if (row.state === 1) return { decision: 'ended', reason: 'the partner revoked this object' };
    if (row.state === 2)
      return { decision: 'ended', reason: 'the object vanished from every collection that showed it' };
    const claim = toClaim(row, row.exchange);
    const decision = decideClaim(siem, observable, claim, row.exchange_active === 1);
    if (decision.kind !== 'accept') return { decision: decision.kind, reason: decision.reason };
    const lifetime = siem.rules[row.exchange]!.lifetime;
    const arithmetic = explainExpiry(claim, lifetime, observable.type, lastHit);
    if (row.valid_from > now)
      return { decision: 'waits', reason: `valid_from ${iso(row.valid_from)} is still to come` };
    // The arithmetic stays last: who reads on looks for the moment at its end.
    const noted = decision.note === undefined ? '' : `noted, not refused: ${decision.note}; `;
    return { decision: 'accept', reason: `${noted}${arithmetic}` };
  }

  #stand(siem: string, entryId: number, suppressed: SuppressedRow | undefined, now: number): WhyEntry['siems'][number] {
    const row = this.#db.get<ProjectionRow>(
      'SELECT p.* FROM projection p JOIN siem s ON s.id = p.siem_id WHERE s.name = ? AND p.entry_id = ?',
      siem,
      entryId,
    );
    const off =
      suppressed === undefined
        ? null
        : suppressed.review === null
          ? `suppressed until ${iso(suppressed.until)} by ${suppressed.made_by}: ${suppressed.reason}`
          : `called harmless by ${suppressed.made_by} (${suppressed.id}, to be looked at again at ${iso(suppressed.review)}): ${suppressed.reason}`;
    if (row === undefined)
      return {
        name: siem,
        state: 'not_wanted',
        reason: off ?? 'no admitted claim vouches for it now',
        since: null,
        until: null,
      };
    const since = iso(row.since);
    const until = iso(row.until);
    if (row.state === STATE.parked) return { name: siem, state: 'parked', reason: row.reason, since, until };
    if (row.kept_out === 1 && row.state === STATE.settled)
      return { name: siem, state: 'parked', reason: noRoom(this.#db, this.#given, siem, row.place ?? 0), since, until };
    const hold =
      row.hold === null
        ? undefined
        : this.#db.get<HoldRow>("SELECT * FROM hold WHERE id = ? AND coalesce(decision, '') <> 'approve'", row.hold);
    // Held whatever becomes of a call that is under way.
    if (row.state === STATE.held || hold !== undefined) {
      const reason =
        hold === undefined
          ? CAUSE_TEXT[row.cause]
          : hold.decision === null
            ? `hold ${hold.id}: ${hold.reason}`
            : `hold ${hold.id}, rejected by ${hold.decided_by}: ${hold.decision_reason}`;
      return { name: siem, state: 'held', reason, since, until };
    }
    if (row.wanted === 1 && row.state === STATE.settled)
      return { name: siem, state: 'delivered', reason: `revision ${row.rev}`, since, until };
    if (row.state === STATE.settled)
      return { name: siem, state: 'not_wanted', reason: off ?? CAUSE_TEXT[row.cause], since, until };
    const doing = row.wanted === 1 ? 'to be written' : `to be removed: ${off ?? CAUSE_TEXT[row.cause]}`;
    const retry =
      row.next_at !== null && row.next_at > now ? `, next try ${iso(row.next_at)} after ${row.attempt} attempts` : '';
    return { name: siem, state: 'pending', reason: `${doing}${retry}`, since, until };
  }

  /** Networks that contain the address, and parent domains, that have an entry: `why` names them. */
  related(values: readonly Observable[]): Observable[] {
    return values.filter(
      (one) =>
        this.#db.get(
          'SELECT 1 AS one FROM entry WHERE type = ? AND value = ?',
          OBSERVABLE_TYPES.indexOf(one.type),
          one.value,
        ) !== undefined,
    );
  }
}
