// The daemon's loops. Each sleeps until it has something to do; a commit wakes delivery, a failure sets its own
// time. Stopping first stops new work, lets calls in hand end, and closes the store last.
import type { App } from '../app.ts';
import type { Deliverer } from '../core/delivery/deliverer.ts';
import type { Poller } from '../core/ingest/poller.ts';
import { toFailure } from '../core/model/failure.ts';
import { wholeCondition } from '../core/model/status.ts';
import { turns } from '../core/runtime/in-turns.ts';
import { createLifecycle, type Lifecycle } from '../core/runtime/lifecycle.ts';
import { createScheduled, type Scheduled } from '../core/runtime/scheduler.ts';
import type { ServiceManager } from '../core/runtime/service-manager.ts';
import type { StoredRequest } from '../core/store/unit/requests.ts';
import type { WebServer } from '../web/server.ts';
import type { WebSource } from '../web/source.ts';
import type { Front } from './front.ts';
import type { OnStep } from './reconcile.ts';
import { Pages } from './pages.ts';
import { perform, RequestArguments } from './requests.ts';
import { LOOK_EVERY_MS, Sampler } from './samples.ts';
import { secretFiles, stamp } from './secret-files.ts';
import { unlessStoreIsSilent } from './stopping.ts';
import { Wake } from './wake.ts';

const GRACE_MS = 20_000;
const SLOWEST_CYCLE_MS = 30_000;
const SLOWEST_TICK_MS = 15_000;
const REQUESTS_EVERY_MS = 300;
/** They list or empty a SIEM, which takes minutes. */
const LONG_REQUESTS: ReadonlySet<string> = new Set(['reconcile', 'purge']);
const SECRETS_EVERY_MS = 2_000;
const RETENTION_EVERY_MS = 3_600_000;
const JITTER_MS = 5_000;
const LOOKS_PER_WRITE = 6;
/** The tick loop turning is what "alive" means. */
const DEAD_AFTER_MS = 120_000;

export interface Daemon {
  readonly web: WebServer;
  /** Resolves when something in it ended that must not end. */
  readonly crashed: Promise<never>;
  stop(reason: string): Promise<void>;
}

export interface DaemonNotes {
  readonly badReload: () => string | undefined;
  /** Outlives this daemon where a reload puts another in its place. */
  readonly front: Front;
  /** Peers that were tried since the process started: a reload makes nobody unready. */
  readonly tried: Set<string>;
  /** How far what a command asked for has come. */
  readonly onStep?: OnStep;
  /** What started us and watches us. */
  readonly manager?: ServiceManager | undefined;
}

