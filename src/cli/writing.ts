// What a command writes that is not the state: a list, a record, a configuration, a copy. Where that fails the words name
// that place, since the state is well, and nothing half written is left.
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConnectorError } from '../core/model/failure.ts';
import { stateFailure } from '../core/store/sql/state-failure.ts';

/** Has `work` write to `place`. What it throws that does not speak of files or of a full disk is left as it is. */
export function writing<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw unwritten(place, error);
  }
}

export function unwritten(place: string, error: unknown): unknown {
  if (!(error instanceof Error && ('syscall' in error || isFull(error)))) return error;
  return new ConnectorError('permanent', `cannot write ${place}: ${error.message}`, { cause: error });
}

/** A new file for its owner alone; one that is there is never overwritten. */
export function writeNew(file: string, text: string): void {
  writing(file, () => {
    const made = openSync(file, 'wx', 0o600);
    try {
      writeFileSync(made, text);
    } catch (error) {
      rmSync(file, { force: true });
      throw error;
    } finally {
      closeSync(made);
    }
  });
}

/**
 * Work in a folder of its own among the temporary files, which goes afterwards. What fails there for want of room, or speaks
 * of a copy of the `state`, would else be taken for the state itself.
 */
export async function inTemporary<T>(what: string, work: (folder: string) => Promise<T>, state?: string): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), `entente-${what}-`));
  const clear = () => rmSync(folder, { recursive: true, force: true });
  // The process may end before the work does, as where the reader of its answer went away (`plan | head`).
  process.once('exit', clear);
  try {
    return await work(folder);
  } catch (error) {
    if (isFull(error))
      throw new ConnectorError(
        'permanent',
        `there is no room under ${tmpdir()} for what ${what} works on; free some, or name another folder in TMPDIR`,
        { cause: error },
      );
    throw state === undefined ? error : ofTheState(error, folder, state);
  } finally {
    process.off('exit', clear);
    clear();
  }
}

/** Whoever says so: the file system, SQLite, or the store's thread in words. */
function isFull(error: unknown): boolean {
  if (error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')) return true;
  return stateFailure(error, '')?.message.includes('the disk is full') === true;
}

/** What is said of a copy in the folder is meant of the state that was copied. */
function ofTheState(error: unknown, folder: string, state: string): unknown {
  if (!(error instanceof ConnectorError)) return error;
  const at = error.message.indexOf(folder);
  const end = error.message.indexOf('.db', at);
  if (at === -1 || end === -1) return error;
  const message = error.message.slice(0, at) + state + error.message.slice(end + '.db'.length);
  return new ConnectorError(error.kind, message, { cause: error });
}
