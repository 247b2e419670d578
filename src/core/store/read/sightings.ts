// Hits, sightings and what waits for a person, as status, `why` and `held` show them: over a read-only connection of
// its own, like status.ts.
import type { Failure } from '../../model/failure.ts';
import { OBSERVABLE_TYPES, type Observable } from '../../model/observable.ts';
import { SIGHTING_KINDS, type Sighting, VERDICTS } from '../../model/sighting.ts';
import type { Database } from '../sql/port.ts';
import { disputed, type Disputed } from './disputed.ts';
import { openReading } from '../state/open.ts';
import { OUTBOX, type OutboxRow, sightingOf } from '../rows/outbox-rows.ts';
import { type Released, Releases, sightingCode } from '../rows/releases.ts';
import type { StoreSpec } from '../spec/spec.ts';

interface SightingCounts {
  readonly hits: number;
  readonly held: number;
  readonly denied: number;
  readonly queued: number;
  readonly sent: number;
  readonly failed: number;
}

interface HitSourceStatus {
  readonly siem: string;
  readonly lastSuccess: number | undefined;
  readonly lastFailure: number | undefined;
  readonly failingSince: number | undefined;
  readonly failure: Failure | undefined;
  /** Why there was nothing to read from. */
  readonly idle: string | undefined;
}

/** `id` is what `held show`, `approve` and `reject` take; a decision names `set`, so that it covers what was shown. */
export interface HeldSighting {
  readonly id: string;
  readonly kind: 'sighting';
  readonly siem: null;
  readonly exchange: string;
  readonly object_id: string;
  readonly says: string;
  readonly count: number;
  readonly set: string;
  readonly created: string;
  readonly expires: string;
  readonly reason: string;
}

/** Refused by the exchange for good; `parked retry` tries it again. */
export interface FailedSighting {
  readonly id: string;
  readonly exchange: string;
  readonly object_id: string;
  readonly reason: string;
}

/** Per SIEM and verdict, over all windows that are kept. */
export interface WhyHits {
  readonly siem: string;
  readonly verdict: string;
  readonly count: number;
  readonly first: string;
  readonly last: string;
}

export interface WhyRelease {
  readonly exchange: string;
  readonly object_id: string;
  readonly sighting_id: string;
  readonly kind: string;
  readonly window: string;
  readonly count: number;
  readonly state: string;
  /** Place of the rule in `release`, from 1. */
  readonly rule: number | null;
  readonly reason: string;
  readonly sent_at: string | null;
  readonly decided_by: string | null;
}

const STATE_NAMES = Object.fromEntries(Object.entries(OUTBOX).map(([name, n]) => [n, name]));
const iso = (ms: number): string => new Date(ms).toISOString();
const MOST = 1000;

export class SightingsReader {
  readonly #db: Database;
  readonly #spec: StoreSpec;

  constructor(spec: StoreSpec) {
    this.#spec = spec;
    this.#db = openReading(spec.path, { cacheMb: 2 });
  }

  counts(): SightingCounts {
    const found = new Map(
      this.#db
        .all<{ name: string; n: number }>("SELECT name, n FROM tally WHERE owner = 'sightings'")
        .map((row) => [row.name, row.n]),
    );
    const of = (name: string) => found.get(name) ?? 0;
    return {
      hits: of('hits'),
      held: of('held'),
      denied: of('denied'),
      queued: of('queued'),
      sent: of('sent'),
      failed: of('failed'),
    };
  }

  sources(): HitSourceStatus[] {
    return this.#db
      .all<{
        name: string;
        last_success: number | null;
        last_failure: number | null;
        failing_since: number | null;
        failure: string | null;
        idle: string | null;
      }>('SELECT s.name, h.* FROM hit_source h JOIN siem s ON s.id = h.siem_id WHERE s.active = 1 ORDER BY s.id')
      .map((row) => ({
        siem: row.name,
        lastSuccess: row.last_success ?? undefined,
        lastFailure: row.last_failure ?? undefined,
        failingSince: row.failing_since ?? undefined,
        failure: row.failure === null ? undefined : (JSON.parse(row.failure) as Failure),
        idle: row.idle ?? undefined,
      }));
  }

  /** The oldest first; `most`: no more of them than that. */
  *held(most = Number.MAX_SAFE_INTEGER): Generator<HeldSighting> {
    for (let after = 0, left = most; left > 0; ) {
      const size = Math.min(MOST, left);
      const page = this.#heldRows(`b.id > ? ORDER BY b.id LIMIT ${size}`, after);
      for (const one of page) yield one.held;
      if (page.length < size) return;
      left -= size;
      after = page.at(-1)!.row.id;
    }
  }

