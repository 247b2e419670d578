// What a Splunk remembers, as far as this simulator goes: users, sessions, tokens, apps, KV store collections with
// their documents, lookup definitions, indexed events and search jobs. Everything else in this folder acts on it.
import { systemClock, type Clock } from '../../core/runtime/clock.ts';
import { randomHex } from '../../core/runtime/ids.ts';

export interface Acl {
  owner: string;
  app: string;
  sharing: 'user' | 'app' | 'global' | 'system';
  read: string[];
  write: string[];
}

export interface User {
  readonly name: string;
  password: string;
  readonly roles: readonly string[];
  readonly capabilities: readonly string[];
}

export interface Token {
  readonly id: string;
  readonly text: string;
  readonly user: string;
  /** Epoch seconds; 0 = never. */
  readonly expires: number;
  readonly claims: Readonly<Record<string, unknown>>;
  status: 'enabled' | 'disabled';
}

export type Document = Record<string, unknown>;

export interface Collection {
  readonly app: string;
  readonly name: string;
  /** Flat `field.x` and `accelerated_fields.x` and the other settings, as texts. */
  readonly settings: Map<string, string>;
  acl: Acl;
  /** By user, then by `_key`: the identity of a document is both. */
  readonly documents: Map<string, Map<string, Document>>;
}

export interface Lookup {
  readonly app: string;
  readonly name: string;
  readonly settings: Map<string, string>;
  acl: Acl;
}

export interface SplunkEvent {
  /** Epoch seconds. */
  readonly time: number;
  readonly indexed: number;
  readonly fields: Readonly<Record<string, string | readonly string[]>>;
}

export type Row = Record<string, string | string[]>;

export interface Job {
  readonly sid: string;
  readonly search: string;
  readonly owner: string;
  readonly app: string;
  readonly rows: readonly Row[];
  readonly fields: readonly string[];
  readonly earliest: string;
  readonly latest: string;
  readonly created: number;
  /** Epoch milliseconds at which it counts as done. */
  readonly doneAt: number;
  ttl: number;
  priority: number;
  touched: number;
  finalized: boolean;
  paused: boolean;
  /** What the search said beside its rows, told once it is done. */
  readonly messages: readonly JobMessage[];
}

export interface JobMessage {
  readonly type: 'INFO' | 'WARN' | 'ERROR' | 'FATAL';
  readonly text: string;
}

/** Limits and moods that a test or a rehearsal may turn while the simulator runs (`POST /_sim/settings`). */
export interface Settings {
  max_documents_per_batch_save: number;
  max_size_per_batch_save_mb: number;
  max_rows_per_query: number;
  max_size_per_result_mb: number;
  max_queries_per_batch: number;
  /** Until this epoch millisecond the KV store answers 503, and searches miss their lookups. */
  kvReadyAt: number;
  /** Longest URL that is taken; longer ones get 414. */
  maxUrlBytes: number;
  /** A batch_save stores only so many documents, then answers 500. 0 = off. */
  failBatchAfter: number;
  /** Milliseconds a search takes. */
  jobMs: number;
  /** Jobs of one user that may run at the same time. */
  searchQuota: number;
  /** Whether `$in` is understood; sources disagree about the product. */
  inOperator: boolean;
  sessionTimeoutMs: number;
  /**
   * Whether `case_sensitive_match = false` folds what a KV store lookup looks for. One page of the product says so
   * (transforms.conf), two others say that the setting does not apply to the KV store.
   */
  lookupsFoldCase: boolean;
  /** A job answers 204, without a body, for so long after it was made. */
  jobUnreadyMs: number;
  /** What every finished job says. */
  jobMessages: readonly JobMessage[];
  /** Search heads behind one address. A session is known to the head that began it only. */
  searchHeads: number;
  /** Cookie by which the balancer before them keeps a client on one head; empty = it has none. */
  balancerCookie: string;
}

const STARTED = [
  'loader',
  'ServerConfig',
  'LicenseMgr',
  'IndexProcessor',
  'KVStoreConfigurationProvider',
  'MongodRunner',
  'TcpInputProc',
  'HttpListener',
  'SavedSplunker',
  'DeploymentServer',
];

