// What one run over one collection is given.
import type { TaxiiClient } from './client.ts';
import type { Collection } from './responses.ts';
import type { Root } from './roots.ts';

export interface RunContext {
  readonly client: TaxiiClient;
  readonly root: Root;
  readonly collection: Collection;
  /** "exchange cert-eu", for messages. */
  readonly who: string;
  readonly pageSize: number;
  readonly start: string | undefined;
  readonly caps: { readonly pages: number; readonly bytes: number };
  /** The server's clock where it tells one, but never ahead of ours; epoch milliseconds. */
  readonly serverNow: number;
  /** Our own time. */
  readonly now: number;
  readonly signal: AbortSignal;
}
