// A file system of a size of its own, to run full. Mounting one takes rights that not every machine gives.
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export interface SmallDisk {
  readonly folder: string;
  /** Takes what is left, to the last block. */
  fill(): void;
  /** Gives it back. */
  clear(): void;
  unmount(): void;
}

/** In words, where none can be had. */
export function smallDisk(folder: string, megabytes: number, uid: number): SmallDisk | string {
  mkdirSync(folder, { recursive: true });
  try {
    const options = `size=${megabytes}m,mode=0700,uid=${uid}`;
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'pipe' });
  } catch (error) {
    return `no file system of a size of its own can be mounted here: ${String(error)}`;
  }
  const filler = join(folder, 'filler');
  const clear = () => rmSync(filler, { force: true });
  return {
    folder,
    fill: () => {
      const file = openSync(filler, 'w');
      try {
        for (const block = Buffer.alloc(4096); ; ) writeSync(file, block);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      } finally {
        closeSync(file);
      }
    },
    clear,
    unmount: () => {
      execFileSync('umount', [folder]);
    },
  };
}
