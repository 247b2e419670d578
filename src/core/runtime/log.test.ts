import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLog } from './log.ts';
import { Secret } from './secret.ts';

function aLog(format: 'json' | 'text' = 'json', level = 'info') {
  const stream = new PassThrough();
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
  });
  const log = createLog({ level, format, stream, now: () => Date.UTC(2026, 0, 1) });
  const lines = async () => {
    await log.close();
    return text.split('\n').filter((one) => one !== '');
  };
  return { log, lines };
}

describe('the log', () => {
  it('writes one JSON object a line, with the fields of its context', async () => {
    const { log, lines } = aLog();
    log.child({ siem: 'watch' }).info('Delivered.', { count: 3 });

    expect((await lines()).map((one) => JSON.parse(one))).toEqual([
      { time: '2026-01-01T00:00:00.000Z', level: 'info', message: 'Delivered.', siem: 'watch', count: 3 },
    ]);
  });

  it('never prints a secret: as a value of its own, under a telling name, or deep inside', async () => {
    const { log, lines } = aLog();
    log.info('Configured.', {
      password: 'hunter2',
      peer: { auth: { api_key: 'hunter2', list: [{ Authorization: 'Bearer hunter2' }] } },
      secretValue: Secret.of('hunter2'),
      key: Secret.of('hunter2'),
    });

    const [line] = await lines();

    expect(line).toContain('Configured.');
    expect(line).not.toContain('hunter2');
  });

  it('masks credentials that a library put into an error or a URL', async () => {
    const { log, lines } = aLog();
    const error = new Error('request to https://user:hunter2@es.example failed', {
      cause: new Error('Authorization: Bearer hunter2'),
    });
    log.error('A call failed.', { error, url: 'https://user:hunter2@es.example/' });

    expect((await lines()).join()).not.toContain('hunter2');
  });

  it('writes an error with message, stack and cause', async () => {
    const { log, lines } = aLog();
    log.error('Broken.', { error: new TypeError('no such thing', { cause: new Error('deeper') }) });

    const [line] = await lines();

    expect(JSON.parse(line!).error).toMatchObject({
      message: 'no such thing',
      stack: expect.stringContaining('log.test'),
      cause: { message: 'deeper' },
    });
  });

  it('survives what JSON cannot write: circles, BigInt, Map, and things that throw when read', async () => {
    const { log, lines } = aLog();
    const circle: Record<string, unknown> = { big: 12n, map: new Map([['a', 1]]), set: new Set([2]), undefined };
    circle['self'] = circle;
    log.info('Odd.', {
      circle,
      date: new Date(0),
      throws: {
        get bad(): never {
          throw new Error('no');
        },
      },
    });

    const [line] = await lines();

    expect(JSON.parse(line!)).toMatchObject({
      message: 'Odd.',
      circle: { big: '12', map: { a: 1 }, set: [2] },
      date: '1970-01-01T00:00:00.000Z',
    });
  });

  it('cannot be made to print a second line by what a partner sent', async () => {
    const { log, lines } = aLog('text');
    log.warn('Refused.', { name: 'a\n2026-01-01T00:00:00.000Z ERROR all is lost\u001b[2J' });

    const found = await lines();

    expect(found).toHaveLength(1);
    expect(found[0]).not.toContain('\u001b');
  });

  it.each(['text', 'json'] as const)('spells out what a partner hides in a text, as %s', async (format) => {
    const { log, lines } = aLog(format);
    log.warn('Refused.', { collection: 'a\u202egpj.exe', error: new Error('zero\u200bwidth') });

    const [line = ''] = await lines();

    expect(line).not.toMatch(/[\u202e\u200b]/);
    expect(line).toContain('u{202e}gpj.exe');
    expect(line).toContain('u{200b}width');
  });

  it('lets no field replace time, level or message', async () => {
    const { log, lines } = aLog();
    log.info('Mine.', { message: 'theirs', level: 'error', time: 'never' });

    expect(JSON.parse((await lines())[0]!)).toMatchObject({
      message: 'Mine.',
      level: 'info',
      time: '2026-01-01T00:00:00.000Z',
    });
  });

  it('keeps quiet below its level, which can change while it runs', async () => {
    const { log, lines } = aLog();
    log.debug('One.');
    log.setLevel('debug');
    log.debug('Two.');

    expect((await lines()).map((one) => JSON.parse(one).message)).toEqual(['Two.']);
  });

  it('has handed everything over once it is closed, and takes no harm from a second close', async () => {
    const { log, lines } = aLog();
    for (let i = 0; i < 5000; i++) log.info('Many.', { i });

    const found = await lines();
    await log.close();

    expect(found).toHaveLength(5000);
  });
});