export async function startDaemon(app: App, notes: DaemonNotes): Promise<Daemon> {
  let crash: (error: unknown) => void = () => {};
  const crashed = new Promise<never>((_, reject) => {
    crash = reject;
  });
  crashed.catch(() => {});
  const lifecycle = createLifecycle({
    clock: app.clock,
    log: app.log,
    graceMs: GRACE_MS,
    onCrash: (name, error) => {
      app.log.error('A loop ended that must not end; the process stops.', { loop: name, error });
      crash(error);
    },
  });
  const wakes = new Map([...app.deliverers.keys()].map((name) => [name, new Wake(app.clock)]));
  const wakeAll = () => {
    for (const wake of wakes.values()) wake.now();
  };
  /** End a pause after a failure early. */
  const retries = new Map([...app.exchanges.keys()].map((name) => [name, new Wake(app.clock)]));
  const pages = new Pages(app);
  let lastTick = app.clock.monotonic();
  const tickWake = new Wake(app.clock);
  app.onCommit = () => {
    tickWake.now();
    wakeAll();
  };

  const source: WebSource = {
    status: async () => {
      const report = await app.status();
      const bad = notes.badReload();
      if (bad === undefined) return report;
      const refused = wholeCondition('reload-refused', bad, 'mend the file and reload; the old configuration runs on');
      return {
        ...report,
        reasons: [...report.reasons, bad],
        conditions: [...(report.conditions ?? []), refused],
      };
    },
    ready: () => {
      for (const one of [...[...app.exchanges.values()].map(({ poller }) => poller), ...app.deliverers.values()])
        if (wasTried(one.history)) notes.tried.add(one.name);
      return [...app.exchanges.keys(), ...app.deliverers.keys()].every((name) => notes.tried.has(name));
    },
    // A loop that waits for the server of the state is not dead.
    live: () => app.away.reason !== undefined || app.clock.monotonic() - lastTick < DEAD_AFTER_MS,
    badReload: notes.badReload,
    // Nothing is read while the server of the state is away: then there is the board alone, as it was last.
    get pages() {
      return app.away.reason === undefined ? pages : undefined;
    },
    metrics: async () => {
      await app.status();
      app.tellExpiries();
      app.metrics.reloaded(notes.badReload() === undefined);
      return app.metrics.text();
    },
  };
  await app.audit.open();
  const web = await notes.front.serve(app.config.listen, source);

  const schedules: Scheduled[] = [];
  for (const exchange of app.config.exchanges) {
    const running = app.exchanges.get(exchange.name);
    if (running === undefined) continue;
    const { poller } = running;
    let only: 'all' | 'failing' = 'all';
    const poll = createScheduled(
      {
        name: `poll ${exchange.name}`,
        cron: exchange.schedule,
        jitterMs: JITTER_MS,
        due: () => app.work.due(exchange.name),
        run: async (signal) => {
          const report = await app.work.reading(exchange.name, () =>
            app.attempt('exchange', poller, () => poller.poll(signal, only)),
          );
          if (poller.failure === undefined) app.work.polled(exchange.name);
          if (report.created + report.changed + report.revoked > 0) {
            app.log.info('New indicators were taken in.', { exchange: exchange.name, ...report });
          }
          tickWake.now();
          wakeAll();
        },
      },
      app.clock,
      app.log,
    );
    const listing = createScheduled(
      {
        name: `listing ${exchange.name}`,
        cron: exchange.full_listing,
        jitterMs: JITTER_MS,
        run: (signal) => poller.listing(signal),
      },
      app.clock,
      app.log,
    );
    schedules.push(poll, listing);
    app.work.schedule(exchange.name, poll);
    lifecycle.own(`poll ${exchange.name}`, (signal) =>
      pollLoop(app, poller, poll, retries.get(exchange.name)!, signal, (which) => {
        only = which;
      }),
    );
  }
  // It is asked already, and the first schedules of a process take their time.
  const turnOver = turns();
  for (const one of schedules) {
    await turnOver();
    one.start();
  }
  await turnOver();
  schedules.push(...app.reporting.start(lifecycle));
  for (const [name, deliverer] of app.deliverers) {
    const wake = wakes.get(name)!;
    lifecycle.own(`deliver ${name}`, (signal) => deliverLoop(app, deliverer, wake, signal));
  }
  lifecycle.own('time', async (signal) => {
    let doubt: string | undefined;
    while (!signal.aborted) {
      doubt = tellDoubt(app, doubt);
      // Each step is a sign of life: a changed policy over a million entries takes minutes.
      const nextDue = await app.tick(signal, () => {
        lastTick = app.clock.monotonic();
      });
      wakeAll();
      await tickWake.wait(
        nextDue === undefined ? SLOWEST_TICK_MS : Math.min(SLOWEST_TICK_MS, nextDue - app.now()),
        signal,
      );
    }
  });
  lifecycle.own('requests', (signal) => requestLoop(app, pages, wakeAll, notes.onStep, signal));
  lifecycle.own('secrets', (signal) =>
    secretLoop(
      app,
      (name) => {
        app.exchanges.get(name)?.poller.wake();
        app.deliverers.get(name)?.wake();
        wakes.get(name)?.now();
        retries.get(name)?.now();
      },
      signal,
    ),
  );
  lifecycle.own('retention', async (signal) => {
    while (!signal.aborted) {
      while ((await app.store.retain(app.config.retention.gone_days, app.now())).more && !signal.aborted);
      while ((await app.store.retainRecords(app.now())).more && !signal.aborted);
      await nap(app, RETENTION_EVERY_MS, signal);
    }
  });
  const { manager } = notes;
  if (manager !== undefined) lifecycle.own('watchdog', (signal) => manager.watch(() => source.live(), signal));
  lifecycle.own('samples', (signal) => sampleLoop(app, pages, signal));
  lifecycle.own('checkpoints', async (signal) => {
    while (!signal.aborted) {
      await nap(app, app.config.audit.checkpointMs, signal);
      if (!signal.aborted) await app.audit.checkpoint();
    }
  });
  await app.store.remember('configuration', app.config.understood, app.now());
  await app.store.remember('listens', web.url, app.now());
  app.log.info('Entente runs.', {
    instance: app.config.instance,
    listen: web.url,
    says: `Entente ${app.version} listens on ${web.url} as ${app.config.instance}`,
    exchanges: app.exchanges.size,
    siems: app.deliverers.size,
  });
  // What is told while the state cannot be read is how it was last.
  await app.status();
  manager?.ready();
  const standIn = async () => {
    source.ready(); // what was tried until now
    await notes.front.serve(app.config.listen, { ...source, ...lastWords(app) });
  };
  return { web, crashed, stop: (reason) => stop(app, pages, lifecycle, schedules, standIn, reason) };
}

