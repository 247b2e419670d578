// Where the feeds lie that some tests read. They are no part of the project: they hold live malicious values.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** `$ENTENTE_DATA`, else `../shared/data` beside the repository. Undefined, with a note why, when it is not there. */
export function dataDir(): string | undefined {
  const folder = process.env['ENTENTE_DATA'] ?? resolve(import.meta.dirname, '../../shared/data');
  if (existsSync(folder)) return folder;
  console.warn(`Tests over real feeds are skipped: no folder ${folder}. Name it in ENTENTE_DATA.`);
  return undefined;
}
