// What is counted of objects as they come and go: known ones, refused ones, values on never-block lists, and what is
// classified higher than anybody here may hold.
import type { IncomingIndicator, IndicatorFacts } from '../../model/entry.ts';
import { isAbove, listedFor, termsOf } from '../../policy/intake.ts';
import { mayBeClassified } from '../../stix/classification.ts';
import type { CommitReport } from './commit-report.ts';
import type { ExchangeState, StoreContext } from '../unit/context.ts';
import type { Explanations } from '../unit/explanations.ts';
import { LISTED_OWNER } from '../spec/lists.ts';
import { explained } from '../rows/open-markings.ts';
import type { ObjectRow } from '../rows/rows.ts';

type Counted = Pick<ObjectRow, 'refusal'>;

export class ObjectCounts {
  readonly #store: StoreContext;
  readonly #context: Explanations;

  constructor(store: StoreContext, context: Explanations) {
    this.#store = store;
    this.#context = context;
  }

  /** A published object is what it was no more, and is this now; undefined: nothing. */
  change(exchange: ExchangeState, before: Counted | undefined, after: Counted | undefined): void {
    if (before !== undefined) this.#add(exchange, before, -1);
    if (after !== undefined) this.#add(exchange, after, 1);
  }

  #add(exchange: ExchangeState, row: Counted, by: 1 | -1): void {
    exchange.indicators.n += by;
    if (row.refusal === null) return;
    const owner = `exchange:${exchange.id}`;
    this.#store.count(owner, 'refused', by);
    this.#store.count(owner, `refused:${row.refusal}`, by);
  }

  /** What comes anew and stands on a never-block list, by the rules of the first SIEM that listens. */
  arrived(exchange: ExchangeState, incoming: IncomingIndicator, report: CommitReport): void {
    const { name } = exchange.spec;
    if (this.#isTooHigh(exchange, incoming)) {
      report.classified++;
      this.#store.count(`exchange:${exchange.id}`, 'classified', 1);
    }
    const rules = this.#store.siems.find((siem) => siem.spec.rules[name] !== undefined)?.spec.rules[name]?.intake;
    if (rules === undefined) return;
    for (const observable of incoming.observables)
      for (const { list, action } of listedFor(observable, rules))
        this.#store.count(LISTED_OWNER, `${list} ${action}`, 1);
  }

  /** Somebody sent over a network what it may not carry: no policy for lists, but an alarm. */
  #isTooHigh({ id, spec: { name } }: ExchangeState, { facts, openMarkings }: IncomingIndicator): boolean {
    if (openMarkings === undefined && !mayBeClassified(facts)) return false;
    const refs = openMarkings ?? [];
    const unexplained = refs.length === 0 ? null : explained(this.#context, id, { refs }).unexplained;
    const { classification } = termsOf({
      factsText: facts,
      facts: JSON.parse(facts) as IndicatorFacts,
      unexplained: unexplained ?? undefined,
    });
    const ceilings = this.#store.siems.flatMap(({ spec }) => spec.rules[name]?.intake.maxClassification ?? []);
    return (
      classification !== undefined && ceilings.length > 0 && ceilings.every((most) => isAbove(classification, most))
    );
  }
}
