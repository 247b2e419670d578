// The configuration of a command: a good one, or what is wrong with it on stderr.
import { type Config, loadConfig } from '../core/config/load.ts';
import { problemLine } from '../core/config/source.ts';
import type { Context } from './command.ts';
import { runningConfig } from './running-config.ts';

/** For commands that need a good configuration: prints what is wrong with a bad one. */
export function configOf({ parts, out, env, configPath }: Context): Config | undefined {
  const answer = loadConfig(configPath, parts.registry, env);
  if ('config' in answer) return answer.config;
  for (const problem of answer.problems) out.note(problemLine(problem));
  return undefined;
}

/**
 * For commands that work on the state alone: they need no secret of a peer, and beside a running daemon not even a good
 * file, because it left in the state what it runs with.
 */
export function stateConfigOf({ parts, out, env, configPath }: Context): Config | undefined {
  const answer = loadConfig(configPath, parts.registry, env, 'unused');
  if ('config' in answer) return answer.config;
  const running = runningConfig(configPath, parts.registry, env);
  for (const problem of answer.problems) out.note(problemLine(problem));
  if (running !== undefined)
    out.note(`${configPath} is broken; the daemon runs on with what it read before, and so does this command.`);
  return running;
}
