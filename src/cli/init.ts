// `init`: asks for exchange and SIEMs, contacts them as `check --probe` does, and writes a commented configuration.
// Without a terminal the same comes from flags. Nothing is overwritten, and no secret goes into the file.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseConfig } from '../core/config/load.ts';
import { problemLine } from '../core/config/source.ts';
import { type PeerAnswer, peerForms, type SetupAnswers, setupText } from '../core/config/setup.ts';
import { printProbe } from './check.ts';
import type { Command, Context, PeerProbe } from './command.ts';
import { DONE, LEFT, USAGE } from './exit.ts';
import { dialogue, type Peer } from './init-dialogue.ts';
import { answersOf } from './init-flags.ts';
import { ownerAlone } from './owner-alone.ts';
import { writeNew, writing } from './writing.ts';

export const init: Command = {
  name: 'init',
  summary: 'Asks for exchange and SIEMs, probes them, and writes a commented configuration.',
  usage: 'init [FILE] [--instance NAME --exchange SPEC --siem SPEC] [--no-probe]',
  example:
    'entente init /etc/entente/entente.yaml --instance soc-hq' +
    ' --exchange name=partner,type=taxii21,url=https://taxii.example/api1/,username=soc,password_file=./secrets/partner' +
    ' --siem name=elastic-hq,type=elastic,url=https://es1.example:9200,api_key_env=ELASTIC_API_KEY',
  mostArgs: 1,
  flags: {
    instance: { type: 'string', value: 'NAME', help: 'Owner mark in every SIEM: at most 40 of a-z, 0-9 and dash.' },
    exchange: {
      type: 'string',
      multiple: true,
      value: 'SPEC',
      help: 'name=…,type=…,url=…, and its credentials; a secret as KEY_file=PATH or KEY_env=NAME. May stand many times.',
    },
    siem: { type: 'string', multiple: true, value: 'SPEC', help: 'As --exchange.' },
    'no-probe': { type: 'boolean', help: 'Write without contacting anybody.' },
  },
  async run(context) {
    const { out, args, configPath, flags, ask } = context;
    ownerAlone();
    const file = args[0] ?? configPath;
    if (existsSync(file)) {
      out.note(`${file} exists already, and nothing is overwritten: entente check --probe -c ${file}, or name another`);
      return USAGE;
    }
    if (flags['exchange'] !== undefined || flags['siem'] !== undefined) return fromFlags(context, file);
    if (ask === undefined) {
      out.note(
        `nobody sits at a terminal here, so there is nobody to ask; give --instance, --exchange and --siem. Example:\n  ${init.example}`,
      );
      return USAGE;
    }
    const probe = flags['no-probe'] === true ? undefined : (peer: Peer) => probeOf(context, file, peer);
    const made: string[] = [];
    try {
      const { answers, failed } = await dialogue(context, { file, ask, made, wrong: wrongIn(context, file), probe });
      write(file, answers);
      said(context, file, answers, []);
      return failed ? LEFT : DONE;
    } catch (error) {
      // Secrets that were typed for a file that is not to be.
      for (const one of made) rmSync(one, { force: true });
      throw error;
    }
  },
};

async function fromFlags(context: Context, file: string): Promise<number> {
  const { out, flags, parts, env, json } = context;
  const answers = answersOf(flags, peerForms(parts.registry));
  if ('wrong' in answers) {
    out.note(`${answers.wrong} See entente init --help`);
    return USAGE;
  }
  const offline = flags['no-probe'] === true;
  const parsed = parseConfig(resolve(file), setupText(answers), parts.registry, env, offline ? 'unused' : 'needed');
  if ('problems' in parsed) {
    for (const one of parsed.problems) out.note(problemLine(one));
    out.note('Nothing was written.');
    return USAGE;
  }
  const probes = offline ? [] : ((await parts.probe?.(parsed.config, context.signal)) ?? []);
  if (!json) for (const one of probes) printProbe(out, one);
  if (!probes.every((one) => one.ok)) {
    if (json) out.json({ file: null, probes });
    out.note('Nothing was written; --no-probe writes without asking the peers.');
    return LEFT;
  }
  write(file, answers);
  said(context, file, answers, probes);
  return DONE;
}

/** What is wrong with the instance and these peers, in the words of `check`; secrets are not looked at. */
const wrongIn =
  ({ parts, env }: Context, file: string) =>
  (answers: SetupAnswers): string[] => {
    const parsed = parseConfig(resolve(file), setupText(answers), parts.registry, env, 'unused');
    return 'problems' in parsed ? parsed.problems.map((one) => one.message) : [];
  };

async function probeOf({ parts, env, signal }: Context, file: string, { kind, answer }: Peer): Promise<PeerProbe> {
  const peers = { exchanges: kind === 'exchange' ? [answer] : [], siems: kind === 'siem' ? [answer] : [] };
  const text = setupText({ instance: 'probe', ...peers });
  const parsed = parseConfig(resolve(file), text, parts.registry, env);
  if ('problems' in parsed)
    return { name: answer.name, ok: false, message: parsed.problems.map((one) => one.message).join('; ') };
  const [first] = (await parts.probe?.(parsed.config, signal)) ?? [];
  return first ?? { name: answer.name, ok: true, message: 'not asked' };
}

function write(file: string, answers: SetupAnswers): void {
  writing(file, () => mkdirSync(dirname(resolve(file)), { recursive: true, mode: 0o700 }));
  // Also what came to stand there meanwhile is not overwritten.
  writeNew(file, setupText(answers));
}

function said({ out, json }: Context, file: string, answers: SetupAnswers, probes: readonly PeerProbe[]): void {
  const names = (peers: readonly PeerAnswer[]) => peers.map((one) => one.name);
  if (json) {
    out.json({ file, exchanges: names(answers.exchanges), siems: names(answers.siems), probes });
    return;
  }
  const at = file === './entente.yaml' ? '' : ` -c ${file}`;
  out.line(`\nWrote ${file}. Next:`);
  out.line(`  entente plan${at}          what would be added, and what is refused and why; writes nothing`);
  out.line(`  entente run --once${at}    one pass;  entente run${at}  the daemon`);
}
