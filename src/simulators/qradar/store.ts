// What the console holds: sets with their entries, tasks that take time, and the rules that may be turned while
// it runs. Both APIs work on the same sets, so both see the same ids.
import type { Clock } from '../../core/runtime/clock.ts';
import { plain, QRadarError } from './errors.ts';
import { type ElementType, store } from './values.ts';

/** Behaviour that no public page states, and limits: all of it can be changed during a run. */
export interface Settings {
  /** Milliseconds until a task is done. */
  taskMs: number;
  /** Milliseconds for the next tasks, one each, before `taskMs` counts again. */
  nextTasksMs: number[];
  /** Whether a task waits until those given before it are done. */
  tasksInOrder: boolean;
  /** Methods that something before the console refuses with 405 and a web page. */
  refusedMethods: string[];
  /** How often the console decodes a query string: IBM's pages say twice, its examples once. */
  queryDecoding: 'once' | 'twice';
  /** Whether a set's name is there once per console, or once per namespace and tenant. */
  namesUnique: 'console' | 'namespace';
  /** Tenants whose sets the token sees beside the shared ones; null for all. */
  visibleTenants: number[] | null;
  /** How `delete_entry` inside a PATCH is understood; IBM's pages only show the field. */
  deleteInPatch: 'by-value' | 'by-id' | 'ignored' | 'refused';
  /** Whether a change that finds the entry there leaves its notes, so that they change only by the entry's id. */
  notesByIdOnly: boolean;
  /** Whether a change by id makes the server put its own name into `source`. */
  sourceByServer: boolean;
  /** What happens to a bulk update when a row is bad. */
  onBadRow: 'partial' | 'abort';
  /** Which rows `responses[]` tells of. */
  responses: 'aligned' | 'failures';
  /** Rows at the end of a bulk update that get lost without a word. */
  loseRows: number;
  /** State in which bulk update tasks end. */
  taskEnds: 'COMPLETED' | 'EXCEPTION' | 'INTERRUPTED' | 'CONFLICT' | 'CANCELLED';
  /** A classic bulk_load with a bad value: all refused, or the good ones taken. */
  bulkLoadBadValue: 'refuse-all' | 'skip';
  maxRows: number;
  maxBodyBytes: number;
  maxUrlBytes: number;
  maxValueLength: number;
  maxNotesLength: number;
  /** Rows of one page at most, whatever the Range says. */
  maxPage: number;
  /** The same for offenses. */
  maxOffensePage: number;
  /** Answer 206 for a part and 416 beyond the end, as HTTP would have it, in place of 200. */
  httpRanges: boolean;
  /** Time between two looks for expired entries. */
  sweepMs: number;
  /** Role of the token: `reader` may look only. */
  role: 'admin' | 'reader';
  /** Domains that exist. */
  domains: number[];
  /** Time an Ariel search takes. */
  searchMs: number;
  /** What a finished search complains of with severity ERROR; it has no rows then. Empty: it is fine. */
  searchError: string;
  /** Whether REFERENCESETCONTAINS folds the event's value for an ALNIC set; said nowhere. */
  foldsEvents: boolean;
  /** Whether AQL takes a function where REFERENCESETCONTAINS has its value. */
  functionsInSets: boolean;
}

export const DEFAULTS: Settings = {
  taskMs: 20,
  nextTasksMs: [],
  tasksInOrder: true,
  refusedMethods: [],
  queryDecoding: 'once',
  namesUnique: 'console',
  visibleTenants: null,
  deleteInPatch: 'by-value',
  notesByIdOnly: false,
  sourceByServer: false,
  onBadRow: 'partial',
  responses: 'aligned',
  loseRows: 0,
  taskEnds: 'COMPLETED',
  bulkLoadBadValue: 'refuse-all',
  maxRows: 10_000,
  maxBodyBytes: 32 * 1024 * 1024,
  maxUrlBytes: 8192,
  maxValueLength: 4000,
  maxNotesLength: 4000,
  maxPage: 1_000_000,
  maxOffensePage: 1_000_000,
  httpRanges: false,
  sweepMs: 60_000,
  role: 'admin',
  domains: [0, 1, 2, 3],
  searchMs: 20,
  searchError: '',
  foldsEvents: true,
  functionsInSets: true,
};

export interface EntryRow {
  readonly id: number;
  readonly collection_id: number;
  readonly value: string;
  source: string;
  notes: string | null;
  readonly domain_id: number | null;
  readonly first_seen: number;
  last_seen: number;
}

export type Expiry = 'FIRST_SEEN' | 'LAST_SEEN' | 'NO_EXPIRY' | 'UNKNOWN';

export interface SetRow {
  readonly id: number;
  readonly name: string;
  readonly type: ElementType;
  readonly namespace: 'PRIVATE' | 'SHARED' | 'TENANT';
  readonly tenantId: number | null;
  readonly created: number;
  expiry: Expiry;
  ttlMs: number | undefined;
  logOption: string;
  description: string | null;
  readonly entries: Map<string, EntryRow>;
}

export interface Task {
  readonly id: number;
  readonly kind: 'bulk' | 'delete' | 'purge' | 'dependents';
  readonly name: string;
  readonly created: number;
  readonly due: number;
  status: string;
  readonly work: () => void;
  results?: unknown;
  errorMessage: string | null;
}

