// A batch as one bulk update. It becomes a task; its results are read row by row, and whatever they leave open is
// read back from the sets. Whether removals work inside a bulk update is not documented, so the first ones are
// looked up before and read back after, and the way is changed when they had no effect.
import { Batch } from '../../../core/contracts/batch.ts';
import { ConnectorError, permanent, retryable, toFailure } from '../../../core/contracts/failure.ts';
import type { Change, Outcome, SiemDeps } from '../../../core/contracts/siem-connector.ts';
import { eachOf, type HeldSet, type HeldSets, heldByOther } from './board.ts';
import type { QRadarClient } from './client.ts';
import type { QRadarSettings } from './config.ts';
import { type Entries, ROOT, type SingleEntry, WITHOUT_NOTES } from './entries.ts';
import { ownedEntry, splitSlot } from './mapping.ts';
import { BulkResults, BulkTask } from './responses.ts';

const SINGLES_AT_ONCE = 4;
/** Rows that are sent one by one when a task broke off, so that a console in trouble is not flooded; the rest is tried again. */
const MAX_SINGLES = 100;
/** Batches kept until they are settled; of older ones the rows are read back, as after a restart. */
const MAX_REMEMBERED = 100;
const DONE = new Set(['COMPLETED', 'CANCELLED', 'CONFLICT', 'EXCEPTION', 'INTERRUPTED']);

/** How removals are sent. Only reading back tells which way this console understands. */
type RemovalWay = 'by value' | 'by id' | 'single';

interface Sent {
  readonly batch: Batch;
  readonly way: RemovalWay;
}

export class BulkUpdates {
  readonly #client: QRadarClient;
  readonly #config: QRadarSettings;
  readonly #deps: SiemDeps;
  readonly #entries: Entries;
  /** What stood in tasks that are not settled yet. Lost in a restart: then the engine reads the rows back. */
  readonly #sent = new Map<string, Sent>();
  #way: RemovalWay = 'by value';
  #removalsProven = false;
  #upsertsProven = false;

  constructor(client: QRadarClient, config: QRadarSettings, deps: SiemDeps, entries: Entries) {
    this.#client = client;
    this.#config = config;
    this.#deps = deps;
    this.#entries = entries;
  }

