// What a configuration comes to: which values stand in each SIEM, and why others do not. Either from what the state knows,
// judged anew on a copy, or from a record, read into a fresh state. Both are delivered to simulated SIEMs of the same kinds,
// since only a SIEM says what it does not take; of what a large state knows, the first of it.
import { App } from '../app.ts';
import type { Config } from '../core/config/load.ts';
import { parseConfig } from '../core/config/load.ts';
import { problemLine } from '../core/config/source.ts';
import type { Registry } from '../core/config/settings.ts';
import type { ExchangeConnector } from '../core/contracts/exchange-connector.ts';
import { ConnectorError } from '../core/model/failure.ts';
import type { Observable } from '../core/model/observable.ts';
import type { Log } from '../core/runtime/log.ts';
import { claimSummary } from '../core/store/read/summary.ts';
import { runOnce } from './once.ts';
import { replaying } from './recording.ts';
import { storeSpec } from './specs.ts';

export interface Outcome {
  readonly siem: string;
  /** `type value`, each once. */
  readonly stands: ReadonlyMap<string, Observable>;
  readonly held: number;
  /** Changes that the simulated SIEM took or refused. */
  readonly tried: number;
  readonly refused: Readonly<Record<string, number>>;
  /** Why a value does not stand there. */
  why(value: Observable): string;
}

export interface Rehearsed {
  readonly outcomes: readonly Outcome[];
  /** What could not be done, as an exchange that was not recorded. */
  readonly left: readonly string[];
  close(): Promise<void>;
}

interface Given {
  readonly config: Config;
  /** A file of its own, which is thrown away. */
  readonly state: string;
  readonly log: Log;
  readonly version: string;
  readonly signal: AbortSignal;
  readonly record?: string;
}

const PATIENCE_MS = 10_000;
/** Of what a state knows, for each SIEM: a simulator holds in memory all that it is given. */
const MOST_TRIED = 20_000;
const LOOK_MS = 50;

export async function rehearsed({ config, state, log, version, signal, record }: Given): Promise<Rehearsed> {
  const app = await App.open({
    config,
    log,
    version,
    state,
    exchange: (name: string) => (record === undefined ? SILENT : replaying(record, name)),
  });
  try {
    await app.tick(signal);
    // Empty SIEMs take the place of those that the state knows: what a hold keeps standing there is told by the state alone.
    const kept = new Map(config.siems.map(({ name }) => [name, keptByHolds(app, name)]));
    const heldBefore = new Map(config.siems.map(({ name }) => [name, app.reader.plan(name).held]));
    const left = record === undefined ? await trying(app, signal) : (await runOnce(app, PATIENCE_MS, signal)).left;
    if (record === undefined) {
      // Taking the rest of the work out in batches shows what the mapping refuses of it.
      for (const { name } of config.siems)
        while ((await app.store.takeBatch(name, { maxItems: 5000, maxBytes: 64_000_000 }, app.now())) !== undefined);
    }
    const spec = storeSpec(config, state);
    const outcomes = config.siems.map(({ name }): Outcome => {
      const plan = app.reader.plan(name);
      const { refused } = claimSummary(spec, name, app.now());
      for (const [reason, n] of Object.entries(plan.parked)) refused[reason] = (refused[reason] ?? 0) + n;
      const stands = new Map([...app.reader.outcome(name)].map((one) => [`${one.type} ${one.value}`, one]));
      for (const one of record === undefined ? (kept.get(name) ?? []) : []) stands.set(`${one.type} ${one.value}`, one);
      const held = record === undefined ? (heldBefore.get(name) ?? 0) : plan.held;
      const { applied = 0, parked = 0 } = app.deliverers.get(name)?.totals ?? {};
      return { siem: name, stands, held, tried: applied + parked, refused, why: (value) => whyNot(app, name, value) };
    });
    return { outcomes, left, close: () => app.close() };
  } catch (error) {
    await app.close();
    throw error;
  }
}

/** All that an exchange published is in the state. Nothing is told to it either. */
const SILENT: ExchangeConnector = {
  probe: async () => ({ ok: true, message: 'not asked: a rehearsal' }),
  async *pages() {},
  close: async () => {},
};

/** Its removal waits for a person, so that it stands whatever the configuration says. */
function keptByHolds(app: App, siem: string): Observable[] {
  const sets = app.reader.held().filter((one) => one.siem === siem && one.kind === 'removal');
  return sets.flatMap((set) => [...app.reader.heldEntries(set.id)]);
}

/** Delivers until all is done, or enough of it in every SIEM. What is left, in words. */
async function trying(app: App, signal: AbortSignal): Promise<readonly string[]> {
  const enough = new AbortController();
  let over = false;
  const run = runOnce(app, PATIENCE_MS, AbortSignal.any([signal, enough.signal])).finally(() => {
    over = true;
  });
  while (!over) {
    const tried = [...app.deliverers.values()].map(({ totals }) => totals.applied + totals.parked);
    if (tried.length > 0 && tried.every((one) => one >= MOST_TRIED)) enough.abort();
    await Promise.race([run, app.clock.sleep(LOOK_MS)]);
  }
  const { left } = await run;
  return enough.signal.aborted ? [] : left;
}

function whyNot(app: App, siem: string, value: Observable): string {
  const entry = app.reader.why(value, app.now());
  if (entry === undefined) return 'nobody vouches for it';
  const decisions = entry.claims.flatMap((claim) => claim.decisions.filter((one) => one.siem === siem));
  const refusals = [...new Set(decisions.filter((one) => one.decision !== 'accept').map((one) => one.reason))];
  if (refusals.length > 0) return refusals.join('; ');
  return entry.siems.find((one) => one.name === siem)?.reason ?? 'nobody vouches for it';
}

/** The same configuration with simulated SIEMs, and with a state of its own, in place of the real ones, which are not touched. */
export function beforeSimulators(
  config: Config,
  registry: Registry,
  lines: ReadonlyMap<string, Readonly<Record<string, unknown>>>,
  state: string,
): Config {
  // Made by core/config as a text that it reads again.
  const data = JSON.parse(config.understood) as { siems?: Record<string, unknown>[] };
  const siems = (data.siems ?? []).map((siem) => {
    const line = lines.get(String(siem['name']));
    if (line === undefined) return siem;
    const { tls: _tls, proxy: _proxy, cloud_id: _cloud, product: _product, ...rest } = siem;
    const { url, api_key: key, token } = line;
    return { ...rest, url, auth: key === undefined ? { token } : { api_key: key }, hits: { enabled: false } };
  });
  const text = JSON.stringify({ ...data, siems, state, listen: '127.0.0.1:0' });
  const answer = parseConfig(config.file, text, registry, {}, 'unused');
  if ('config' in answer) return answer.config;
  throw new ConnectorError('permanent', answer.problems.map(problemLine).join('; '));
}
