// `node test/peers/leftovers.ts`: ends servers that runs have left behind. Exit code 1 when there were any.
import { endLeftovers } from './runs.ts';

const lines = await endLeftovers();
for (const line of lines) process.stdout.write(`${line}\n`);
process.exitCode = lines.length > 0 ? 1 : 0;