export class Store {
  readonly sets = new Map<number, SetRow>();
  readonly tasks = new Map<number, Task>();
  readonly settings: Settings;
  readonly clock: Clock;
  #lastId = 70;
  /** May hold entries that are gone; findEntry looks again. */
  readonly #byId = new Map<number, EntryRow>();
  #lastSweep: number;
  #pending: Task[] = [];

  constructor(clock: Clock, settings: Settings) {
    this.clock = clock;
    this.settings = settings;
    this.#lastSweep = clock.now();
  }

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** Time passes between requests: tasks that are due take effect in the order they were given, then entries expire. */
  settle(): void {
    const now = this.clock.now();
    for (const task of this.#pending.filter((one) => one.due <= now)) task.work();
    this.#pending = this.#pending.filter((one) => one.due > now);
    if (now - this.#lastSweep < this.settings.sweepMs) return;
    this.#lastSweep = now;
    for (const set of this.sets.values()) {
      if (set.ttlMs === undefined || (set.expiry !== 'FIRST_SEEN' && set.expiry !== 'LAST_SEEN')) continue;
      for (const [key, entry] of set.entries) {
        const seen = set.expiry === 'FIRST_SEEN' ? entry.first_seen : entry.last_seen;
        if (seen + set.ttlMs <= now) set.entries.delete(key);
      }
    }
  }

  /** With a tenant (null: shared), only in that namespace. */
  byName(name: string, tenant?: number | null): SetRow | undefined {
    for (const set of this.sets.values())
      if (set.name === name && (tenant === undefined || set.tenantId === tenant)) return set;
    return undefined;
  }

  /** Whether a new set of this name would meet another one. */
  taken(name: string, tenant: number | null): boolean {
    return this.byName(name, this.settings.namesUnique === 'console' ? undefined : tenant) !== undefined;
  }

  /** What the token sees. */
  visible(): SetRow[] {
    const { visibleTenants: tenants } = this.settings;
    return [...this.sets.values()].filter(
      (set) => set.tenantId === null || tenants === null || tenants.includes(set.tenantId),
    );
  }

  create(
    given: Pick<SetRow, 'name' | 'type' | 'namespace' | 'tenantId' | 'expiry' | 'ttlMs' | 'logOption' | 'description'>,
  ): SetRow {
    const set: SetRow = { ...given, id: this.nextId(), created: this.clock.now(), entries: new Map() };
    this.sets.set(set.id, set);
    return set;
  }

  task(kind: Task['kind'], name: string, effect: (task: Task) => void): Task {
    const now = this.clock.now();
    const task: Task = {
      id: this.nextId(),
      kind,
      name,
      created: now,
      due: this.#due(now),
      status: 'QUEUED',
      errorMessage: null,
      work: () => {
        task.status = 'COMPLETED';
        effect(task);
      },
    };
    this.tasks.set(task.id, task);
    this.#pending.push(task);
    return task;
  }

  #due(now: number): number {
    const due = now + (this.settings.nextTasksMs.shift() ?? this.settings.taskMs);
    return this.settings.tasksInOrder ? Math.max(due, ...this.#pending.map((one) => one.due)) : due;
  }

  entry(set: SetRow, stored: string, domain: number | null): EntryRow | undefined {
    return set.entries.get(entryId(stored, domain));
  }

  /** Adds or updates. A value is there once per domain; an update moves last_seen and leaves what is not given. */
  put(set: SetRow, stored: string, given: PutFields): { entry: EntryRow; created: boolean } {
    const key = entryId(stored, given.domain);
    const now = this.clock.now();
    const found = set.entries.get(key);
    if (found !== undefined) {
      found.last_seen = now;
      if (given.source !== undefined) found.source = given.source;
      if (given.notes !== undefined && !this.settings.notesByIdOnly) found.notes = given.notes;
      return { entry: found, created: false };
    }
    const entry: EntryRow = {
      id: this.nextId(),
      collection_id: set.id,
      value: stored,
      source: given.source ?? 'reference data api',
      notes: given.notes ?? null,
      domain_id: given.domain,
      first_seen: now,
      last_seen: now,
    };
    set.entries.set(key, entry);
    this.#byId.set(entry.id, entry);
    return { entry, created: true };
  }

  drop(entry: EntryRow): void {
    this.sets.get(entry.collection_id)?.entries.delete(entryId(entry.value, entry.domain_id));
  }

  findEntry(id: number): EntryRow | undefined {
    const entry = this.#byId.get(id);
    const held = entry && this.sets.get(entry.collection_id)?.entries.get(entryId(entry.value, entry.domain_id));
    if (held === entry) return entry;
    this.#byId.delete(id);
    return undefined;
  }

  domain(given: unknown, status: number, code: number): number | null {
    if (given === undefined || given === null || given === '' || given === 'SHARED') return null;
    const domain = Number(given);
    if (this.settings.domains.includes(domain)) return domain;
    throw new QRadarError(status, code, `The domain ${plain(given)} does not exist`);
  }
}

export interface PutFields {
  readonly source?: string | undefined;
  readonly notes?: string | null | undefined;
  readonly domain: number | null;
}

const entryId = (stored: string, domain: number | null): string => `${domain ?? ''}|${stored}`;

export const fits = (set: SetRow, value: string): string | undefined => store(set.type, value);
