// Reads one exchange: page after page into commits of a few thousand objects, each with the cursor of its last
// last page. While one commit is on its way the next pages are fetched (commits.ts).
import type { ExchangeConnector, Reading } from '../contracts/exchange-connector.ts';
import type { Json } from '../model/json.ts';
import { type Failure, toFailure } from '../model/failure.ts';
import { cameDue } from '../runtime/scheduler.ts';
import type { History } from '../runtime/health.ts';
import type { Log } from '../runtime/log.ts';
import { Standing, type Telling } from '../runtime/standing.ts';
import { type CommitReport, emptyReport } from '../store/ingest/commit-report.ts';
import type { StoredScope } from '../store/rows/rows.ts';
import type { RemoteStore } from '../store/remote.ts';
import { packPage, type PackedPage } from '../store/ingest/wire.ts';
import { Commits } from './commits.ts';
import { Odd, Refused } from './told.ts';
import { claimsOf, partsOf } from './parts.ts';
import { Scopes, type Scope } from './scopes.ts';

const TELLING: Telling = {
  well: (log, who) => log.info('The exchange works again.', who),
  heals: (log, fields) => log.warn('The exchange is not reachable or busy; it is tried again.', fields),
  refused: (log, fields) => log.error('The exchange refuses or answers wrongly; a person must act.', fields),
};

interface PollerOptions {
  readonly name: string;
  readonly connector: ExchangeConnector;
  readonly store: RemoteStore;
  readonly now: () => number;
  readonly log: Log;
  readonly random: () => number;
  readonly retryAfterCapMs?: number;
  /** Withdraw what a complete listing no longer shows. */
  readonly withdrawVanished: boolean;
  /** See Reading. */
  readonly trial?: boolean;
  readonly onCommit?: (exchange: string, report: CommitReport) => void;
  readonly onPeerTime?: (peerTime: number) => void;
}

export class Poller {
  readonly name: string;
  /** A thing to look at though polls succeed. */
  warning: string | undefined;
  readonly scopes: Scopes;
  readonly #o: PollerOptions;
  readonly #standing: Standing;
  /** The failure that stands is one of single scopes: the exchange itself answers. */
  #partly = false;

  constructor(options: PollerOptions) {
    this.#o = options;
    this.name = options.name;
    this.#standing = new Standing(options, TELLING, () => ({ exchange: options.name }));
    this.scopes = new Scopes({ ...options, exchange: options.name });
  }

  get history(): History {
    return this.#standing.history;
  }

  get failure(): Failure | undefined {
    return this.#standing.failure;
  }

  get pausedUntil(): number {
    return this.#partly ? this.scopes.pausedUntil : this.#standing.pausedUntil;
  }

  /** Only some scopes failed: they alone need be asked before the next poll. */
  get failsPartly(): boolean {
    return this.#partly;
  }

  wake(): void {
    this.#standing.wake();
    this.scopes.wake();
  }

  /**
   * One poll to the end of what is published, or only of the scopes that failed before. Never throws; what was
   * committed stays, whatever happens after.
   */
  async poll(signal: AbortSignal, only: 'all' | 'failing' = 'all'): Promise<CommitReport> {
    const total = emptyReport();
    if (this.#standing.pauses) return total;
    const { store, connector, now } = this.#o;
    const odd = new Odd();
    const commits = new Commits(async (pages) => {
      const report = await store.commitPages(this.name, withLastCursor(pages), this.#o.now());
      add(total, report);
      this.#o.onCommit?.(this.name, report);
    });
    const reading: Reading = {
      now,
      trial: this.#o.trial === true,
      committed: () => commits.drain(),
      scopes: () => store.scopesOf(this.name),
      due: (scope) => this.scopes.due(scope, only),
      ended: (scope, end) => {
        if (!signal.aborted) this.scopes.end(scope, end);
      },
      heard: (peerTime) => this.#o.onPeerTime?.(peerTime),
    };
    this.scopes.begin();
    const refused = new Refused();
    try {
      // Null where a part of the very first page was committed and its end was not.
      let cursor: Json = (await store.cursor(this.name)) ?? null;
      pages: for await (const page of connector.pages(cursor ?? undefined, signal, reading)) {
        odd.page(page);
        refused.page(page, this.name, this.#o.log);
        for (const part of partsOf(page, cursor)) {
          await commits.add(packPage(part), part.objects.length + part.refusals.length, claimsOf(part));
          // The rest of this page is not lost: its cursor has not moved.
          if (signal.aborted) break pages;
        }
        cursor = page.cursor;
      }
      await commits.drain();
      if (!signal.aborted) await this.#ended(odd.told(total), only);
    } catch (error) {
      // Pages that came before the failure are good: keep them, with their cursor.
      await this.#keep(commits);
      if (!signal.aborted) await this.#failed(toFailure(error), error);
    }
    this.#warnOf(refused, total);
    return total;
  }

  /** News are told with what was refused among them; a poll that brings nothing else would be silent. */
  #warnOf({ unreadable, first }: Refused, { created, changed, revoked }: CommitReport): void {
    if (first === undefined || created + changed + revoked > 0) return;
    this.#o.log.warn('Objects of the exchange cannot be read, and nothing new came beside them.', {
      exchange: this.name,
      unreadable,
      reason: first.reason,
      object: first.objectId ?? null,
      next_action: 'tell the partner object and reason; what is published anew is read again',
    });
  }

