// What people read in the history of what a record proves. Pure.
import type { RecordBody } from '../../audit/record.ts';
import { type Act, ENTENTE } from './acts.ts';
import type { Happening } from './history.ts';

/** Each with whether it goes on where the last one of its kind was a moment ago. */
export interface Told {
  readonly one: Happening;
  readonly together: boolean;
}

type Recorded = Pick<RecordBody, 'counts' | 'seq' | 'policy_version'>;

/** First what was done by a person or of itself, then what came of it at each peer. */
export function happeningsOf(act: Pick<Act, 'action' | 'actor' | 'detail'>, body: Recorded): Told[] {
  const { counts, seq } = body;
  const told: Told[] = [];
  const deed = deedOf(act, body);
  if (deed !== undefined) told.push({ one: { ...deed, seq }, together: false });
  for (const [subject, ops] of Object.entries(counts)) {
    const { arm = 0, change = 0, disarm = 0, hold = 0, unhold = 0, tell = 0 } = ops;
    const siem = { role: 'siem', subject, detail: {}, seq } as const;
    if (arm + change + disarm > 0)
      told.push({ one: { ...siem, kind: 'delivery', counts: { arm, change, disarm } }, together: true });
    if (hold + unhold > 0) told.push({ one: { ...siem, kind: 'hold', counts: { hold, unhold } }, together: true });
    if (tell > 0)
      told.push({ one: { ...siem, role: 'exchange', kind: 'sighting', counts: { told: tell } }, together: true });
  }
  return told;
}

function deedOf(
  { action, actor, detail }: Pick<Act, 'action' | 'actor' | 'detail'>,
  { counts, policy_version }: Recorded,
): Happening | undefined {
  const ours = { role: 'entente', subject: ENTENTE, counts: {} } as const;
  if (action === 'configuration') return { ...ours, kind: 'configuration', detail: { policy_version, ...detail } };
  if (action === 'key' || action === 'gap') return { ...ours, kind: 'record', detail: { action, ...detail } };
  if (actor === ENTENTE) return undefined;
  const all: Record<string, number> = {};
  for (const ops of Object.values(counts)) for (const [op, n] of Object.entries(ops)) all[op] = (all[op] ?? 0) + n;
  return { kind: 'decision', role: 'person', subject: actor, counts: all, detail: { action, ...detail } };
}
