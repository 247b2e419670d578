import type { Keeping } from './keeping.ts';
import { World } from './world.ts';

const STEPS = 60;

export async function runSeed(seed: number, keptIn?: (folder: string) => Keeping): Promise<void> {
  const world = new World(seed, keptIn);
  try {
    await world.run(STEPS);
  } finally {
    world.close();
  }
}

/** What the seeds found, at most five of them. */
export async function failuresOf(from: number, to: number): Promise<string[]> {
  const failures: string[] = [];
  for (let seed = from; seed <= to && failures.length < 5; seed++) {
    await runSeed(seed).catch((error: unknown) =>
      failures.push(error instanceof Error ? (error.stack ?? '') : String(error)),
    );
  }
  return failures;
}
