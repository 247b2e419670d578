// Carries a batch out: one call for the upserts of each collection, one or more for its removals. What an earlier call
// did is told whatever becomes of a later one; a ledger that forgot it would take armed values for gone.
import type { Batch } from '../../../core/contracts/batch.ts';
import { ConnectorError, type Failure, toFailure } from '../../../core/contracts/failure.ts';
import type { Outcome, SiemDeps } from '../../../core/contracts/siem-connector.ts';
import type { SplunkClient } from './client.ts';
import { collectionOfSlot } from './mapping.ts';
import { isSlot, type Mark } from './ownership.ts';
import type { Rows } from './rows.ts';
import type { Form } from './settings.ts';

interface Group {
  readonly collection: string;
  readonly upserts: number[];
  readonly removals: number[];
}

export class Applying {
  readonly #client: SplunkClient;
  readonly #rows: Rows;
  readonly #owner: string;
  readonly #form: Form;
  readonly #deps: SiemDeps;
  /** A collection that refused several rows at once, or failed, behind another call. It goes first, so that they can be divided. */
  #first: string | undefined;

  constructor(client: SplunkClient, rows: Rows, owner: string, form: Form, deps: SiemDeps) {
    this.#client = client;
    this.#rows = rows;
    this.#owner = owner;
    this.#form = form;
    this.#deps = deps;
  }

  async apply(batch: Batch, app: string, signal: AbortSignal): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    const key = (i: number) => batch.changes[i]!.key;
    for (const group of this.#groups(batch, app)) {
      const { collection, upserts, removals } = group;
      if (upserts.length > 0) {
        const stop = await this.#call(batch, upserts, outcomes, collection, async () => {
          const saved = await this.#client.batchSave(collection, listOf(upserts, batch), upserts.length, signal);
          return upserts.map((i) => this.#saved(batch.changes[i]!, saved));
        });
        if (stop !== undefined) return unsent(batch, outcomes, stop);
      }
      const slots = removals.map((i) => batch.changes[i]!.slot);
      let unmarked: ReadonlyMap<string, Mark> | undefined;
      for (let at = 0; at < removals.length; ) {
        const left = removals.slice(at);
        let taken = left.length;
        const stop = await this.#call(batch, left, outcomes, collection, async () => {
          unmarked ??= await this.#rows.unmarked(collection, slots, signal);
          taken = await this.#remove(collection, slots.slice(at), unmarked, signal);
          return left.slice(0, taken).map((i) => ({ key: key(i), kind: 'applied' }));
        });
        if (stop !== undefined) return unsent(batch, outcomes, stop);
        at += taken;
      }
    }
    return outcomes;
  }

  /** One call. Throws while nothing of the batch took effect; gives the failure back when the rest must not be sent. */
  async #call(
    batch: Batch,
    rows: readonly number[],
    outcomes: Outcome[],
    collection: string,
    send: () => Promise<readonly Outcome[]>,
  ): Promise<Failure | undefined> {
    try {
      outcomes.push(...(await send()));
      if (this.#first === collection) this.#first = undefined;
      return undefined;
    } catch (error) {
      if (outcomes.length === 0) throw error;
      const known = error instanceof ConnectorError ? error : undefined;
      const failure = toFailure(error);
      const told = (one: Failure): void => {
        for (const i of rows) outcomes.push({ key: batch.changes[i]!.key, kind: 'failed', failure: one });
      };
      if (failure.kind !== 'permanent') {
        // Only of a batch that fails as a whole can the engine find the one at which Splunk fails.
        if (known?.status === 500) this.#first = collection;
        // A refusal after which nobody knows what happened is no refusal of these changes.
        const unsure = known?.uncertain !== false && failure.kind === 'config';
        told(unsure ? { ...failure, kind: 'retryable' } : failure);
        return failure;
      }
      if (rows.length === 1 && known?.split === undefined) {
        told(failure);
        return undefined;
      }
      // Which of them is refused is found by dividing, and only a batch of which nothing took effect can be divided.
      this.#first = collection;
      told({ ...failure, kind: 'retryable' });
      return undefined;
    }
  }

  /** Removes the first of these rows, as many as one call takes; also those whose mark somebody overwrote. */
  async #remove(
    collection: string,
    slots: readonly string[],
    unmarked: ReadonlyMap<string, Mark>,
    signal: AbortSignal,
  ): Promise<number> {
    const taken = await this.#client.remove(collection, slots, { owner: this.#owner }, signal);
    const here = slots.slice(0, taken);
    for (const [mark, query] of [
      ['threat_key', { threat_key: this.#owner }],
      ['key', undefined],
    ] as const) {
      for (let some = here.filter((slot) => unmarked.get(slot) === mark); some.length > 0; )
        some = some.slice(await this.#client.remove(collection, some, query, signal));
    }
    return taken;
  }

  #groups(batch: Batch, app: string): Group[] {
    const groups = new Map<string, Group>();
    batch.changes.forEach((change, i) => {
      const name = collectionOfSlot(change.slot, this.#form);
      // Slots come from our own slot(); another one means that the settings changed under a running batch.
      if (name === undefined || !isSlot(change.slot, this.#owner)) {
        throw new ConnectorError('bug', `${this.#deps.name}: slot ${change.slot} is not one of this instance`);
      }
      const collection = `${app}/${name}`;
      const group = groups.get(collection) ?? { collection, upserts: [], removals: [] };
      groups.set(collection, group);
      (change.op === 'upsert' ? group.upserts : group.removals).push(i);
    });
    return [...groups.values()].sort(
      (a, b) => Number(b.collection === this.#first) - Number(a.collection === this.#first),
    );
  }

  #saved(change: Batch['changes'][number], saved: ReadonlySet<string>): Outcome {
    if (saved.has(change.slot)) return { key: change.key, kind: 'applied' };
    const message = `${this.#deps.name}: Splunk took the batch but does not name this row; it is sent again`;
    return { key: change.key, kind: 'failed', failure: { kind: 'retryable', message } };
  }
}

/** What was not sent fails as what stopped it, so that it is tried again as soon. */
function unsent(batch: Batch, outcomes: readonly Outcome[], failure: Failure): readonly Outcome[] {
  const told = new Set(outcomes.map((one) => one.key));
  const rest = batch.changes.filter((change) => !told.has(change.key));
  return [...outcomes, ...rest.map(({ key }): Outcome => ({ key, kind: 'failed', failure }))];
}

/** Frames are JSON documents; a list of them needs commas only. */
function listOf(rows: readonly number[], batch: Batch): Buffer {
  const parts: Buffer[] = [];
  rows.forEach((i, at) => {
    parts.push(at === 0 ? OPEN : COMMA, batch.frame(i));
  });
  parts.push(CLOSE);
  return Buffer.concat(parts);
}

const OPEN = Buffer.from('[');
const COMMA = Buffer.from(',');
const CLOSE = Buffer.from(']');
