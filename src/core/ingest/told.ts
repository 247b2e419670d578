// What a person should hear of a poll that worked: what came and is not as it should be, what was ignored.
import type { Page } from '../contracts/exchange-connector.ts';
import type { IndicatorFacts, ObjectRefusal } from '../model/entry.ts';
import { withDetail } from '../model/refusal.ts';
import type { Log } from '../runtime/log.ts';
import type { CommitReport } from '../store/ingest/commit-report.ts';

/** Most things that are told of one poll. */
const MOST_TOLD = 6;
const MOST_TYPES = 5;

/** Refused objects that one poll names one by one, where the log tells that much. */
const MOST_NAMED = 20;

/** What one poll brought that cannot be used, or not all of it. Reasons with their particular case may hold values. */
export class Refused {
  /** Objects that could not be read at all. */
  unreadable = 0;
  first: ObjectRefusal | undefined;
  #named = 0;

  page({ objects, refusals }: Page, exchange: string, log: Log): void {
    this.unreadable += refusals.length;
    this.first ??= refusals[0];
    for (const { objectId, reason, detail } of refusals)
      this.#name(exchange, objectId, withDetail(reason, detail), log);
    for (const one of objects) {
      if (this.#named >= MOST_NAMED) return;
      if (one.kind !== 'indicator' || one.refusal === undefined) continue;
      // Written by whoever read the object.
      const { detail } = JSON.parse(one.facts) as IndicatorFacts;
      this.#name(exchange, one.objectId, withDetail(one.refusal, detail), log);
    }
  }

  #name(exchange: string, object: string | undefined, reason: string, log: Log): void {
    if (this.#named++ < MOST_NAMED)
      log.debug('An object of the exchange cannot be used, or not all of it.', {
        exchange,
        object: object ?? null,
        reason,
      });
  }
}

/** What the pages of one poll bring besides objects that we can use. */
export class Odd {
  readonly #warnings = new Set<string>();
  readonly #ignored: Record<string, number> = {};

  page({ warning, ignored }: Page): void {
    if (warning !== undefined && this.#warnings.size < MOST_TOLD) this.#warnings.add(warning);
    for (const [type, n] of Object.entries(ignored ?? {})) this.#ignored[type] = (this.#ignored[type] ?? 0) + n;
  }

  /** Undefined where there is nothing to tell. */
  told(total: CommitReport): string | undefined {
    const told = [...this.#warnings];
    const ignored = tellIgnored(this.#ignored, total.indicators);
    if (ignored !== undefined) told.push(ignored);
    if (total.conflicting > 0)
      told.push(
        `${total.conflicting === 1 ? '1 object came' : `${total.conflicting} objects came`} in a known version with other content, of which only what arms less is believed`,
      );
    return told.length === 0 ? undefined : told.join('; ');
  }
}

/** A feed of which nothing can ever stand on a watchlist looks like a quiet one. Undefined where indicators are known. */
export function tellIgnored(ignored: Readonly<Record<string, number>>, indicators: number): string | undefined {
  const count = Object.values(ignored).reduce((sum, n) => sum + n, 0);
  if (count === 0 || indicators > 0) return undefined;
  const types = Object.keys(ignored).sort();
  const named = `${types.slice(0, MOST_TYPES).join(', ')}${types.length > MOST_TYPES ? ', …' : ''}`;
  const came = count === 1 ? '1 object came and it is no indicator' : `${count} objects came and none is an indicator`;
  return `${came} (${named}); ask the partner which collection holds indicators`;
}
