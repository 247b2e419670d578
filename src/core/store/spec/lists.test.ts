import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { anIndicator, aSiem, ipv4, NOW, Rig } from '../../../../test/builders/store.ts';
import type { NeverBlockRules } from '../../policy/never-block.ts';
import type { Observable } from '../../model/observable.ts';
import { loadLists } from './lists.ts';

function aFolder(files: Readonly<Record<string, unknown>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'entente-lists-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const put = (name: string, content: unknown) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  };
  for (const [name, content] of Object.entries(files)) put(name, content);
  return { folder, put };
}

const aList = (...list: string[]) => ({ name: 'x', version: 1, description: 'x', type: 'cidr', list });

it('reads lists wherever they lie in the folder, tells what it cannot use and uses the rest', () => {
  const { folder } = aFolder({
    'lists/sinkholes/list.json': aList('5.6.7.8', '0.0.0.0/0'),
    'mine/list.json': aList('5.6.8.0/24'),
    'plain.json': aList('5.6.9.1'),
    'broken.json': '{"type": "cidr", "li',
    'empty_hashes.json': aList('5.6.9.2'),
    'schema.json': { type: 'object' },
    'notes.txt': 'nothing',
    'lists/no-list/readme.md': '',
  });

  const { index, reports } = loadLists(folder);

  expect(reports.map(({ name, entries, leftOut }) => [name, entries, leftOut])).toEqual([
    ['mine', 1, 0],
    ['plain', 1, 0],
    ['sinkholes', 1, 1],
    ['broken', 0, 0],
    ['empty_hashes', 0, 0],
  ]);
  expect(reports[2]?.problems).toEqual(['0.0.0.0/0: it covers nearly everything']);
  expect(reports[3]?.problems[0]).toMatch(/^not used: it is no JSON/);
  expect(reports[4]?.problems[0]).toMatch(/^not used: a list of the project has this name/);
  expect(index.find(ipv4('5.6.8.9')).map((one) => one.list)).toEqual(['mine']);
});

/** Of each match type: what is broken in it, what would match nearly everything, what is sound, and what that names. */
it.each<[type: string, broken: unknown[], catchAll: string[], sound: string, named: readonly Observable[]]>([
  [
    'cidr',
    ['5.6.0.0/40', 'no network', 'http://x.example/'],
    ['0.0.0.0/0', '::/0', '0.0.0.0/1'],
    '5.6.8.0/24',
    [ipv4('5.6.8.9'), { type: 'url', value: 'http://5.6.8.9/' }],
  ],
  ['string', ['a b', ['5.6.8.9']], ['0.0.0.0/0'], 'Mail@x.example', [{ type: 'email-addr', value: 'mail@x.example' }]],
  [
    'hostname',
    ['a b', '.', 7],
    ['*'],
    '.x.example',
    [
      { type: 'domain-name', value: 'a.x.example' },
      { type: 'url', value: 'http://x.example/' },
    ],
  ],
  ['substring', [null, {}], ['e', ' a '], 'evil', [{ type: 'domain-name', value: 'notevil.example' }]],
  [
    'regex',
    ['a(b', '(?=x)y'],
    ['.*', '/x?/i', '.', '/.+/', '/[^ ]/', '[a-z0-9]'],
    '/^evil/i',
    [{ type: 'domain-name', value: 'evil.example' }],
  ],
])('words what is broken in a list of type %s or would match all, and uses the rest', (type, ...row) => {
  const [broken, catchAll, sound, named] = row;
  const left = [...broken, '', ...catchAll];
  const { folder } = aFolder({
    'mine.json': { ...aList(), type, list: [...left.slice(0, 2), sound, ...left.slice(2)] },
  });

  const { index, reports } = loadLists(folder);

  expect(reports).toMatchObject([{ name: 'mine', entries: 1, leftOut: left.length }]);
  // Told with the entry, as far as it is text, and with the reason.
  expect(reports[0]!.problems).toHaveLength(Math.min(5, left.length));
  for (const problem of reports[0]!.problems) expect(problem).toMatch(/^.{1,80}: .{8,}/);
  for (const one of named) expect(index.find(one).map(({ list }) => list)).toEqual(['mine']);
  for (const one of OTHERS) expect(index.find(one)).toEqual([]);
});

