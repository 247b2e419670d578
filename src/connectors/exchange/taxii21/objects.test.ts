import { expect, it } from 'vitest';
import { LONGEST_OBJECT, splitObjects } from './envelope.ts';
import { readObjects } from './objects.ts';

const ID = 'indicator--11111111-1111-4111-8111-111111111111';

it('refuses an object that is far too long by its id, and takes its neighbours', async () => {
  const many = Array.from({ length: 2 + LONGEST_OBJECT / 65_536 }, () => 'x'.repeat(65_536));
  const sighting = { type: 'sighting', id: 'sighting--1' };
  const body = Buffer.from(JSON.stringify({ objects: [sighting, { type: 'indicator', id: ID, many }, sighting] }));

  const { read } = await readObjects(splitObjects(body, 10)!.objects, 'the answer', new AbortController().signal);

  expect(read).toEqual([
    { kind: 'ignored', type: 'sighting', id: expect.any(String) },
    { kind: 'refusal', refusal: { objectId: ID, reason: 'object longer than 8 MiB' } },
    { kind: 'ignored', type: 'sighting', id: expect.any(String) },
  ]);
});