/** Expiry waits while the clock is doubted, so a person must know. */
function tellDoubt({ time, log }: App, before: string | undefined): string | undefined {
  time.now();
  const { doubt } = time;
  if (doubt !== undefined && before === undefined) log.error('The clock is not believed; nothing expires.', { doubt });
  if (doubt === undefined && before !== undefined) log.info('The clock is believed again.');
  return doubt;
}

/** What is answered while the store is closed: as it was last, and that it is on its way. */
function lastWords(app: App): Pick<WebSource, 'status' | 'metrics'> & { readonly pages?: undefined } {
  const last = app.status();
  last.catch(() => {}); // who asks is told
  return {
    status: async () => {
      const report = await last;
      return { ...report, reasons: [...report.reasons, 'stopping, or taking a new configuration over'] };
    },
    metrics: () => app.metrics.text(),
    pages: undefined,
  };
}

/** Looked at every few seconds, written once a minute, and what is left when it stops. */
async function sampleLoop(app: App, pages: Pages, signal: AbortSignal): Promise<void> {
  const sampler = new Sampler(pages.reader);
  while (!signal.aborted) {
    for (let i = 0; i < LOOKS_PER_WRITE && !signal.aborted; i++) {
      const status = await app.status();
      // What it follows in the state waits while its server is away.
      app.away.unless(() => sampler.look(status, app.now()));
      await nap(app, LOOK_EVERY_MS, signal);
    }
    await app.store.keepSamples(sampler.take(), app.now());
  }
}

const wasTried = (history: { readonly lastSuccess?: number; readonly lastFailure?: number }): boolean =>
  history.lastSuccess !== undefined || history.lastFailure !== undefined;

async function stop(
  app: App,
  pages: Pages,
  lifecycle: Lifecycle,
  schedules: readonly Scheduled[],
  standIn: () => Promise<void>,
  reason: string,
): Promise<void> {
  const ended = lifecycle.stop(reason);
  const clean = await unlessStoreIsSilent(
    app,
    Promise.all([ended, ...schedules.map((one) => one.stop())]).then(([all]) => all),
  );
  if (clean === true) {
    await app.audit.checkpoint();
    await app.leave();
  } else app.abort();
  await standIn();
  pages.close();
  await app.close();
  app.log.info('Entente stopped.', { reason });
}

/** The first poll at once, then by schedule; after a failure again when its pause is over. */
async function pollLoop(
  app: App,
  poller: Poller,
  scheduled: Scheduled,
  retry: Wake,
  signal: AbortSignal,
  choose: (which: 'all' | 'failing') => void,
): Promise<void> {
  await scheduled.trigger();
  while (!signal.aborted) {
    const failing = poller.failure !== undefined;
    await retry.wait(failing ? Math.max(500, Math.min(60_000, poller.pausedUntil - app.now())) : 5_000, signal);
    if (signal.aborted || poller.failure === undefined || app.now() < poller.pausedUntil) continue;
    // Scopes that failed are asked when they have rested; those that work wait for the schedule.
    choose(poller.failsPartly ? 'failing' : 'all');
    try {
      await scheduled.trigger();
    } finally {
      choose('all');
    }
  }
}

