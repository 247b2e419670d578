// Alerts as their documents may be: times in every form that the index takes, and events that had none.
import { expect, it } from 'vitest';
import { type Alert, hitsOf, matchesOf, placeOf } from './alerts.ts';
import { slotOf } from './mapping.ts';

const AT = Date.UTC(2026, 0, 10, 12);
const matched = { id: slotOf('domain-name', 'listed.example'), index: 'ours' };
const indicator = { name: 'listed.example', type: 'domain-name' };

const firstOf = (times: Record<string, unknown>): number | undefined => {
  const alert: Alert = { id: 'a', source: { ...times, threat: { enrichments: [{ matched, indicator }] } } };
  const keys = new Map(matchesOf([alert]).map((one) => [placeOf(one), one.key!]));
  return hitsOf([alert], keys)[0]?.first;
};

it.each([
  ['a date', new Date(AT).toISOString()],
  ['a date with its offset', '2026-01-10T13:00:00+01:00'],
  ['a date to the nanosecond', '2026-01-10T12:00:00.000000000Z'],
  ['a number', AT],
  ['a number as text', String(AT)],
  ['a list', [new Date(AT).toISOString()]],
])('an alert whose time is %s is a hit at that time', (_, time) => {
  expect(firstOf({ '@timestamp': time })).toBe(AT);
  expect(firstOf({ '@timestamp': '2026-01-11T00:00:00Z', 'kibana.alert.original_time': time })).toBe(AT);
});

it.each([['0001-01-01T00:00:00Z'], ['1970-01-01T00:00:00Z'], [0], [-1], ['yesterday'], [null], [{}], [undefined]])(
  'an event whose time is %j was seen when its alert was made',
  (time) => {
    expect(firstOf({ '@timestamp': AT, 'kibana.alert.original_time': time })).toBe(AT);
  },
);

it('an alert without any time is no hit', () => {
  expect(firstOf({ '@timestamp': 'never' })).toBeUndefined();
});