  async #keep(commits: Commits): Promise<void> {
    try {
      await commits.drain();
    } catch (error) {
      this.#o.log.error('Objects that were read could not be committed; they are read again.', {
        exchange: this.name,
        error,
      });
    }
  }

  /** Looks for objects that vanished. Concludes nothing unless the listing was complete. */
  async listing(signal: AbortSignal): Promise<void> {
    const { store, connector } = this.#o;
    if (connector.listing === undefined) return;
    const begun = this.#o.now();
    // What can never be listed, as where a partner has no manifest, is looked at again when it is due, and not at once.
    const looked = async (failures: readonly Failure[]): Promise<void> => {
      if (failures.every(({ kind }) => kind === 'permanent')) await store.keepListed(this.name, begun, this.#o.now());
    };
    try {
      const failures: Failure[] = [];
      const run = await store.beginListing(this.name, begun);
      for await (const part of connector.listing(signal, await store.scopesOf(this.name))) {
        if (part.failure !== undefined) failures.push(part.failure);
        await store.listingPart(this.name, run, part.scope, part.present, part.complete, this.#o.now());
      }
      if (signal.aborted) return;
      for (const failure of failures)
        this.#o.log.warn('A part of the full listing failed; nothing is concluded about it.', {
          exchange: this.name,
          failure,
        });
      const end = () => store.endListing(this.name, run, this.#o.withdrawVanished, this.#o.now());
      let step = await end();
      // Whatever is left when the process stops is gone through by the next one.
      while (step.more && !signal.aborted) step = await end();
      const { vanished } = step;
      await looked(failures);
      if (vanished > 0) {
        this.#o.log.info('Objects are no longer published by the exchange.', {
          exchange: this.name,
          vanished,
          withdrawn: this.#o.withdrawVanished,
        });
      }
    } catch (error) {
      if (signal.aborted) return;
      const failure = toFailure(error);
      this.#o.log.warn('The full listing failed; nothing is concluded from it.', { exchange: this.name, failure });
      await looked([failure]);
    }
  }

  /**
   * What `listing` would look for was due since the newest that was complete, but for what can never be listed; or there was
   * none. `cron`: when it is, in UTC.
   */
  async listingIsDue(cron: string): Promise<boolean> {
    if (this.#o.connector.listing === undefined) return false;
    const last = await this.#o.store.listedAt(this.name);
    const now = this.#o.now();
    // A clock that stood ahead then says nothing of when the next one is due.
    return last === undefined || last > now || cameDue(cron, last, now);
  }

  async #ended(warning: string | undefined, only: 'all' | 'failing'): Promise<void> {
    const { store, now } = this.#o;
    this.scopes.forgetOthers();
    await store.noteScopes(this.name, this.scopes.all.map(stored), now());
    const failure = this.scopes.worst;
    if (failure !== undefined) {
      this.#partly = true;
      this.#standing.partly(failure, this.scopes.pausedUntil);
      this.warning = warning;
      await store.note('exchange', this.name, failure, now());
      return;
    }
    // Only a poll of everything says that nothing more is published.
    if (only === 'all') await store.pollCompleted(this.name, now());
    else await store.note('exchange', this.name, undefined, now());
    this.#succeeded(warning);
  }

  #succeeded(warning: string | undefined): void {
    this.#standing.succeeded();
    if (warning !== undefined && warning !== this.warning)
      this.#o.log.warn('The exchange answers oddly.', { exchange: this.name, warning });
    this.warning = warning;
    this.#partly = false;
  }

  async #failed(failure: Failure, error: unknown): Promise<void> {
    this.#partly = false;
    this.#standing.failed(failure, error);
    await this.#o.store.note('exchange', this.name, failure, this.#o.now());
  }
}

/** The cursors before the last are not kept; where there is much to remember they are long, and would all be copied. */
const withLastCursor = (pages: readonly PackedPage[]): PackedPage[] =>
  pages.map((page, i) => (i === pages.length - 1 ? page : { ...page, cursor: null }));

const stored = ({ scope, title, history, note }: Scope): StoredScope => ({
  scope,
  title,
  history,
  ...(note === undefined ? {} : { note }),
});

function add(total: CommitReport, report: CommitReport): void {
  for (const key of [
    'objects',
    'created',
    'changed',
    'unchanged',
    'revoked',
    'outdated',
    'conflicting',
    'classified',
  ] as const)
    total[key] += report[key];
  total.indicators = report.indicators;
  for (const [reason, n] of Object.entries(report.refused)) total.refused[reason] = (total.refused[reason] ?? 0) + n;
}
