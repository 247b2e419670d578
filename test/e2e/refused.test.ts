// What is refused is findable, through the commands as they are typed.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { inProcess } from './in-process.ts';
import { aWorld, idFor, indicator, type World } from './world.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

let world: World;
beforeEach(async () => {
  world = await aWorld();
  world.site.configure(world.settings({ top: { policy: { min_confidence: 20 } } }));
});
afterEach(() => world.close());

const entente = (...args: string[]) => inProcess(world.site, ...args);

const COMBINED = "[ipv4-addr:value = '198.18.9.9' AND domain-name:value = 'Evil.example']";

it('by list with id, name, pattern, code and reason, and by why of a value that only a refused pattern names', async () => {
  world.taxii.load([
    indicator('198.18.0.1'),
    indicator('a', { name: 'two at once', pattern: COMBINED }),
    indicator('b', { pattern_type: 'sigma', pattern: 'title: x' }),
    indicator('d', {
      pattern: `[domain-name:value = '${'x'.repeat(3000)}' AND ipv6-addr:value = '2001:0DB8:0:0::A1' AND domain-name:value = 'bücher.example']`,
    }),
    indicator('198.18.9.88', { revoked: true }),
    indicator('198.18.9.66', { confidence: 10, name: 'doubtful' }),
    indicator('c', { modified: 'yesterday', name: 'undated', pattern: "[ipv4-addr:value = '198.18.9.77']" }),
  ]);
  await entente('run', '--once');

  const lines = (await entente('refused', 'list', '--json')).stdout.trim().split('\n');
  const all = lines.map((line) => JSON.parse(line) as { object_id: string; code: string; reason: string });
  expect(all).toContainEqual({
    exchange: 'partner',
    object_id: idFor('a'),
    name: 'two at once',
    pattern: COMBINED,
    code: expect.stringMatching(/^[a-z0-9_]+$/),
    reason: expect.any(String),
  });
  expect(all.map((one) => one.object_id).toSorted()).toEqual(['a', 'b', 'c', 'd', '198.18.9.66'].map(idFor).toSorted());
  expect(all).toContainEqual({
    exchange: 'partner',
    object_id: idFor('198.18.9.66'),
    name: 'doubtful',
    pattern: null,
    code: 'confidence_too_low',
    reason: 'confidence 10 is below 20',
    siems: ['watch'],
    values: ['198.18.9.66'],
  });
  const only = async (...flags: string[]) =>
    (await entente('refused', 'list', '--json', ...flags)).stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { object_id: string }).object_id);
  expect(await only('--reason', 'pattern_type_sigma')).toEqual([idFor('b')]);
  expect(await only('--reason', 'modified is missing')).toEqual([idFor('c')]);
  expect(await only('--exchange', 'nobody')).toEqual([]);
  expect((await entente('refused', 'list')).stdout).toContain(`partner: ${idFor('c')}  undated`);

  for (const [value, id] of [
    ['198.18.9[.]9', idFor('a')],
    ['evil.example', idFor('a')],
    ['198.18.9.77', idFor('c')],
    ['2001[:]db8::a1', idFor('d')],
    ['XN--BCHER-KVA.example', idFor('d')],
    ['198.18.9.88', idFor('198.18.9.88')],
  ] as const) {
    const why = JSON.parse((await entente('why', value, '--json')).stdout) as { entries: object[] };
    expect(why.entries).toMatchObject([
      {
        claims: [],
        refused: [{ exchange: 'partner', object_id: id, code: expect.any(String), reason: expect.any(String) }],
      },
    ]);
    const text = (await entente('why', value)).stdout;
    // Who published it did not take it back, and the same again would change nothing; only of a revocation that is true.
    expect(text).toContain(
      value === '198.18.9.88'
        ? 'nothing: nobody vouches for it any more'
        : 'nothing: what names it is refused, for the reason that stands with each below',
    );
    expect(text).toContain(id);
    expect(text).not.toContain('Nothing is known');
  }
  // A part of another value is not that value.
  const other = await entente('why', '8.9.9.9');
  expect(other.stdout).toContain(
    'Nothing is known of 8.9.9.9: no indicator that an exchange of ours published names it',
  );

  // From now on nobody can say what no object names.
  expect(other.stdout).not.toContain('name more values than are kept');
  world.taxii.load([
    indicator('e', { pattern: `[domain-name:value = 'e.example'${' '.repeat(170_000)}AND url:value = 'x']` }),
  ]);
  await entente('run', '--once');
  const then = await entente('why', '8.9.9.9');
  expect(then.stdout).toContain('Some refused objects name more values than are kept of them');
});

it('with the place where a pattern breaks off, and with what was left out of one, in list and why', async () => {
  world.taxii.load([
    indicator('f', { pattern: "[ipv4-addr:value = '198.18.9.20' OR\n  url:value == ]" }),
    indicator('g', { pattern: "[ipv4-addr:value = '198.18.9.21'\n  OR mutex:name = 'x']" }),
    indicator('h', { pattern: "[ipv4-addr:value = '198.18.9.22']", confidence: '90' }),
    indicator('i', { pattern: "[ipv4-addr:value = '198.18.9.23']", modified: 'yesterday' }),
  ]);
  await entente('run', '--once');

  const told = {
    '198.18.9.20': /^not a valid STIX pattern: line 2, column 16: \S/,
    '198.18.9.21': /^unsupported: mutex:name$/,
    '198.18.9.22': /^confidence is no integer from 0 to 100: confidence is "90"$/,
    '198.18.9.23': /^modified is missing or no timestamp: yesterday$/,
  };
  const lines = (await entente('refused', 'list', '--json')).stdout.trim().split('\n');
  const listed = lines.map((line) => JSON.parse(line) as { reason: string; pattern: string });
  const text = (await entente('refused', 'list')).stdout;
  for (const [value, reason] of Object.entries(told)) {
    const [one] = listed.filter(({ pattern }) => pattern.includes(value));
    expect(one?.reason).toMatch(reason);
    expect(text).toContain(one!.reason);
    expect((await entente('why', value)).stdout).toContain(one!.reason);
  }
  expect((await entente('refused', 'list', '--reason', 'not_a_valid_stix_pattern')).stdout).toContain(idFor('f'));
});
