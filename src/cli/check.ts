// `check`: the configuration with every problem at once; with --probe also every peer.
import { type Config, loadConfig } from '../core/config/load.ts';
import { type Problem, problemLine } from '../core/config/source.ts';
import { loadLists } from '../core/store/spec/lists.ts';
import type { Command, PeerProbe } from './command.ts';
import { DONE, LEFT, USAGE } from './exit.ts';
import type { Output } from './output.ts';

export const check: Command = {
  name: 'check',
  summary: 'Checks the configuration; with --probe also contacts every peer and changes nothing there.',
  usage: 'check [--probe]',
  example: 'entente check --probe -c /etc/entente/entente.yaml',
  flags: { probe: { type: 'boolean', help: 'Contact every peer with the rights that real work needs.' } },
  async run({ parts, flags, json, out, env, configPath, signal }) {
    const answer = loadConfig(configPath, parts.registry, env);
    if ('problems' in answer) {
      if (json) out.json({ ok: false, problems: answer.problems });
      else for (const problem of answer.problems) out.note(problemLine(problem));
      return USAGE;
    }
    const { config } = answer;
    const warnings = [...config.warnings, ...listWarnings(config)];
    if (!json) for (const one of warnings) out.note(`warning: ${problemLine(one)}`);
    if (flags['probe'] !== true) {
      if (json) out.json({ ok: true, problems: [], warnings });
      else out.line(`${configPath} is good: ${config.exchanges.length} exchange(s), ${config.siems.length} SIEM(s).`);
      return DONE;
    }
    if (parts.probe === undefined) {
      out.note('not yet: check --probe');
      return USAGE;
    }
    const probes = await parts.probe(config, signal);
    if (json) out.json({ ok: probes.every((one) => one.ok), problems: [], warnings, probes });
    else for (const one of probes) printProbe(out, one);
    return probes.every((one) => one.ok) ? DONE : LEFT;
  },
};

export function printProbe(out: Output, { ok, name, message }: PeerProbe): void {
  out.line(`${ok ? out.colour('ok    ', 'green') : out.colour('failed', 'red')}  ${name}  ${message}`);
}

/** What a running daemon tells in `status`: entries of never-block lists that mean nothing or everything. */
function listWarnings({ file, policy }: Config): Problem[] {
  const { lists } = policy.never_block;
  if (lists === undefined) return [];
  return loadLists(lists).reports.flatMap(({ name, problems, leftOut }) =>
    problems.length === 0
      ? []
      : [
          {
            file,
            line: 1,
            column: 1,
            path: 'policy.never_block.lists',
            message: `${name}: ${leftOut === 0 ? '' : `${leftOut} left out, as `}${problems.join('; ')}`,
          },
        ],
  );
}
