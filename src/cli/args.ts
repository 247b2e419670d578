// From arguments to a command, or to a sentence about what is wrong with them (exit 2).
import { parseArgs } from 'node:util';
import { suggestion } from '../core/config/suggestion.ts';
import type { Command, Flag, FlagValue } from './command.ts';

export const COMMON_FLAGS: Readonly<Record<string, Flag>> = {
  config: {
    type: 'string',
    short: 'c',
    value: 'FILE',
    help: 'Configuration; else $ENTENTE_CONFIG, else ./entente.yaml.',
  },
  json: { type: 'boolean', help: 'Answer as JSON.' },
  help: { type: 'boolean', short: 'h', help: 'This help.' },
};

export type Parsed =
  | {
      readonly kind: 'run';
      readonly command: Command;
      readonly args: readonly string[];
      readonly flags: Readonly<Record<string, FlagValue>>;
    }
  | { readonly kind: 'help'; readonly command?: Command }
  | { readonly kind: 'wrong'; readonly message: string };

/** Undefined where none is named: the help of all is asked for. */
export function commandName([first]: readonly string[]): string | undefined {
  if (first === '--help' || first === '-h') return undefined;
  return first === '--version' || first === '-V' ? 'version' : first;
}

/** `commands`: the one that is named, or all of them where there is none of that name. */
export function parseCommandLine(argv: readonly string[], commands: readonly Command[]): Parsed {
  const name = commandName(argv);
  if (name === undefined) return { kind: 'help' };
  const command = commands.find((one) => one.name === name);
  if (command === undefined) {
    const near = suggestion(
      name,
      commands.filter((one) => one.hidden !== true).map((one) => one.name),
    );
    const hint = near === undefined ? '.' : `; did you mean ${near}?`;
    return {
      kind: 'wrong',
      message: `${name.startsWith('-') ? 'the command comes first' : `unknown command ${name}`}${hint} See entente --help`,
    };
  }
  const flags = { ...COMMON_FLAGS, ...command.flags };
  const options = Object.fromEntries(
    Object.entries(flags).map(([key, { type, short, multiple }]) => [
      key,
      { type, ...(short === undefined ? {} : { short }), ...(multiple === true ? { multiple } : {}) },
    ]),
  );
  try {
    const { values, positionals } = parseArgs({ args: argv.slice(1), options, allowPositionals: true, strict: true });
    if (values['help'] === true) return { kind: 'help', command };
    const extra = positionals[command.mostArgs ?? 0];
    if (extra !== undefined)
      return {
        kind: 'wrong',
        message: `${JSON.stringify(extra)} is too much for ${command.name}. See entente ${command.name} --help`,
      };
    return { kind: 'run', command, args: positionals, flags: values };
  } catch (error) {
    return { kind: 'wrong', message: `${flagProblem(error, Object.keys(flags))} See entente ${command.name} --help` };
  }
}

function flagProblem(error: unknown, known: readonly string[]): string {
  const text = error instanceof Error ? error.message : String(error);
  const unknown = /Unknown option '-{1,2}([^']+)'/.exec(text)?.[1];
  if (unknown === undefined) return `${text.split('\n', 1)[0]?.replace(/\.$/, '')}.`;
  const near = suggestion(unknown, known);
  return `unknown flag --${unknown}${near === undefined ? '.' : `; did you mean --${near}?`}`;
}

export function overview(commands: readonly Command[]): string {
  const shown = commands.filter((one) => one.hidden !== true);
  const width = Math.max(...shown.map((one) => one.name.length));
  return [
    'entente <command> [--config FILE]',
    '',
    "Keeps a partner's threat indicators on the watchlists of your SIEMs, exactly as the partner vouches for them now.",
    '',
    ...shown.map((one) => `  ${one.name.padEnd(width)}  ${one.summary}`),
    '',
    'entente <command> --help shows its flags and an example.',
    'Exit codes: 0 done, 1 something failed or is left, 2 wrong usage or configuration, 70 a bug.',
  ].join('\n');
}

export function helpOf(command: Command): string {
  const flags = Object.entries({ ...command.flags, ...COMMON_FLAGS }).map(([key, flag]) => ({
    left: `${flag.short === undefined ? '    ' : `-${flag.short}, `}--${key}${flag.type === 'string' ? ` ${flag.value ?? 'VALUE'}` : ''}`,
    help: flag.help,
  }));
  const width = Math.max(...flags.map((one) => one.left.length));
  return [
    `entente ${command.usage}`,
    '',
    command.summary,
    '',
    ...flags.map((one) => `  ${one.left.padEnd(width)}  ${one.help}`),
    '',
    'Example:',
    `  ${command.example}`,
  ].join('\n');
}

/** What a flag says as a number in plain digits, `otherwise` where it was left out; NaN for anything else, 0x10 and nothing among it. */
export function numberOf(flag: FlagValue, otherwise = Number.NaN): number {
  if (flag === undefined) return otherwise;
  return typeof flag === 'string' && /^\d+(\.\d+)?$/.test(flag.trim()) ? Number(flag) : Number.NaN;
}
