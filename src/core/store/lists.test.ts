import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { anIndicator, aSiem, ipv4, NOW, Rig } from '../../../test/builders/store.ts';
import type { NeverBlockRules } from '../policy/never-block.ts';
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
