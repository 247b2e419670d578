// Loaded before the daemon (NODE_OPTIONS=--import): how much processor time its main thread spends between two turns of the
// event loop, and in what. Time of the processor and not of the clock, so that a busy machine does not lengthen it. A turn
// is what a probe has to wait for.
import { writeFileSync } from 'node:fs';
import { type Profiler, Session } from 'node:inspector';
import { isMainThread } from 'node:worker_threads';

export interface Turns {
  /** Turns that took at most so many milliseconds, and longer ones than the bound before. */
  readonly counts: Readonly<Record<string, number>>;
  /** The longest first. `second` of the process; `in`: what stood on the stack, with its share of the samples. */
  readonly long: readonly { readonly ms: number; readonly second: number; readonly in: readonly string[] }[];
}

const TICK_MS = 1;
const SAMPLE_US = 500;
const BOUNDS = [1, 5, 10, 20, 50, 100, Number.POSITIVE_INFINITY];
const LONG_MS = 10;
const MOST_TOLD = 60;
const MOST_FRAMES = 14;

const file = process.env['LOOP_OUT'];
if (isMainThread && file !== undefined && process.argv.includes('run')) watch(file);

function watch(into: string): void {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: SAMPLE_US });
  session.post('Profiler.start');
  const counts = new Map(BOUNDS.map((bound) => [bound, 0]));
  const long: { from: number; to: number; ms: number; second: number }[] = [];
  let used = process.threadCpuUsage();
  let from = micros();
  const timer = setInterval(() => {
    const { user, system } = process.threadCpuUsage(used);
    const [ms, to] = [(user + system) / 1000, micros()];
    const bound = BOUNDS.find((one) => ms <= one)!;
    counts.set(bound, counts.get(bound)! + 1);
    if (ms >= LONG_MS) long.push({ from, to, ms, second: performance.now() / 1000 });
    used = process.threadCpuUsage();
    from = micros();
  }, TICK_MS);
  timer.unref();
  process.once('exit', () =>
    session.post('Profiler.stop', (_error, { profile }) => {
      const longest = long.toSorted((a, b) => b.ms - a.ms).slice(0, MOST_TOLD);
      const stacks = stacksOf(profile);
      const told: Turns = {
        counts: Object.fromEntries(counts),
        long: longest.map((one) => ({ ms: one.ms, second: one.second, in: stacks(one.from, one.to) })),
      };
      writeFileSync(into, JSON.stringify(told));
    }),
  );
}

/** As the profiler counts them, of the monotonic clock. */
function micros(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** Functions on the stack within a turn, each with all that it called. */
function stacksOf({ nodes, samples = [], timeDeltas = [], startTime }: Profiler.Profile) {
  const byId = new Map(nodes.map((one) => [one.id, one]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  let time = startTime;
  const times = timeDeltas.map((delta) => {
    time += delta;
    return time;
  });
  return (from: number, to: number): string[] => {
    const shares = new Map<string, number>();
    let all = 0;
    for (const [i, at] of times.entries()) {
      if (at < from || at > to) continue;
      if (byId.get(samples[i]!)?.callFrame.functionName === '(idle)') continue;
      all++;
      const seen = new Set<string>();
      for (let id: number | undefined = samples[i]; id !== undefined; id = parents.get(id)) {
        const { functionName, url, lineNumber } = byId.get(id)!.callFrame;
        if (functionName !== '(root)')
          seen.add(
            url === ''
              ? functionName
              : `${functionName || '(anonymous)'} ${url.replace(/^.*\/(?=src\/|node_modules\/)/, '')}:${lineNumber + 1}`,
          );
      }
      for (const place of seen) shares.set(place, (shares.get(place) ?? 0) + 1);
    }
    return [...shares]
      .sort((a, b) => b[1] - a[1])
      .slice(0, MOST_FRAMES)
      .map(([place, n]) => `${Math.round((100 * n) / all)}% ${place}`);
  };
}
