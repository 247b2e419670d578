// A simulated Splunk with connectors on it, for the tests of the Splunk connector: started anew for each test.
import { afterEach, beforeEach } from 'vitest';
import { splunk } from '../../src/connectors/siem/splunk/index.ts';
import type { Batch } from '../../src/core/contracts/batch.ts';
import type { EncodeContext, OwnedEntry, SiemConnector } from '../../src/core/contracts/siem-connector.ts';
import type { Entry } from '../../src/core/model/entry.ts';
import { ConnectorError } from '../../src/core/model/failure.ts';
import { type RunningSplunk, startSplunk } from '../../src/simulators/splunk/index.ts';
import type { Document } from '../../src/simulators/splunk/state.ts';
import { encodeBatch, removalBatch } from '../contract/batches.ts';
import { INSTANCE, splunkConfig, splunkConnector, type SplunkPlace } from '../contract/splunk-harness.ts';
import { anEntry, NOON } from './entry.ts';

export const never = new AbortController().signal;

export class SplunkRig {
  #server: RunningSplunk | undefined;
  #open: SiemConnector[] = [];

  constructor() {
    beforeEach(async () => {
      this.#server = await startSplunk();
    });
    afterEach(async () => {
      for (const one of this.#open) await one.close();
      this.#open = [];
      await this.#server?.close();
    });
  }

  get server(): RunningSplunk {
    if (this.#server === undefined) throw new Error('the simulator is started before each test');
    return this.#server;
  }

  connect(given: Partial<SplunkPlace> = {}): SiemConnector {
    const { url, token } = this.server;
    const made = splunkConnector({ url, auth: { token }, timeoutMs: 5000, ...given });
    this.#open.push(made);
    return made;
  }

  async opened(given: Partial<SplunkPlace> = {}): Promise<SiemConnector> {
    const made = this.connect(given);
    await made.open(never);
    return made;
  }

  /** Rows of entries in our collection of addresses, whoever owns them. */
  rows(): Document[] {
    return [...this.server.documents('entente', 'entente_ip').values()].filter((row) => 'entry_key' in row);
  }

  /** How often requests whose route and status contain this text were answered. */
  requests(part: string): number {
    return [...this.server.requests].reduce((sum, [name, times]) => sum + (name.includes(part) ? times : 0), 0);
  }
}

let revision = NOON * 1000;

export function context(instance = INSTANCE, form: SplunkPlace['form'] = 'lookups'): EncodeContext {
  revision += 1;
  const config = splunkConfig({ url: 'http://127.0.0.1:1', auth: { token: 'x' }, form });
  return {
    owner: `entente:${instance}`,
    writer: 'writer-1',
    revision,
    now: NOON,
    settings: splunk.settings(config, instance),
    facts: null,
  };
}

export const upserts = (entries: readonly Entry[], ctx = context()): Batch => encodeBatch(splunk, entries, ctx).batch;
export const removals = (entries: readonly Entry[], ctx = context()): Batch =>
  removalBatch(
    splunk,
    entries.map((entry) => entry.key),
    ctx,
  );
export const addresses = (count: number): Entry[] =>
  Array.from({ length: count }, (_, i) => anEntry({ type: 'ipv6-addr', value: `2001:db8::${(i + 1).toString(16)}` }));

export async function held(connector: SiemConnector, slots?: readonly string[]): Promise<OwnedEntry[]> {
  const rows: OwnedEntry[] = [];
  for await (const page of connector.list(slots === undefined ? {} : { slots }, never)) rows.push(...page);
  return rows;
}

export async function errorOf(promise: Promise<unknown>): Promise<ConnectorError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConnectorError)) throw new Error(`expected a ConnectorError, got ${String(error)}`);
  return error;
}

/** As the engine does: obeys a split, and bisects what is permanent down to single changes. */
export async function delivered(connector: SiemConnector, batch: Batch): Promise<Map<string, string>> {
  try {
    const outcomes = await connector.apply(batch, never);
    return new Map(
      outcomes.map((one) => [
        one.key,
        one.kind === 'failed' && one.failure.kind === 'permanent' ? `parked: ${one.failure.message}` : one.kind,
      ]),
    );
  } catch (error) {
    if (!(error instanceof ConnectorError) || error.kind !== 'permanent') throw error;
    if (batch.size === 1) return new Map([[batch.changes[0]!.key, `parked: ${error.message}`]]);
    const step = Math.min(error.split?.maxItems ?? batch.size, Math.ceil(batch.size / 2));
    const all = new Map<string, string>();
    for (let at = 0; at < batch.size; at += step) {
      const part = batch.slice(at, Math.min(at + step, batch.size));
      for (const [key, kind] of await delivered(connector, part)) all.set(key, kind);
    }
    return all;
  }
}
