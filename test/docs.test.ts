// Documents that are wrong are worse than none: what can be checked of them is checked. A YAML block is a whole
// configuration, unless the line above it is <!-- fragment -->.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandTable } from '../src/cli/cli.ts';
import { parts } from '../src/cli/parts.ts';
import { parseConfig } from '../src/core/config/load.ts';
import { problemLine } from '../src/core/config/source.ts';
import { CONDITIONS, runbookOf } from '../src/core/model/condition.ts';

const root = join(import.meta.dirname, '..');
const documents = globSync('**/*.md', {
  cwd: root,
  exclude: (name) => name === 'node_modules' || name === '.git',
}).map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

/** Fenced blocks with their language and the line before; the text around them without any. */
function blocksOf(text: string): { language: string; before: string; body: string }[] {
  return [...text.matchAll(/(?:^|\n)([^\n]*)\n+```(\w*)\n([\s\S]*?)\n```/g)].map((one) => ({
    before: one[1] ?? '',
    language: one[2] ?? '',
    body: one[3] ?? '',
  }));
}
const proseOf = (text: string) => text.replace(/(^|\n)```[\s\S]*?\n```/g, '$1');

/** What GitHub and others make of a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
const anchorsOf = (text: string) => [...proseOf(text).matchAll(/^#+ +(.+)$/gm)].map((one) => anchorOf(one[1] ?? ''));

function problemsOf(name: string, text: string): string[] {
  const env = Object.fromEntries([...text.matchAll(/(?<!\$)\$\{(\w+)\}/g)].map((one) => [one[1] ?? '', 'x']));
  const answer = parseConfig(name, text, parts.registry, env);
  return 'problems' in answer ? answer.problems.map(problemLine) : [];
}

describe('documents', () => {
  it('are found', () => {
    const paths = documents.map((one) => one.path);

    expect(paths).toEqual(expect.arrayContaining(['README.md', 'docs/runbook.md', 'deploy/README.md']));
  });

  it('show only configurations that the schema takes', () => {
    const shown = documents.flatMap(({ path, text }) =>
      blocksOf(text)
        .filter((block) => block.language === 'yaml' && block.before.trim() !== '<!-- fragment -->')
        .map((block) => ({ path, body: block.body })),
    );

    expect(shown.map((one) => one.path)).toContain('README.md');
    expect(shown.flatMap(({ path, body }) => problemsOf(path, body))).toEqual([]);
  });

  it('show an example that works with what it comments out, each by itself', () => {
    const lines = readFileSync(join(root, 'config/example.yaml'), 'utf8').split('\n');
    const choices = lines.flatMap((line, i) => (/^ *# ?[a-z_]+: \S/.test(line) ? [i] : []));

    // A key that stands there twice is the other choice of the one that is set: that line goes.
    const wrong = choices.flatMap((at) => {
      const [, indent = '', rest = ''] = /^( *)# *(.*)$/.exec(lines[at] ?? '') ?? [];
      const chosen = `${indent}${rest}`;
      const key = `${chosen.split(':')[0]}:`;
      const text = lines
        .map((line, i) => (i === at ? chosen : line))
        .filter((line, i) => i === at || !line.startsWith(key) || Math.abs(i - at) > 6)
        .join('\n');
      return problemsOf('example.yaml', text).filter((one) => !/file .*cannot be read/.test(one));
    });

    expect(choices.length).toBeGreaterThan(10);
    expect(wrong).toEqual([]);
  });

  it('lead somewhere', () => {
    const dead = documents.flatMap(({ path, text }) =>
      [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)]
        .map((one) => one[1] ?? '')
        .filter((to) => !/^[a-z]+:/.test(to))
        .filter((to) => {
          const [file = '', anchor] = to.split('#');
          const target = file === '' ? path : join(dirname(path), file);
          if (!existsSync(join(root, target))) return true;
          if (anchor === undefined) return false;
          return !anchorsOf(readFileSync(join(root, target), 'utf8')).includes(anchor);
        })
        .map((to) => `${path}: ${to}`),
    );

    expect(dead).toEqual([]);
  });

  it('name files of this project that exist', () => {
    const dead = documents.flatMap(({ path, text }) =>
      [...proseOf(text).matchAll(/`((?:src|test|docs|config|content|deploy|changelog\.d|bin)\/[\w./-]+)`/g)]
        .map((one) => one[1] ?? '')
        .filter((to) => !existsSync(join(root, to)))
        .map((to) => `${path}: ${to}`),
    );

    expect(dead).toEqual([]);
  });

  it('name only commands and flags that exist', async () => {
    const table = await commandTable(parts);
    const called = documents.flatMap(({ path, text }) => {
      const shells = blocksOf(text)
        .filter((block) => block.language === 'sh')
        .flatMap((block) => block.body.split('\n'));
      const spans = [...proseOf(text).matchAll(/`([^`\n]+)`/g)].map((one) => one[1] ?? '');
      return [...shells, ...spans].flatMap((line) =>
        [...line.replace(/\s#.*$/, '').matchAll(/(?:^|no |&& )entente ([a-z]+)([^&|]*)/g)].map((one) => ({
          path,
          name: one[1] ?? '',
          flags: [...(one[2] ?? '').matchAll(/--([a-z-]+)/g)].map((flag) => flag[1] ?? ''),
        })),
      );
    });
    const wrong = called.flatMap(({ path, name, flags }) => {
      const command = table.find((one) => one.name === name);
      if (command === undefined) return [`${path}: entente ${name}`];
      const known = [...Object.keys(command.flags), 'config', 'json', 'help'];
      return flags.filter((flag) => !known.includes(flag)).map((flag) => `${path}: entente ${name} --${flag}`);
    });

    expect(called.length).toBeGreaterThan(20);
    expect(wrong).toEqual([]);
  });

  it('name npm scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
    const wrong = documents.flatMap(({ path, text }) =>
      [...text.matchAll(/npm run ([a-z0-9:]+)/g)]
        .map((one) => one[1] ?? '')
        .filter((name) => !(name in scripts))
        .map((name) => `${path}: npm run ${name}`),
    );

    expect(wrong).toEqual([]);
  });
});

describe('the README', () => {
  it('has a line for every command', async () => {
    const text = readFileSync(join(root, 'README.md'), 'utf8');
    const shown = (await commandTable(parts)).filter(
      (one) => one.hidden !== true && !one.summary.endsWith('(not yet)') && !['help', 'version'].includes(one.name),
    );

    expect(shown.filter((one) => !text.includes(`\`entente ${one.name}`)).map((one) => one.name)).toEqual([]);
  });
});

describe('decision records', () => {
  const pages = documents.filter((one) => /^docs\/decisions\/(?!README)/.test(one.path));

  it.each(pages)('$path has a number, a date and the four headings in their order', ({ path, text }) => {
    expect(path).toMatch(/\/\d{4}-[a-z0-9-]+\.md$/);
    expect(text).toMatch(/^# .+\n\nDate: \d{4}-\d\d-\d\d\n/);
    expect([...text.matchAll(/^## (.+)$/gm)].map((one) => one[1])).toEqual([
      'Context',
      'Decision',
      'Disadvantages',
      'Alternatives',
    ]);
  });

  it('are numbered without gap and all stand in the index', () => {
    const index = readFileSync(join(root, 'docs/decisions/README.md'), 'utf8');
    const names = pages.map((one) => one.path.split('/').at(-1) ?? '').sort();

    expect(names.map((name) => Number(name.slice(0, 4)))).toEqual(names.map((_, i) => i + 1));
    expect(names.filter((name) => !index.includes(`(${name})`))).toEqual([]);
  });
});

describe('changelog fragments', () => {
  const fragments = documents.filter((one) => /^changelog\.d\/(?!README)/.test(one.path));

  it.each(fragments)('$path says what was, what is and what to do', ({ path, text }) => {
    expect(path).toMatch(/\/(added|changed|fixed|removed|security)(-[a-z0-9]+)+\.md$/);
    expect(text).toMatch(/^# .+\n\n\*\*Before:\*\* [^*]+\n\n\*\*Now:\*\* [^*]+\n\n\*\*To do:\*\* [^*]+\n$/);
  });
});

describe('the runbook', () => {
  const CALL = /\blog\??\.(?:info|warn|error)\(/g;
  const MESSAGE = /\blog\??\.(?:info|warn|error)\(\s*(?:'((?:[^'\\]|\\.)*)'|`([^`$]*)`)/g;
  const sources = globSync('src/**/*.ts', { cwd: root })
    .filter((path) => !path.endsWith('.test.ts') && !path.startsWith('src/simulators/'))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
  const logged = new Set(
    sources.flatMap(({ text }) =>
      [...text.matchAll(MESSAGE)].map((one) => (one[1] ?? one[2] ?? '').replace("\\'", "'")),
    ),
  );
  const table = proseOf(readFileSync(join(root, 'docs/runbook.md'), 'utf8'))
    .split('## Messages of the log')[1]!
    .split('\n## ')[0]!
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| message') && !line.startsWith('| ---'))
    .flatMap((line) => line.split('|')[1]!.trim().split(' / '));

  it('is about messages that are constant sentences', () => {
    const calls = sources.filter(({ text }) => [...text.matchAll(CALL)].length !== [...text.matchAll(MESSAGE)].length);

    expect(calls.map((one) => one.path)).toEqual([]);
  });

  it('has every message of the log, and none that is never logged', () => {
    expect([...logged].filter((one) => !table.includes(one))).toEqual([]);
    expect(table.filter((one) => !logged.has(one))).toEqual([]);
  });

  it('has a chapter for every condition that status can name, each with its own words, and no other', () => {
    const chapters = readFileSync(join(root, 'docs/runbook.md'), 'utf8')
      .split('\n## Conditions\n')[1]!
      .split('\n## ')[0]!;
    const found = [...chapters.matchAll(/^### (\S+)\n\n(.+)$/gm)].map((one) => ({
      name: one[1] ?? '',
      text: one[2] ?? '',
    }));

    expect(found.map((one) => one.name).sort()).toEqual(CONDITIONS.filter((one) => one !== 'well').sort());
    expect(found.filter((one) => one.text.length < 40)).toEqual([]);
    for (const one of CONDITIONS) expect([null, `docs/runbook.md#${one}`]).toContain(runbookOf(one));
  });
});
