import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Changed, elementsOf } from './elements.ts';
import { CUT_OFF, EMPTY, NO_JSON, NOTHING_KNOWN, survey, TOO_LARGE } from './survey.ts';

/** The text in pieces of so many bytes; the memory of each is used again, as a reader of files does it. */
const inPieces = (bytes: Buffer, size: number) =>
  async function* (from = 0): AsyncGenerator<Buffer> {
    const memory = Buffer.alloc(size);
    for (let at = from; at < bytes.length; at += size) {
      const piece = bytes.subarray(at, at + size);
      memory.set(piece);
      yield memory.subarray(0, piece.length);
      memory.fill(0x58);
    }
  };

/** What both ways through a text find, or why it is refused. */
async function read(text: string | Buffer, size = 7, bounds?: { bytes: number; values: number }) {
  const chunks = inPieces(Buffer.from(text), size);
  const whole = await survey(() => chunks(), bounds);
  if ('reason' in whole) return whole.reason;
  const values: unknown[] = [];
  const ends: number[] = [0];
  for await (const one of elementsOf(whole.form, chunks, 0, 0, bounds)) {
    values.push(one.over ?? one.value);
    ends.push(one.end);
  }
  expect(whole.form.kind === 'lines' || values.length === whole.count).toBe(true);
  // From wherever a page ended, the rest is the rest.
  if (whole.form.kind !== 'value')
    for (const [i, end] of ends.entries()) {
      const rest: unknown[] = [];
      for await (const one of elementsOf(whole.form, chunks, end, i, bounds)) rest.push(one.over ?? one.value);
      expect(rest).toEqual(values.slice(i));
    }
  return {
    kind: whole.form.kind,
    ...('around' in whole.form ? { around: whole.form.around, path: whole.form.path } : {}),
    values,
  };
}

const A = { type: 'indicator', id: 'a' };
const B = { type: 'malware', id: 'b', text: '"}],\\' };

