// How a row of the outbox spells how far a sighting has come (ledger/outbox.ts), and what is sent of it.
import { sighting } from '../../inventory/aggregate.ts';
import type { Telling, TellingState } from '../../ledger/outbox.ts';
import { SIGHTING_KINDS, type Sighting } from '../../model/sighting.ts';
import type { Released } from './releases.ts';
import type { ReleaseSpec } from '../spec/spec.ts';
import type { Values } from '../sql/port.ts';

export const OUTBOX = {
  queued: 0,
  held: 1,
  denied: 2,
  sending: 3,
  pending: 4,
  sent: 5,
  failed: 6,
} as const satisfies Record<TellingState, number>;
const STATES = ['queued', 'held', 'denied', 'sending', 'pending', 'sent', 'failed'] as const;
export type OutboxState = (typeof OUTBOX)[keyof typeof OUTBOX];

export interface OutboxRow {
  readonly id: number;
  readonly exchange_id: number;
  readonly object_id: number;
  readonly start: number;
  readonly kind: number;
  readonly uuid: string;
  readonly state: OutboxState;
  readonly first: number;
  readonly last: number;
  readonly n: number;
  readonly modified: number;
  readonly latest: number;
  readonly rule: number | null;
  readonly reason: string;
  readonly since: number;
  readonly due: number;
  readonly attempt: number;
  readonly sending: number | null;
  readonly sent: number | null;
  readonly sent_at: number | null;
  readonly receipt: string | null;
  readonly approved: number | null;
  readonly rejected: number;
  readonly decided_by: string | null;
  readonly decision_reason: string | null;
}

/** What a step changes. */
export const COLUMNS = [
  'state',
  'rule',
  'reason',
  'since',
  'due',
  'attempt',
  'sending',
  'sent',
  'sent_at',
  'receipt',
  'approved',
  'rejected',
] as const;

/** In the order of COLUMNS. */
export const valuesOf = (telling: Telling): Values => [
  OUTBOX[telling.state],
  telling.rule ?? null,
  telling.reason,
  telling.since,
  telling.due,
  telling.attempt,
  telling.sending ?? null,
  telling.sent ?? null,
  telling.sentAt ?? null,
  telling.receipt ?? null,
  telling.approved ?? null,
  telling.rejected ? 1 : 0,
];

export function tellingOf(row: OutboxRow): Telling {
  return {
    state: STATES[row.state],
    once: SIGHTING_KINDS[row.kind] !== 'seen',
    modified: row.modified,
    rule: row.rule ?? undefined,
    reason: row.reason,
    since: row.since,
    due: row.due,
    attempt: row.attempt,
    sending: row.sending ?? undefined,
    sent: row.sent ?? undefined,
    sentAt: row.sent_at ?? undefined,
    receipt: row.receipt ?? undefined,
    approved: row.approved ?? undefined,
    rejected: row.rejected === 1,
  };
}

export function sightingOf(
  row: Pick<OutboxRow, 'uuid' | 'kind' | 'start' | 'first' | 'last' | 'n' | 'modified'>,
  found: Pick<Released, 'objectId' | 'tlp'>,
  { precisionMinutes }: Pick<ReleaseSpec, 'precisionMinutes'>,
): Sighting {
  const precisionMs = precisionMinutes * 60_000;
  const totals = { firstSeen: row.first, lastSeen: row.last, count: row.n, modified: row.modified };
  return sighting(SIGHTING_KINDS[row.kind]!, row.uuid, found.objectId, row.start, { precisionMs }, totals, found.tlp);
}
