// What the web pages read beside status and `why`: what differs (difference.ts), what a hold covers, what an exchange sends,
// and the last day in half hours. Over a read-only connection of its own.
import { type Observable, OBSERVABLE_TYPES } from '../../model/observable.ts';
import { STATE } from '../rows/rows.ts';
import type { Sample } from '../rows/samples.ts';
import type { StatePlace } from '../sql/place.ts';
import type { Database } from '../sql/port.ts';
import { openReading } from '../state/open.ts';
import { type DifferenceAsked, type DifferencePage, Differences } from './difference.ts';
import type { DifferenceRow } from './difference-rows.ts';
import { refusedObject, type RefusedObject } from './refused.ts';

export type { Sample } from '../rows/samples.ts';

/** Some of what a hold covers. */
export interface HeldPage {
  readonly entries: readonly (Observable & { readonly id: number })[];
  readonly next: number | undefined;
}

/** An object that was refused. */
interface RefusedExample extends RefusedObject {
  /** The reason without the particular case, and how many objects have it. */
  readonly kind: string;
  readonly of: number;
}

/** What is known of an exchange beside its status. */
export interface ExchangeDetails {
  /** Examples, a few of each reason, the most frequent reasons first. */
  readonly refused: readonly RefusedExample[];
  /** What it may be told, by state; of very many, the first. */
  readonly told: Readonly<Record<string, number>>;
  readonly lastNew: string | null;
}

const MOST_REASONS = 8;
const EXAMPLES = 2;
/** Of one state. */
const MOST_TOLD = 20_000;

/** Open for as long as pages are served. */
export class PagesReader {
  readonly #db: Database;
  readonly #differences: Differences;

  constructor(place: StatePlace) {
    this.#db = openReading(place, { cacheMb: 4 });
    this.#differences = new Differences(this.#db);
  }

  difference(asked: DifferenceAsked): DifferencePage {
    return this.#differences.page(asked);
  }

  /** Of those named, the ones that differ still; each once, in the order in which they are gone through. */
  rows(names: readonly string[]): DifferenceRow[] {
    return this.#differences.rows(names);
  }

  /** What a hold covers, page by page. */
  held(id: number, after: number, most = 100): HeldPage | undefined {
    const hold = this.#db.get('SELECT 1 AS one FROM hold WHERE id = ? AND decided IS NULL AND entries > 0', id);
    if (hold === undefined) return undefined;
    const entries = this.#db
      .all<{ id: number; type: number; value: string }>(
        `SELECT e.id, e.type, e.value FROM projection p INDEXED BY projection_hold JOIN entry e ON e.id = p.entry_id
         WHERE p.hold = ? AND p.entry_id > ? ORDER BY p.entry_id LIMIT ?`,
        id,
        after,
        most,
      )
      .map((row) => ({ id: row.id, type: OBSERVABLE_TYPES[row.type]!, value: row.value }));
    return { entries, next: entries.length < most ? undefined : entries.at(-1)!.id };
  }

  exchange(name: string, refusals: Readonly<Record<string, number>>): ExchangeDetails | undefined {
    const row = this.#db.get<{ id: number; last_new: number | null }>(
      'SELECT id, last_new FROM exchange WHERE name = ? AND active = 1',
      name,
    );
    if (row === undefined) return undefined;
    const most = Object.entries(refusals).sort((a, b) => b[1] - a[1]);
    const refused = most.slice(0, MOST_REASONS).flatMap(([reason, of]) =>
      this.#db
        .all<{ object_id: string; facts: string }>(
          `SELECT object_id, facts FROM object INDEXED BY object_refused
           WHERE exchange_id = ? AND refusal IS NOT NULL AND refusal = ? AND state = 0 LIMIT ${EXAMPLES}`,
          row.id,
          reason,
        )
        .map((found) => ({ ...refusedObject(name, found.object_id, reason, found.facts), kind: reason, of })),
    );
    const told = TOLD.map((_, state) => ({
      state,
      n: this.#db.get<{ n: number }>(
        `SELECT count(*) AS n FROM (SELECT 1 FROM outbox WHERE exchange_id = ? AND state = ${state} LIMIT ${MOST_TOLD}) counted`,
        row.id,
      )!.n,
    })).filter(({ n }) => n > 0);
    return {
      refused,
      told: toldOf(told),
      lastNew: row.last_new === null ? null : new Date(row.last_new).toISOString(),
    };
  }

  samples(from: number): Sample[] {
    return this.#db.all<{ [K in keyof Sample]: Sample[K] }>(
      'SELECT * FROM sample WHERE start >= ? ORDER BY start',
      from,
    );
  }

  newestObject(): number {
    return this.#db.get<{ id: number | null }>('SELECT max(id) AS id FROM object')?.id ?? 0;
  }

  /** Objects that came after this one, for looking at how long they take to be armed. */
  objectsAfter(id: number, most: number): { readonly id: number; readonly version: string }[] {
    return this.#db.all<{ id: number; version: string }>(
      'SELECT id, version FROM object WHERE id > ? AND state = 0 AND refusal IS NULL ORDER BY id LIMIT ?',
      id,
      most,
    );
  }

  /** Where what it names is wanted, and whether it stands there. */
  standsOf(objectId: number): { readonly siem: string; readonly armed: boolean }[] {
    return this.#db
      .all<{ siem: string; state: number; present: number }>(
        `SELECT s.name AS siem, p.state, p.present FROM siem s CROSS JOIN contribution c
         JOIN projection p ON p.siem_id = s.id AND p.entry_id = c.entry_id
         WHERE c.object_id = ? AND s.active = 1 AND p.wanted = 1 AND p.state NOT IN (${STATE.parked}, ${STATE.held})`,
        objectId,
      )
      .map((row) => ({ siem: row.siem, armed: row.state === STATE.settled && row.present === 1 }));
  }

  close(): void {
    this.#db.close();
  }
}

function toldOf(states: readonly { readonly state: number; readonly n: number }[]): Record<string, number> {
  const told: Record<string, number> = {};
  for (const { state, n } of states) {
    const name = TOLD[state] ?? 'queued';
    told[name] = (told[name] ?? 0) + n;
  }
  return told;
}

/** As outbox.ts numbers them. */
const TOLD = ['queued', 'held', 'denied', 'queued', 'queued', 'sent', 'failed'] as const;
