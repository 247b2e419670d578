import { expect, it } from 'vitest';
import { anIndicator, DAY, HOUR, NOW, versionAt } from '../../../test/builders/store.ts';
import { believable, FUTURE_VERSION } from './arrival.ts';

const created = versionAt(NOW - 2 * DAY);
const facts = JSON.stringify({ created, pattern: '[x]' });
const arriving = (given: object) => believable(anIndicator({ objectId: 'indicator--1', facts, ...given }), NOW);

it('leaves alone what lies in the past, or ahead as far as clocks differ', () => {
  for (const ms of [NOW - DAY, NOW, NOW + HOUR, NOW + DAY]) {
    const given = anIndicator({ objectId: 'indicator--1', version: versionAt(ms), facts });
    expect(believable(given, NOW)).toBe(given);
  }
});

it.each([NOW + DAY + 1, NOW + 2 * DAY, Date.UTC(2083, 2, 16)])('does not believe a version of %d', (ms) => {
  const read = arriving({ version: versionAt(ms) });

  expect(read.version < created).toBe(true);
  expect(read.version).toBe(versionAt(NOW - 2 * DAY - 1));
  expect([read.refusal, read.observables.length]).toEqual([FUTURE_VERSION, 1]);
  expect(JSON.parse(read.facts)).toEqual({ created, pattern: '[x]', detail: `modified is ${versionAt(ms)}` });
});

it('believes a withdrawal whenever it says it was made', () => {
  expect(arriving({ revoked: true, version: versionAt(Date.UTC(2083, 0)) }).version).toBe(versionAt(Date.UTC(2083, 0)));
});

it('counts as older than anything what was made in the future as well, or never', () => {
  for (const made of [undefined, versionAt(Date.UTC(2083, 0))]) {
    const read = arriving({ version: versionAt(Date.UTC(2083, 1)), facts: JSON.stringify({ created: made }) });
    expect(read.version < '0001').toBe(true);
  }
});

it('keeps what else stood in the way', () => {
  const facts = JSON.stringify({ detail: 'line 1, column 2: expected a path' });
  const read = arriving({
    version: versionAt(Date.UTC(2083, 1)),
    refusal: 'not a valid STIX pattern',
    observables: [],
    facts,
  });

  expect(read.refusal).toBe('not a valid STIX pattern');
  expect(JSON.parse(read.facts)).toMatchObject({
    detail: expect.stringMatching(/^modified is 2083.*; line 1, column 2/) as string,
  });
});
