// `run --once`: every exchange to its end, every SIEM until nothing is due. Delivery starts with the first commit,
// so that both sides work at the same time. A peer that stays silent for the patience given is left behind.
import type { App } from '../app.ts';
import type { Deliverer } from '../core/delivery/deliverer.ts';
import type { Poller } from '../core/ingest/poller.ts';

export interface OnceReport {
  /** True when every peer was reached and nothing is left that could have been done. */
  readonly complete: boolean;
  readonly left: readonly string[];
}

const PAUSE_MS = 100;
const SHORT_PAUSE_MS = 2_000;

export async function runOnce(app: App, patienceMs: number, signal: AbortSignal): Promise<OnceReport> {
  await app.tick(signal);
  let polling = true;
  const polls = Promise.all(
    [...app.exchanges.values()].map(({ poller }) => pollOut(app, poller, patienceMs, signal)),
  ).finally(() => {
    polling = false;
  });
  const deliveries = Promise.all(
    [...app.deliverers.values()].map((one) => deliverOut(app, one, patienceMs, signal, () => polling)),
  );
  const [polled] = await Promise.all([polls, deliveries]);
  const left = polled.filter((reason) => reason !== undefined);
  left.push(...(await app.reporting.once(patienceMs, signal)));
  for (const siem of app.reader.siems()) {
    const deliverer = app.deliverers.get(siem.name);
    if (deliverer?.failure !== undefined) left.push(deliverer.failure.message);
    if (siem.pending > 0 && deliverer !== undefined)
      left.push(`${siem.name}: ${siem.pending} changes are not delivered`);
  }
  if (signal.aborted) left.push('interrupted');
  return { complete: left.length === 0, left };
}

async function pollOut(app: App, poller: Poller, patienceMs: number, signal: AbortSignal): Promise<string | undefined> {
  const start = app.clock.monotonic();
  const begun = app.now();
  const fromNothing = (await app.store.cursor(poller.name)) === undefined;
  while (!signal.aborted) {
    await app.work.reading(poller.name, () => app.attempt('exchange', poller, () => poller.poll(signal)));
    await app.tick(signal);
    if (poller.failure === undefined) {
      await listOut(app, poller, fromNothing ? begun : undefined, signal);
      return undefined;
    }
    const wait = Math.max(PAUSE_MS, poller.pausedUntil - app.now());
    // Only what may heal by itself is worth waiting for.
    if (poller.failure.kind !== 'retryable' || app.clock.monotonic() + wait - start > patienceMs)
      return poller.failure.message;
    await pause(app, wait, signal);
  }
  return undefined;
}

/**
 * The full listing where it was due since the last one: no daemon may ever run here. As there, what fails of it is told in the
 * log. `shown`: when a poll began that has read all that is published from the very beginning, which is as good as a listing.
 */
export async function listOut(app: App, poller: Poller, shown: number | undefined, signal: AbortSignal): Promise<void> {
  const settings = app.config.exchanges.find(({ name }) => name === poller.name);
  if (settings === undefined || signal.aborted) return;
  if (shown !== undefined) return app.store.keepListed(poller.name, shown, app.now());
  if (!(await poller.listingIsDue(settings.full_listing))) return;
  await poller.listing(signal);
  await app.tick(signal);
}

async function deliverOut(
  app: App,
  deliverer: Deliverer,
  patienceMs: number,
  signal: AbortSignal,
  polling: () => boolean,
): Promise<void> {
  let lastProgress = app.clock.monotonic();
  let applied = deliverer.totals.applied;
  while (!signal.aborted) {
    const last = !polling();
    await deliverer.cycle(signal);
    if (deliverer.totals.applied !== applied) {
      applied = deliverer.totals.applied;
      lastProgress = app.clock.monotonic();
    }
    const next = await app.store.nextWork(deliverer.name, app.now());
    const failed = deliverer.failure;
    if (last && next === undefined && failed === undefined) return;
    const patient = app.clock.monotonic() - lastProgress < patienceMs;
    if (!patient && last) return;
    // A refusal that is asked again in a moment may be over then; what needs a person is not waited for.
    const wait = deliverer.pausedUntil - app.now();
    const passing = wait > 0 && wait <= SHORT_PAUSE_MS;
    if (failed !== undefined && failed.kind !== 'retryable' && last && !passing) return;
    const until = failed === undefined ? (next ?? 0) : deliverer.pausedUntil;
    await pause(
      app,
      Math.max(failed === undefined && next === 0 ? 0 : PAUSE_MS, Math.min(until - app.now(), 1_000)),
      signal,
    );
  }
}

async function pause(app: App, ms: number, signal: AbortSignal): Promise<void> {
  try {
    if (ms > 0) await app.clock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
