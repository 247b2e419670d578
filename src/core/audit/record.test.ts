import { expect, it } from 'vitest';
import fc from '../../../test/property.ts';
import type { Json } from '../model/json.ts';
import { canonical } from './canonical.ts';
import { type RecordRow, rowLine, rowsRoot } from './record.ts';
import { leafHash, rootOf } from './tree.ts';

const words = fc.string({ unit: 'grapheme' });

it('writes a row as its canonical JSON', () => {
  const row = fc.record<RecordRow>({
    siem: fc.option(words),
    op: fc.constantFrom('arm', 'disarm'),
    key: fc.option(words),
    revision: fc.nat(),
    reason: words,
    object: fc.option(words),
    marking: fc.option(words),
  });

  fc.assert(
    fc.property(row, (one) => {
      expect(rowLine(one, '00ff')).toBe(canonical({ ...one, salt: '00ff' } as Json));
    }),
  );
});

it('hangs rows on a record by a root that no guess at a value can find', () => {
  const row: RecordRow = {
    siem: 'siem',
    op: 'arm',
    key: 'ipv4-addr|192.0.2.1',
    revision: 1,
    reason: '',
    object: null,
    marking: null,
  };
  const lines = [rowLine(row, 'aa'), rowLine(row, 'bb')];

  expect(lines[0]).not.toBe(lines[1]);
  expect(rowsRoot(lines)).toBe(rootOf(lines.map((line) => leafHash(line))).toString('hex'));
});