  async apply(batch: Batch, sets: HeldSets, signal: AbortSignal): Promise<readonly Outcome[]> {
    const others = await this.#entries.others(
      batch.changes.map((change) => change.slot),
      sets,
      signal,
    );
    const outcomes: Outcome[] = [];
    const keep: number[] = [];
    for (const [i, change] of batch.changes.entries()) {
      const source = others.get(change.slot);
      if (source === undefined) keep.push(i);
      else outcomes.push(heldByOther(change, source));
    }
    const { bulk, done, ids, way } = await this.#removals(batch, keep, sets, signal);
    outcomes.push(...done);
    if (bulk.length === 0) return outcomes;
    const sent = pick(batch, bulk);
    const task = await this.#patch(sent, sets, ids, signal);
    if ('refused' in task) {
      if (!(await this.#refusesRemovals(sent, sets, ids, signal)))
        throw permanent(task.refused, { status: 422, uncertain: false });
      // Nothing was done. The same changes go again, the removals by another way.
      this.#way = 'single';
      return [...outcomes, ...(await this.apply(sent, sets, signal))];
    }
    const receipt = `bulk:${task.id}`;
    this.#remember(receipt, { batch: sent, way });
    return [...outcomes, ...sent.changes.map(({ key }): Outcome => ({ key, kind: 'accepted', receipt }))];
  }

  async settle(receipt: string, sets: HeldSets, signal: AbortSignal): Promise<readonly Outcome[] | 'pending'> {
    const id = receipt.replace(/^bulk:/, '');
    const answer = await this.#client.call({ path: `${ROOT}/set_bulk_update_tasks/${id}`, allow: [404], signal });
    const task = answer.status === 404 ? undefined : this.#client.parse(BulkTask, answer.body, 'the bulk update task');
    if (task !== undefined && !DONE.has(task.status)) return 'pending';
    const sent = this.#sent.get(receipt);
    // After a restart nobody knows what stood in the task. It is over, so the engine may read its rows back.
    if (sent === undefined) return [];
    const results = task?.status === 'COMPLETED' ? await this.#results(id, signal) : undefined;
    const outcomes = this.#trusted(sent, results)
      ? sent.batch.changes.map(({ key }): Outcome => ({ key, kind: 'applied' }))
      : await this.#verify(sent, results, task, sets, signal);
    this.#sent.delete(receipt);
    return outcomes;
  }

  #remember(receipt: string, sent: Sent): void {
    this.#sent.set(receipt, sent);
    const oldest = this.#sent.keys().next().value;
    if (this.#sent.size > MAX_REMEMBERED && oldest !== undefined) this.#sent.delete(oldest);
  }

  /** What of the batch goes into the bulk update, and the removals that are done without it. */
  async #removals(batch: Batch, keep: readonly number[], sets: HeldSets, signal: AbortSignal) {
    const way = this.#way;
    const isRemoval = (i: number): boolean => batch.changes[i]?.op === 'remove';
    const removals = keep.filter(isRemoval).map((i) => batch.changes[i]!);
    const ids = new Map<string, number>();
    if (removals.length === 0 || (way === 'by value' && this.#removalsProven))
      return { bulk: keep, done: [], ids, way };
    const slots = removals.map((change) => change.slot);
    const held = await this.#entries.inSlots(slots, sets, signal, WITHOUT_NOTES);
    for (const [slot, row] of held) if (row.id !== undefined) ids.set(slot, row.id);
    if (way === 'single') await this.#entries.deleteAll([...ids.values()], signal);
    // What is not there needs no removal, and on a console that ignores delete_entry it would be an addition.
    const over = (slot: string): boolean => way === 'single' || !held.has(slot);
    return {
      bulk: keep.filter((i) => !isRemoval(i) || !over(batch.changes[i]!.slot)),
      done: removals.filter((one) => over(one.slot)).map(({ key }): Outcome => ({ key, kind: 'applied' })),
      ids: way === 'by id' ? ids : new Map<string, number>(),
      way,
    };
  }

  /** A refused bulk update may have been too long, or may hold a removal where none may stand: one removal alone tells. */
  async #refusesRemovals(sent: Batch, sets: HeldSets, ids: ReadonlyMap<string, number>, signal: AbortSignal) {
    const removal = sent.changes.findIndex((change) => change.op === 'remove');
    if (removal < 0) return false;
    return sent.size === 1 || 'refused' in (await this.#patch(pick(sent, [removal]), sets, ids, signal));
  }

  async #patch(
    batch: Batch,
    sets: HeldSets,
    ids: ReadonlyMap<string, number>,
    signal: AbortSignal,
  ): Promise<BulkTask | { readonly refused: string }> {
    const parts: Buffer[] = [Buffer.from('[')];
    for (const [i, change] of batch.changes.entries()) {
      const set = this.#setOf(change, sets);
      const head = Buffer.from(`${i === 0 ? '' : ','}{"collection_id":${set.id},`);
      parts.push(head, change.op === 'upsert' ? batch.frame(i).subarray(1) : this.#removal(change, ids));
    }
    parts.push(Buffer.from(']'));
    const answer = await this.#client.call({
      method: 'PATCH',
      path: `${ROOT}/set_entries`,
      json: Buffer.concat(parts),
      size: batch.size,
      allow: [422],
      signal,
    });
    if (answer.status !== 422) return this.#client.parse(BulkTask, answer.body, 'the bulk update');
    const said = `QRadar refused the bulk update with 422 (code ${answer.code ?? '?'}): ${answer.message}`;
    if (answer.code === 23000 || answer.code === 23003)
      throw retryable(`${this.#deps.name}: ${said}; the set is gone and is made anew at the next open`, {
        status: 422,
        uncertain: false,
      });
    return { refused: `${this.#deps.name}: ${said}` };
  }

