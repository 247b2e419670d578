// A command in this process, as main.ts runs it: a process for each would take most of the time of a test of many.
import { runCli } from '../../src/cli/cli.ts';
import { createOutput } from '../../src/cli/output.ts';
import { parts } from '../../src/cli/parts.ts';
import { systemClock } from '../../src/core/runtime/clock.ts';
import type { Site } from './site.ts';

export async function inProcess(
  site: Site,
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const text = { stdout: '', stderr: '' };
  const into = (name: 'stdout' | 'stderr') => ({
    write: (more: string) => {
      text[name] += more;
    },
  });
  const out = createOutput(into('stdout'), into('stderr'), {}, systemClock);
  const { signal } = new AbortController();
  const code = await runCli([...args, '--config', site.path('entente.yaml')], { parts, out, env: {}, signal });
  return { code, ...text };
}
