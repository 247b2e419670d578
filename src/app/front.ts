// The web server of a daemon for the whole life of its process: a reload puts another source behind it and closes
// nothing, because a supervisor that finds the port shut ends what only took over a new configuration.
import { startWeb, type WebOptions, type WebServer } from '../web/server.ts';
import type { WebSource } from '../web/source.ts';

export class Front {
  #web: WebServer | undefined;
  #host = '';
  /** As it was asked for: 0 is any. */
  #port = 0;

  /** Answers from `source`; opens another place only where that changed. */
  async serve(options: WebOptions, source: WebSource): Promise<WebServer> {
    const open = this.#web;
    const samePort = options.port === this.#port || options.port === open?.port;
    if (open !== undefined && samePort && options.host === this.#host) {
      open.serve(options, source);
      return open;
    }
    // One port of two addresses, of which one contains the other, cannot be open twice.
    if (options.port === open?.port) await this.close();
    const next = await startWeb(options, source);
    await this.close();
    this.#web = next;
    this.#host = options.host;
    this.#port = options.port;
    return next;
  }

  async close(): Promise<void> {
    const web = this.#web;
    this.#web = undefined;
    await web?.close();
  }
}
