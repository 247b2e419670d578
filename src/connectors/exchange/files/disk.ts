// The one door to the file system, so that tests can make it fail, and its errors in words.
import {
  access,
  constants,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  stat,
  unlink,
} from 'node:fs/promises';
import { type ConnectorError, configFailure, permanent, retryable } from '../../../core/model/failure.ts';

export const disk = { access, lstat, mkdir, open, readdir, readFile, realpath, rename, stat, unlink };
export type Disk = typeof disk;
export { constants };

/** As the system calls it: ENOSPC. Of an error that is none of the system's: unknown error. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : UNKNOWN;
}

export const UNKNOWN = 'unknown error';

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'is not there',
  EACCES: 'may not be read or written by the user that Entente runs as',
  EPERM: 'may not be read or written by the user that Entente runs as',
  ENOTDIR: 'is no folder',
  EISDIR: 'is a folder',
  EROFS: 'lies on a file system that is read-only',
  ENOSPC: 'lies on a file system that is full',
  EDQUOT: 'is over the quota of the user that Entente runs as',
  EIO: 'cannot be read or written: the disk reports an error',
  ESTALE: 'lies on a network file system that went away',
  EMFILE: 'cannot be opened: too many files are open',
  ENFILE: 'cannot be opened: too many files are open',
  ELOOP: 'is a link that leads in a circle',
};
/** A person must act; everything else may heal by itself. */
const FOR_PEOPLE = new Set(['ENOENT', 'EACCES', 'EPERM', 'ENOTDIR', 'EISDIR', 'EROFS', 'ELOOP']);

export const wordsFor = (error: unknown): string => WORDS[codeOf(error)] ?? 'cannot be read or written';

/** `what` names the file or folder, `next` what to do. */
export function diskFailure(what: string, error: unknown, next: string): ConnectorError {
  const code = codeOf(error);
  const message = `${what} ${wordsFor(error)} (${code}); ${next}`;
  if (code === UNKNOWN) return permanent(message, { cause: error });
  return FOR_PEOPLE.has(code) ? configFailure(message, { cause: error }) : retryable(message, { cause: error });
}
