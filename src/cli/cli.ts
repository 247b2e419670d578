// The command line as a function from arguments to an exit code; main.ts gives it the process.
import { problemLine } from '../core/config/source.ts';
import { loadConfig, type Config } from '../core/config/load.ts';
import type { Environment } from '../core/config/source.ts';
import { ConnectorError } from '../core/model/failure.ts';
import { stateFailure } from '../core/store/state-failure.ts';
import { helpOf, overview, parseCommandLine } from './args.ts';
import { check } from './check.ts';
import { completion } from './completion.ts';
import type { Ask, Command, Context, Parts } from './command.ts';
import { DONE, LEFT, USAGE } from './exit.ts';
import type { Output } from './output.ts';
import { schema } from './schema.ts';
import { runningConfig } from './running-config.ts';
import { simulate } from './simulate.ts';
import { version } from './version.ts';

const help: Command = {
  name: 'help',
  summary: 'Shows this, or the help of a command.',
  usage: 'help [COMMAND]',
  example: 'entente help check',
  mostArgs: 1,
  flags: {},
  async run({ parts, args, out }) {
    const commands = commandTable(parts);
    const [name] = args;
    const command = commands.find((one) => one.name === name);
    if (name !== undefined && command === undefined) {
      out.note(`unknown command ${name}; see entente --help`);
      return USAGE;
    }
    out.line(command === undefined ? overview(commands) : helpOf(command));
    return DONE;
  },
};

/** A name of the public interface whose body comes with a later release. */
const notYet = (name: string, summary: string): Command => ({
  name,
  summary: `${summary} (not yet)`,
  usage: name,
  example: `entente ${name}`,
  mostArgs: Number.POSITIVE_INFINITY,
  flags: {},
  async run({ out }) {
    out.note(`not yet: entente ${name} comes with a later release`);
    return USAGE;
  },
});

export function commandTable(parts: Parts): readonly Command[] {
  const table = [...parts.commands, check, simulate, completion(() => commandTable(parts)), schema, help, version];
  const later = [notYet('pattern', 'Explains a STIX pattern.')];
  return [...table, ...later.filter((one) => !table.some(({ name }) => name === one.name))];
}

export async function runCli(
  argv: readonly string[],
  given: {
    readonly parts: Parts;
    readonly out: Output;
    readonly env: Environment;
    readonly signal: AbortSignal;
    readonly ask?: Ask | undefined;
  },
): Promise<number> {
  const { parts, out, env, signal } = given;
  const commands = commandTable(parts);
  const parsed = parseCommandLine(argv, commands);
  switch (parsed.kind) {
    case 'wrong':
      out.note(`entente: ${parsed.message}`);
      return USAGE;
    case 'help':
      out.line(parsed.command === undefined ? overview(commands) : helpOf(parsed.command));
      return argv.length === 0 ? USAGE : DONE;
    case 'run': {
      const { command, args, flags } = parsed;
      const configPath =
        typeof flags['config'] === 'string' ? flags['config'] : env['ENTENTE_CONFIG'] || './entente.yaml';
      try {
        const asking = given.ask === undefined ? {} : { ask: given.ask };
        const json = flags['json'] === true;
        return await command.run({ parts, args, flags, json, out, env, configPath, signal, ...asking });
      } catch (error) {
        return told(error, out, () => {
          const answer = loadConfig(configPath, parts.registry, env);
          return 'config' in answer ? answer.config.state : configPath;
        });
      }
    }
  }
}

/** What ends a command in words instead of a stack: the state file, or what it remembers against the configuration. */
function told(error: unknown, out: Output, statePath: () => string): number {
  if (error instanceof ConnectorError && error.kind !== 'bug') {
    out.failure(error.message);
    return error.kind === 'config' ? USAGE : LEFT;
  }
  const broken = stateFailure(error, statePath());
  if (broken === undefined) throw error;
  out.failure(broken.message);
  return LEFT;
}

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
