import { describe, expect, it } from 'vitest';
import { anIndicator, DAY, NOW, Rig } from '../../../../test/builders/store.ts';
import { PagesReader } from './pages.ts';
import type { Sample } from '../rows/samples.ts';

function reading<T>(rig: Rig, look: (reader: PagesReader) => T): T {
  const reader = new PagesReader(rig.place);
  try {
    return look(reader);
  } finally {
    reader.close();
  }
}

describe('the samples of a half hour', () => {
  it('are added up, and go after eight days', () => {
    const rig = new Rig();
    const one: Sample = {
      start: NOW,
      role: 'siem',
      peer: 'siem',
      ok: 50,
      behind: 5,
      failing: 0,
      paused: 0,
      entries: 7,
      hits: 1,
      told: 0,
      armed: 1,
      armed_secs: 20,
      armed_most: 20,
    };
    rig.store.keepSamples([one], NOW);
    rig.store.keepSamples([{ ...one, entries: 9, armed_secs: 5, armed_most: 5 }], NOW);

    expect(reading(rig, (reader) => reader.samples(NOW - DAY))).toEqual([
      { ...one, ok: 100, behind: 10, entries: 9, hits: 2, armed: 2, armed_secs: 25, armed_most: 20 },
    ]);
    rig.store.keepSamples([], NOW + 9 * DAY);
    expect(reading(rig, (reader) => reader.samples(0))).toEqual([]);
  });
});

it('an exchange is told with examples of what it had refused', () => {
  const rig = new Rig();
  rig.commit(
    [1, 2, 3].map((i) => anIndicator({ objectId: `indicator--${i}`, observables: [], refusal: 'AND of tests' })),
  );

  const found = reading(rig, (reader) => reader.exchange('partner', { 'AND of tests': 3 }));

  expect(found?.refused.map((one) => [one.object_id, one.code, one.of])).toEqual([
    ['indicator--1', 'and_of_tests', 3],
    ['indicator--2', 'and_of_tests', 3],
  ]);
  expect(reading(rig, (reader) => reader.exchange('nobody', {}))).toBeUndefined();
});
