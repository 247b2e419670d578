// The daemon's own composition, opened for one measured stretch of work.
import { App } from '../../src/app.ts';
import { exchanges, siems } from '../../src/connectors/registry.ts';
import { loadConfig } from '../../src/core/config/load.ts';
import { createLog } from '../../src/core/runtime/log.ts';

export async function openApp(file: string): Promise<App> {
  const answer = loadConfig(file, { siems, exchanges }, {});
  if (!('config' in answer)) throw new Error(answer.problems.map((one) => one.message).join('; '));
  const log = createLog({ level: 'warn', format: 'json', stream: process.stderr });
  return App.open({ config: answer.config, log, version: 'bench' });
}

/** Wall time and processor time of a stretch of work, all threads of this process together. */
export function stopwatch(): () => { readonly ms: number; readonly cpuMs: number } {
  const begin = performance.now();
  const cpu = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { ms: performance.now() - begin, cpuMs: (user + system) / 1000 };
  };
}

export function say(result: Readonly<Record<string, number>>): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
