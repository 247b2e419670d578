// What has to be known of a part of a commit before it is gone through: the objects, of those that may change all they
// say and name, and the entries of the values that are named anew. In a few look-ups, whatever came.
import { takeIn } from '../../ledger/take-in.ts';
import type { IncomingIndicator } from '../../model/entry.ts';
import type { Observable } from '../../model/observable.ts';
import type { ExchangeState } from '../unit/context.ts';
import type { Explanations } from '../unit/explanations.ts';
import { rowOf } from '../rows/object-rows.ts';
import type { Item, ObjectSet } from './object-set.ts';
import { openOf } from '../rows/open-markings.ts';

interface From {
  readonly context: Explanations;
  readonly exchange: ExchangeState;
  readonly now: number;
  /** The one in which all of them are shown. */
  readonly scope: number | undefined;
}

/** `shown`: ids of those that could not be read. In a first sync nearly all is new, and inserting it finds that out. */
export function loadPart(
  set: ObjectSet,
  from: From,
  incoming: readonly IncomingIndicator[],
  shown: readonly string[],
): void {
  const { context, exchange, now, scope } = from;
  const ids = new Set(incoming.map((one) => one.objectId));
  const mostlyNew = exchange.firstSync && ids.size === incoming.length && !incoming.some((one) => one.revoked);
  if (mostlyNew) {
    set.insertNew(
      incoming.map((one) => rowOf(0, exchange.id, one, context, now)),
      scope,
    );
    set.load(
      shown.filter((id) => set.get(id) === undefined),
      scope,
    );
  } else set.load([...ids, ...shown], scope);
  const allNew = mostlyNew && incoming.every((one) => set.get(one.objectId)?.state === 'inserted');
  set.loadEntries(allNew ? valuesOf(incoming) : loadChanging(set, from, incoming), allNew);
}

/** All of those that may change. Returns the values that entries are needed of. */
function loadChanging(
  set: ObjectSet,
  { context, exchange }: From,
  incoming: readonly IncomingIndicator[],
): Observable[] {
  const often = repeated(incoming);
  const changing = new Set<Item>();
  const naming: IncomingIndicator[] = [];
  for (const one of incoming) {
    const item = set.get(one.objectId);
    const isOld = item?.state === 'stored';
    const taken = isOld ? takeIn(item.known, one).kind : undefined;
    // What an object that comes more than once is by then nobody knows yet.
    const open = often.has(one.objectId);
    if (isOld && (open || (taken !== 'unchanged' && taken !== 'outdated'))) changing.add(item);
    if (open || (isOld ? taken === 'replaced' : !one.revoked)) naming.push(one);
  }
  set.loadWhole([...changing]);
  const refs = [...changing].flatMap((item) => openOf(item.row!).refs);
  if (refs.length > 0) context.know(exchange.id, refs);
  return valuesOf(naming);
}

const valuesOf = (incoming: readonly IncomingIndicator[]): Observable[] => incoming.flatMap((one) => one.observables);

/** Ids that come more than once. */
function repeated(incoming: readonly IncomingIndicator[]): Set<string> {
  const seen = new Set<string>();
  const often = new Set<string>();
  for (const { objectId } of incoming) (seen.has(objectId) ? often : seen).add(objectId);
  return often;
}
