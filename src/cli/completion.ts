// `completion`: a script for the user's shell, made from the table of commands, so that it knows what they know.
import { singleQuoted } from '../core/model/shell-word.ts';
import { COMMON_FLAGS } from './args.ts';
import type { Command, Flag } from './command.ts';
import { DONE, USAGE } from './exit.ts';

const SHELLS = { bash, zsh, fish } as const;

export const completion = (table: () => Promise<readonly Command[]>): Command => ({
  name: 'completion',
  summary: 'Prints the completion script of a shell: bash, zsh or fish.',
  usage: 'completion bash|zsh|fish',
  example: 'entente completion bash > /etc/bash_completion.d/entente',
  mostArgs: 1,
  words: Object.keys(SHELLS),
  flags: {},
  async run({ args, out }) {
    const script = Object.entries(SHELLS).find(([name]) => name === args[0])?.[1];
    if (script === undefined) {
      out.note('completion needs a shell: bash, zsh or fish');
      return USAGE;
    }
    const commands = await table();
    await out.parts([script(commands.filter((one) => one.hidden !== true && !one.summary.endsWith('(not yet)')))]);
    return DONE;
  },
});

const flagsOf = (command: Command): [string, Flag][] => Object.entries({ ...command.flags, ...COMMON_FLAGS });
const isFile = (flag: Flag): boolean => flag.value === 'FILE' || flag.value === 'PATH';
const takesFile = ({ usage, name }: Command): boolean => new RegExp(`^${name} \\[?FILE`).test(usage);
/** What may follow a flag, as the shell's pattern `-c|--config`. */
const spellings = (name: string, { short }: Flag): string[] => [
  ...(short === undefined ? [] : [`-${short}`]),
  `--${name}`,
];

function bash(commands: readonly Command[]): string {
  const names = commands.map((one) => one.name).join(' ');
  const cases = commands.flatMap((command) => {
    const flags = flagsOf(command);
    const named = (some: (flag: Flag) => boolean) =>
      flags.filter(([, flag]) => flag.type === 'string' && some(flag)).flatMap(([name, flag]) => spellings(name, flag));
    const words = command.name === 'help' ? names : (command.words ?? []).join(' ');
    return [
      `    ${command.name})`,
      `      flags='${flags.map(([name]) => `--${name}`).join(' ')}' words='${words}'`,
      `      files=' ${named(isFile).join(' ')} ' values=' ${named((flag) => !isFile(flag)).join(' ')} ' file=${takesFile(command) ? 1 : 0} ;;`,
    ];
  });
  return `# Completion of entente for bash. Made by: entente completion bash
_entente() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  local flags words files values file
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W '${names} --help --version' -- "$cur")
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
    *) return ;;
  esac
  if [[ $values == *" $prev "* ]]; then return
  elif [[ $files == *" $prev "* ]]; then file=1
  elif [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$cur")
    return
  elif ((COMP_CWORD == 2)) && [[ -n $words ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    return
  fi
  if ((file)); then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  fi
}
complete -F _entente entente
`;
}

/** zsh reads brackets and colons in a description as its own. */
const zshText = (text: string): string => text.replace(/[\\[\]:]/g, '\\$&');

function zsh(commands: readonly Command[]): string {
  const names = commands.map((one) => one.name).join(' ');
  const cases = commands.map((command) => {
    const specs = flagsOf(command).flatMap(([name, flag]) =>
      spellings(name, flag).map((spelling) => {
        const value = flag.type !== 'string' ? '' : `:${flag.value ?? 'VALUE'}:${isFile(flag) ? '_files' : ' '}`;
        return `${flag.multiple === true ? '*' : ''}${spelling}[${zshText(flag.help)}]${value}`;
      }),
    );
    const words = command.name === 'help' ? names : (command.words ?? []).join(' ');
    const first = words !== '' ? `1: :(${words})` : takesFile(command) ? '1:FILE:_files' : undefined;
    const all = [...specs, ...(first === undefined ? [] : [first])];
    return `    ${command.name}) _arguments ${all.map(singleQuoted).join(' ')} ;;`;
  });
  return `#compdef entente
# Completion of entente for zsh. Made by: entente completion zsh
_entente() {
  local -a commands
  commands=(
${commands.map((one) => `    ${singleQuoted(`${one.name}:${zshText(one.summary)}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local name=$words[2]
  shift words
  (( CURRENT-- ))
  case $name in
${cases.join('\n')}
  esac
}
# Sourced, it registers itself; from a folder of $fpath, zsh calls it by the name of the file.
if [[ $funcstack[1] == _entente ]]; then _entente "$@"; else compdef _entente entente; fi
`;
}

function fish(commands: readonly Command[]): string {
  const text = (said: string) => `'${said.replace(/['\\]/g, '\\$&')}'`;
  const within = (command: Command) => `-n '__fish_seen_subcommand_from ${command.name}'`;
  const names = commands.map((one) => one.name).join(' ');
  return [
    '# Completion of entente for fish. Made by: entente completion fish',
    'complete -c entente -f',
    ...commands.flatMap((command) => {
      const words = command.name === 'help' ? names : (command.words ?? []).join(' ');
      return [
        `complete -c entente -n __fish_use_subcommand -a ${command.name} -d ${text(command.summary)}`,
        ...flagsOf(command).map(([name, flag]) => {
          const value = flag.type !== 'string' ? '' : isFile(flag) ? ' -r -F' : ' -x';
          const short = flag.short === undefined ? '' : ` -s ${flag.short}`;
          return `complete -c entente ${within(command)}${short} -l ${name}${value} -d ${text(flag.help)}`;
        }),
        ...(words === '' ? [] : [`complete -c entente ${within(command)} -a '${words}'`]),
        ...(takesFile(command) ? [`complete -c entente ${within(command)} -F`] : []),
      ];
    }),
    '',
  ].join('\n');
}
