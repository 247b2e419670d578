// What people ask, from commands and pages: values off every SIEM, what waits for a decision, and what was refused.
import type { Json } from '../../model/json.ts';
import type { Observable } from '../../model/observable.ts';
import { type Off, UNTIL_LIFTED } from '../projection/people.ts';
import {
  type Act,
  decidedAct,
  type Decided,
  type Decisions,
  ENTENTE,
  liftedAct,
  offAct,
  refusedRows,
  words,
} from '../record/acts.ts';

import { insertRequest, requestOutcome, type StoredRequest } from '../unit/requests.ts';
import type { Parts } from './parts.ts';

/** Units of people, each with who it was and, where they said so, why. */
export const peopleUnits = (parts: Parts) => {
  const { store, unit, people, requests, sightings } = parts;
  return {
    /** `falsePositive`: the person says it is no threat, which counts as a negative hit. */
    suppress(
      observables: readonly Observable[],
      until: number,
      reason: string,
      by: string,
      now: number,
      falsePositive = false,
    ): number[] {
      return unit(now, (time) => {
        const detail = { reason: words(reason), until: new Date(until).toISOString(), false_positive: falsePositive };
        store.records.act(offAct('suppress', by, detail, observables));
        const ids = takeOff(parts, observables, { until, reason }, by, time);
        if (falsePositive) sightings.disown(observables, ids, time);
        return ids;
      });
    },

    /** Off every SIEM until somebody lifts it. */
    callHarmless(
      observables: readonly Observable[],
      review: number,
      reason: string,
      by: string,
      now: number,
    ): number[] {
      return unit(now, (time) => {
        const detail = { reason: words(reason), review: new Date(review).toISOString() };
        store.records.act(offAct('harmless', by, detail, observables));
        return takeOff(parts, observables, { until: UNTIL_LIFTED, reason, review }, by, time);
      });
    },

    lift(id: number, now: number, what: 'suppress' | 'harmless' = 'suppress', by = ENTENTE): void {
      unit(now, (time) => store.records.act(liftedAct(what, id, by, people.lift(id, what, time))));
    },

    retryParked(only: string | undefined, now: number): number {
      return unit(now, (time) => people.retryParked(only, time));
    },

    /** All of what a person decides on at once, or nothing: each under the code of what was shown. */
    decide(what: Decided, decision: 'approve' | 'reject', by: string, reason: string, now: number): Decisions {
      return unit(now, (time) => {
        const decisions = decideAll(parts, what, decision, by, reason, time);
        store.records.act(decidedAct(what, decisions, decision, by, reason));
        return decisions;
      });
    },

    claimRequest(now: number): StoredRequest | undefined {
      return unit(now, (time) => requests.claim(time));
    },

    finishRequest(id: number, outcome: Json, now: number): void {
      unit(now, (time) => requests.finish(id, outcome, time));
    },

    /** What a page asks for, on the way that commands take. */
    makeRequest(kind: string, args: Json, by: string, now: number): number {
      return unit(now, (time) => insertRequest(store.db, kind, args, by, time));
    },

    requestOutcome(id: number): Json | undefined {
      return requestOutcome(store.db, id);
    },

    /** What a person had done that no unit of its own tells of, and what was asked for and refused. */
    acted(action: 'request' | 'refused', by: string, detail: Act['detail'], now: number, refusal?: string): void {
      unit(now, () => store.records.act({ action, actor: by, detail, rows: refusedRows(refusal) }));
    },
  };
};

/** A SIEM that is being taken over may hold them though nobody knows of it yet. */
function takeOff(
  { store, people, adoption }: Parts,
  observables: readonly Observable[],
  off: Off,
  by: string,
  now: number,
): number[] {
  const ids = people.suppress(observables, off, by, now);
  for (const siem of store.siems) adoption.takeOff(siem, observables, now);
  return ids;
}

function decideAll(
  { store, holds, sightings }: Parts,
  what: Decided,
  decision: 'approve' | 'reject',
  by: string,
  reason: string,
  now: number,
): Decisions {
  const exchangeOf = (id: number) => store.exchangeNames.get(id) ?? '(adopted)';
  return {
    holds: what.holds.map(({ id, set }) => {
      const { kind, siem_id, exchange_id, entries } = holds.decide(id, decision, set, by, reason, now);
      const siem = store.siems.find((one) => one.id === siem_id)?.spec.name ?? '(removed)';
      return { id, kind, siem, exchange: exchangeOf(exchange_id), entries };
    }),
    sightings: sightings.held
      .decide(what.sightings, decision, by, reason, now)
      .map(({ id, exchange_id, n }) => ({ id, exchange: exchangeOf(exchange_id), count: n })),
  };
}
