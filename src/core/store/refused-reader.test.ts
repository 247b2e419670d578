import { expect, it } from 'vitest';
import { anIndicator, NOW, Rig } from '../../../test/builders/store.ts';
import { RefusedReader } from './refused-reader.ts';

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

it('goes through any number of refused indicators, and tells none that was revoked since', () => {
  const rig = new Rig();
  const many = Array.from({ length: 2500 }, (_, i) =>
    anIndicator({ objectId: `indicator--${i}`, observables: [], refusal: 'pattern type sigma' }),
  );
  rig.commit(many);
  rig.commit([anIndicator({ objectId: ID, revoked: true, version: '2026-02-01T00:00:00.000000000Z' })]);

  expect(reading(rig, (reader) => [...reader.all()])).toHaveLength(2499);
});
