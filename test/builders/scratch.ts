import { mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What all tests at once may come to. Containers often have 64 MB of it. */
const ROOM_BYTES = 2 * 1024 ** 3;

/**
 * A folder for the state of a test, in memory where the machine has room for it: every commit of a state is written
 * through to the disk, and on a disk that others use as well that wait is most of what such a test takes.
 */
export const scratchFolder = (prefix: string): string => mkdtempSync(join(roomy('/dev/shm') ?? tmpdir(), prefix));

function roomy(place: string): string | undefined {
  try {
    const { bavail, bsize } = statfsSync(place);
    return bavail * bsize > ROOM_BYTES ? place : undefined;
  } catch {
    return undefined; // no such place on this system
  }
}
