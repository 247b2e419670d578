// One batch, in one call where all of it is taken: then the product need not list thousands of answers and nobody reads
// them. Where something failed the same bytes go again for the full answer. External versions make that safe: what the
// first call wrote conflicts with itself now and is found at exactly our revision, which is a success as ever.
//
// Between the two calls anything may happen. So nothing that the second one says of itself tells what the first one did.
import type { Batch } from '../../../core/contracts/batch.ts';
import { ConnectorError } from '../../../core/contracts/failure.ts';
import type { Change, Outcome } from '../../../core/contracts/siem-connector.ts';
import type { ElasticApi } from './client.ts';
import { BRIEF_FILTER, BULK_FILTER, notTaken, readBulk, settleConflict, settleFailed } from './responses.ts';

const IDS_PER_REQUEST = 1000;

export async function applyBulk(
  api: ElasticApi,
  index: string,
  batch: Batch,
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const refused = notTaken(await api.bulk(index, batch, BRIEF_FILTER, signal), index);
  if (refused === 0) return batch.changes.map(({ key }) => ({ key, kind: 'applied' }));
  const some = refused < batch.size;
  try {
    return await outcomesOf(api, index, batch, some, signal);
  } catch (error) {
    throw some && error instanceof ConnectorError ? leftOpen(error) : error;
  }
}

/** `written`: an earlier call may have carried out what this one could not. */
async function outcomesOf(
  api: ElasticApi,
  index: string,
  batch: Batch,
  written: boolean,
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const { changes } = batch;
  const answer = await api.bulk(index, batch, BULK_FILTER, signal);
  const { outcomes, conflicts } = readBulk(answer, changes, index);
  const failed = new Map(
    written ? outcomes.flatMap((one) => (one.kind === 'failed' ? [[one.key, one] as const] : [])) : [],
  );
  const doubtful = failed.size === 0 ? [] : changes.filter((change) => failed.has(change.key));
  const held = await versionsOf(api, index, [...conflicts.map((one) => one.change), ...doubtful], signal);
  return [
    ...outcomes.filter((one) => !failed.has(one.key)),
    ...doubtful.map((change) => settleFailed(change, failed.get(change.key)!, held.get(change.slot))),
    ...conflicts.map((one) => settleConflict(one, held.get(one.change.slot))),
  ];
}

async function versionsOf(
  api: ElasticApi,
  index: string,
  changes: readonly Change[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const held = new Map<string, number>();
  for (let at = 0; at < changes.length; at += IDS_PER_REQUEST) {
    const slots = changes.slice(at, at + IDS_PER_REQUEST).map((change) => change.slot);
    for (const [slot, version] of await api.versions(index, slots, signal)) held.set(slot, version);
  }
  return held;
}

/** Part of the batch was taken, so no failure of a later call may say that nothing was, or that a value is bad. */
function leftOpen(error: ConnectorError): ConnectorError {
  const { kind, message, status, code, retryAfterMs } = error;
  return new ConnectorError(kind === 'permanent' ? 'retryable' : kind, message, {
    uncertain: true,
    ...(status === undefined ? {} : { status }),
    ...(code === undefined ? {} : { code }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
