import { describe, expect, it } from 'vitest';
import { parseConfig } from '../core/config/load.ts';
import { type PeerForm, peerForms, setupText } from '../core/config/setup.ts';
import { answersOf } from './init-flags.ts';
import { parts } from './parts.ts';

const forms = peerForms(parts.registry);
const flags = (more: object) => ({ instance: 'soc-one', ...more });
const SECRET = 'SECRET';

/** One spec for each way to authenticate that a form knows. */
function specsOf({ type, place, credentials, anonymous }: PeerForm): string[] {
  const where = `name=peer,type=${type},${place.key}=${place.key === 'url' ? 'https://peer.example/' : './inbox'}`;
  const ways = credentials.map((keys) =>
    keys.map((one) => (one.secret ? `${one.key}_env=${SECRET}` : `${one.key}=user`)).join(','),
  );
  return [...ways.map((way) => `${where},${way}`), ...(anonymous || ways.length === 0 ? [where] : [])];
}

describe('what init asks', () => {
  it.each([
    ...forms.exchanges.flatMap((form) => specsOf(form).map((spec) => ({ flag: 'exchange', spec }))),
    ...forms.siems.flatMap((form) => specsOf(form).map((spec) => ({ flag: 'siem', spec }))),
  ])('makes a file that check takes: $flag $spec', ({ flag, spec }) => {
    const answers = answersOf(flags({ [flag]: [spec] }), forms);
    if ('wrong' in answers) throw new Error(answers.wrong);
    const parsed = parseConfig('entente.yaml', setupText(answers), parts.registry, { [SECRET]: 'x' });

    expect('problems' in parsed ? parsed.problems : []).toEqual([]);
  });

  it('is known of every connector', () => {
    expect(forms.exchanges.map((one) => one.type)).toEqual(parts.registry.exchanges.map((one) => one.type));
    expect(forms.siems.map((one) => one.type)).toEqual(parts.registry.siems.map((one) => one.type));
  });

  it.each([
    [{ exchange: ['name=a'] }, /type=files or misp or taxii21/],
    [{ exchange: ['type=taxii21,name=a'] }, /needs name=… and url=…/],
    [{ siem: ['type=qradar,name=q,url=https://q.example,token=abc'] }, /token_file=PATH or token_env=NAME/],
    [{ siem: ['type=qradar,name=q,url=https://q.example,pasword_file=x'] }, /takes no pasword_file/],
  ])('refuses %j', (more, says) => {
    expect(answersOf(flags(more), forms)).toEqual({ wrong: expect.stringMatching(says) });
  });

  it('keeps a comma in a URL, and a text that looks like a variable as it is', () => {
    const spec = 'name=a,type=taxii21,url=https://t.example/a,b/,username=${HOME},password_file=./p';
    const answers = answersOf(flags({ exchange: [spec] }), forms);

    expect(answers).toMatchObject({
      exchanges: [{ place: { value: 'https://t.example/a,b/' }, auth: { username: '$${HOME}', password_file: './p' } }],
    });
  });
});