  /** What would leave, for `held show`; stix/build.ts makes the exact STIX of it. */
  heldSighting(id: string): { readonly held: HeldSighting; readonly sighting: Sighting } | undefined {
    const [one] = this.#heldRows('b.id = ?', Number(id.slice(1)));
    if (one?.found === undefined || this.#spec.release === undefined) return undefined;
    return { held: one.held, sighting: sightingOf(one.row, one.found, this.#spec.release) };
  }

  /** Code and content come from one reading, so that they belong together. */
  #heldRows(which: string, value: number): { held: HeldSighting; row: OutboxRow; found: Released | undefined }[] {
    const { release } = this.#spec;
    if (release === undefined) return [];
    const releases = new Releases(this.#db, release);
    const secret = this.#db.get<{ value: string }>("SELECT value FROM meta WHERE name = 'writer'")?.value ?? '';
    return this.#rows(`b.state = ${OUTBOX.held} AND ${which}`, value).map((row) => {
      const found = releases.object(row.object_id);
      const shown = releases.shown(row.exchange, row.modified, found ?? { statements: [] });
      const held: HeldSighting = {
        id: `s${row.id}`,
        kind: 'sighting',
        siem: null,
        exchange: row.exchange,
        object_id: row.objectId ?? '(forgotten)',
        says: SIGHTING_KINDS[row.kind]!,
        count: row.n,
        set: sightingCode(secret, row.id, shown),
        created: iso(row.since),
        expires: iso(row.since + release.holdHours * 3_600_000),
        reason: row.reason,
      };
      return { held, row, found };
    });
  }

  failed(): FailedSighting[] {
    return this.#rows(`b.state = ${OUTBOX.failed} ORDER BY b.id LIMIT ${MOST}`).map((row) => ({
      id: `s${row.id}`,
      exchange: row.exchange,
      object_id: row.objectId ?? '(forgotten)',
      reason: row.reason,
    }));
  }

  /** How many were tried in vain and wait for another attempt. */
  waiting(exchange: string): number {
    return this.#db.get<{ n: number }>(
      `SELECT count(*) AS n FROM outbox b JOIN exchange x ON x.id = b.exchange_id
       WHERE x.name = ? AND b.attempt > 0 AND b.state IN (${OUTBOX.queued}, ${OUTBOX.sending}, ${OUTBOX.pending})`,
      exchange,
    )!.n;
  }

  hits(observable: Observable): WhyHits[] {
    return this.#db
      .all<{ name: string; verdict: number; n: number; first: number; last: number }>(
        `SELECT coalesce(s.name, 'by hand') AS name, h.verdict, sum(h.n) AS n, min(h.first) AS first, max(h.last) AS last FROM hit h LEFT JOIN siem s ON s.id = h.siem_id
         WHERE h.entry_id = (SELECT id FROM entry WHERE type = ? AND value = ?) GROUP BY h.siem_id, s.name, h.verdict ORDER BY h.siem_id, h.verdict`,
        OBSERVABLE_TYPES.indexOf(observable.type),
        observable.value,
      )
      .map((row) => ({
        siem: row.name,
        verdict: VERDICTS[row.verdict]!,
        count: row.n,
        first: iso(row.first),
        last: iso(row.last),
      }));
  }

  /** Values that somebody called a false positive and that are armed all the same, the latest first. */
  disputed(most: number): Disputed[] {
    return disputed(this.#db, most);
  }

  releases(observable: Observable): WhyRelease[] {
    return this.#rows(
      `b.object_id IN (SELECT c.object_id FROM contribution c JOIN entry e ON e.id = c.entry_id WHERE e.type = ? AND e.value = ?)
       ORDER BY b.start DESC, b.id LIMIT ${MOST}`,
      OBSERVABLE_TYPES.indexOf(observable.type),
      observable.value,
    ).map((row) => ({
      exchange: row.exchange,
      object_id: row.objectId ?? '(forgotten)',
      sighting_id: row.uuid,
      kind: SIGHTING_KINDS[row.kind]!,
      window: iso(row.start),
      count: row.n,
      state: STATE_NAMES[row.state] ?? '',
      rule: row.rule,
      reason: row.decision_reason === null ? row.reason : `${row.reason}; ${row.decided_by}: ${row.decision_reason}`,
      sent_at: row.sent_at === null ? null : iso(row.sent_at),
      decided_by: row.decided_by,
    }));
  }

  #rows(where: string, ...values: (string | number)[]): (OutboxRow & { exchange: string; objectId: string | null })[] {
    return this.#db.all(
      `SELECT b.*, x.name AS exchange, o.object_id AS "objectId" FROM outbox b JOIN exchange x ON x.id = b.exchange_id
       LEFT JOIN object o ON o.id = b.object_id WHERE ${where}`,
      ...values,
    );
  }

  close(): void {
    this.#db.close();
  }
}
