// Files that were read go away, so that the folder shows what is still to be read. Nothing that lies there already is
// replaced by it.
import { dirname, join, parse } from 'node:path';
import { codeOf, type Disk } from './disk.ts';

export async function moveAway(disk: Disk, root: string, name: string, to: string): Promise<void> {
  const target = join(root, to, name);
  await disk.mkdir(dirname(target), { recursive: true });
  for (let n = 0; ; n++) {
    const { dir, name: stem, ext } = parse(target);
    const free = n === 0 ? target : join(dir, `${stem}~${n}${ext}`);
    if (await isThere(disk, free)) continue;
    await disk.rename(join(root, name), free);
    return;
  }
}

async function isThere(disk: Disk, path: string): Promise<boolean> {
  try {
    await disk.lstat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
