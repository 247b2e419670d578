// How a row of `object` spells what an indicator says.
import { CANON_VERSION } from '../../model/canonical.ts';
import type { IncomingIndicator } from '../../model/entry.ts';
import { papRank, tlpRank } from '../../model/marking.ts';
import { lifeFrom } from '../../policy/expiry.ts';
import type { Known } from '../../ledger/take-in.ts';
import { type Definitions, explained } from './open-markings.ts';
import { type FoundObject, OBJECT } from './rows.ts';
import type { Values } from '../sql/port.ts';

/** Whole, as it is written. */
export interface ClaimedRow extends FoundObject {
  gone_at: number | null;
}

/** What tells whether anything changes. */
export const NARROW = ['id', 'object_id', 'version', 'state', 'valid_from', 'valid_until', 'digest', 'canon'] as const;

/** All but the id. */
export const COLUMNS = [
  'exchange_id',
  'object_id',
  'version',
  'state',
  'valid_from',
  'valid_until',
  'confidence',
  'tlp',
  'pap',
  'benign',
  'open_markings',
  'refusal',
  'digest',
  'facts',
  'unexplained',
  'life_from',
  'gone_at',
  'canon',
] as const;

/** In the order of COLUMNS. */
export const valuesOf = (row: ClaimedRow): Values => [
  row.exchange_id,
  row.object_id,
  row.version,
  row.state,
  row.valid_from,
  row.valid_until,
  row.confidence,
  row.tlp,
  row.pap,
  row.benign,
  row.open_markings,
  row.refusal,
  row.digest,
  row.facts,
  row.unexplained,
  row.life_from,
  row.gone_at,
  row.canon,
];

const STATES = ['published', 'revoked', 'vanished'] as const;

export const stateOf = (state: number): Known['state'] => STATES[state] ?? 'published';

/** What it says now; `id`: 0 where it has none yet. */
export function rowOf(
  id: number,
  exchangeId: number,
  incoming: IncomingIndicator,
  definitions: Definitions,
  now: number,
): ClaimedRow {
  const { tlp, pap, openMarkings } = incoming;
  const stated = openMarkings === undefined || openMarkings.length === 0 ? undefined : { tlp, pap, refs: openMarkings };
  return {
    id,
    exchange_id: exchangeId,
    object_id: incoming.objectId,
    version: incoming.version,
    state: incoming.revoked ? OBJECT.revoked : OBJECT.published,
    valid_from: incoming.validFrom,
    valid_until: incoming.validUntil ?? null,
    confidence: incoming.confidence ?? null,
    ...(stated === undefined
      ? {
          tlp: tlp === undefined ? null : tlpRank(tlp),
          pap: pap === undefined ? null : papRank(pap),
          unexplained: null,
        }
      : explained(definitions, exchangeId, stated)),
    benign: incoming.benign === true ? 1 : 0,
    open_markings: stated === undefined ? null : JSON.stringify(stated),
    refusal: incoming.refusal ?? null,
    digest: incoming.digest,
    facts: incoming.facts,
    life_from: lifeFrom(incoming, now),
    gone_at: incoming.revoked ? now : null,
    canon: CANON_VERSION,
  };
}
