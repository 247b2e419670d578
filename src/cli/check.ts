// `check`: the configuration with every problem at once; with --probe also every peer.
import { loadConfig } from '../core/config/load.ts';
import { problemLine } from '../core/config/source.ts';
import type { Command } from './command.ts';
import { DONE, LEFT, USAGE } from './exit.ts';

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
    const { warnings } = config;
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
    else
      for (const one of probes)
        out.line(
          `${one.ok ? out.colour('ok    ', 'green') : out.colour('failed', 'red')}  ${one.name}  ${one.message}`,
        );
    return probes.every((one) => one.ok) ? DONE : LEFT;
  },
};
