// A batch as one bulk update. It becomes a task; its results are read row by row, and whatever they leave open is
// read back from the sets. Whether removals work inside a bulk update is not documented, so the first ones are
// looked up before and read back after, and the way is changed when they had no effect.
import type { Batch } from '../../../core/contracts/batch.ts';
import { ConnectorError, permanent, retryable, toFailure } from '../../../core/contracts/failure.ts';
import type { Change, Outcome, SiemDeps } from '../../../core/contracts/siem-connector.ts';
import { turns } from '../../../core/runtime/in-turns.ts';
import { afterFailure, eachOf, type HeldSet, type HeldSets, heldByOther, pick } from './board.ts';
import { ofPlace, type QRadarClient, refusalCode } from './client.ts';
import type { QRadarSettings } from './config.ts';
import { Doubtful } from './doubtful.ts';
import { type Entries, ROOT, type SingleEntry } from './entries.ts';
import { ownedEntry, splitSlot } from './mapping.ts';
import { CONTROL } from './sets.ts';
import { BulkResults, BulkTask } from './responses.ts';

const SINGLES_AT_ONCE = 4;
/** Of going through a full batch, between which others have theirs. */
const TURN_MS = 4;
/** Rows that are sent one by one when a task broke off, so that a console in trouble is not flooded; the rest is tried again. */
const MAX_SINGLES = 100;
/** Batches kept until they are settled; of older ones the rows are read back, as after a restart. */
const MAX_REMEMBERED = 100;
/** Waiting for one task inside a call; after it the engine comes again. */
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1000;
const LONGEST_WAIT_MS = 20_000;
const DONE = new Set(['COMPLETED', 'CANCELLED', 'CONFLICT', 'EXCEPTION', 'INTERRUPTED']);

/** How removals are sent. Only reading back tells which way this console understands. */
type RemovalWay = 'by value' | 'by id' | 'single';

interface Sent {
  readonly batch: Batch;
  readonly way: RemovalWay;
}

/** The change of the canary, while its task waits. */
interface Trial {
  readonly id: number;
  readonly notes: string;
}

