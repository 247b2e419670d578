// The collections API (QRadar 7.4.3 and later): sets and the writer mark. Rows are in entries.ts, batches in bulk.ts.
import type { z } from 'zod';
import type { Batch } from '../../../core/contracts/batch.ts';
import { toFailure } from '../../../core/contracts/failure.ts';
import type { Outcome, SiemDeps, WriterMark } from '../../../core/contracts/siem-connector.ts';
import type { Board, Expiry, HeldRow, HeldSet, HeldSets } from './board.ts';
import { BulkUpdates } from './bulk.ts';
import type { QRadarClient } from './client.ts';
import type { QRadarSettings } from './config.ts';
import { CONTROL, type SetKind, setName } from './sets.ts';
import { Entries, PAGE, ROOT } from './entries.ts';
import { expiryIn } from './lifetime.ts';
import { type CollectionSet, CollectionSets, ClassicSets, StoredMark } from './responses.ts';

export class Collections implements Board {
  readonly #client: QRadarClient;
  readonly #config: QRadarSettings;
  readonly #deps: SiemDeps;
  readonly #owner: string;
  readonly #entries: Entries;
  readonly #bulk: BulkUpdates;
  #control: HeldSet | undefined;
  readonly #expiries = new Map<string, Expiry | undefined>();

  constructor(client: QRadarClient, config: QRadarSettings, deps: SiemDeps) {
    this.#client = client;
    this.#config = config;
    this.#deps = deps;
    this.#entries = new Entries(client, config, deps);
    this.#owner = this.#entries.owner;
    this.#bulk = new BulkUpdates(client, config, deps, this.#entries);
  }

