// One search job, from its making to its cancelling. A job is fixed when it is done, so its pages fit together; the
// user's quota counts it until it is gone, so it is cancelled whatever happened, and dies by itself if we do.
import { configFailure, ConnectorError, retryable, toFailure } from '../../../core/contracts/failure.ts';
import type { SiemDeps } from '../../../core/contracts/siem-connector.ts';
import { withoutHidden } from '../../../core/model/text.ts';
import type { SplunkClient } from './client.ts';
import { HIT_FIELDS, type HitRow } from './hit-search.ts';
import { isMissing, type JobMessage } from './responses.ts';

const PAGE = 5000;
const SLOWEST_MS = 300_000;
const CANCEL_MS = 5000;

export interface Search {
  readonly app: string;
  readonly spl: string;
  /** Event time, epoch seconds. */
  readonly earliest: number;
  readonly latest: number;
  readonly maxRows: number;
  /** Of the server. */
  readonly version: string;
}

/** `cut`: a command gave fewer rows than there were. */
export type Finished =
  | { readonly kind: 'done'; readonly rows: number; readonly cut: boolean }
  | { readonly kind: 'slow' };

export class SearchJob {
  readonly #client: SplunkClient;
  readonly #deps: SiemDeps;
  readonly #path: string;
  #sid = '';

  constructor(client: SplunkClient, deps: SiemDeps, search: Pick<Search, 'app' | 'version'>) {
    this.#client = client;
    this.#deps = deps;
    this.#path = jobsPath(search.app, search.version);
  }

  /** Starts the search and waits for its end. */
  async run(search: Search, signal: AbortSignal): Promise<Finished> {
    await this.#start(search, signal);
    const { clock, name } = this.#deps;
    const until = clock.monotonic() + SLOWEST_MS;
    for (let waitMs = 100; clock.monotonic() < until; waitMs = Math.min(2000, waitMs * 2)) {
      const state = await this.#there(this.#client.searchState(`${this.#path}/${this.#sid}`, signal));
      const said = state?.messages.length ? ` (${textOf(state.messages)})` : '';
      if (state?.isFailed === true || /CANCEL|QUIT|FAILED/.test(state?.dispatchState ?? '')) {
        this.#refuseErrors(state?.messages ?? []);
        throw retryable(`${name}: the search for hits failed${said}; its window is read again`);
      }
      // Whoever finalizes a search gets what was found until then, which is not all.
      if (state?.isFinalized === true) {
        throw retryable(`${name}: the search for hits was finalized before its end; its window is read again`);
      }
      if (state?.isDone === true) {
        this.#refuseErrors(state.messages);
        const cut = state.messages.some(({ text }) => /mvexpand.*truncated/i.test(text));
        return { kind: 'done', rows: state.resultCount, cut };
      }
      await clock.sleep(waitMs, signal);
    }
    return { kind: 'slow' };
  }

  /** Rows in pages. A page may be cut at the server's own limit, so only an empty one is the end. */
  async *pages(signal: AbortSignal): AsyncIterable<readonly HitRow[]> {
    for (let offset = 0; ; ) {
      const query = { count: PAGE, offset, f: HIT_FIELDS };
      const path = `${this.#path}/${this.#sid}/results`;
      const { results: rows, messages } = await this.#there(this.#client.searchResults(path, query, signal));
      this.#refuseErrors(messages);
      if (rows.length === 0) return;
      yield rows;
      offset += rows.length;
    }
  }

  /** Also after an abort, hence its own time limit. */
  async cancel(): Promise<void> {
    if (this.#sid === '') return;
    try {
      await this.#client.post(
        `${this.#path}/${this.#sid}/control`,
        { action: 'cancel' },
        AbortSignal.timeout(CANCEL_MS),
      );
    } catch (error) {
      // Gone already is as good; anything else ends with the job's own life.
      this.#deps.log.debug('A search for hits could not be cancelled; it ends by itself.', {
        failure: toFailure(error).message,
      });
    }
  }

  async #start(search: Search, signal: AbortSignal): Promise<void> {
    const form = {
      search: search.spl,
      earliest_time: String(search.earliest),
      latest_time: String(search.latest),
      exec_mode: 'normal',
      adhoc_search_level: 'fast',
      max_count: String(search.maxRows),
      // Silence of one indexer would otherwise look like no hits.
      allow_partial_results: 'false',
      auto_cancel: '300',
      timeout: '600',
    };
    try {
      this.#sid = await this.#client.startSearch(this.#path, form, signal);
    } catch (error) {
      if (error instanceof ConnectorError && error.status === 400 && /lookup/i.test(error.message)) {
        throw configFailure(`${error.message}; ${LOOKUPS_NEXT}`, { cause: error, code: 'lookup_missing' });
      }
      throw error;
    }
  }

  /** A search that lost a lookup or an indexer on the way ends as done all the same, and says so beside its rows. */
  #refuseErrors(messages: readonly JobMessage[]): void {
    const errors = messages.filter(({ type }) => /^(error|fatal)$/i.test(type));
    if (errors.length === 0) return;
    const said = textOf(errors);
    const text = `${this.#deps.name}: the search for hits ended with an error (${said}); its window is read again`;
    // A lookup that is not there is for a person to mend; one whose store starts mends itself.
    if (/lookup/i.test(said) && /does not exist|could not find|could not construct/i.test(said))
      throw configFailure(`${text}; ${LOOKUPS_NEXT}`, { code: 'lookup_missing' });
    throw retryable(text, { code: 'search_error' });
  }

  async #there<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (!isMissing(error)) throw error;
      const what = 'the search for hits was gone before it was read to its end (404)';
      throw retryable(`${this.#deps.name}: ${what}; its window is read again`, { cause: error, status: 404 });
    }
  }
}

const LOOKUPS_NEXT = 'check that the lookup definitions of the app exist and that the account may read them';

const textOf = (messages: readonly JobMessage[]): string =>
  withoutHidden(messages.map(({ text }) => text).join('; ')).slice(0, 300);

export const jobsPath = (app: string, version: string): string =>
  `/servicesNS/nobody/${encodeURIComponent(app)}/search/${hasV2(version) ? 'v2/' : ''}jobs`;

/** The old paths are deprecated since 9.0.1, and official clients use the new ones from 9.0.2 on. */
function hasV2(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  if (Number.isNaN(major) || major > 9) return true;
  return major === 9 && (minor > 0 || patch >= 2);
}
