// Cron schedules. node-cron lives here alone and only tells when; whether a run may start, who waits for it and
// how it ends is decided here, because stop() of node-cron returns while a run goes on. Times are UTC: in a zone
// with summer time a schedule would pause or repeat for an hour.
import { createTask, validateDetailed, type ScheduledTask } from 'node-cron';
import type { Clock } from './clock.ts';
import { random } from './ids.ts';
import type { Log } from './log.ts';

interface Schedule {
  readonly name: string;
  readonly cron: string;
  /** Upper end of a random delay before each scheduled run, so that many daemons do not call at the same second. */
  readonly jitterMs?: number;
  /** Its time came, whether or not a run goes on. */
  readonly due?: () => void;
  readonly run: (signal: AbortSignal) => Promise<void>;
}

export interface Scheduled {
  start(): void;
  /** Runs now, without jitter. While a run goes on, resolves with that one. Never rejects. */
  trigger(): Promise<void>;
  /** No further run; the running one is told by its signal and awaited. */
  stop(): Promise<void>;
  /** Epoch milliseconds of the next scheduled run, by the system's clock. */
  next(): number | undefined;
  /** Between the next two. */
  everyMs(): number | undefined;
}

/** A run is still done when the process wakes this late; otherwise it is left to the next one. */
const MISSED_TOLERANCE_MS = 60_000;

export function createScheduled(schedule: Schedule, clock: Clock, log: Log): Scheduled {
  const stopping = new AbortController();
  let task: ScheduledTask | undefined;
  let running: Promise<void> | undefined;
  const waiting = new Set<Promise<void>>();

  const trigger = (): Promise<void> => {
    if (stopping.signal.aborted) return Promise.resolve();
    if (running !== undefined) return running;
    const current = perform().finally(() => {
      running = undefined;
    });
    running = current;
    return current;
  };
  const perform = async (): Promise<void> => {
    try {
      await schedule.run(stopping.signal);
    } catch (error) {
      // A run answers for its own failures; what arrives here is a bug or the end of a stopped run.
      if (!stopping.signal.aborted) log.error('A scheduled run threw.', { schedule: schedule.name, error });
    }
  };
  const due = (): void => {
    const one = (async () => {
      try {
        await clock.sleep(random() * (schedule.jitterMs ?? 0), stopping.signal);
      } catch {
        return; // stopped while waiting
      }
      schedule.due?.();
      await trigger();
    })().finally(() => waiting.delete(one));
    waiting.add(one);
  };

  return {
    start() {
      if (task !== undefined || stopping.signal.aborted) return;
      const wrong = checkCron(schedule.cron);
      if (wrong !== undefined) throw new Error(`schedule ${schedule.name}: ${wrong}`);
      task = createTask(schedule.cron, due, {
        timezone: 'UTC',
        missedExecutionTolerance: MISSED_TOLERANCE_MS,
        suppressMissedWarning: true,
      });
      task.on('execution:missed', () => log.warn('A scheduled run was missed.', { schedule: schedule.name }));
      void task.start();
    },
    trigger,
    async stop() {
      stopping.abort();
      await task?.destroy();
      await Promise.all([running, ...waiting]);
    },
    next: () => task?.getNextRun()?.getTime(),
    everyMs() {
      const [one, two] = task?.getNextRuns(2) ?? [];
      return one === undefined || two === undefined ? undefined : two.getTime() - one.getTime();
    },
  };
}

/** Whether a schedule had a time after `since`, up to and with `until`; both epoch milliseconds. */
export function cameDue(cron: string, since: number, until: number): boolean {
  if (until - since > YEAR_MS) return true;
  const fields = cron.trim().split(/\s+/);
  const [second, minute, hour, ...days] = fields.length > 5 ? fields : ['0', ...fields];
  // By day, hour, minute and second: to ask for each minute of a year would take seconds.
  const levels = [
    { step: DAY_MS, fires: matcher(`* * * ${days.join(' ')}`) },
    { step: HOUR_MS, fires: matcher(`* * ${hour} * * *`) },
    { step: MINUTE_MS, fires: matcher(`* ${minute} * * * *`) },
    { step: SECOND_MS, fires: matcher(`${second} * * * * *`) },
  ];
  let at = floor(since, SECOND_MS) + SECOND_MS;
  while (at <= until) {
    const silent = levels.find(({ fires }) => !fires(at));
    if (silent === undefined) return true;
    at = floor(at, silent.step) + silent.step;
  }
  return false;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A leap year and a day. */
const YEAR_MS = 367 * DAY_MS;
const floor = (at: number, step: number): number => Math.floor(at / step) * step;

function matcher(cron: string): (at: number) => boolean {
  const task = createTask(cron, () => {}, { timezone: 'UTC' });
  void task.destroy();
  return (at) => task.match(new Date(at));
}

/** What is wrong with a cron text and what is allowed; undefined when it is good. */
export function checkCron(text: string): string | undefined {
  const allowed = 'write 5 or 6 fields in UTC, as "*/5 * * * *"';
  const detailed = validateDetailed(text);
  if (!detailed.valid) {
    const reasons = detailed.errors.map((one) => `${one.field}: ${one.message}`).join('; ');
    return `not a cron schedule (${reasons}); ${allowed}`;
  }
  const fields = text.trim().split(/\s+/);
  const names = NAMES.slice(-fields.length);
  for (const [i, field] of fields.entries()) {
    const { name, size } = names[i] ?? { name: 'field', size: 60 };
    for (const part of field.split(',')) {
      // node-cron takes both of these and does something else than they say: */90 is hourly, 22-2 wraps around.
      const step = /\/(\d+)$/.exec(part);
      if (step !== null && Number(step[1]) >= size) {
        return `step ${step[1]} in ${name} is longer than the field (${size}) and would not do what it says; ${allowed}`;
      }
      const range = /^(\d+)-(\d+)/.exec(part);
      if (range !== null && Number(range[1]) > Number(range[2])) {
        return `range ${range[0]} in ${name} runs backwards; write two ranges with a comma between them`;
      }
    }
  }
  // A day of the month and a day of the week are both demanded, where crontab(5) takes either: ask for one of them.
  if (fields.length >= 5 && !/^[*?]$/.test(fields.at(-3) ?? '*') && !/^[*?]$/.test(fields.at(-1) ?? '*')) {
    return 'day of month and day of week together mean only days that are both; give one of them and * for the other';
  }
  return undefined;
}

const NAMES = [
  { name: 'second', size: 60 },
  { name: 'minute', size: 60 },
  { name: 'hour', size: 24 },
  { name: 'day of month', size: 31 },
  { name: 'month', size: 12 },
  { name: 'day of week', size: 7 },
];
