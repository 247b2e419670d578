import { expect, it } from 'vitest';
import { addressAt, aHit, anIndicator, aStore, minutes, type TestStore } from '../../../../test/builders/sightings.ts';
import { SightingsReader } from './sightings.ts';

const wrong = { verdict: 'false_positive' } as const;

function disputed(test: TestStore, most = 100) {
  const reader = new SightingsReader(test.spec);
  try {
    return reader.disputed(most);
  } finally {
    reader.close();
  }
}

it('names a value that somebody called a false positive and that is armed, with who and where, the latest first', () => {
  using test = aStore();
  test.publish([anIndicator(1), anIndicator(2), anIndicator(3)]);
  test.store.commitHits('one', [aHit(1, wrong), aHit(3)], 'x', minutes(20));
  test.store.commitHits('one', [aHit(1, { ...wrong, dedupe: 'again', last: minutes(15) })], 'x', minutes(20));
  test.store.commitHits('two', [aHit(1, wrong), aHit(2, { ...wrong, last: minutes(16) })], 'x', minutes(20));

  expect(disputed(test)).toEqual([
    {
      type: 'ipv4-addr',
      value: addressAt(2).value,
      said: ['two'],
      armed: ['one', 'two'],
      count: 1,
      last: new Date(minutes(16)).toISOString(),
    },
    {
      type: 'ipv4-addr',
      value: addressAt(1).value,
      said: ['one', 'two'],
      armed: ['one', 'two'],
      count: 3,
      last: new Date(minutes(15)).toISOString(),
    },
  ]);
  expect(disputed(test, 1)).toHaveLength(1);
});

it('is silent once the value is off, speaks again when that ends, and is answered by who lifts it', () => {
  using test = aStore();
  test.publish([anIndicator(1), anIndicator(2), anIndicator(3)]);
  test.store.commitHits(
    'one',
    [1, 2, 3].map((n) => aHit(n, wrong)),
    'x',
    minutes(20),
  );
  const [lifted] = test.store.suppress([addressAt(1)], minutes(600), 'looked at', 'ann', minutes(30));
  test.store.suppress([addressAt(2)], minutes(120), 'until tonight', 'ann', minutes(30));
  test.publish([anIndicator(3, { tlp: 'green', revoked: true, version: '2026-01-02T00:00:00.000000000Z' })]);

  expect(disputed(test)).toEqual([]);

  test.store.lift(lifted!, minutes(40));
  test.store.tick(minutes(121), false);
  expect(disputed(test).map((one) => one.value)).toEqual([addressAt(2).value]);

  test.store.commitHits('one', [aHit(1, { ...wrong, last: minutes(90), dedupe: 'later' })], 'x', minutes(91));
  expect(disputed(test).map((one) => one.value)).toEqual([addressAt(1).value, addressAt(2).value]);
});
