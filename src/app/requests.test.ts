// What people decide stands in the log as one line each: who, about whom and how many, never what.
import { expect, it } from 'vitest';
import type { App } from '../app.ts';
import type { Log } from '../core/runtime/log.ts';
import { perform } from './requests.ts';

function anApp(store: object) {
  const lines: object[] = [];
  // Only `info` is called.
  const log = { info: (message: string, facts: object) => void lines.push({ message, ...facts }) } as unknown as Log;
  // The request needs no more of it.
  return { app: { store, log, now: () => 0 } as unknown as App, lines };
}

const { signal } = new AbortController();

it('a decision on holds and sightings', async () => {
  const decided = {
    holds: [{ id: 3, kind: 'removal', siem: 'watch', exchange: 'partner', entries: 20 }],
    sightings: [{ id: 7, exchange: 'partner', count: 4 }],
  };
  const { app, lines } = anApp({ decide: async () => decided });

  await perform(
    app,
    { kind: 'decide', decision: 'approve', holds: [], sightings: [], by: 'ana', reason: 'phoned' },
    'ana',
    signal,
  );

  expect(lines).toEqual([
    { message: 'A hold was decided.', decision: 'approve', hold: 3, ...hold(decided), by: 'ana', reason: 'phoned' },
    {
      message: 'A held sighting was decided.',
      decision: 'approve',
      sighting: 's7',
      exchange: 'partner',
      count: 4,
      by: 'ana',
    },
  ]);
});

function hold({ holds: [first] }: { holds: { id: number }[] }): object {
  const { id: _, ...rest } = first!;
  return rest;
}

it('a suppression and its end', async () => {
  const { app, lines } = anApp({ suppress: async () => [1], lift: async () => undefined });
  const observables = [{ type: 'ipv4-addr' as const, value: '192.0.2.1' }];

  await perform(app, { kind: 'suppress', observables, hours: 2, reason: 'ours', false_positive: false }, 'bo', signal);
  await perform(app, { kind: 'lift', id: 1, of: 'suppress' }, 'bo', signal);

  expect(lines).toEqual([
    { message: 'Values were suppressed.', values: 1, hours: 2, by: 'bo' },
    { message: 'A suppression was lifted.', suppression: 1, by: 'bo' },
  ]);
});
