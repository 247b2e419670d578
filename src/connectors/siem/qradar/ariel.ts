// One Ariel search from its making to its deletion. Searches vanish while they are polled or read, so a query that
// is lost is asked again; whoever reads the rows must bear to see some of them twice.
import { configFailure, retryable, toFailure } from '../../../core/contracts/failure.ts';
import type { SiemDeps } from '../../../core/contracts/siem-connector.ts';
import type { QRadarClient, Reply } from './client.ts';
import { Columns, type ResultRow, resultRows, Results, Search } from './responses.ts';

const PAGE = 1000;
const TRIES = 3;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;
const LONGEST_SEARCH_MS = 600_000;
/** For the deletion of a search after the work was stopped. */
const GOODBYE_MS = 2000;

export class Ariel {
  readonly #client: QRadarClient;
  readonly #deps: SiemDeps;

  constructor(client: QRadarClient, deps: SiemDeps) {
    this.#client = client;
    this.#deps = deps;
  }

  /** Names of the columns of events, in lower case, and the console's clock. */
  async columns(signal: AbortSignal): Promise<{ readonly names: ReadonlySet<string>; readonly now: number }> {
    const reply = await this.#client.call({ path: '/ariel/databases/events', signal });
    const { columns } = this.#client.parse(Columns, reply.body, 'the question for the columns of events');
    return {
      names: new Set(columns.map((one) => one.name.toLowerCase())),
      // The header tells whole seconds; what happened within the last one counts.
      now: reply.date === undefined ? this.#deps.clock.now() : reply.date + 999,
    };
  }

  /** Whether the console takes the query, without running it. */
  async validate(text: string, what: string, signal: AbortSignal): Promise<void> {
    const form = { query_expression: text };
    const reply = await this.#client.call({
      method: 'POST',
      path: '/ariel/validators/aql',
      form,
      allow: [422],
      signal,
    });
    if (reply.status === 422) throw this.#refused(reply, what);
  }

  /** Rows page by page. `query` makes the text anew each time it is asked; `what` names the search for people. */
  async *rows(query: (now: number) => string, what: string, signal: AbortSignal): AsyncIterable<readonly ResultRow[]> {
    for (let tries = 1; ; tries += 1) {
      const id = await this.#start(query(this.#deps.clock.now()), what, signal);
      try {
        if (await this.#isDone(id, what, signal)) {
          const complete = yield* this.#pages(id, what, signal);
          if (complete) return;
        }
      } finally {
        await this.#drop(id, signal);
      }
      if (tries < TRIES) continue;
      throw retryable(
        `${this.#deps.name}: the search for ${what} vanished from the console ${TRIES} times before it was read`,
        { status: 404, uncertain: false },
      );
    }
  }

  async #start(text: string, what: string, signal: AbortSignal): Promise<string> {
    // As a form: in the URL a long query is refused, and in a JSON body it is not looked at.
    const form = { query_expression: text };
    const reply = await this.#client.call({ method: 'POST', path: '/ariel/searches', form, allow: [422], signal });
    if (reply.status !== 422) return this.#client.parse(Search, reply.body, `the search for ${what}`).search_id;
    throw this.#refused(reply, what);
  }

  #refused(reply: Reply, what: string) {
    return configFailure(
      `${this.#deps.name}: QRadar refused the search for ${what} (code ${reply.code ?? '?'}): ${reply.message}; check event_fields against Admin, Custom Event Properties`,
      { status: 422, uncertain: false },
    );
  }

  /** False when the search is gone. */
  async #isDone(id: string, what: string, signal: AbortSignal): Promise<boolean> {
    const { clock, name } = this.#deps;
    const deadline = clock.monotonic() + LONGEST_SEARCH_MS;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      const reply = await this.#client.call({ path: `/ariel/searches/${id}`, allow: [404], signal });
      if (reply.status === 404) return false;
      const { status, error_messages: errors } = this.#client.parse(Search, reply.body, `the search for ${what}`);
      const error = errors?.find((one) => one.severity === 'ERROR');
      if (status === 'ERROR' || status === 'CANCELED' || error !== undefined) {
        const said = error === undefined ? '' : `: ${error.message.slice(0, 300)}`;
        throw retryable(`${name}: the search for ${what} ended as ${status}${said}; it is made again`, {
          uncertain: false,
        });
      }
      if (status === 'COMPLETED') return true;
      if (clock.monotonic() > deadline)
        throw retryable(`${name}: the search for ${what} took longer than ten minutes; it is made again`, {
          uncertain: false,
        });
      await clock.sleep(pause, signal);
    }
  }

  /** Returns false when the search went away before the last page. */
  async *#pages(id: string, what: string, signal: AbortSignal): AsyncGenerator<readonly ResultRow[], boolean> {
    let begin: string | undefined;
    for (let at = 0; ; ) {
      const reply: Reply = await this.#client.call({
        path: `/ariel/searches/${id}/results`,
        range: [at, at + PAGE - 1],
        allow: [404],
        signal,
      });
      if (reply.status === 404) return false;
      // Beyond the end.
      if (reply.status === 416) return true;
      const { events } = this.#client.parse(Results, reply.body, `the results for ${what}`);
      // A proxy that takes Range off has the whole come each time; rows are grouped, so that no two are the same.
      const first = JSON.stringify(events[0]);
      if (at > 0 && first === begin) return true;
      begin = first;
      at += events.length;
      const rows = events.flatMap(resultRows);
      if (rows.length > 0) yield rows;
      if (events.length === 0 || at >= (reply.total ?? Number.POSITIVE_INFINITY)) return true;
    }
  }

  /** A search that is left alone keeps running, and its rows fill the disk for a day. */
  async #drop(id: string, signal: AbortSignal): Promise<void> {
    try {
      const last = signal.aborted ? AbortSignal.timeout(GOODBYE_MS) : signal;
      await this.#client.call({ method: 'DELETE', path: `/ariel/searches/${id}`, allow: [404], signal: last });
    } catch (error) {
      this.#deps.log.debug('A search could not be deleted; QRadar drops it after a day.', {
        siem: this.#deps.name,
        failure: toFailure(error).message,
      });
    }
  }
}
