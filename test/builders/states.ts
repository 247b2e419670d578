// Where the states of tests are kept: in a file each, unless a test of a server says otherwise (test/peers/postgres.ts).
import { join } from 'node:path';
import type { StatePlace } from '../../src/core/store/sql/place.ts';

export const statePlaces = {
  /** Then tests that are about the state file have nothing to say. */
  onServer: false,
  place: (folder: string): StatePlace => join(folder, 'state.db'),
  forget: (_place: StatePlace): void => {},
};
