// What people did, as the record has it: about whom and how many, and which values by rows that go with them.
import type { RecordAction, RecordRow } from '../../audit/record.ts';
import type { Json } from '../../model/json.ts';
import { entryKey, type Observable } from '../../model/observable.ts';

/** Who acts where no person does. */
export const ENTENTE = 'entente';
/** A person's own words, which stay in the record. */
const MOST_WORDS = 2000;

/** What a record is about beside the stands that changed in its unit. */
export interface Act {
  readonly action: RecordAction;
  readonly actor: string;
  readonly detail: { readonly [name: string]: Json };
  /** Of the unit's revision unless it says another. */
  readonly rows?: readonly (Omit<RecordRow, 'revision'> & { readonly revision?: number })[];
}

/** A person's own words, as the record keeps them. */
export const words = (text: string): string => text.toWellFormed().slice(0, MOST_WORDS);

/** Holds and held sightings, each with the code of what the person was shown. */
export interface Decided {
  readonly holds: readonly { readonly id: number; readonly set: string }[];
  readonly sightings: readonly { readonly id: number; readonly set: string }[];
}

/** What was decided: about whom and how many, never what. */
export interface Decisions {
  readonly holds: readonly { id: number; kind: string; siem: string; exchange: string; entries: number }[];
  readonly sightings: readonly { id: number; exchange: string; count: number }[];
}

type Row = Omit<RecordRow, 'revision'>;
const EMPTY: Omit<Row, 'op'> = { siem: null, key: null, reason: '', object: null, marking: null };

const rowsOf = (op: 'suppress' | 'harmless' | 'lift', observables: readonly Observable[]): Row[] =>
  observables.map(({ type, value }) => ({ ...EMPTY, op, key: entryKey(type, value) }));

/** Values were taken off every SIEM. */
export const offAct = (
  action: 'suppress' | 'harmless',
  actor: string,
  detail: Act['detail'],
  observables: readonly Observable[],
): Act => ({ action, actor, detail, rows: rowsOf(action, observables) });

/** And came back. `of`: how they were taken off, under that id. */
export const liftedAct = (of: 'suppress' | 'harmless', id: number, actor: string, lifted: Observable): Act => ({
  action: 'lift',
  actor,
  detail: { of, id },
  rows: rowsOf('lift', [lifted]),
});

/** Words of ours may name values, and go with them. */
export const refusedRows = (refusal: string | undefined): Row[] =>
  refusal === undefined ? [] : [{ ...EMPTY, op: 'refuse', reason: words(refusal) }];

/** Each hold and each sighting by itself, under the code of what was shown. */
export function decidedAct(
  { holds, sightings }: Decided,
  decided: Decisions,
  decision: 'approve' | 'reject',
  actor: string,
  reason: string,
): Act {
  const of = (siem: string, object: string, says: string): Row => ({
    ...EMPTY,
    op: decision,
    siem,
    object,
    reason: says,
  });
  const rows = [
    ...decided.holds.map(({ id, kind, siem, exchange, entries }, i) =>
      of(siem, `hold ${id}`, `${kind} of ${entries} entries of ${exchange}, shown under ${holds[i]?.set ?? '?'}`),
    ),
    ...decided.sightings.map(({ id, exchange, count }, i) =>
      of(exchange, `sighting s${id}`, `counted ${count}, shown under ${sightings[i]?.set ?? '?'}`),
    ),
  ];
  const detail = { decision, reason: words(reason), holds: holds.length, sightings: sightings.length };
  return { action: 'decide', actor, detail, rows };
}
