// Secrets that stand in files are renewed there while the daemon runs. A peer that refused the old one is asked again
// as soon as its file changes, instead of at the end of a long pause.
import { statSync } from 'node:fs';
import { Secret } from '../core/runtime/secret.ts';

/** Paths of all secrets within settings. */
export function secretFiles(settings: unknown): string[] {
  if (settings instanceof Secret) return settings.file === undefined ? [] : [settings.file];
  if (typeof settings !== 'object' || settings === null) return [];
  return Object.values(settings).flatMap(secretFiles);
}

/** Changes when one of the files does; a file that is just being replaced counts as changed. */
export function stamp(files: readonly string[]): string {
  return files
    .map((file) => {
      const found = statSync(file, { throwIfNoEntry: false });
      return found === undefined ? 'none' : `${found.ino} ${found.mtimeMs} ${found.size}`;
    })
    .join();
}
