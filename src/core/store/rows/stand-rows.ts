// How a row of the projection spells a stand: the only place that knows its columns and their numbers.
import { type Call, type Hold, type Op, type Parked, phaseOf, type Stand } from '../../ledger/stand.ts';
import { CAUSE, CAUSES, HOLD, type Hold as HoldKind, PRESENCES, PRESENT, type ProjectionRow, STATE } from './rows.ts';

const KINDS = [undefined, 'removal', 'addition'] as const;

export function standOf(row: ProjectionRow): Stand {
  const hold: Hold | undefined =
    row.hold === null ? undefined : { id: row.hold, kind: KINDS[row.hold_kind] ?? 'addition' };
  const kept = hold?.kind === 'removal';
  return {
    wanted: {
      is: row.wanted === 1,
      revision: row.wanted_rev,
      content: row.content,
      vouchers: row.vouchers,
      until: row.until ?? undefined,
      due: row.due ?? undefined,
      cause: CAUSES[row.cause],
      since: row.since,
    },
    present: { is: PRESENCES[row.present], revision: row.rev, handle: row.handle ?? undefined },
    call: callOf(row),
    hold,
    parked: parkedOf(row),
    adopted: row.state === STATE.held && hold === undefined,
    again: kept && row.state === STATE.upsert && row.present !== PRESENT.no,
    wait: { attempt: row.attempt, at: row.next_at ?? undefined },
    place: row.place === null ? undefined : { at: row.place, out: row.kept_out === 1 },
    slot: row.slot ?? undefined,
  };
}

function callOf({ state, sent_rev: sent, batch, receipt }: ProjectionRow): Call | undefined {
  // Without the revision that was sent there is no intent to be settled.
  switch (state) {
    case STATE.flight:
      return { kind: 'flight', sent: sent ?? 0, batch: batch ?? 0 };
    case STATE.accepted:
      return { kind: 'accepted', sent: sent ?? 0, ...receiptOf(receipt ?? '') };
    case STATE.uncertain:
      return { kind: 'uncertain', sent: sent ?? 0 };
    default:
      return undefined;
  }
}

const parkedOf = ({ state, reason, code }: ProjectionRow): Parked | undefined =>
  state === STATE.parked ? { reason: reason ?? '', code: code ?? undefined } : undefined;

/** A receipt stands beside what it was given for. */
export const toldOf = (op: Op, receipt: string): string => `${op} ${receipt}`;

export function receiptOf(told: string): { op: Op; receipt: string } {
  const op = told.startsWith('remove ') ? 'remove' : 'upsert';
  return { op, receipt: told.slice(op.length + 1) };
}

const holdKindOf = (hold: Hold | undefined): HoldKind => (hold === undefined ? HOLD.none : HOLD[hold.kind]);

type Column = number | string | null;

/** Values in the order of WRITTEN. */
export function columnsOf(stand: Stand): Column[] {
  const { wanted, present, call, hold, parked, wait, place } = stand;
  return [
    wanted.is ? 1 : 0,
    wanted.revision,
    wanted.content,
    wanted.vouchers,
    wanted.until ?? null,
    wanted.due ?? null,
    CAUSE[wanted.cause],
    wanted.since,
    PRESENT[present.is],
    present.revision,
    present.handle ?? null,
    STATE[phaseOf(stand)],
    call?.sent ?? null,
    call?.kind === 'flight' ? call.batch : null,
    call?.kind === 'accepted' ? toldOf(call.op, call.receipt) : null,
    parked?.reason ?? null,
    parked?.code ?? null,
    wait.attempt,
    wait.at ?? null,
    hold?.id ?? null,
    holdKindOf(hold),
    place?.at ?? null,
    place?.out === true ? 1 : 0,
  ];
}

/** All columns but the row's keys and its slot, which never change. */
export const WRITTEN = [
  'wanted',
  'wanted_rev',
  'content',
  'vouchers',
  'until',
  'due',
  'cause',
  'since',
  'present',
  'rev',
  'handle',
  'state',
  'sent_rev',
  'batch',
  'receipt',
  'reason',
  'code',
  'attempt',
  'next_at',
  'hold',
  'hold_kind',
  'place',
  'kept_out',
] as const;

/** Of a stand that nothing happened to yet: all that is not as the table has it by itself. Most rows are made so. */
export const FRESH = [
  'wanted',
  'wanted_rev',
  'content',
  'vouchers',
  'until',
  'due',
  'cause',
  'since',
  'present',
  'rev',
  'state',
] as const;

export const isFresh = ({ present, call, parked, hold, place, slot, wait }: Stand): boolean =>
  present.handle === undefined &&
  call === undefined &&
  parked === undefined &&
  hold === undefined &&
  place === undefined &&
  slot === undefined &&
  wait.attempt === 0 &&
  wait.at === undefined;

/** Values in the order of FRESH, where the stand is one. */
export function freshOf(stand: Stand): Column[] {
  const { wanted, present } = stand;
  return [
    wanted.is ? 1 : 0,
    wanted.revision,
    wanted.content,
    wanted.vouchers,
    wanted.until ?? null,
    wanted.due ?? null,
    CAUSE[wanted.cause],
    wanted.since,
    PRESENT[present.is],
    present.revision,
    STATE[phaseOf(stand)],
  ];
}
