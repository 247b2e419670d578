// A command in this process, as main.ts runs it: a process for each would take most of the time of a test of many.
import { runCli } from '../../src/cli/cli.ts';
import { createOutput } from '../../src/cli/output.ts';
import { parts } from '../../src/cli/parts.ts';
import { systemClock } from '../../src/core/runtime/clock.ts';
import type { Site } from './site.ts';

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const inProcess = (site: Site, ...args: string[]): Promise<Ended> =>
  carriedOut(site, args, new AbortController().signal);

/** As one that is told to stop before it has begun. */
export const stoppedInProcess = (site: Site, ...args: string[]): Promise<Ended> =>
  carriedOut(site, args, AbortSignal.abort(new Error('SIGTERM')));

async function carriedOut(site: Site, args: readonly string[], signal: AbortSignal): Promise<Ended> {
  const text = { stdout: '', stderr: '' };
  const into = (name: 'stdout' | 'stderr') => ({
    write: (more: string) => {
      text[name] += more;
    },
  });
  const out = createOutput(into('stdout'), into('stderr'), {}, systemClock);
  const code = await runCli([...args, ...(args.includes('--config') ? [] : ['--config', site.path('entente.yaml')])], {
    parts,
    out,
    env: {},
    signal,
  });
  return { code, ...text };
}