interface Refused {
  readonly refused: string;
  readonly code: string;
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
  #insertsProven = false;
  /** A proven insert proves no update: some consoles change notes by the id of an entry only. */
  #updatesProven = false;
  /** Whether 201 in results means that the entry was new; only then an answer tells that nothing was updated. */
  #tellsNew = true;
  /** Whether a task of this process is over, and with it all that an earlier process sent. */
  #began = false;
  readonly #doubtful = new Doubtful();
  #trial: Trial | undefined;

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
    const { bulk, done, ids, way, failed } = await this.#removals(batch, keep, sets, signal);
    outcomes.push(...done);
    const unsent = bulk.map((i) => batch.changes[i]!);
    if (failed.size > 0) return afterFailure(outcomes, failed, unsent);
    if (bulk.length === 0) return outcomes;
    const sent = pick(batch, bulk);
    try {
      outcomes.push(...(await this.#send(sent, sets, ids, way, signal)));
    } catch (error) {
      // Removals that went singly before are over, whatever became of the rest.
      if (done.length === 0) throw error;
      return afterFailure(outcomes, new Map(unsent.map((change) => [change, error])), []);
    }
    return outcomes;
  }

  async #send(
    sent: Batch,
    sets: HeldSets,
    ids: ReadonlyMap<string, number>,
    way: RemovalWay,
    signal: AbortSignal,
  ): Promise<readonly Outcome[]> {
    const task = await this.#patch(sent, sets, ids, signal);
    if ('refused' in task) {
      if (!(await this.#refusesRemovals(sent, sets, signal)))
        throw permanent(task.refused, { status: 422, uncertain: false, code: task.code });
      // Nothing was done. The same changes go again, the removals by another way.
      this.#way = 'single';
      return this.apply(sent, sets, signal);
    }
    const receipt = `bulk:${task.id}`;
    this.#remember(receipt, { batch: sent, way });
    return sent.changes.map(({ key }): Outcome => ({ key, kind: 'accepted', receipt }));
  }

  /**
   * An earlier process may have left a task behind. A change of the canary is sent after it and waited for; it tells as
   * well whether a bulk update renews the notes of an entry that is there, which no page says.
   */
  async #begin(control: HeldSet | undefined, signal: AbortSignal): Promise<void> {
    if (this.#began || control === undefined) return;
    this.#trial ??= await this.#try(control, signal);
    if (this.#trial !== undefined) {
      const { id, notes } = this.#trial;
      const task = await this.#over(id, signal);
      this.#trial = undefined;
      const results = task?.status === 'COMPLETED' ? await this.#results(String(id), signal) : undefined;
      const seen = results?.successful_responses === 1 ? await this.#entries.readCanary(control, signal) : undefined;
      if (seen?.notes === notes) this.#updatesProven = true;
      if (seen !== undefined) this.#tellsNew = results?.responses[0]?.http_status === 200;
    }
    this.#began = true;
  }

  async #try(control: HeldSet, signal: AbortSignal): Promise<Trial | undefined> {
    const notes = `${this.#entries.owner} shows how this console works, ${this.#deps.clock.now()}`;
    const answer = await this.#changeCanary(control, notes, signal);
    return 'refused' in answer ? undefined : { id: answer.id, notes };
  }

  #changeCanary(control: HeldSet, notes: string, signal: AbortSignal): Promise<BulkTask | Refused> {
    const row = { ...this.#inSet(control), value: this.#entries.canary, source: this.#entries.owner, notes };
    return this.#call(Buffer.from(JSON.stringify([row])), 1, signal);
  }

  /**
   * A bulk update whose answer was lost may still wait in a queue, and would land after a read-back that found nothing.
   * So before rows of it are believed to be absent or old, something is sent behind it: the removal of what is not
   * there, else the same upsert again. When that task is over, so is the lost one.
   */
  async fence(
    set: HeldSet,
    stored: readonly string[],
    control: HeldSet | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#begin(control, signal);
    const slots = stored.map((value) => `${set.kind.suffix}|${value}`).filter((slot) => this.#doubtful.has(slot));
    if (slots.length === 0) return;
    const rows = await this.#entries.withValues(
      set,
      slots.map((slot) => slot.slice(slot.indexOf('|') + 1)),
      signal,
    );
    const held = new Map(rows.map((row) => [`${set.kind.suffix}|${row.value}`, row]));
    const open = slots.flatMap((slot) => {
      const doubt = this.#doubtful.get(slot)!; // has() above
      const row = held.get(slot);
      const seen = row && ownedEntry(row.kind, row, this.#entries.owner);
      const over = doubt.change.op === 'remove' ? row === undefined : seen?.revision === doubt.change.revision;
      if (!over) return [{ slot, row, ...doubt }];
      this.#doubtful.settle(slot);
      return [];
    });
    if (open.length === 0) return;
    const pending = [...new Set(open.map((one) => one.fence))];
    let [task] = pending;
    if (task === undefined || pending.length > 1) {
      const frames = open.map(({ slot, row, change, frame }) => {
        const gone = change.op === 'remove' || (row === undefined && this.#removalsProven && this.#way === 'by value');
        const ids = new Map(row?.id === undefined || this.#way !== 'by id' ? [] : [[slot, row.id]]);
        return this.#row(set, gone ? this.#removal(slot, ids) : frame.subarray(1));
      });
      const answer = await this.#call(Buffer.from(`[${frames.join(',')}]`), open.length, signal).catch(
        (error: unknown) => {
          // One value at which the console fails each time would bar every read-back. What stands behind it tells as well.
          if (control === undefined || !(error instanceof ConnectorError) || error.status !== 500) throw error;
          return this.#changeCanary(control, `${this.#entries.owner} stands behind what may be lost`, signal);
        },
      );
      // What the console takes nothing of cannot stand in its queue either.
      if ('refused' in answer) return this.#doubtful.settle(...slots);
      task = answer.id;
      for (const { slot } of open) this.#doubtful.fenced(slot, task);
    }
    await this.#over(task, signal);
    this.#doubtful.settle(...slots);
  }

  /** Waits for a task as long as a cycle may bear. Undefined for one that the console forgot. */
  async #over(id: number, signal: AbortSignal): Promise<BulkTask | undefined> {
    const { clock, name } = this.#deps;
    const deadline = clock.monotonic() + LONGEST_WAIT_MS;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      const task = await this.#task(String(id), signal);
      if (task === undefined || DONE.has(task.status)) return task;
      if (clock.monotonic() > deadline)
        throw retryable(
          `${name}: the bulk update task ${id} still waits on the console, and what was sent before it may as well; its rows are read when it is over`,
          { uncertain: false, code: 'task_waits' },
        );
      await clock.sleep(pause, signal);
    }
  }

  async #task(id: string, signal: AbortSignal): Promise<BulkTask | undefined> {
    const answer = await this.#client.call({ path: `${ROOT}/set_bulk_update_tasks/${id}`, allow: [404], signal });
    return answer.status === 404 ? undefined : this.#client.parse(BulkTask, answer.body, 'the bulk update task');
  }