  #removal(change: Change, ids: ReadonlyMap<string, number>): Buffer {
    const id = ids.get(change.slot);
    const domain = this.#config.domain_id;
    const value = JSON.stringify(change.slot.slice(change.slot.indexOf('|') + 1));
    return Buffer.from(
      `${id === undefined ? '' : `"id":${id},`}"value":${value}${domain === undefined ? '' : `,"domain_id":${domain}`},"delete_entry":true}`,
    );
  }

  #setOf(change: Change, sets: HeldSets): HeldSet {
    const kind = splitSlot(change.slot)?.kind;
    const set = kind && sets.get(kind.suffix);
    if (set !== undefined) return set;
    throw retryable(
      `${this.#deps.name}: set ${kind?.suffix ?? change.slot} is missing; it is made anew at the next open`,
      { uncertain: false },
    );
  }

  async #results(id: string, signal: AbortSignal): Promise<BulkResults | undefined> {
    const answer = await this.#client.call({
      path: `${ROOT}/set_bulk_update_tasks/${id}/results`,
      allow: [404],
      signal,
    });
    return answer.status === 404
      ? undefined
      : this.#client.parse(BulkResults, answer.body, 'the results of the bulk update');
  }

  /** A completed task may still have lost rows, and a console may not know delete_entry: the first of each is read back. */
  #trusted(sent: Sent, results: BulkResults | undefined): boolean {
    const { changes } = sent.batch;
    return (
      results?.status === 'COMPLETE_UPDATE_PERFORMED' &&
      results.total_responses === changes.length &&
      results.successful_responses === changes.length &&
      results.responses.every((one) => one.http_status < 400) &&
      (this.#upsertsProven || changes.every((change) => change.op === 'remove')) &&
      (this.#removalsProven || changes.every((change) => change.op === 'upsert'))
    );
  }

  async #verify(
    sent: Sent,
    results: BulkResults | undefined,
    task: BulkTask | undefined,
    sets: HeldSets,
    signal: AbortSignal,
  ): Promise<readonly Outcome[]> {
    const { batch } = sent;
    const held = await this.#entries.inSlots(
      batch.changes.map((change) => change.slot),
      sets,
      signal,
      batch.changes.every((change) => change.op === 'remove') ? WITHOUT_NOTES : undefined,
    );
    // The results carry no value. By position is how they are read, and only where the set agrees.
    const aligned = results?.responses.length === batch.size ? results.responses : [];
    const outcomes: Outcome[] = [];
    const left: { readonly change: Change; readonly i: number }[] = [];
    const still: number[] = [];
    for (const [i, change] of batch.changes.entries()) {
      const row = held.get(change.slot);
      const done: Outcome = { key: change.key, kind: 'applied' };
      if (change.op === 'remove') {
        if (row?.id !== undefined) still.push(row.id);
        outcomes.push(done);
        continue;
      }
      const seen = row && ownedEntry(row.kind, row, this.#entries.owner);
      if (seen?.revision === change.revision) outcomes.push(done);
      else if (seen !== undefined && seen.revision > change.revision) {
        // Another spelling of the value may hold the slot by now, which holds the value as well.
        outcomes.push(
          seen.key === change.key ? { key: change.key, kind: 'superseded', revision: seen.revision } : done,
        );
      } else {
        const told = aligned[i];
        if (told !== undefined && told.http_status >= 400) outcomes.push(refusedRow(this.#deps.name, change, told));
        else left.push({ change, i });
      }
    }
    await this.#entries.deleteAll(still, signal);
    if (results !== undefined) this.#learn(sent, still.length, left.length);
    const singles = results === undefined ? MAX_SINGLES : left.length;
    const why =
      task === undefined ? 'is gone' : `ended as ${task.status}${task.error_message ? ` (${task.error_message})` : ''}`;
    await eachOf(left.slice(0, singles), SINGLES_AT_ONCE, async ({ change, i }) => {
      outcomes.push(await this.#putFrame(change, batch.frame(i), sets, signal));
    });
    for (const { change } of left.slice(singles))
      outcomes.push({
        key: change.key,
        kind: 'failed',
        failure: {
          kind: 'retryable',
          message: `${this.#deps.name}: the bulk update task ${why} without this row; it is sent again`,
        },
      });
    return outcomes;
  }

  #learn(sent: Sent, removalsLeft: number, upsertsLeft: number): void {
    const removals = sent.batch.changes.filter((change) => change.op === 'remove').length;
    if (upsertsLeft === 0 && removals < sent.batch.size) this.#upsertsProven = true;
    if (removals === 0) return;
    if (removalsLeft === 0) this.#removalsProven = true;
    else if (sent.way === this.#way) {
      this.#way = sent.way === 'by value' ? 'by id' : 'single';
      this.#deps.log.info('Bulk removals had no effect on this console; another way is used.', { way: this.#way });
    }
  }

  async #putFrame(change: Change, frame: Buffer, sets: HeldSets, signal: AbortSignal): Promise<Outcome> {
    try {
      // Our own encode() wrote the frame; a spoilt one is answered by QRadar itself.
      const body = JSON.parse(frame.toString('utf8')) as SingleEntry;
      await this.#entries.put(this.#setOf(change, sets), body, signal);
      return { key: change.key, kind: 'applied' };
    } catch (error) {
      if (!(error instanceof ConnectorError) || (error.kind !== 'permanent' && error.kind !== 'retryable')) throw error;
      return { key: change.key, kind: 'failed', failure: toFailure(error) };
    }
  }
}

function pick(batch: Batch, indices: readonly number[]): Batch {
  if (indices.length === batch.size) return batch;
  const frames = indices.map((i) => batch.frame(i));
  let end = 0;
  const ends = Uint32Array.from(frames, (frame) => (end += frame.length));
  return new Batch(
    indices.map((i) => batch.changes[i]!),
    Buffer.concat(frames),
    ends,
  );
}

function refusedRow(name: string, change: Change, told: BulkResults['responses'][number]): Outcome {
  const kind =
    told.http_status === 408 || told.http_status === 429 || told.http_status >= 500 ? 'retryable' : 'permanent';
  const message = `${name}: QRadar refused the entry with ${told.http_status} (code ${told.unique_code ?? '?'}): ${(told.message ?? '').slice(0, 300)}`;
  return { key: change.key, kind: 'failed', failure: { kind, message } };
}