/** One line for a cycle that did something: with what `New indicators were taken in.` says, a quiet log means quiet. */
function tellWritten(
  app: App,
  { name, totals }: Deliverer,
  before: Pick<Deliverer['totals'], 'applied' | 'parked'>,
): void {
  const applied = totals.applied - before.applied;
  const parked = totals.parked - before.parked;
  if (applied + parked === 0) return;
  const pending = app.away.unless(() => app.reader.siems().find((one) => one.name === name)?.pending) ?? 0;
  app.log.info('Changes were written to the SIEM.', { siem: name, applied, parked, pending });
}

/** A pause after a failure is the deliverer's own affair: woken within one, it looks whether something must go. */
async function deliverLoop(app: App, deliverer: Deliverer, wake: Wake, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { applied, parked } = deliverer.totals;
    await app.attempt('siem', deliverer, () => deliverer.cycle(signal));
    tellWritten(app, deliverer, { applied, parked });
    const next = await app.store.nextWork(deliverer.name, app.now());
    const paused = deliverer.pausedUntil - app.now();
    const due =
      deliverer.failure !== undefined && (paused > 0 || next === 0)
        ? Math.max(500, paused)
        : next === undefined
          ? SLOWEST_CYCLE_MS
          : Math.max(next === 0 ? 0 : 100, next - app.now());
    await wake.wait(Math.min(SLOWEST_CYCLE_MS, due), signal);
  }
}

/** Commands beside the daemon leave requests in the state; another connection's commit shows in the data version. */
async function requestLoop(
  app: App,
  pages: Pages,
  wakeAll: () => void,
  onStep: OnStep | undefined,
  signal: AbortSignal,
): Promise<void> {
  let seen: number | undefined;
  // A request of this very process's store changes no version.
  let asked = false;
  pages.onRequest = () => {
    asked = true;
  };
  // Long work goes one after the other, beside what is done at once: a value is taken off while a listing runs.
  let long: Promise<void> = Promise.resolve();
  let beside: Promise<unknown> = Promise.resolve();
  let crash: unknown;
  const failed = (error: unknown) => {
    crash ??= error;
  };
  const carryOut = async (request: StoredRequest): Promise<void> => {
    try {
      const args = RequestArguments.parse({ ...(request.arguments as object), kind: request.kind });
      const value = await perform(app, args, request.by, signal, onStep);
      await app.store.finishRequest(request.id, { ok: true, value }, app.now());
      app.reporting.wake();
      if (request.kind === 'suppress' || request.kind === 'harmless')
        beside = Promise.all([...app.deliverers.values()].map((one) => one.urgent(signal))).catch(failed);
    } catch (error) {
      await app.store.finishRequest(request.id, { ok: false, message: toFailure(error).message }, app.now());
    }
    wakeAll();
  };
  while (!signal.aborted && crash === undefined) {
    const version = await app.store.dataVersion();
    if (version !== seen || asked) {
      seen = version;
      asked = false;
      for (;;) {
        const request = await app.store.claimRequest(app.now());
        if (request === undefined) break;
        app.log.info('A command asks for something.', { kind: request.kind, by: request.by });
        if (LONG_REQUESTS.has(request.kind)) long = long.then(() => carryOut(request)).catch(failed);
        else await carryOut(request);
      }
    }
    await nap(app, REQUESTS_EVERY_MS, signal);
  }
  await Promise.all([long, beside]);
  if (crash !== undefined) throw crash;
}

/** Looks at the files of secrets, and has the peer asked again whose file changed. */
async function secretLoop(app: App, again: (name: string) => void, signal: AbortSignal): Promise<void> {
  const peers = [...app.config.exchanges, ...app.config.siems]
    .map((one) => ({ name: one.name, files: secretFiles([one.settings, one.peer]) }))
    .filter(({ files }) => files.length > 0)
    .map((one) => ({ ...one, seen: stamp(one.files) }));
  while (!signal.aborted && peers.length > 0) {
    await nap(app, SECRETS_EVERY_MS, signal);
    for (const one of peers) {
      const now = stamp(one.files);
      if (now === one.seen) continue;
      one.seen = now;
      app.log.info('A secret file changed; it is used from now on.', { peer: one.name });
      again(one.name);
    }
  }
}

async function nap(app: App, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await app.clock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
