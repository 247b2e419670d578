// `run`: the daemon, or one pass with --once.

import { type DaemonNotes, startDaemon } from '../app/daemon.ts';
import { Front } from '../app/front.ts';
import { type OnceReport, runOnce } from '../app/once.ts';
import { Pace } from '../app/pace.ts';
import { untilStopped } from '../app/stopping.ts';
import { App } from '../app.ts';
import { type Config, loadConfig } from '../core/config/load.ts';
import { problemLine } from '../core/config/source.ts';
import { createLog, type RootLog } from '../core/runtime/log.ts';
import { serviceManager } from '../core/runtime/service-manager.ts';
import { stateFailure } from '../core/store/sql/state-failure.ts';
import { numberOf } from './args.ts';
import type { Command, Context } from './command.ts';
import { commandLog } from './command-log.ts';
import { configOf } from './config-of.ts';
import { BUG, DONE, LEFT, USAGE } from './exit.ts';
import { holderName } from './holder.ts';
import { clockOf, prepareState } from './state.ts';
import { lockFor } from './turn.ts';

export const run: Command = {
  name: 'run',
  summary: 'Runs the daemon; with --once polls, delivers and stops.',
  usage: 'run [--once] [--patience-secs N] [--take-over]',
  example: 'entente run --once -c /etc/entente/entente.yaml',
  flags: {
    once: { type: 'boolean', help: 'Poll every exchange to its end, deliver to every SIEM, stop.' },
    'patience-secs': { type: 'string', value: 'N', help: 'With --once: give up on a silent peer after so long (60).' },
    'take-over': {
      type: 'boolean',
      help: 'The other Entente of this instance name is gone for good: take its SIEMs over at once.',
    },
  },
  async run(context) {
    const config = configOf(context);
    if (config === undefined) return USAGE;
    const patience = numberOf(context.flags['patience-secs'], 60);
    if (!(patience >= 0 && patience < 86_400)) {
      context.out.note('--patience-secs needs a number of seconds');
      return USAGE;
    }
    const once = context.flags['once'] === true;
    if (!once) context.out.asLog(jsonLog(config));
    prepareState(config);
    const lock = await lockFor(once ? 'run --once' : 'run', context, config, once ? patience * 1000 : undefined);
    if ('heldBy' in lock) {
      context.out.failure(
        `the state ${config.state} is held by ${lock.heldBy}; stop that one first, or use another state`,
      );
      return LEFT;
    }
    try {
      return once ? await onePass(context, config, patience * 1000) : await forever(context, config);
    } finally {
      lock.release();
    }
  },
};

const jsonLog = ({ log }: Config) =>
  log.format === 'json' ? (stream: NodeJS.WritableStream) => createLog({ ...log, stream }) : undefined;

async function onePass(context: Context, config: Config, patienceMs: number): Promise<number> {
  const { out, json, signal } = context;
  const log = commandLog(config);
  let read = 0;
  let written = 0;
  const refused: Record<string, number> = {};
  const reading = out.progress('Reading');
  let writing: ReturnType<typeof out.progress> | undefined;
  const app = await App.open({
    config,
    log,
    version: context.parts.version,
    holder: holderName('run --once', clockOf(config).now()),
    serverPatienceMs: patienceMs,
    longestCallMs: Math.max(1000, patienceMs),
    takeOver: context.flags['take-over'] === true,
    onCommit: (_exchange, report) => {
      read += report.objects;
      for (const [reason, n] of Object.entries(report.refused)) refused[reason] = (refused[reason] ?? 0) + n;
      if (writing === undefined) reading.at(read);
    },
    onProgress: (progress) => {
      written += progress.applied;
      writing ??= out.progress(() => `Read ${read.toLocaleString('en')}; writing`);
      // What is read meanwhile adds to it, so the time left grows with the reading.
      writing.at(written, app.work.unread ? undefined : () => written + pendingOf(app));
    },
  });
  try {
    await app.audit.open();
    const pass = untilStopped(app, runOnce(app, patienceMs, signal), signal);
    const report = (await Promise.race([pass, app.broken])) ?? INTERRUPTED;
    if (writing !== undefined) writing.end();
    else if (read > 0) reading.end();
    const status = await app.status();
    if (report !== INTERRUPTED) {
      await app.audit.checkpoint();
      await app.leave();
    }
    if (json)
      out.json({
        complete: report.complete,
        left: report.left,
        read,
        written,
        refused,
        siems: status.siems,
        exchanges: status.exchanges,
      });
    else {
      out.line(`Read ${read} objects, wrote ${written} changes.`);
      for (const [reason, n] of Object.entries(refused).sort((a, b) => b[1] - a[1]))
        out.line(`  refused ${n}: ${reason}`);
      out.table(
        ['SIEM', 'WANTED', 'DELIVERED', 'PARKED', 'HELD'],
        status.siems.map((one) => [
          one.name,
          String(one.wanted),
          String(one.delivered),
          String(one.parked),
          String(one.held),
        ]),
      );
      for (const one of report.left) out.note(`left: ${one}`);
    }
    return report.complete ? DONE : LEFT;
  } finally {
    await app.close();
    await log.close();
  }
}

