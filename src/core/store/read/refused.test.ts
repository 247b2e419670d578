import { expect, it } from 'vitest';
import { anIndicator, aSiem, indicators, ipv4, NOW, Rig } from '../../../../test/builders/store.ts';
import { MOST_CHARACTERS, namedIn } from '../../model/named.ts';
import { OBJECT } from '../rows/rows.ts';
import { MOST_TOLD, RefusedReader } from './refused.ts';
import { openBeside } from '../state/open.ts';

const ID = 'indicator--1';
function reading<T>(rig: Rig, ask: (reader: RefusedReader) => T): T {
  const reader = new RefusedReader(rig.spec);
  try {
    return ask(reader);
  } finally {
    reader.close();
  }
}

it('tells of an object that could not be read until it can be', () => {
  const rig = new Rig();
  const refusal = {
    objectId: ID,
    reason: 'modified is missing',
    name: 'one',
    pattern: "[url:value = 'HTTP://a.example/']",
    named: namedIn("[url:value = 'HTTP://a.example/']"),
  };
  rig.commit([], NOW, 'partner', { refusals: [refusal, { objectId: undefined, reason: 'not an object' }] });

  const told = {
    exchange: 'partner',
    object_id: ID,
    name: 'one',
    pattern: refusal.pattern,
    code: 'modified_is_missing',
    reason: refusal.reason,
  };
  expect(reading(rig, (reader) => [...reader.all()])).toEqual([told]);
  expect(reading(rig, (reader) => [reader.naming('hxxp://a[.]example/'), reader.naming('a.example')])).toEqual([
    [told],
    [],
  ]);
  rig.restart();
  rig.commit([anIndicator({ objectId: ID })]);

  expect(reading(rig, (reader) => [...reader.all()])).toEqual([]);
});

it('knows whether objects name more than is kept of them, so that nobody can say what they do not name', () => {
  const rig = new Rig();
  const refused = (i: number, pattern: string) =>
    anIndicator({ objectId: `indicator--${i}`, observables: [], refusal: 'pattern too long', named: namedIn(pattern) });

  rig.commit([refused(1, "[mutex:name = 'a.example']")]);
  expect(reading(rig, (reader) => reader.namesMore())).toBe(false);
  rig.commit([refused(2, `[mutex:name = 'b.example'] ${' '.repeat(MOST_CHARACTERS)}`)]);

  expect(reading(rig, (reader) => [reader.namesMore(), reader.naming('b.example').length])).toEqual([true, 1]);
});

it('goes through any number of refused indicators, and tells none that was revoked since', () => {
  const rig = new Rig();
  const many = Array.from({ length: 2500 }, (_, i) =>
    anIndicator({ objectId: `indicator--${i}`, observables: [], refusal: 'pattern type sigma' }),
  );
  rig.commit(many);
  rig.commit([anIndicator({ objectId: ID, revoked: true, version: '2026-02-01T00:00:00.000000000Z' })]);

  expect(reading(rig, (reader) => [...reader.all()])).toHaveLength(2499);
});

it('finds who names a value by its index, without a look at the others, and drops that with the object', () => {
  const rig = new Rig();
  const one = (i: number, given: object = {}) =>
    anIndicator({
      objectId: `indicator--${i}`,
      observables: [],
      refusal: 'AND of several values',
      named: namedIn(`[ipv6-addr:value = '2001:DB8:0::${i.toString(16)}' AND domain-name:value = 'Both.example']`),
      ...given,
    });
  rig.commit([...Array.from({ length: 500 }, (_, i) => one(i)), one(900, { revoked: true, refusal: undefined })]);
  const told = (value: string) =>
    reading(rig, (reader) => reader.naming(value)).map(({ object_id, reason }) => `${object_id}: ${reason}`);

  expect(told('2001:db8::1f')).toEqual(['indicator--31: AND of several values']);
  expect(told('2001:db8::384')).toEqual(['indicator--900: revoked when it first came']);
  expect(told('both[.]example')).toHaveLength(MOST_TOLD);
  expect(told('h.example')).toEqual([]);
  rig.commit([one(31, { revoked: true, version: '2026-02-01T00:00:00.000000000Z' })]);
  expect(told('2001:db8::1f')).toEqual(['indicator--31: AND of several values; revoked since']);
  rig.commit([
    one(30, { named: namedIn("[url:value = 'https://new.example']"), version: '2026-01-10T00:00:00.000000000Z' }),
  ]);
  expect(told('2001:db8::1e')).toEqual([]);
  expect(told('HTTPS://new.example/')).toHaveLength(1);

  const db = openBeside(rig.place);
  db.exec(`DELETE FROM object WHERE state = ${OBJECT.published}`);
  const left = db.get('SELECT count(*) AS n FROM named');
  db.close();
  expect(told('2001:db8::1d')).toEqual([]);
  expect(left).toEqual({ n: 4 });
});

it('tells what only the rules of a SIEM keep out, of any number of objects, with the SIEMs', () => {
  const siem = aSiem();
  const rules = siem.rules['partner']!;
  const high = {
    ...siem,
    name: 'high',
    rules: { partner: { ...rules, intake: { ...rules.intake, clearance: 'red' as const } } },
  };
  const rig = new Rig({ siems: [siem, high] });
  rig.commit([
    ...indicators(0, 1500),
    anIndicator({
      objectId: 'indicator--red',
      tlp: 'red',
      facts: JSON.stringify({ name: 'secret one' }),
      observables: [ipv4('192.0.2.1')],
    }),
    ...indicators(1500, 2500),
    anIndicator({ objectId: 'indicator--benign', benign: true, observables: [ipv4('192.0.2.2'), ipv4('192.0.2.3')] }),
  ]);
  rig.commit([anIndicator({ objectId: 'indicator--over', tlp: 'red', revoked: true })]);

  expect(reading(rig, (reader) => [...reader.byPolicy()])).toEqual([
    {
      exchange: 'partner',
      object_id: 'indicator--red',
      name: 'secret one',
      pattern: null,
      code: 'tlp_above_clearance',
      reason: expect.stringContaining('TLP:RED is above'),
      siems: ['siem'],
      values: ['192.0.2.1'],
    },
    expect.objectContaining({
      object_id: 'indicator--benign',
      code: 'benign',
      siems: ['siem', 'high'],
      values: ['192.0.2.2', '192.0.2.3'],
    }),
  ]);
});
