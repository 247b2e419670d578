// The state file itself fails: full disk, damaged, not writable, locked by something else. Nothing can be promised
// then, so it is no failure of a peer: the process stops, with words about the file and what to do with it.

export class StateFailure extends Error {
  override readonly name = 'StateFailure';
}

/** SQLite's primary result codes (sqlite.org/rescode.html) that mean the file or the disk. */
const ADVICE: Readonly<Record<number, string>> = {
  5: 'is locked by another program; find it (a backup tool, a shell with sqlite3) and end it, then start again',
  8: 'is not writable; check the rights of the file and its folder',
  10: 'could not be read or written (I/O error); check the disk and the quota, then start again',
  11: 'is damaged; restore a backup, or delete it: it is rebuilt from the exchanges and the SIEMs',
  13: 'cannot grow: the disk is full; free space, then start again: nothing is lost',
  14: 'could not be opened; check that it is a file and that its folder is writable',
  26: 'is no state file, or damaged; restore a backup, or delete it: it is rebuilt from the exchanges and the SIEMs',
};

/** Somebody else held the file for longer than it is waited for. */
export const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && (error.errcode & 0xff) === 5;

/** What an error of SQLite or of the file system means for the state; undefined when it is something else. */
export function stateFailure(error: unknown, path: string): StateFailure | undefined {
  if (error instanceof StateFailure) return error;
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  if (error.code === 'ERR_SQLITE_ERROR') {
    const number = 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
    const advice = ADVICE[number];
    return advice === undefined
      ? undefined
      : new StateFailure(`the state file ${path} ${advice} (${error.message})`, { cause: error });
  }
  if (typeof error.code === 'string' && /^(EACCES|EPERM|EROFS|ENOSPC|EDQUOT|ENOTDIR|EEXIST)$/.test(error.code)) {
    return new StateFailure(`no state can be kept at ${path}: ${error.message}; check the folder and its rights`, {
      cause: error,
    });
  }
  return undefined;
}