  async settle(receipt: string, sets: HeldSets, signal: AbortSignal): Promise<readonly Outcome[] | 'pending'> {
    const id = receipt.replace(/^bulk:/, '');
    const task = await this.#task(id, signal);
    if (task !== undefined && !DONE.has(task.status)) return 'pending';
    const sent = this.#sent.get(receipt);
    for (const { slot } of sent?.batch.changes ?? []) this.#doubtful.settle(slot);
    if (sent !== undefined) this.#began = true;
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
    const failed = new Map<Change, unknown>();
    if (removals.length === 0 || (way === 'by value' && this.#removalsProven))
      return { bulk: keep, done: [], ids, way, failed };
    const slots = removals.map((change) => change.slot);
    // What is not found gets no removal, which is as good as a removal only when nothing was missed.
    const held = await this.#entries.inSlots(slots, sets, signal, true);
    for (const [slot, row] of held) if (row.id !== undefined) ids.set(slot, row.id);
    const gone = new Set<string>();
    if (way === 'single') {
      const told = await this.#entries.deleteEach([...ids.values()], signal);
      for (const change of removals) {
        const id = ids.get(change.slot);
        if (id === undefined || told.gone.has(id)) gone.add(change.slot);
        else if (told.failed.has(id)) failed.set(change, told.failed.get(id));
      }
    }
    // What is not there needs no removal, and on a console that ignores delete_entry it would be an addition.
    const over = (slot: string): boolean => (way === 'single' ? gone.has(slot) : !held.has(slot));
    const failing = new Set([...failed.keys()].map((change) => change.slot));
    return {
      bulk: keep.filter((i) => !isRemoval(i) || !(over(batch.changes[i]!.slot) || failing.has(batch.changes[i]!.slot))),
      done: removals.filter((one) => over(one.slot)).map(({ key }): Outcome => ({ key, kind: 'applied' })),
      ids: way === 'by id' ? ids : new Map<string, number>(),
      way,
      failed,
    };
  }

  /** A refused bulk update may have been too long, or may hold a removal where none may stand: one alone tells, of nothing. */
  async #refusesRemovals(sent: Batch, sets: HeldSets, signal: AbortSignal): Promise<boolean> {
    const control = sets.get(CONTROL.suffix);
    if (!sent.changes.some((change) => change.op === 'remove')) return false;
    if (control === undefined || sent.size === 1) return sent.size === 1;
    const row = { ...this.#inSet(control), value: `nothing ${this.#entries.owner}`, delete_entry: true };
    return 'refused' in (await this.#call(Buffer.from(JSON.stringify([row])), 1, signal));
  }

  async #patch(
    batch: Batch,
    sets: HeldSets,
    ids: ReadonlyMap<string, number>,
    signal: AbortSignal,
  ): Promise<BulkTask | Refused> {
    const parts: Buffer[] = [];
    for (const [i, change] of batch.changes.entries()) {
      const row = change.op === 'upsert' ? batch.frame(i).subarray(1) : this.#removal(change.slot, ids);
      parts.push(Buffer.from(i === 0 ? '[' : ','), this.#row(this.#setOf(change, sets), row));
    }
    parts.push(Buffer.from(']'));
    try {
      return await this.#call(Buffer.concat(parts), batch.size, signal);
    } catch (error) {
      if (!(error instanceof ConnectorError) || error.uncertain) this.#doubtful.note(batch);
      throw error;
    }
  }

  async #call(json: Buffer, size: number, signal: AbortSignal): Promise<BulkTask | Refused> {
    const answer = await this.#client.call({
      method: 'PATCH',
      path: `${ROOT}/set_entries`,
      json,
      size,
      allow: [422],
      signal,
    });
    if (answer.status !== 422) return this.#client.parse(BulkTask, answer.body, 'the bulk update');
    const said = `QRadar refused the bulk update with 422 (code ${answer.code ?? '?'}): ${answer.message}`;
    const place = ofPlace(answer.code);
    if (place !== undefined)
      throw new ConnectorError(place.kind, `${this.#deps.name}: ${said}; ${place.next}`, {
        status: 422,
        uncertain: false,
        code: `qradar_422_${answer.code}`,
      });
    return { refused: `${this.#deps.name}: ${said}`, code: `qradar_422_${answer.code ?? ''}` };
  }

