// The scripts are run by the shells they are for. zsh and fish are not on every machine: without one, its script is
// only looked at for what it must hold.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/cli.ts';
import { createOutput } from '../../src/cli/output.ts';
import { parts } from '../../src/cli/parts.ts';
import { commit } from '../../src/cli/version.ts';
import { systemClock } from '../../src/core/runtime/clock.ts';

let folder: string;
const scripts: Record<string, string> = {};
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'entente-completion-'));
  for (const shell of ['bash', 'zsh', 'fish']) {
    let text = '';
    const out = createOutput({ write: (more: string) => (text += more) }, { write: () => {} }, {}, systemClock);
    const signal = new AbortController().signal;
    expect(await runCli(['completion', shell], { parts, out, env: {}, signal })).toBe(0);
    scripts[shell] = join(folder, `entente.${shell}`);
    writeFileSync(scripts[shell], text);
  }
  writeFileSync(join(folder, 'my site.yaml'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

const present = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).status === 0;

/** What bash offers after these words, the last of which is being typed. */
function offered(...words: string[]): string[] {
  const script = `source ${scripts['bash']}
    COMP_WORDS=(entente ${words.map((one) => `'${one}'`).join(' ')})
    COMP_CWORD=${words.length}
    _entente
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const text = execFileSync('bash', ['--norc', '-c', script], { cwd: folder, encoding: 'utf8' });
  return text.split('\n').filter((one) => one !== '');
}

describe('bash', () => {
  it('offers commands, and none that does not work yet', () => {
    expect(offered('')).toEqual(expect.arrayContaining(['init', 'run', 'held', 'completion', 'version']));
    expect(offered('')).not.toContain('schema');
    expect(offered('')).not.toContain('pattern');
    expect(offered('re')).toEqual(['record', 'rehearse', 'refused', 'reconcile']);
  });

  it('offers the words, flags and files of a command, and nothing where only the person knows', () => {
    expect(offered('held', '')).toEqual(['list', 'show', 'approve', 'reject']);
    expect([offered('audit', ''), offered('state', '')]).toEqual([['verify', 'export', 'rotate'], ['copy']]);
    expect(offered('held', 'approve', '3', '--')).toEqual(
      expect.arrayContaining(['--set', '--reason', '--config', '--json', '--help']),
    );
    expect(offered('held', 'approve', '3', '--set', '')).toEqual([]);
    expect(offered('simulate', 's')).toEqual(['splunk']);
    expect(offered('completion', '')).toEqual(['bash', 'zsh', 'fish']);
    expect(offered('status', '--config', 'my')).toEqual(['my site.yaml']);
    expect(offered('init', 'my')).toEqual(['my site.yaml']);
    expect(offered('why', 'my')).toEqual([]);
    expect(offered('nobody', '')).toEqual([]);
  });
});

describe('zsh', () => {
  it('takes the script', ({ skip, annotate }) => {
    const script = scripts['zsh'] ?? '';
    if (!present('zsh')) {
      void annotate('no zsh here: its script was not run');
      skip('no zsh here');
    }
    // The completion system needs a terminal, so its own functions are played: they say what they are given.
    const said = execFileSync(
      'zsh',
      [
        '-fc',
        `compdef() { print registered $@ }; _describe() { print -l $commands }; _arguments() { print -rl -- $@ }
         source ${script}
         words=(entente he); CURRENT=2; _entente
         words=(entente held app); CURRENT=3; _entente`,
      ],
      { encoding: 'utf8' },
    ).split('\n');

    expect(said).toContain('registered _entente entente');
    expect(said.some((one) => one.startsWith('status:State, counts'))).toBe(true);
    expect(said).toContain('1: :(list show approve reject)');
    expect(said.some((one) => /^-c\[.*\]:FILE:_files$/.test(one))).toBe(true);
  });
});

describe('fish', () => {
  it('offers the same', ({ skip }) => {
    if (!present('fish')) skip('no fish here');
    const complete = (line: string) =>
      execFileSync('fish', ['--no-config', '-c', `source ${scripts['fish']}; complete -C '${line}'`], {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, HOME: folder },
      })
        .split('\n')
        .map((one) => one.split('\t')[0]);

    expect(complete('entente re')).toEqual(expect.arrayContaining(['refused', 'reconcile']));
    expect(complete('entente held ')).toEqual(expect.arrayContaining(['list', 'show', 'approve', 'reject']));
    expect(complete('entente held --se')).toContain('--set');
    expect(complete('entente status --config my')).toContain('my site.yaml');
  });
});

describe('version', () => {
  it('names the commit that git names, without git', () => {
    const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trim();
    git('init', '-q');
    git('-c', 'user.name=x', '-c', 'user.email=x@soc.example', 'commit', '-q', '--allow-empty', '-m', 'x');
    expect(commit(folder)).toBe(git('rev-parse', 'HEAD'));

    git('pack-refs', '--all');
    expect(commit(folder)).toBe(git('rev-parse', 'HEAD'));
  });
});