export class SplunkState {
  readonly clock: Clock;
  readonly version: string;
  readonly settings: Settings;
  readonly users = new Map<string, User>();
  readonly sessions = new Map<string, { user: string; used: number; readonly head: number }>();
  readonly tokens = new Map<string, Token>();
  readonly apps = new Map<string, Acl>();
  readonly collections = new Map<string, Collection>();
  readonly lookups = new Map<string, Lookup>();
  /** Search macros that every app sees. */
  readonly macros = new Map<string, string>();
  /** Indexes that are there without an event in them. */
  readonly indexes = new Set(['main', 'history', 'summary', '_internal', '_audit']);
  readonly events: SplunkEvent[] = [];
  /** What the server logs about itself; `index=_internal` finds it, `index=*` does not. */
  readonly internal: SplunkEvent[] = [];
  readonly jobs = new Map<string, Job>();
  readonly enterpriseSecurity: boolean;
  /** Requests that the balancer has spread so far. */
  spread = 0;

  constructor(options: { version?: string; clock?: Clock; enterpriseSecurity?: boolean } = {}) {
    this.version = options.version ?? '9.4.1';
    this.clock = options.clock ?? systemClock;
    this.enterpriseSecurity = options.enterpriseSecurity ?? true;
    this.settings = {
      max_documents_per_batch_save: atLeast(this.version, 9, 1) ? 50_000 : 1000,
      max_size_per_batch_save_mb: 50,
      max_rows_per_query: 50_000,
      max_size_per_result_mb: 50,
      max_queries_per_batch: 1000,
      kvReadyAt: 0,
      maxUrlBytes: 60_000,
      failBatchAfter: 0,
      jobMs: 0,
      searchQuota: 10,
      inOperator: false,
      sessionTimeoutMs: 3_600_000,
      lookupsFoldCase: true,
      jobUnreadyMs: 0,
      jobMessages: [],
      searchHeads: 1,
      balancerCookie: 'LBSTICK',
    };
    for (const app of ['search', 'system', 'launcher']) this.apps.set(app, appAcl(app));
    for (const part of STARTED) this.logInternal({ sourcetype: 'splunkd', component: part, log_level: 'INFO' });
  }

  logInternal(fields: Readonly<Record<string, string>>): void {
    const now = this.clock.now() / 1000;
    this.internal.push({ time: now, indexed: now, fields: { index: '_internal', ...fields } });
    if (this.internal.length > 1000) this.internal.shift();
  }

  /** The collection an app sees under this name: its own, else the system's. */
  collection(app: string, name: string): Collection | undefined {
    return this.collections.get(`${app}/${name}`) ?? this.collections.get(`system/${name}`);
  }

  addCollection(app: string, name: string, settings: Iterable<readonly [string, string]> = []): Collection {
    const made: Collection = {
      app,
      name,
      settings: new Map(settings),
      acl: appAcl(app),
      documents: new Map(),
    };
    this.collections.set(`${app}/${name}`, made);
    return made;
  }

  /** A lookup definition as a search in `app` sees it: its own, else a globally shared one. */
  lookup(app: string, name: string, user: User): Lookup | undefined {
    const own = this.lookups.get(`${app}/${name}`);
    if (own !== undefined && mayRead(own.acl, user)) return own;
    return [...this.lookups.values()].find(
      (one) => one.name === name && one.acl.sharing === 'global' && mayRead(one.acl, user),
    );
  }
}

export function appAcl(app: string, owner = 'nobody'): Acl {
  return { owner, app, sharing: app === 'system' ? 'system' : 'app', read: ['*'], write: ['admin', 'power'] };
}

const allowed = (roles: readonly string[], user: User): boolean =>
  user.roles.includes('admin') || roles.includes('*') || user.roles.some((role) => roles.includes(role));

export const mayRead = (acl: Acl, user: User): boolean =>
  (acl.sharing === 'user' && acl.owner === user.name) || allowed(acl.read, user);
export const mayWrite = (acl: Acl, user: User): boolean =>
  (acl.sharing === 'user' && acl.owner === user.name) || allowed(acl.write, user);

export function atLeast(version: string, major: number, minor: number, patch = 0): boolean {
  const [a = 0, b = 0, c = 0] = version.split('.').map(Number);
  return a !== major ? a > major : b !== minor ? b > minor : c >= patch;
}

/** `_key` values the KV store makes itself: 24 hex digits. */
export const newKey = (): string => randomHex(12);
