// The answers of `init` from flags: `name=…,type=…,url=…` and credentials. A secret on a command line is seen by
// everybody on the machine, so only its file or its variable is taken.
import type { PeerAnswer, PeerForm, SetupAnswers } from '../core/config/setup.ts';
import type { FlagValue } from './command.ts';

interface Forms {
  readonly exchanges: readonly PeerForm[];
  readonly siems: readonly PeerForm[];
}

export function answersOf(
  flags: Readonly<Record<string, FlagValue>>,
  forms: Forms,
): SetupAnswers | { readonly wrong: string } {
  const { instance } = flags;
  if (typeof instance !== 'string') return { wrong: '--instance NAME is missing.' };
  const exchanges = listOf(flags['exchange']).map((spec) => peerOf('exchange', spec, forms.exchanges));
  const siems = listOf(flags['siem']).map((spec) => peerOf('siem', spec, forms.siems));
  for (const one of [...exchanges, ...siems]) if ('wrong' in one) return one;
  const good = (peers: readonly (PeerAnswer | { wrong: string })[]) =>
    peers.flatMap((one) => ('wrong' in one ? [] : [one]));
  return { instance, exchanges: good(exchanges), siems: good(siems) };
}

const listOf = (value: FlagValue): readonly string[] => (Array.isArray(value) ? value.map(String) : []);

function peerOf(flag: string, spec: string, forms: readonly PeerForm[]): PeerAnswer | { wrong: string } {
  // A comma may stand in a value; one that parts two keys has `key=` behind it.
  const given = new Map(
    spec.split(/,(?=[a-z_]+=)/).map((part) => {
      const at = part.indexOf('=');
      return [part.slice(0, Math.max(0, at)), part.slice(at + 1)] as const;
    }),
  );
  const { name = '', type = '' } = Object.fromEntries(given);
  const form = forms.find((one) => one.type === type);
  if (form === undefined)
    return { wrong: `--${flag} needs type=${forms.map((one) => one.type).join(' or ')}, not ${JSON.stringify(type)}.` };
  const value = given.get(form.place.key);
  if (name === '' || value === undefined)
    return { wrong: `--${flag} of type ${type} needs name=… and ${form.place.key}=….` };
  const auth: Record<string, string> = {};
  for (const [key, text] of given) {
    if (key === 'name' || key === 'type' || key === form.place.key) continue;
    const plain = key.replace(/_(file|env)$/, '');
    const credential = form.credentials.flat().find((one) => one.key === key || one.key === plain);
    if (credential === undefined) return { wrong: `--${flag} of type ${type} takes no ${key}=….` };
    if (!credential.secret && credential.key === key) auth[key] = text.replaceAll('${', () => '$${');
    else if (key === `${plain}_file`) auth[key] = text;
    else if (key === `${plain}_env`) auth[plain] = `\${${text}}`;
    else return { wrong: `a secret does not belong on a command line: write ${key}_file=PATH or ${key}_env=NAME.` };
  }
  return { name, type, place: { key: form.place.key, value }, auth };
}
