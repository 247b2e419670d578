// The dialogue of `init`. Each answer is judged at once, in the words of `check`, and each peer is contacted as soon as
// it is known, so that nobody answers twenty questions to learn that the second was wrong.
import { existsSync, mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { type Credential, type PeerAnswer, type PeerForm, peerForms, type SetupAnswers } from '../core/config/setup.ts';
import { printProbe } from './check.ts';
import type { Ask, Context, PeerProbe } from './command.ts';
import { writeNew, writing } from './writing.ts';

/** One exchange or one SIEM, as it would stand in the file. */
export interface Peer {
  readonly kind: 'exchange' | 'siem';
  readonly answer: PeerAnswer;
}

export interface Dialogue {
  readonly file: string;
  readonly ask: Ask;
  /** Files of secrets that were written on the way. */
  readonly made: string[];
  wrong(answers: SetupAnswers): readonly string[];
  readonly probe: ((peer: Peer) => Promise<PeerProbe>) | undefined;
}

type Kind = Peer['kind'];

export async function dialogue(
  context: Context,
  told: Dialogue,
): Promise<{ readonly answers: SetupAnswers; readonly failed: boolean }> {
  const { out, parts } = context;
  out.line(`This makes ${told.file}. Enter takes what stands in brackets; Ctrl-C ends it, and nothing is written.\n`);
  const fallback = `soc-${hostname()
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')}`
    .slice(0, 40)
    .replace(/-+$/, '');
  const instance = await sound(
    () => answerOr(told, 'Name of this installation, the mark of its entries in every SIEM', fallback),
    (name) => told.wrong({ instance: name, exchanges: [], siems: [] }),
    out,
  );
  const forms = peerForms(parts.registry);
  const exchanges = await several(context, told, 'exchange', forms.exchanges);
  const siems = await several(context, told, 'siem', forms.siems);
  const all = [...exchanges, ...siems];
  return {
    answers: { instance, exchanges: exchanges.map((one) => one.answer), siems: siems.map((one) => one.answer) },
    failed: all.some((one) => one.failed),
  };
}

const WORDS = { exchange: 'exchange', siem: 'SIEM' } as const;

interface Asked {
  readonly answer: PeerAnswer;
  readonly failed: boolean;
}

async function several(context: Context, told: Dialogue, kind: Kind, forms: readonly PeerForm[]): Promise<Asked[]> {
  const peers: Asked[] = [];
  do {
    const one = await peerOf(context, told, kind, forms, peers);
    if (one !== undefined) peers.push(one);
  } while (await yes(told, `\nAnother ${WORDS[kind]}?`));
  return peers;
}

async function peerOf(
  context: Context,
  told: Dialogue,
  kind: Kind,
  forms: readonly PeerForm[],
  before: readonly Asked[],
): Promise<Asked | undefined> {
  const { out } = context;
  for (;;) {
    const answer = await answersFor(context, told, kind, forms, before);
    const wrong = told.wrong({
      instance: 'probe',
      exchanges: kind === 'exchange' ? [...before.map((one) => one.answer), answer] : [],
      siems: kind === 'siem' ? [...before.map((one) => one.answer), answer] : [],
    });
    for (const one of wrong) out.note(`  ${one}`);
    if (wrong.length > 0) continue;
    if (told.probe === undefined) return { answer, failed: false };
    const found = await told.probe({ kind, answer });
    printProbe(out, found);
    if (found.ok) return { answer, failed: false };
    const next = await answerOr(told, 'Answer [a]gain, [k]eep it as it is, or leave it [o]ut', 'a');
    if (/^k/i.test(next)) return { answer, failed: true };
    if (/^o/i.test(next)) return undefined;
  }
}

async function answersFor(
  { out, env }: Context,
  told: Dialogue,
  kind: Kind,
  forms: readonly PeerForm[],
  before: readonly Asked[],
): Promise<PeerAnswer> {
  const types = forms.map((one) => one.type);
  const type = await sound(
    () => answered(told, `\nType of the ${WORDS[kind]} (${types.join(', ')})`),
    (given) => (types.includes(given) ? [] : [`there is ${types.join(', ')}`]),
    out,
  );
  const form = forms.find((one) => one.type === type)!; // chosen from these
  const nth = before.length === 0 ? '' : `-${before.length + 1}`;
  const name = await answerOr(told, 'Its name here', `${kind === 'exchange' ? 'partner' : type}${nth}`);
  if (form.place.help !== '') out.line(out.colour(`  ${form.place.help}`, 'dim'));
  const value = await answered(told, form.place.key);
  return { name, type, place: { key: form.place.key, value }, auth: await authOf(told, name, form, env, out) };
}

async function authOf(
  told: Dialogue,
  name: string,
  { credentials, anonymous }: PeerForm,
  env: Context['env'],
  out: Context['out'],
): Promise<Record<string, string>> {
  if (credentials.length === 0) return {};
  let keys = credentials[0] ?? [];
  if (credentials.length > 1 || anonymous) {
    const choices = credentials.map((one, i) => `${i + 1} ${one.map(({ key }) => key).join(' and ')}`);
    if (anonymous) choices.push('0 none');
    const chosen = await sound(
      () => answerOr(told, `Credentials: ${choices.join(', ')}`, '1'),
      (given) =>
        credentials[Number(given) - 1] !== undefined || (anonymous && given === '0') ? [] : ['give one of the numbers'],
      out,
    );
    keys = chosen === '0' ? [] : (credentials[Number(chosen) - 1] ?? []);
  }
  const auth: Record<string, string> = {};
  for (const one of keys) {
    if (one.secret) Object.assign(auth, await secretOf(told, name, one, env, out));
    else auth[one.key] = (await answered(told, one.key)).replaceAll('${', () => '$${');
  }
  return auth;
}

const VARIABLE = /^\$?\{?([A-Z_][A-Z0-9_]*)\}?$/;

/** Where a secret is. A secret typed here by mistake is taken for neither, and so gets into no file in clear. */
async function secretOf(
  told: Dialogue,
  peer: string,
  { key }: Credential,
  env: Context['env'],
  out: Context['out'],
): Promise<Record<string, string>> {
  const where = await sound(
    () =>
      answerOr(
        told,
        `${key}: where it is, a file (./FILE or /FILE) or an environment variable (NAME)`,
        `./secrets/${peer}-${key}`,
      ),
    (given) => {
      const variable = VARIABLE.exec(given)?.[1];
      if (variable !== undefined && env[variable] !== undefined) return [];
      if (variable !== undefined) return ['no such variable is set here; export it first, or name a file'];
      return /^(\.{1,2})?\/./.test(given) ? [] : ['a file begins with ./ or /, a variable has capital letters only'];
    },
    out,
  );
  const variable = VARIABLE.exec(where)?.[1];
  if (variable !== undefined) return { [key]: `\${${variable}}` };
  const path = resolve(dirname(resolve(told.file)), where);
  if (!existsSync(path)) {
    const secret = await told.ask(
      `  There is no ${where} yet. Type the secret for it (not shown; Enter: later): `,
      'hidden',
    );
    if (secret !== '') {
      writing(path, () => mkdirSync(dirname(path), { recursive: true, mode: 0o700 }));
      writeNew(path, `${secret}\n`);
      told.made.push(path);
    }
  }
  return { [`${key}_file`]: where };
}

/** Asks until nothing is wrong with the answer. */
async function sound(
  ask: () => Promise<string>,
  wrong: (answer: string) => readonly string[],
  out: Context['out'],
): Promise<string> {
  for (;;) {
    const answer = await ask();
    const found = wrong(answer);
    if (found.length === 0) return answer;
    for (const one of found) out.note(`  ${one}`);
  }
}

const answerOr = async ({ ask }: Dialogue, question: string, fallback: string): Promise<string> =>
  (await ask(`${question} [${fallback}]: `)).trim() || fallback;

async function answered({ ask }: Dialogue, question: string): Promise<string> {
  for (;;) {
    const answer = (await ask(`${question}: `)).trim();
    if (answer !== '') return answer;
  }
}

const yes = async ({ ask }: Dialogue, question: string): Promise<boolean> =>
  /^y(es)?$/i.test((await ask(`${question} [y/N] `)).trim());
