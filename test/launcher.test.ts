// The launcher as a user meets it: another Node, signals, exit codes, and a death without warning.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const launcher = join(root, 'bin/entente.mjs');
/** A Node that cannot replace itself by execve, as the system one of many machines, where there is one. */
const oldNode = ['/usr/bin/node', '/usr/local/bin/node'].find(
  (path) => existsSync(path) && Number(spawnSync(path, ['-p', 'process.versions.node.split(".")[0]']).stdout) < 22,
);

let child: ChildProcess | undefined;
afterEach(() => {
  child?.kill('SIGKILL');
  child = undefined;
});

describe('the launcher', () => {
  it('passes arguments and the exit code', () => {
    const good = spawnSync(process.execPath, [launcher, 'version', '--json'], { encoding: 'utf8' });
    const wrong = spawnSync(process.execPath, [launcher, 'nobody'], { encoding: 'utf8' });

    expect([good.status, good.stderr]).toEqual([0, '']);
    expect(JSON.parse(good.stdout)).toMatchObject({ node: process.versions.node });
    expect(wrong.status).toBe(2);
  });

  it('hands over all of a long answer to a pipe', () => {
    const { stdout } = spawnSync('/bin/sh', ['-c', `"${process.execPath}" "${launcher}" --help | (sleep 0.2; cat)`], {
      encoding: 'utf8',
    });

    expect(stdout).toContain('70 a bug.');
  });

  it('takes no harm from a reader that leaves', () => {
    const { stderr } = spawnSync('/bin/sh', ['-c', `"${process.execPath}" "${launcher}" --help | true`], {
      encoding: 'utf8',
    });

    expect(stderr).toBe('');
  });

  it.runIf(process.platform === 'linux')('becomes the daemon, so that kill -9 meets it', async () => {
    child = spawn(process.execPath, [launcher, 'version'], {
      stdio: 'pipe',
      env: { ...process.env, NODE_OPTIONS: `--import=${wait}` },
    });
    const line = await commandLineOf(child.pid ?? 0, (text) => text.includes('main.ts'));

    expect(line).toContain('--max-old-space-size=');
    expect(line).toContain('--max-semi-space-size=');
  });

  it.runIf(oldNode !== undefined)('starts the pinned Node from an old one, and reports its exit code', () => {
    const { status, stdout } = spawnSync(oldNode ?? '', [launcher, 'version', '--json'], { encoding: 'utf8' });

    expect(status).toBe(0);
    expect(JSON.parse(stdout).node).toMatch(/^24\./);
  });
});

/** Keeps a process alive for a while, so that it can be looked at; ends by itself. */
const wait = `data:text/javascript,setTimeout(()=>{},3000);process.exit=()=>{}`;

async function commandLineOf(pid: number, until: (text: string) => boolean): Promise<string> {
  let text = '';
  for (let i = 0; i < 100; i++) {
    text = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    if (until(text)) return text;
    await new Promise((go) => setTimeout(go, 20));
  }
  return text;
}
