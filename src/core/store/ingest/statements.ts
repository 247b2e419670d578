// What a known object states (an end, levels, markings, that it is harmless), where a second content or a withdrawal of it
// may make that stricter.
import { marked, type Stated, tightened } from '../../ledger/take-in.ts';
import type { IncomingIndicator } from '../../model/entry.ts';
import { explained, levelsOf, openOf } from '../rows/open-markings.ts';
import type { ObjectRow } from '../rows/rows.ts';
import type { Explanations } from '../unit/explanations.ts';
import type { Item, ObjectSet } from './object-set.ts';

export class Statements {
  readonly #context: Explanations;
  readonly #set: ObjectSet;

  constructor(context: Explanations, set: ObjectSet) {
    this.#context = context;
    this.#set = set;
  }

  /** Same version, other content: the standard says nothing, so only what arms less is taken over. True if anything was. */
  tighten(item: Item, incoming: IncomingIndicator): boolean {
    if (!this.#states(item, tightened(statedOf(item.row!), incoming))) return false;
    this.#set.change(item, { digest: incoming.digest });
    this.await(item);
    return true;
  }

  /** What is withdrawn may be kept by a hold, and not above the level that its withdrawal states. True if that is a stricter one. */
  mark(item: Item, incoming: IncomingIndicator): boolean {
    const { tlp, pap, openMarkings: refs = [] } = incoming;
    const levels = levelsOf(explained(this.#context, item.row!.exchange_id, { tlp, pap, refs }));
    return this.#states(item, marked(statedOf(item.row!), incoming, levels));
  }

  /** True if it stated anything else. */
  #states(item: Item, { until, benign, facts, ...open }: Stated): boolean {
    const found = item.row!;
    const next = {
      // An open marking is explained anew, from both contents together.
      ...explained(this.#context, found.exchange_id, open),
      valid_until: until ?? null,
      benign: benign ? 1 : 0,
      facts,
      open_markings: open.refs.length === 0 ? null : JSON.stringify(open),
    };
    const same = (Object.keys(next) as (keyof typeof next)[]).every((column) => next[column] === found[column]);
    if (same) return false;
    this.#set.change(item, next);
    return true;
  }

  /** Remembers by which markings that nothing explains yet the object is to be found. */
  await(item: Item): void {
    const row = item.row!;
    if (row.open_markings === null) return;
    const unknown = openOf(row).refs.filter((ref) => this.#context.marking(row.exchange_id, ref) === undefined);
    this.#set.await(item, unknown);
  }
}

/** The levels as stated, whatever a definition made of them since. */
function statedOf(row: ObjectRow): Stated {
  const { tlp, pap, refs } = openOf(row);
  return { until: row.valid_until ?? undefined, tlp, pap, refs, benign: row.benign === 1, facts: row.facts };
}
