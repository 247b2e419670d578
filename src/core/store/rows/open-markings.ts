// Markings of an object that only its exchange can explain: what is stated, and what the definitions that came make of
// it. A definition that has not come, or that says what we do not understand, keeps the object out.
import type { IndicatorFacts } from '../../model/entry.ts';
import {
  classificationRank,
  PAP_LEVELS,
  papRank,
  stricterPap,
  stricterTlp,
  type Pap,
  type Tlp,
  TLP_LEVELS,
  tlpRank,
} from '../../model/marking.ts';
import { classificationOf, mayBeClassified } from '../../stix/classification.ts';
import { UNREADABLE_LABEL, UNREADABLE_MARKING } from '../../stix/markings.ts';
import type { ObjectRow } from './rows.ts';

/** What a definition says. */
export interface MarkingBody {
  readonly tlp?: Tlp;
  readonly pap?: Pap;
  readonly statement?: string;
  /** What it says is not understood, as words to follow its id. */
  readonly unread?: string;
  /** The rules under which it was read; absent = the first. */
  readonly canon?: number;
}

/** The definitions that an exchange gave. */
export interface Definitions {
  marking(exchangeId: number, ref: string): MarkingBody | undefined;
}

/** Markings as stated, with those that only the exchange can explain. */
interface OpenMarkings {
  readonly tlp?: Tlp | undefined;
  readonly pap?: Pap | undefined;
  readonly refs: readonly string[];
}

export function openOf(row: ObjectRow): OpenMarkings {
  return row.open_markings === null ? { ...levelsOf(row), refs: [] } : (JSON.parse(row.open_markings) as OpenMarkings);
}

/** The level of an object: its column, and where only a definition explained it, what its labels say besides. */
export function tlpOf(row: Pick<ObjectRow, 'tlp' | 'open_markings' | 'facts'>): Tlp | undefined {
  const tlp = levelOf(TLP_LEVELS, row.tlp);
  if (tlp === undefined || row.open_markings === null || !row.facts.includes('"tlpLabel"')) return tlp;
  return stricterTlp(tlp, (JSON.parse(row.facts) as IndicatorFacts).tlpLabel);
}

/** As columns of the object. */
export type Explained = Pick<ObjectRow, 'tlp' | 'pap' | 'unexplained'>;

export function explained(definitions: Definitions, exchangeId: number, stated: OpenMarkings): Explained {
  let { tlp, pap } = stated;
  let unexplained: string | null = null;
  let classified: string | null = null;
  for (const ref of stated.refs) {
    const definition = definitions.marking(exchangeId, ref);
    tlp = stricterTlp(tlp, definition?.tlp);
    pap = stricterPap(pap, definition?.pap);
    if (ref === UNREADABLE_MARKING) unexplained ??= 'a marking that cannot be read';
    else if (ref === UNREADABLE_LABEL) unexplained ??= 'a level in its labels that we do not know';
    else if (definition === undefined) unexplained ??= `${ref}, which nobody explained`;
    else if (definition.unread !== undefined) unexplained ??= `${ref}, ${definition.unread}`;
    else if (definition.statement !== undefined && mayBeClassified(definition.statement))
      classified = higher(classified, `${ref}, which says ${definition.statement.slice(0, MOST_SAID)}`);
  }
  return {
    tlp: tlp === undefined ? null : tlpRank(tlp),
    pap: pap === undefined ? null : papRank(pap),
    unexplained: unexplained ?? classified,
  };
}

/** The levels among it. */
export const levelsOf = ({
  tlp,
  pap,
}: Pick<Explained, 'tlp' | 'pap'>): { readonly tlp: Tlp | undefined; readonly pap: Pap | undefined } => ({
  tlp: levelOf(TLP_LEVELS, tlp),
  pap: levelOf(PAP_LEVELS, pap),
});

const MOST_SAID = 128;

/** The words of the higher classification; none where they state none. */
function higher(before: string | null, words: string): string | null {
  const [a, b] = [before ?? '', words].map((one) => classificationOf([one]));
  if (b === undefined) return before;
  return a === undefined || classificationRank(b) > classificationRank(a) ? words : before;
}

const levelOf = <L>(levels: readonly L[], rank: number | null): L | undefined =>
  rank === null ? undefined : levels[rank];