  /** A row as it stands in the bulk update: our frame, or a removal, behind the set it goes to. */
  #row(set: HeldSet, rest: Buffer): Buffer {
    return Buffer.concat([Buffer.from(`{"collection_id":${set.id},`), rest]);
  }

  #inSet(set: HeldSet): object {
    const domain = this.#config.domain_id;
    return { collection_id: set.id, ...(domain === undefined ? {} : { domain_id: domain }) };
  }

  #removal(slot: string, ids: ReadonlyMap<string, number>): Buffer {
    const id = ids.get(slot);
    const domain = this.#config.domain_id;
    const value = JSON.stringify(slot.slice(slot.indexOf('|') + 1));
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
    // The task is over, whatever its results look like: what cannot be read of them is read back from the sets.
    return BulkResults.safeParse(answer.body).data;
  }

  /** A completed task may still have lost rows, and a console may not know delete_entry: the first of each is read back. */
  #trusted(sent: Sent, results: BulkResults | undefined): boolean {
    const { changes } = sent.batch;
    return (
      results?.status === 'COMPLETE_UPDATE_PERFORMED' &&
      results.total_responses === changes.length &&
      results.successful_responses === changes.length &&
      results.responses.every((one) => one.http_status < 400) &&
      (changes.every((change) => change.op === 'remove') || this.#upsertsTrusted(changes, results)) &&
      (this.#removalsProven || changes.every((change) => change.op === 'upsert'))
    );
  }

  #upsertsTrusted(changes: readonly Change[], { responses }: BulkResults): boolean {
    if (!this.#insertsProven || this.#updatesProven) return this.#insertsProven;
    return (
      this.#tellsNew &&
      responses.length === changes.length &&
      changes.every((change, i) => change.op === 'remove' || responses[i]?.http_status === 201)
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
    );
    // The results carry no value. By position is how they are read, and only where the set agrees.
    const aligned = results?.responses.length === batch.size ? results.responses : [];
    const outcomes: Outcome[] = [];
    const left: { readonly change: Change; readonly i: number }[] = [];
    const still: number[] = [];
    const over = turns(TURN_MS);
    for (const [i, change] of batch.changes.entries()) {
      const rest = over();
      if (rest !== undefined) await rest;
      const row = held.get(change.slot);
      const done: Outcome = { key: change.key, kind: 'applied' };
      if (change.op === 'remove') {
        if (row?.id !== undefined) still.push(row.id);
        outcomes.push(done);
        continue;
      }
      const seen = row && ownedEntry(row.kind, row, this.#entries.owner);
      if (seen?.revision === change.revision) {
        outcomes.push(done);
        if (aligned[i]?.http_status === 200) this.#updatesProven = true;
      } else if (seen !== undefined && seen.revision > change.revision) {
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
    if (upsertsLeft === 0 && removals < sent.batch.size) this.#insertsProven = true;
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

function refusedRow(name: string, change: Change, told: BulkResults['responses'][number]): Outcome {
  const busy = told.http_status === 408 || told.http_status === 429 || told.http_status >= 500;
  const place = ofPlace(told.unique_code);
  const kind = place?.kind ?? (busy ? 'retryable' : 'permanent');
  const message = `${name}: QRadar refused the entry with ${told.http_status} (code ${told.unique_code ?? '?'}): ${(told.message ?? '').slice(0, 300)}${place === undefined ? '' : `; ${place.next}`}`;
  const code = refusalCode(told.http_status, told.unique_code ?? undefined);
  return { key: change.key, kind: 'failed', failure: { kind, message, code } };
}
