// Streams that say which parts of a page changed, and nothing else: who watches fetches the page again and swaps those.
// A stream ends by itself after some minutes, and the browser opens it again if it still may look.
import type http from 'node:http';
import { sha256 } from '../core/runtime/ids.ts';
import { type Clock, systemClock } from '../core/runtime/clock.ts';
import { SECURITY_HEADERS } from './answer.ts';
import type { Part } from './page.ts';
import { AGE } from './words.ts';

/** Fewer than there may be connections, so that probes are answered whoever watches. */
const MOST_STREAMS = 30;
const LOOK_EVERY_MS = 1_000;
const LIFE_MS = 10 * 60_000;
const SIGN_OF_LIFE_MS = 20_000;

interface Stream {
  readonly request: http.IncomingMessage;
  readonly response: http.ServerResponse;
  readonly opened: number;
  seen: ReadonlyMap<string, string> | undefined;
  said: number;
}

export class Live {
  readonly #partsFor: (request: http.IncomingMessage) => Promise<readonly Part[] | undefined>;
  readonly #clock: Clock;
  readonly #streams = new Set<Stream>();
  #turning = false;
  #closed = false;

  constructor(
    partsFor: (request: http.IncomingMessage) => Promise<readonly Part[] | undefined>,
    clock: Clock = systemClock,
  ) {
    this.#partsFor = partsFor;
    this.#clock = clock;
  }

  open(request: http.IncomingMessage, response: http.ServerResponse): void {
    response.writeHead(200, { ...SECURITY_HEADERS, 'content-type': 'text/event-stream; charset=utf-8' });
    response.write('retry: 3000\n\n');
    const now = this.#clock.monotonic();
    const stream: Stream = { request, response, opened: now, seen: undefined, said: now };
    this.#streams.add(stream);
    response.once('close', () => this.#streams.delete(stream));
    const [oldest] = this.#streams;
    if (this.#streams.size > MOST_STREAMS && oldest !== undefined) this.#end(oldest);
    this.#turn();
  }

  close(): void {
    this.#closed = true;
    for (const one of this.#streams) this.#end(one);
  }

  #end(stream: Stream): void {
    this.#streams.delete(stream);
    stream.response.end();
  }

  /** One loop for all of them, while there is any. */
  #turn(): void {
    if (this.#turning || this.#closed) return;
    this.#turning = true;
    this.#loop().then(
      () => {
        this.#turning = false;
        if (this.#streams.size > 0) this.#turn();
      },
      () => {
        this.#turning = false;
      },
    );
  }

  async #loop(): Promise<void> {
    while (this.#streams.size > 0 && !this.#closed) {
      // Who watches the same page with the same right is told from one look.
      const looks = new Map<string, Promise<ReadonlyMap<string, string> | undefined>>();
      for (const stream of this.#streams) {
        const { url, headers } = stream.request;
        const key = `${url} ${headers.cookie} ${headers.authorization}`;
        let look = looks.get(key);
        if (look === undefined) {
          look = this.#look(stream.request);
          looks.set(key, look);
        }
        this.#tell(stream, await look);
      }
      await this.#clock.sleep(LOOK_EVERY_MS);
    }
  }

  /** Digests by part. Undefined ends the stream. A look that fails ends it too: the next stream tries again. */
  async #look(request: http.IncomingMessage): Promise<ReadonlyMap<string, string> | undefined> {
    try {
      const parts = await this.#partsFor(request);
      return parts && new Map(parts.map(({ name, body }) => [name, sha256(String(body).replace(AGE, '$1'))]));
    } catch {
      return undefined;
    }
  }

  #tell(stream: Stream, now: ReadonlyMap<string, string> | undefined): void {
    const at = this.#clock.monotonic();
    if (now === undefined || at - stream.opened > LIFE_MS) {
      this.#end(stream);
      return;
    }
    const before = stream.seen;
    stream.seen = now;
    // At first everything may have changed since the page was fetched.
    const changed = before === undefined ? ['*'] : changedIn(before, now);
    if (changed.length > 0) this.#say(stream, `event: changed\ndata: ${JSON.stringify(changed)}\n\n`, at);
    else if (at - stream.said > SIGN_OF_LIFE_MS) this.#say(stream, ': here\n\n', at);
  }

  #say(stream: Stream, text: string, at: number): void {
    stream.said = at;
    // Who does not read does not make us remember: the next stream begins with everything.
    if (!stream.response.write(text) && stream.response.writableLength > 65_536) this.#end(stream);
  }
}

function changedIn(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): string[] {
  const names = new Set([...before.keys(), ...now.keys()]);
  return [...names].filter((name) => before.get(name) !== now.get(name));
}
