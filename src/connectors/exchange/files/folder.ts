// What lies in the folder: which files there are, which of them are still being written, and which are no files of ours
// to open. Every look is a fresh one, since anybody may put, replace or take away a file meanwhile.
import type { BigIntStats } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { permanent } from '../../../core/model/failure.ts';
import { codeOf, type Disk, diskFailure, UNKNOWN, wordsFor } from './disk.ts';
import { belongs, MANIFEST, published } from './feed.ts';
import { BOUNDS } from './survey.ts';

/** Those that were read lie here, and are not read again. */
export const [DONE, REFUSED] = ['done', 'refused'];
export const MOST_FILES = 50_000;
const MOST_DEEP = 8;

export interface FoundFile {
  /** Below the folder, with slashes. */
  readonly name: string;
  /** Where it really lies, also behind a link within the folder. */
  readonly path: string;
  /** Tells a state of the file from every other. */
  readonly stamp: string;
  readonly size: number;
  /** Epoch milliseconds by the clock of the file system. */
  readonly written: number;
  readonly changed: number;
}

/** Not to be opened at all. */
export interface Unfit {
  readonly name: string;
  readonly stamp: string;
  readonly reason: string;
}

export interface Found {
  readonly root: string;
  /** In the order in which they are read: numbers by their value. */
  readonly files: readonly FoundFile[];
  readonly unfit: readonly Unfit[];
}

/** Names under which programs write what is not whole yet, and hidden files. */
const PASSING = /^\.|~$|\.(tmp|temp|part|partial|filepart|crdownload|swp)$/i;

export function isPassing(name: string): boolean {
  return PASSING.test(name);
}

export async function look(disk: Disk, path: string, who: string, besides: string | undefined): Promise<Found> {
  const next = 'check path and its rights; nothing is withdrawn because of it';
  try {
    const given = await disk.stat(path);
    const single = !given.isDirectory();
    const root = await disk.realpath(single ? dirname(path) : path);
    const walk = new Walk(disk, root, who, besides);
    if (single) await walk.one(basename(path), root);
    else await walk.folder(root, 0);
    return walk.found();
  } catch (error) {
    if (codeOf(error) === UNKNOWN) throw error;
    throw diskFailure(`${who}: ${path}`, error, next);
  }
}

class Walk {
  readonly #disk: Disk;
  readonly #root: string;
  readonly #who: string;
  readonly #besides: string | undefined;
  readonly #files: FoundFile[] = [];
  readonly #unfit: Unfit[] = [];

  constructor(disk: Disk, root: string, who: string, besides: string | undefined) {
    this.#disk = disk;
    this.#root = root;
    this.#who = who;
    this.#besides = besides;
  }

  found(): Found {
    const inOrder = new Intl.Collator('en', { numeric: true });
    this.#files.sort((a, b) => inOrder.compare(a.name, b.name) || (a.name < b.name ? -1 : 1));
    return { root: this.#root, files: this.#files, unfit: this.#unfit };
  }

  async folder(path: string, depth: number): Promise<void> {
    const entries = await this.#disk.readdir(path, { withFileTypes: true });
    const events = entries.some(({ name }) => name === MANIFEST) ? await this.#events(path) : undefined;
    for (const entry of entries) {
      const { name } = entry;
      if (events !== undefined && !entry.isDirectory() && !belongs(name, events)) continue;
      if (isPassing(name) || (depth === 0 && (name === DONE || name === REFUSED))) continue;
      if (!entry.isDirectory()) await this.one(name, path);
      else if (join(path, name) === this.#besides) continue;
      else if (depth < MOST_DEEP) await this.#below(join(path, name), depth + 1);
      if (this.#files.length + this.#unfit.length > MOST_FILES)
        throw permanent(
          `${this.#who}: ${this.#root} holds more than ${MOST_FILES.toLocaleString('en')} files; take old ones away, or set after: move`,
        );
    }
  }

  /** What a feed publishes. A manifest that cannot be read is refused as a file, and then names nothing. */
  async #events(path: string): Promise<ReadonlySet<string> | undefined> {
    try {
      const file = join(path, MANIFEST);
      const { size } = await this.#disk.stat(file);
      return size > BOUNDS.bytes ? undefined : published(await this.#disk.readFile(file, 'utf8'));
    } catch (error) {
      if (codeOf(error) === UNKNOWN) throw error;
      return undefined;
    }
  }

  /** A subfolder that cannot be read hides its own files only. */
  async #below(path: string, depth: number): Promise<void> {
    try {
      await this.folder(path, depth);
    } catch (error) {
      if (codeOf(error) === UNKNOWN) throw error;
      if (codeOf(error) === 'ENOENT') return;
      this.#refuse(path, codeOf(error), `folder ${wordsFor(error)}`);
    }
  }

  async one(name: string, folder: string): Promise<void> {
    const path = join(folder, name);
    try {
      const own = await this.#disk.lstat(path, { bigint: true });
      if (!own.isSymbolicLink()) {
        this.#take(path, path, own);
        return;
      }
      const real = await this.#disk.realpath(path);
      const stamp = stampOf(own);
      if (real !== this.#root && !real.startsWith(this.#root + sep))
        this.#refuse(path, stamp, 'file is a symbolic link out of the folder');
      else {
        const target = await this.#disk.lstat(real, { bigint: true });
        if (target.isDirectory()) this.#refuse(path, stamp, 'file is a symbolic link to a folder');
        else this.#take(path, real, target);
      }
    } catch (error) {
      const code = codeOf(error);
      if (code === UNKNOWN) throw error;
      // Taken away since the folder was listed, or a link to nothing.
      if (code === 'ENOENT' && !(await this.#isThere(path))) return;
      this.#refuse(path, code, code === 'ENOENT' ? 'file is a symbolic link to nothing' : `file ${wordsFor(error)}`);
    }
  }

  async #isThere(path: string): Promise<boolean> {
    return this.#disk.lstat(path).then(
      () => true,
      () => false,
    );
  }

  #take(path: string, real: string, stats: BigIntStats): void {
    const stamp = stampOf(stats);
    if (!stats.isFile()) {
      this.#refuse(path, stamp, 'file is no regular file');
      return;
    }
    this.#files.push({
      name: this.#name(path),
      path: real,
      stamp,
      size: Number(stats.size),
      written: Number(stats.mtimeMs),
      changed: Number(stats.ctimeMs),
    });
  }

  #refuse(path: string, stamp: string, reason: string): void {
    this.#unfit.push({ name: this.#name(path), stamp, reason });
  }

  #name(path: string): string {
    return relative(this.#root, path).split(sep).join('/');
  }
}

/** Two states that agree in size, times and place on the disk are one. */
export function stampOf({ size, mtimeNs, ctimeNs, ino }: BigIntStats): string {
  return [size, mtimeNs, ctimeNs, ino].map((one) => one.toString(36)).join('.');
}

/** Of what stands there now, behind a link or the link itself; undefined where nothing does, or nobody can tell. */
export async function stampAt(disk: Disk, path: string, behind: boolean): Promise<string | undefined> {
  try {
    return stampOf(await (behind ? disk.stat : disk.lstat)(path, { bigint: true }));
  } catch (error) {
    if (codeOf(error) === UNKNOWN) throw error;
    return undefined;
  }
}

/** What changes when a file is written to, seen through an open file: its name may go elsewhere meanwhile. */
export const contentStamp = ({ size, mtimeNs }: BigIntStats): string => `${size}.${mtimeNs}`;
