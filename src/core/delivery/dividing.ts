// One batch, in as many calls as it takes: split where the product says it is too large, bisected where it is refused
// as a whole, so that one bad value does not hold up its neighbours. Where nothing at all is taken the search ends
// soon: then it is no value that is bad, and a thousand single calls would say the same a thousand times. A call that
// makes the product fail is divided in the same way where the engine suspects a value in it (broken-calls.ts).
import type { Batch } from '../contracts/batch.ts';
import type { Outcome, SiemLimits } from '../contracts/siem-connector.ts';
import { ConnectorError, type Failure, toFailure } from '../model/failure.ts';
import { reasonOf } from './refusals.ts';

export interface Applied {
  readonly outcomes: readonly Outcome[];
  /** Holds for the target, where there is one. */
  readonly failure: Failure | undefined;
  /** Changes that may have been carried out though their call failed. */
  readonly unknown: ReadonlySet<string>;
  /** Changes that were not carried out, though their failure is of a kind that often leaves it open. */
  readonly undone: ReadonlySet<string>;
  /** The product failed (500) at a call as a whole, which was not divided or came to nothing: with this. */
  readonly broken: Failure | undefined;
  /** Changes at which it failed alone, while it took others. */
  readonly breaking: ReadonlyMap<string, Failure>;
  /** True when it took more than one call: the first one may be sending its bytes still. */
  readonly divided: boolean;
}

export interface Caller {
  readonly apply: (batch: Batch) => Promise<readonly Outcome[]>;
  readonly onSplit: (split: Partial<Pick<SiemLimits, 'maxItems' | 'maxBytes'>>) => void;
  readonly onBug: (error: unknown) => void;
}

/** A call at which the product fails is divided like one that it refuses. */
export interface Suspicion {
  /** Changes at which it failed before, while it took others. */
  readonly proven: (key: string) => boolean;
}

export async function applyDivided(whole: Batch, caller: Caller, suspicion?: Suspicion): Promise<Applied> {
  const outcomes: Outcome[] = [];
  const unknown = new Set<string>();
  const undone = new Set<string>();
  let failure: Failure | undefined;
  let broken: Failure | undefined;
  const breaking = new Map<string, Failure>();
  /** In a call at which the product failed: it may have done a part of it. */
  const begun = new Set<string>();
  let calls = 0;
  const search = new Search(whole.size);
  // Depth first, the first half first: what is left to do, the next one last.
  const left = [whole];
  for (let batch = left.pop(); batch !== undefined; batch = left.pop()) {
    const stopped = failure ?? search.over;
    if (stopped !== undefined) {
      outcomes.push(...failed(batch, stopped));
      for (const { key } of batch.changes) (begun.has(key) ? unknown : undone).add(key);
      continue;
    }
    calls++;
    try {
      const told = await caller.apply(batch);
      outcomes.push(...told);
      search.told(told);
    } catch (error) {
      const known = error instanceof ConnectorError ? error : undefined;
      const found = toFailure(error);
      const breaks = found.kind === 'retryable' && known?.status === 500;
      const searched = found.kind === 'permanent' || (breaks && suspicion !== undefined);
      if (known?.split !== undefined) caller.onSplit(known.split);
      else if (searched) search.refused(found);
      if (breaks) for (const { key } of batch.changes) begun.add(key);
      if (batch.size > 1 && (searched || known?.split !== undefined)) {
        const middle = Math.ceil(batch.size / 2);
        left.push(batch.slice(middle, batch.size), batch.slice(0, middle));
        continue;
      }
      if (found.kind === 'bug') caller.onBug(error);
      outcomes.push(...failed(batch, found));
      // A refusal of one single change is that change's affair; anything else holds for the target.
      if (found.kind === 'permanent') continue;
      const certain = known !== undefined && !known.uncertain;
      for (const { key } of batch.changes) (certain && !begun.has(key) ? undone : unknown).add(key);
      if (breaks) broken = found;
      if (searched) breaking.set(batch.changes[0]!.key, found);
      else failure = found;
    }
  }
  // Where it takes nothing at all, no value is to blame.
  if (search.over?.kind === 'retryable') broken = search.over;
  if (broken !== undefined && !search.taken && ![...breaking.keys()].every((key) => suspicion?.proven(key))) {
    failure ??= broken;
    breaking.clear();
  }
  return { outcomes, failure, unknown, undone, broken: failure && broken, breaking, divided: calls > 1 };
}

/** Whether a search for the bad value still has a chance. */
class Search {
  #chances: number;
  #taken = false;
  #accepted = false;
  #reason: string | undefined;
  over: Failure | undefined;

  constructor(size: number) {
    // To the first value, and once more as many: some bad ones may stand side by side at the beginning.
    this.#chances = 2 * Math.ceil(Math.log2(Math.max(2, size))) + 4;
  }

  told(outcomes: readonly Outcome[]): void {
    if (outcomes.every((one) => one.kind === 'failed')) return;
    this.#taken = true;
    this.#accepted = true;
  }

  /** Something was. */
  get taken(): boolean {
    return this.#accepted;
  }

  refused(failure: Failure): void {
    if (this.#reason !== undefined && this.#reason !== reasonOf(failure)) this.#taken = true;
    this.#reason = reasonOf(failure);
    this.#chances--;
    if (!this.#taken && this.#chances <= 0) this.over = failure;
  }
}

function failed(batch: Batch, failure: Failure): Outcome[] {
  return batch.changes.map((change) => ({ key: change.key, kind: 'failed', failure }));
}