describe('what a file is', () => {
  it.each([
    ['a bundle', { type: 'bundle', objects: [A, B] }, { kind: 'list', around: { type: 'bundle' } }],
    ['an envelope', { more: false, objects: [A, B] }, { kind: 'list', around: { more: false } }],
    ['an answer of MISP', { response: [{ Event: {} }] }, { kind: 'list', around: {} }],
    ['a list', [A, B], { kind: 'list', around: undefined }],
    ['a list of nothing', [], { kind: 'list' }],
    ['a MISP event', { Event: { info: 'x', Attribute: [A] } }, { kind: 'list', around: { Event: { info: 'x' } } }],
    ['a MISP event of objects alone', { Event: { uuid: 'x' } }, { kind: 'value' }],
    ['one object', A, { kind: 'value' }],
    ['an empty envelope', {}, { kind: 'value' }],
    ['an empty bundle', { type: 'bundle', objects: [] }, { kind: 'list' }],
  ])('its content tells: %s', async (_what, value, expected) => {
    for (const text of [
      JSON.stringify(value),
      JSON.stringify(value, undefined, 2),
      `\uFEFF ${JSON.stringify(value)}\r\n`,
    ])
      for (const size of [1, 3, 1000]) expect(await read(text, size)).toMatchObject(expected);
  });

  it.each([
    ['', '\n'],
    ['\uFEFF', '\r\n'],
    ['\n\n', '\n\n'],
  ])('JSON Lines, with blank ones and without a last line end: %j %j', async (before, between) => {
    const text = `${before}${[A, B, A].map((one) => JSON.stringify(one)).join(between)}`;

    for (const size of [1, 9, 1000]) expect(await read(text, size)).toEqual({ kind: 'lines', values: [A, B, A] });
    expect(await read(`${text}\n`)).toEqual({ kind: 'lines', values: [A, B, A] });
  });

  it('keeps the good lines around a broken one', async () => {
    expect(await read(`${JSON.stringify(A)}\n{"type": broken\n${JSON.stringify(B)}\n`, 1000)).toEqual({
      kind: 'lines',
      values: [A, undefined, B],
    });
  });

  it.each([
    ['', EMPTY],
    ['   \n', NO_JSON],
    ['hello, world\nand more\n', NO_JSON],
    ['{"type":"bundle","objects":[{"a":1},{"b":]}', NO_JSON],
    ['{"type":"bundle","objects":[{"type":"x"},]}', NO_JSON],
    ['{"type":"bundle","objects":[{"type":"x"}}', NO_JSON],
    ['{"type":"bundle","objects":[{"type":"x"}}}', NO_JSON],
    ['{"objects":[{"type":"x"}],"objects":[{"type":"y"}]}', NO_JSON],
    ['{"type":"bundle","objects":[{"type":"x"}]} rest', NO_JSON],
    ['{"type":"bundle","objects":[{"type":"x"}]', CUT_OFF],
    ['{"type":"bundle","objects":[{"type":"x"}],"id":"b', CUT_OFF],
    ['{"type":"bundle","objects":[{"type":"x"},{"type', CUT_OFF],
    ['[{"type":"x"},', CUT_OFF],
    ['{"type":"x","id":', CUT_OFF],
    [`${JSON.stringify(A)}\n{"type":"ind`, CUT_OFF],
    ['[1,2,3]', NOTHING_KNOWN],
    ['{"name":"entente","version":"1"}', NOTHING_KNOWN],
    ['"text"', NOTHING_KNOWN],
    ['7', NOTHING_KNOWN],
  ])('refuses %j: %s', async (text, reason) => {
    for (const size of [1, 1000]) expect(await read(text, size)).toBe(reason);
  });

  it('is not known by what stands deeper than any stack', async () => {
    const depth = 100_000;
    const deep = `${'{"response":'.repeat(depth)}{}${'}'.repeat(depth)}`;
    const first = JSON.stringify(A);
    const found = (text: string) => survey(() => inPieces(Buffer.from(text), 1_000_000)());

    expect(await found(deep)).toEqual({ reason: NOTHING_KNOWN });
    expect(await found(`{"response":${'['.repeat(depth)}${']'.repeat(depth)}}`)).toEqual({ reason: NOTHING_KNOWN });
    expect(await found(`${first}\n${deep}\n`)).toMatchObject({ form: { kind: 'lines' }, count: 2 });
    expect(await found(`[${first},${deep}]`)).toMatchObject({ form: { kind: 'list' }, count: 2 });
  });

  it('names what was packed or spelled in another way', async () => {
    expect(await read(gzipSync('{}'))).toBe('file is compressed');
    expect(await read(Buffer.from('\uFEFF{}', 'utf16le'))).toBe('file is not in UTF-8');
  });

  it('takes no element into memory that would fill it', async () => {
    const bounds = { bytes: 300, values: 50 };
    const long = JSON.stringify({ type: 'x', text: 'y'.repeat(300) });
    const dense = `{"type":"x","list":[${'[],'.repeat(60)}[]]}`;

    for (const text of [`{"objects":[${long}]}`, `{"objects":[${dense}]}`, long])
      for (const size of [5, 1000]) expect(await read(text, size, bounds)).toBe(TOO_LARGE);
    const a = JSON.stringify(A);
    for (const size of [5, 1000]) {
      for (const [large, over] of [
        [long, 'more than 0 MiB'],
        [dense, 'more than 50 values'],
      ]) {
        const values = [A, over, A];
        expect(await read(`{"objects":[${a},${large},${a}]}`, size, bounds)).toMatchObject({ kind: 'list', values });
        expect(await read(`${a}\n${large}\n${a}\n`, size, bounds)).toMatchObject({
          kind: 'lines',
          // Of lines nobody counts values before their end.
          values: [A, over === 'more than 0 MiB' ? over : JSON.parse(dense), A],
        });
      }
      expect(await read(`{"more":[${'1,'.repeat(60)}1],"objects":[${a}]}`, size, bounds)).toBe(TOO_LARGE);
    }
    const many = JSON.stringify({ objects: Array.from({ length: 100 }, () => A) });
    expect(await read(many, 5, bounds)).toMatchObject({ values: { length: 100 } });
  });

  it('that was cut anywhere takes nothing of', async () => {
    const text = JSON.stringify({ type: 'bundle', objects: [A, B], id: 'bundle--"1' });
    for (let end = 1; end < text.length; end++) expect(await read(text.slice(0, end))).toBe(CUT_OFF);
  });

  it('changes when it is no longer what was surveyed', async () => {
    const whole = await survey(() => inPieces(Buffer.from('[{"type":"x"}]'), 4)());
    if ('reason' in whole) throw new Error(whole.reason);
    const cut = async () => {
      for await (const _one of elementsOf(whole.form, inPieces(Buffer.from('[{"type":"x"'), 4), 0, 0));
    };
    await expect(cut()).rejects.toThrow(Changed);
  });

  it('agrees with a parser on any text', async () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      ' ',
      '1',
      '"objects"',
      '"Event"',
      '{"Event":{"Attribute":[',
      '"type"',
      '{"objects":[',
      '{"type":"x"}',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { maxLength: 14 }), fc.integer({ min: 1, max: 9 }), async (parts, size) => {
        const text = parts.join('');
        const found = await read(text, size);
        if (typeof found !== 'string') expect(flat(found)).toEqual(JSON.parse(text));
        else if (isJson(text) && text.trim() !== '') expect([NOTHING_KNOWN, NO_JSON]).toContain(found);
      }),
      { numRuns: 3000 },
    );
    const objects = fc.array(fc.jsonValue(), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), objects, fc.integer({ min: 1, max: 40 }), async (other, some, size) => {
        const text = JSON.stringify({ other, objects: [...some, A], more: true });
        expect(flat(await read(text, size))).toEqual(JSON.parse(text));
        const event = JSON.stringify({ Event: { other, Attribute: some, more: [other] }, objects: [A] });
        expect(flat(await read(event, size))).toEqual(JSON.parse(event));
      }),
    );
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The whole again. */
function flat(found: unknown): unknown {
  const { kind, around, path, values } = found as {
    kind: string;
    around?: Record<string, object>;
    path: string[];
    values: unknown[];
  };
  if (kind === 'value') return values[0];
  if (around === undefined) return values;
  const [first = '', second] = path;
  return { ...around, [first]: second === undefined ? values : { ...around[first], [second]: values } };
}