const INTERRUPTED: OnceReport = { complete: false, left: ['interrupted'] };

/** Changes that wait for a SIEM that is written to. */
const pendingOf = ({ reader, deliverers }: App): number =>
  reader.siems().reduce((sum, one) => sum + (deliverers.has(one.name) ? one.pending : 0), 0);

/** Runs until a signal. SIGHUP reads the configuration again: a good one is applied, a bad one leaves the old running. */
async function forever(context: Context, first: Config): Promise<number> {
  const { signal } = context;
  const hangups = new Hangups();
  let config = first;
  let before: Config | undefined;
  let bad: string | undefined;
  const notes = { badReload: () => bad, front: new Front(), tried: new Set<string>() };
  try {
    for (;;) {
      const log = createLog({ ...config.log, stream: process.stderr });
      context.out.asLog(jsonLog(config));
      const refuse = (reason: string) => {
        bad = reason;
        log.error('The new configuration is not used; the old one runs on.', { reason });
      };
      let running: Awaited<ReturnType<typeof start>>;
      try {
        running = await start(context, config, log, notes);
      } catch (error) {
        // What only starting shows, as a port that is taken. The first configuration has none before it.
        if (before === undefined || stateFailure(error, config.state) !== undefined) throw error;
        refuse(`the new configuration could not be started: ${error instanceof Error ? error.message : String(error)}`);
        await log.close();
        config = before;
        before = undefined;
        continue;
      }
      const { app, daemon } = running;
      let next: Config | undefined;
      let reason = '';
      let code = DONE;
      try {
        next = await Promise.race([daemon.crashed, app.broken, nextConfig(context, config, hangups, refuse)]);
        reason = next === undefined ? toldBy(signal) : 'a new configuration is taken over';
      } catch (error) {
        // The log has it, with its stack where it is a bug; a line of another form after it would end a JSON log badly.
        reason = error instanceof Error ? error.message : String(error);
        code = stateFailure(error, config.state) === undefined ? BUG : LEFT;
      } finally {
        await daemon.stop(reason);
        await log.close();
      }
      if (code !== DONE) return code;
      if (next === undefined || signal.aborted) return DONE;
      bad = undefined;
      before = config;
      config = next;
    }
  } finally {
    hangups.close();
    await notes.front.close();
  }
}

/** SIGTERM, SIGINT, or that the launcher is gone. */
function toldBy({ reason }: AbortSignal): string {
  return reason instanceof Error ? reason.message : 'told to stop';
}

async function start(context: Context, config: Config, log: RootLog, notes: DaemonNotes) {
  const { version } = context.parts;
  const pace = new Pace(
    clockOf(config),
    log,
    () => pendingOf(app),
    () => app.work.unread,
  );
  const app = await App.open({
    config,
    log,
    version,
    holder: holderName('run', clockOf(config).now()),
    takeOver: context.flags['take-over'] === true,
    onCommit: (_exchange, { objects }) => pace.count({ read: objects }),
    onProgress: ({ applied, parked }) => pace.count({ written: applied + parked }),
  });
  try {
    const daemon = await startDaemon(app, {
      ...notes,
      manager: serviceManager(context.env, clockOf(config), log),
      onStep: ({ what, more }) => pace.count(what === 'listed' ? { listed: more } : { written: more }),
    });
    return { app, daemon };
  } catch (error) {
    await app.close();
    throw error;
  }
}

/** The next good configuration that a SIGHUP asks for; undefined when it is time to stop. */
async function nextConfig(
  { parts, env, configPath, signal }: Context,
  config: Config,
  hangups: Hangups,
  refuse: (reason: string) => void,
): Promise<Config | undefined> {
  while (await hangups.next(signal)) {
    const answer = loadConfig(configPath, parts.registry, env);
    if ('problems' in answer) {
      refuse(`the new configuration is not used: ${answer.problems.map(problemLine).join('; ')}`);
    } else if (answer.config.state !== config.state) {
      refuse('the new configuration names another state file; restart to use it, the old one runs on');
    } else if (answer.config.instance !== config.instance) {
      refuse(`the new configuration names another instance, but this state belongs to ${config.instance}`);
    } else return answer.config;
  }
  return undefined;
}

/** SIGHUP for the whole life of the daemon: one that comes while a reload is under way would else end the process. */
class Hangups {
  #waiting = false;
  #wake: () => void = () => {};
  readonly #heard = () => {
    this.#waiting = true;
    this.#wake();
  };

  constructor() {
    process.on('SIGHUP', this.#heard);
  }

  /** True at the next SIGHUP, also one that came before; false when it is time to stop. */
  async next(signal: AbortSignal): Promise<boolean> {
    if (!this.#waiting && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    this.#waiting = false;
    return !signal.aborted;
  }

  close(): void {
    process.off('SIGHUP', this.#heard);
  }
}