const OTHERS: readonly Observable[] = [
  ipv4('9.9.9.1'),
  { type: 'ipv6-addr', value: '2a00::1' },
  { type: 'domain-name', value: 'other.test' },
  { type: 'url', value: 'https://other.test/' },
  { type: 'email-addr', value: 'who@other.test' },
  { type: 'file:hashes.MD5', value: 'b'.repeat(32) },
];

it.each(['cidr', 'string', 'hostname', 'substring', 'regex'])(
  'says of an empty list of type %s that it names nothing',
  (type) => {
    const { folder } = aFolder({ 'mine.json': { ...aList(), type }, 'other.json': aList('5.6.7.8') });

    const { index, reports } = loadLists(folder);

    expect(reports).toEqual([
      { name: 'mine', entries: 0, leftOut: 0, problems: ['it has no entries, and names nothing'] },
      { name: 'other', entries: 1, leftOut: 0, problems: [] },
    ]);
    expect(index.find(ipv4('5.6.7.8')).map(({ list }) => list)).toEqual(['other']);
    for (const one of OTHERS) expect(index.find(one)).toEqual([]);
  },
);

it('says which folder cannot be read', () => {
  expect(() => loadLists('/nowhere/lists')).toThrow(/never-block lists cannot be read: \/nowhere\/lists \(ENOENT\)/);
});

it('takes away what a changed list names, armed or not, counts it, and gives it back when it names it no more', () => {
  const { folder, put } = aFolder({ 'mine.json': aList('5.6.7.8') });
  const never: NeverBlockRules = {
    actions: { mine: 'refuse' },
    own: { networks: [], domains: [] },
    lists: folder,
  };
  const plain = aSiem();
  const rules = plain.rules['partner']!;
  const siem = { ...plain, rules: { partner: { ...rules, intake: { ...rules.intake, neverBlock: never } } } };
  const rig = new Rig({ siems: [siem] });
  const stopped = () => rig.read((reader) => reader.neverBlock().met.get('mine refuse') ?? 0);
  rig.commit(
    ['5.6.7.8', '5.6.7.9'].map((value) => anIndicator({ objectId: `indicator--${value}`, observables: [ipv4(value)] })),
  );
  expect(rig.deliver()).toEqual(['upsert 5.6.7.9']);
  expect(stopped()).toBe(1);

  put('mine.json', aList('5.6.7.9'));
  rig.restart();
  rig.tick(NOW + 1);

  expect(rig.deliver(NOW + 2).sort()).toEqual(['remove 5.6.7.9', 'upsert 5.6.7.8']);
  expect(stopped()).toBe(2);
  const [first] = rig.read((reader) => reader.why(ipv4('5.6.7.9'), NOW))!.claims[0]!.decisions;
  expect(first).toMatchObject({ decision: 'refuse', reason: '5.6.7.9 is listed (never-block list mine)' });

  // The same content again moves nothing.
  rig.restart();
  rig.tick(NOW + 3);
  expect(rig.deliver(NOW + 4)).toEqual([]);

  put('mine.json', aList());
  rig.restart();
  rig.tick(NOW + 5);
  expect(rig.deliver(NOW + 6)).toEqual(['upsert 5.6.7.9']);
});

it('looks values up for who has none of the lists', () => {
  const { folder } = aFolder({ 'sinkholes.json': aList('5.6.7.8'), 'more.json': aList('5.6.7.0/24') });
  const neverBlock = { actions: {}, own: { networks: [], domains: [] }, lists: folder };
  const given = aSiem();
  const [pair] = Object.values(given.rules);
  const rig = new Rig({
    siems: [{ ...given, rules: { partner: { ...pair!, intake: { ...pair!.intake, neverBlock } } } }],
  });

  const found = rig.store.onLists([ipv4('5.6.7.8'), ipv4('9.9.9.9')]);

  expect(
    found.map((one) =>
      one
        .get(folder)
        ?.map(({ list }) => list)
        .sort(),
    ),
  ).toEqual([['more', 'sinkholes'], []]);
});
