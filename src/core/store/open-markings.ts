// Markings of an object that only its exchange can explain: what is stated, and what the definitions that came make of
// it. A definition that has not come, or that says what we do not understand, keeps the object out.
import {
  PAP_LEVELS,
  papRank,
  stricterPap,
  stricterTlp,
  type Pap,
  type Tlp,
  TLP_LEVELS,
  tlpRank,
} from '../model/marking.ts';
import { UNREADABLE_MARKING } from '../stix/markings.ts';
import type { ContextTable } from './explain.ts';
import type { ObjectRow } from './rows.ts';

/** Markings as stated, with those that only the exchange can explain. */
export interface OpenMarkings {
  readonly tlp?: Tlp | undefined;
  readonly pap?: Pap | undefined;
  readonly refs: readonly string[];
}

export function openOf(row: ObjectRow): OpenMarkings {
  return row.open_markings === null
    ? { tlp: levelOf(TLP_LEVELS, row.tlp), pap: levelOf(PAP_LEVELS, row.pap), refs: [] }
    : (JSON.parse(row.open_markings) as OpenMarkings);
}

/** As columns of the object. */
export type Explained = Pick<ObjectRow, 'tlp' | 'pap' | 'unexplained'>;

export function explained(context: ContextTable, exchangeId: number, stated: OpenMarkings): Explained {
  let { tlp, pap } = stated;
  let unexplained: string | null = null;
  for (const ref of stated.refs) {
    const definition = context.marking(exchangeId, ref);
    tlp = stricterTlp(tlp, definition?.tlp);
    pap = stricterPap(pap, definition?.pap);
    if (ref === UNREADABLE_MARKING) unexplained ??= 'a marking that cannot be read';
    else if (definition === undefined) unexplained ??= `${ref}, which nobody explained`;
    else if (definition.unread !== undefined) unexplained ??= `${ref}, ${definition.unread}`;
  }
  return {
    tlp: tlp === undefined ? null : tlpRank(tlp),
    pap: pap === undefined ? null : papRank(pap),
    unexplained,
  };
}

const levelOf = <L>(levels: readonly L[], rank: number | null): L | undefined =>
  rank === null ? undefined : levels[rank];