  async sets(kinds: readonly SetKind[], signal: AbortSignal): Promise<HeldSets> {
    const names = new Map(kinds.map((kind) => [setName(this.#config.set_prefix, kind), kind]));
    const held = new Map<string, HeldSet>();
    const named = `name in (${[...names.keys()].map((name) => `"${name}"`).join(', ')})`;
    const found = (await this.#list(named, signal)).filter(
      (set) => names.has(set.name) && (set.tenant_id ?? undefined) === this.#config.tenant_id,
    );
    // In words, once for each set and change of how it expires.
    const news = found.filter((set) => set.expiry_type !== 'NO_EXPIRY' && !this.#expiries.has(expiryKey(set)));
    if (news.length > 0) await this.#readExpiries(news, named, signal);
    for (const set of found) {
      const kind = names.get(set.name)!; // filtered above
      const expires = this.#expiries.get(expiryKey(set));
      held.set(kind.suffix, {
        kind,
        name: set.name,
        id: set.id,
        identity: `${set.id}@${set.creation_time ?? ''}`,
        count: set.number_of_entries,
        element: set.entry_type,
        ...(expires === undefined ? {} : { expires }),
      });
    }
    return held;
  }

  /** Without an answer nothing is known, and nothing is said: tenants' sets may not show, and the old API may go. */
  async #readExpiries(sets: readonly CollectionSet[], filter: string, signal: AbortSignal): Promise<void> {
    const query = { filter, fields: 'name,collection_id,element_type,time_to_live,timeout_type' };
    const told = await this.#client
      .call({ path: '/reference_data/sets', query, range: [0, PAGE - 1], allow: [403, 404, 410, 422], signal })
      .then(({ body }) => this.#client.parse(ClassicSets, body ?? [], 'the list of sets'))
      .catch((error: unknown) => {
        if (signal.aborted) throw error;
        this.#deps.log.debug('When entries of sets expire could not be asked.', { failure: toFailure(error).message });
        return undefined;
      });
    if (told === undefined) return;
    for (const set of sets) {
      const words = told.find((one) => one.collection_id === set.id);
      this.#expiries.set(expiryKey(set), words && expiryIn(words).expires);
    }
  }

  async elsewhere(name: string, signal: AbortSignal): Promise<number | null | undefined> {
    const other = (await this.#list(`name = "${name}"`, signal)).find((set) => set.name === name);
    return other === undefined ? undefined : (other.tenant_id ?? null);
  }

  async create(kind: SetKind, signal: AbortSignal): Promise<void> {
    const name = setName(this.#config.set_prefix, kind);
    const days = kind.suffix === CONTROL.suffix ? 0 : this.#config.dead_man_days;
    if (days > 0 && this.#config.tenant_id === undefined) {
      // The unit of this API's time_to_live is documented nowhere; the classic call takes it in words.
      const classic = await this.#client.call({
        method: 'POST',
        path: '/reference_data/sets',
        form: { name, element_type: kind.element, timeout_type: 'LAST_SEEN', time_to_live: `${days} days` },
        allow: [404, 405, 409, 410],
        signal,
      });
      if (classic.status === 201 || classic.status === 409) return;
      this.#deps.log.warn('This console cannot create sets whose entries expire; the dead-man switch is off.', {
        set: name,
      });
    }
    const tenant = this.#config.tenant_id;
    await this.#client.call({
      method: 'POST',
      path: `${ROOT}/sets`,
      json: JSON.stringify({
        name,
        entry_type: kind.element,
        expiry_type: 'NO_EXPIRY',
        expired_log_option: 'LOG_NONE',
        ...(tenant === undefined ? { namespace: 'SHARED' } : { namespace: 'TENANT', tenant_id: tenant }),
        description: `Kept by ${this.#owner}.`,
      }),
      // Somebody was quicker: it is there, which is all we want.
      allow: [409],
      signal,
    });
  }

  async mayWrite(signal: AbortSignal): Promise<void> {
    // A set without a name is refused for its content, but only after the rights were looked at.
    await this.#client.call({ method: 'POST', path: `${ROOT}/sets`, json: '{}', allow: [422], signal });
    // A bulk update of nothing, and the removal of an entry that cannot be: whether either method comes through.
    await this.#client.call({ method: 'PATCH', path: `${ROOT}/set_entries`, json: '[]', allow: [400, 422], signal });
    await this.#client.call({
      method: 'DELETE',
      path: `${ROOT}/set_entries/0`,
      accept: '*/*',
      allow: [404, 422],
      signal,
    });
  }

  apply(batch: Batch, sets: HeldSets, signal: AbortSignal): Promise<readonly Outcome[]> {
    return this.#bulk.apply(batch, sets, signal);
  }

  settle(receipt: string, sets: HeldSets, signal: AbortSignal): Promise<readonly Outcome[] | 'pending'> {
    return this.#bulk.settle(receipt, sets, signal);
  }

  async learn(control: HeldSet, signal: AbortSignal): Promise<void> {
    this.#control = control;
    await this.#entries.learnDecoding(control, signal);
  }

  rows(set: HeldSet, signal: AbortSignal): AsyncIterable<readonly HeldRow[]> {
    return this.#entries.ofSet(set, signal);
  }

  settled(set: HeldSet, stored: readonly string[], signal: AbortSignal): Promise<void> {
    return this.#bulk.fence(set, stored, this.#control, signal);
  }

  rowsOf(set: HeldSet, stored: readonly string[], signal: AbortSignal): Promise<readonly HeldRow[]> {
    return this.#entries.withValues(set, stored, signal);
  }

  countOthers(sets: readonly HeldSet[], signal: AbortSignal): Promise<number> {
    return this.#entries.countOthers(sets, signal);
  }

  async readMark(control: HeldSet, signal: AbortSignal): Promise<WriterMark | undefined> {
    const row = await this.#entries.mark(control, signal);
    // After an upgrade of the console the mark still stands in `source`, where the classic API put it.
    const text = row?.notes ?? row?.source?.slice(this.#owner.length) ?? '';
    try {
      const read = StoredMark.safeParse(JSON.parse(text));
      return read.success ? read.data : undefined;
    } catch {
      // No mark, or one that somebody wrote over: either way nobody is known to write here.
      return undefined;
    }
  }

  async writeMark(control: HeldSet, mark: WriterMark, signal: AbortSignal): Promise<void> {
    const body = { value: `writer ${this.#owner}`, source: this.#owner, notes: JSON.stringify(mark) };
    await this.#entries.put(control, body, signal);
  }

  async dropControl(control: HeldSet, signal: AbortSignal): Promise<number> {
    const ours = [await this.#entries.mark(control, signal), await this.#entries.readCanary(control, signal)];
    const ids = ours.flatMap((row) => (row === undefined ? [] : [row.id]));
    await this.#entries.deleteAll(ids, signal);
    return ids.length;
  }

  async #list(filter: string, signal: AbortSignal): Promise<z.output<typeof CollectionSets>> {
    const sets: z.output<typeof CollectionSets> = [];
    const fields = 'id,name,entry_type,tenant_id,creation_time,number_of_entries,expiry_type,time_to_live';
    for (;;) {
      const { body, total } = await this.#client.call({
        path: `${ROOT}/sets`,
        query: { filter, fields },
        range: [sets.length, sets.length + PAGE - 1],
        signal,
      });
      const page = this.#client.parse(CollectionSets, body, 'the list of sets');
      sets.push(...page);
      if (page.length === 0 || total === undefined || sets.length >= total) return sets;
    }
  }
}

/** Another type or time to live is told anew. */
const expiryKey = (set: CollectionSet): string => `${set.id} ${set.expiry_type} ${set.time_to_live ?? ''}`;
