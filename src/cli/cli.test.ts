import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LEAST, smallRegistry } from '../../test/builders/configuration.ts';
import { systemClock } from '../core/runtime/clock.ts';
import { runCli } from './cli.ts';
import type { Parts } from './command.ts';
import { createOutput, progressText } from './output.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'entente-cli-'));
  writeFileSync(join(folder, 'good.yaml'), LEAST);
  writeFileSync(join(folder, 'bad.yaml'), 'instance: SOC\nlistne: x\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

const nothing: Parts = { version: '1.2.3', registry: smallRegistry, simulators: {}, commands: [] };

async function entente(
  argv: string[],
  {
    parts = nothing,
    env = {},
    signal = new AbortController().signal,
  }: { parts?: Parts; env?: Record<string, string>; signal?: AbortSignal } = {},
) {
  let stdout = '';
  let stderr = '';
  const out = createOutput(
    {
      write: (text: string) => {
        stdout += text;
      },
    },
    {
      write: (text: string) => {
        stderr += text;
      },
    },
    env,
    systemClock,
  );
  const code = await runCli(argv, { parts, out, env, signal });
  return { code, stdout, stderr };
}

describe('the command line', () => {
  it('says what it can do, and that no command is wrong usage', async () => {
    expect(await entente(['--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('check') });
    expect((await entente([])).code).toBe(2);
  });

  it.each([
    [['chekc'], 'unknown command chekc; did you mean check?'],
    [['check', '--prob'], 'unknown flag --prob; did you mean --probe?'],
    [['check', '--config'], "'-c, --config <value>' argument missing"],
    [['--probe', 'check'], 'the command comes first'],
    [['check', 'elastic-hq'], '"elastic-hq" is too much for check'],
    [['simulate', 'taxii', 'elastic'], '"elastic" is too much for simulate'],
    [['pattern', 'x'], 'not yet: entente pattern'],
    [['simulate'], 'simulate needs one kind'],
    [['simulate', 'splunk'], 'not yet: simulate splunk'],
    [['help', 'nobody'], 'unknown command nobody'],
  ])('%j is wrong usage', async (argv, message) => {
    const { code, stdout, stderr } = await entente(argv);

    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  it('has help with an example for every command', async () => {
    for (const name of ['check', 'simulate', 'schema', 'help', 'version', 'pattern']) {
      const { code, stdout } = await entente([name, '--help']);
      expect(code).toBe(0);
      expect(stdout).toMatch(/Example:\n {2}\S/);
    }
  });

  it('tells its version, also as JSON', async () => {
    expect((await entente(['version'])).stdout).toContain('1.2.3');
    expect(JSON.parse((await entente(['--version', '--json'])).stdout)).toMatchObject({ version: '1.2.3' });
  });
});

describe('check', () => {
  it('is silent trouble for nobody: 0 and a line for a good file', async () => {
    expect(await entente(['check', '-c', join(folder, 'good.yaml')])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 exchange(s), 1 SIEM(s)'),
    });
  });

  it('finds the file in the environment', async () => {
    expect((await entente(['check'], { env: { ENTENTE_CONFIG: join(folder, 'good.yaml') } })).code).toBe(0);
  });

  it('prints every problem on stderr and exits 2', async () => {
    const { code, stderr } = await entente(['check', '-c', join(folder, 'bad.yaml')]);

    expect(code).toBe(2);
    expect(stderr.replaceAll(`${folder}/`, '')).toMatch(/^bad\.yaml:1:11 instance: .*\nbad\.yaml:2:1 listne: .*\n$/);
    expect(stderr).toContain(`${join(folder, 'bad.yaml')}:1:11`);
  });

  it('gives machines the same', async () => {
    const { code, stdout } = await entente(['check', '--json', '-c', join(folder, 'bad.yaml')]);

    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      problems: [
        { line: 1, path: 'instance' },
        { line: 2, path: 'listne' },
      ],
    });
  });

  it('exits 1 when a peer fails the probe', async () => {
    const probe = (ok: boolean) => async () => [{ name: 'watch', ok, message: 'told' }];
    const file = join(folder, 'good.yaml');

    expect((await entente(['check', '--probe', '-c', file], { parts: { ...nothing, probe: probe(true) } })).code).toBe(
      0,
    );
    expect(
      await entente(['check', '--probe', '-c', file], { parts: { ...nothing, probe: probe(false) } }),
    ).toMatchObject({ code: 1, stdout: expect.stringContaining('told') });
  });
});

describe('simulate', () => {
  it('prints one JSON line, and runs until it is told to stop', async () => {
    const stop = new AbortController();
    let closed = false;
    const parts: Parts = {
      ...nothing,
      simulators: {
        taxii: async ({ port, tls }) => ({
          line: { url: `http://127.0.0.1:${port}`, tls },
          close: async () => {
            closed = true;
          },
        }),
      },
    };
    const running = entente(['simulate', 'taxii', '--port', '8800'], { parts, signal: stop.signal });
    await new Promise((go) => setImmediate(go));
    expect(closed).toBe(false);

    stop.abort();
    const { code, stdout } = await running;

    expect([code, closed, JSON.parse(stdout)]).toEqual([
      0,
      true,
      { kind: 'taxii', url: 'http://127.0.0.1:8800', tls: false },
    ]);
  });
});

describe('output', () => {
  it('takes a terminal that does not know its width for 80 columns', () => {
    let text = '';
    const stdout = { write: (more: string) => (text += more), isTTY: true, columns: 0 };
    createOutput(stdout, { write: () => {} }, {}, systemClock).table(['LAST SUCCESS'], [['2025-12-15 12:00:03Z']]);

    expect(text).toContain('2025-12-15 12:00:03Z');
  });

  it('shows rate and time left, with a bar where there is room', () => {
    expect(progressText('Delivering', 50_000, 100_000, 4)).toBe('Delivering  50,000 of 100,000  12,500/s  4 s left');
    expect(progressText('Delivering', 50, 100, 10, 70)).toMatch(
      /^Delivering {2}\[#+-+\] {2}50 of 100 {2}5\/s {2}10 s left$/,
    );
    expect(progressText('Reading', 5, undefined, 0)).toBe('Reading  5  0/s');
  });

  it('writes progress as plain lines, seconds apart, where there is no terminal', () => {
    let now = 0;
    let stderr = '';
    const clock = { ...systemClock, monotonic: () => now };
    const progress = createOutput(
      { write: () => {} },
      {
        write: (text: string) => {
          stderr += text;
        },
      },
      {},
      clock,
    ).progress('Reading');
    for (now = 0; now <= 12_000; now += 100) progress.at(now / 200);
    progress.end();

    expect(stderr.split('\n').filter((one) => one !== '')).toHaveLength(3);
    expect(stderr).not.toContain('\r');
  });

  it('redraws one bar on a terminal, and asks for the total only when it draws', () => {
    let now = 0;
    let asked = 0;
    let stderr = '';
    const write = (text: string) => {
      stderr += text;
    };
    const terminal = { isTTY: true, columns: 80, write };
    const clock = { ...systemClock, monotonic: () => now };
    const progress = createOutput({ write: () => {} }, terminal, {}, clock).progress('Writing');
    for (now = 0; now <= 1000; now += 10)
      progress.at(now, () => {
        asked++;
        return 2000;
      });
    progress.end();

    expect(asked).toBe(11);
    expect(stderr).toMatch(/\rWriting {2}\[#+-+\] {2}500 of 2,000 {2}1,000\/s {2}2 s left/);
    expect(stderr.match(/\n/g)).toHaveLength(1);
  });

  it('colours only a terminal that wants it', () => {
    const colour = (isTTY: boolean, env: Record<string, string>) =>
      createOutput({ write: () => {}, isTTY }, { write: () => {} }, env, systemClock).colour('x', 'red');

    expect([colour(true, {}), colour(true, { NO_COLOR: '1' }), colour(false, {})]).toEqual([
      '\u001b[31mx\u001b[0m',
      'x',
      'x',
    ]);
  });

  it('lets no foreign text move the cursor', () => {
    let text = '';
    createOutput({ write: (more: string) => (text += more) }, { write: () => {} }, {}, systemClock).table(
      ['a'],
      [['\u001b[2Jgone\r\nover']],
    );

    expect(text).toBe('a\n\ufffd[2Jgone\ufffd over\n');
  });
});
