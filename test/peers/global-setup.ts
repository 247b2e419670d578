// Before the first file: what a killed run left is ended. After the last: every server of this run.
import { endLeftovers, endRun, runFolder } from './runs.ts';

export default async function setup(): Promise<() => Promise<void>> {
  for (const line of await endLeftovers()) process.stderr.write(`${line}\n`);
  const folder = runFolder();
  return async () => {
    await endRun(folder);
  };
}
