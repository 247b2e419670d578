// The command line as a function from arguments to an exit code; main.ts gives it the process.
import type { Environment } from '../core/config/source.ts';
import { ConnectorError } from '../core/model/failure.ts';
import { commandName, helpOf, overview, parseCommandLine } from './args.ts';
import type { Ask, Command, NamedCommand, Parts } from './command.ts';
import { DONE, LEFT, USAGE } from './exit.ts';
import type { Output } from './output.ts';

const help: Command = {
  name: 'help',
  summary: 'Shows this, or the help of a command.',
  usage: 'help [COMMAND]',
  example: 'entente help check',
  mostArgs: 1,
  flags: {},
  async run({ parts, args, out }) {
    const commands = await commandTable(parts);
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

function namedCommands(parts: Parts): readonly NamedCommand[] {
  const frame: readonly NamedCommand[] = [
    { name: 'check', load: async () => (await import('./check.ts')).check },
    { name: 'simulate', load: async () => (await import('./simulate.ts')).simulate },
    { name: 'completion', load: async () => (await import('./completion.ts')).completion(() => commandTable(parts)) },
    { name: 'schema', load: async () => (await import('./schema.ts')).schema },
    { name: 'help', load: async () => help },
    { name: 'version', load: async () => (await import('./version.ts')).version },
  ];
  const later = notYet('pattern', 'Explains a STIX pattern.');
  const known = [...parts.commands, ...frame];
  return known.some(({ name }) => name === later.name)
    ? known
    : [...known, { name: later.name, load: async () => later }];
}

/** All of them, in the order of the overview. */
export async function commandTable(parts: Parts): Promise<readonly Command[]> {
  return Promise.all(namedCommands(parts).map((one) => one.load()));
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
  const asked = commandName(argv);
  const one = await namedCommands(parts)
    .find(({ name }) => name === asked)
    ?.load();
  const commands = one === undefined ? await commandTable(parts) : [one];
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
        return told(error, out, async () => {
          const { loadConfig } = await import('../core/config/load.ts');
          const answer = loadConfig(configPath, parts.registry, env);
          return 'config' in answer ? answer.config.state : configPath;
        });
      }
    }
  }
}

/** What ends a command in words instead of a stack: the state file, or what it remembers against the configuration. */
async function told(error: unknown, out: Output, statePath: () => Promise<string>): Promise<number> {
  if (error instanceof ConnectorError && error.kind !== 'bug') {
    out.failure(error.message);
    return error.kind === 'config' ? USAGE : LEFT;
  }
  const { stateFailure } = await import('../core/store/sql/state-failure.ts');
  const broken = stateFailure(error, await statePath());
  if (broken === undefined) throw error;
  // What the file system says itself is of another file, which it names: where it is the state's, that was said before.
  out.failure(error instanceof Error && 'syscall' in error ? `${error.message}; look at that place` : broken.message);
  return LEFT;
}
