import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cutOff, endLeftovers, freePort } from './runs.ts';

describe('servers that a run has left', () => {
  let place: string;
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'entente-runs-'));
    vi.stubEnv('ENTENTE_PEERS_DIR', place);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(place, { recursive: true, force: true });
  });

  /** A process with the run's folder on its command line, as every server has it. */
  function aServer(owner: string) {
    const folder = join(place, 'run', `run-${owner.split(' ')[0]}-1`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'owner'), owner);
    const child = spawn('tail', ['-f', join(folder, 'owner')], { stdio: 'ignore' });
    const ended = new Promise<string | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)));
    return { folder, child, ended };
  }
  const started = (pid: number) =>
    readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')[19];

  it('are ended and named when its own process is gone', async () => {
    // The id of this process, but another start: the id was given anew.
    const { folder, child, ended } = aServer(`${process.pid} 1`);

    const lines = await endLeftovers();

    expect(lines).toEqual([expect.stringMatching(new RegExp(`, processes ${child.pid}$`))]);
    expect(await ended).toBe('SIGTERM');
    expect(existsSync(folder)).toBe(false);
  });

  it('are left alone while it lives', async () => {
    const { folder, child, ended } = aServer(`${process.pid} ${started(process.pid)}`);

    const lines = await endLeftovers();

    expect(lines).toEqual([]);
    expect([existsSync(folder), child.exitCode]).toEqual([true, null]);
    child.kill('SIGKILL');
    await ended;
  });
});

describe('ports', () => {
  it('are given once, below those of outgoing connections', async () => {
    const ports = [await freePort(), await freePort(), await freePort()];

    expect(new Set(ports).size).toBe(3);
    for (const port of ports) expect(port).toBeLessThan(32_768);
  });
});

it('a server that is cut off goes with all that it started, before anything else is done', async () => {
  const server = spawn('sh', ['-c', 'sleep 1000 & echo $!; wait'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const begun = await new Promise<number>((resolve) => server.stdout.once('data', (pid) => resolve(Number(pid))));

  await cutOff(server.pid!);

  // Whoever holds a file of it open lives, and is no zombie.
  const state = (pid: number) =>
    existsSync(`/proc/${pid}/stat`) ? /^.*\) (\w)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] : 'gone';
  expect([state(server.pid!), state(begun)].filter((one) => one !== 'gone' && one !== 'Z')).toEqual([]);
});
