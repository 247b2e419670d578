// One file, opened once and gone through twice: what stands under its name may be replaced meanwhile, what was opened
// is not. That it was written to while it was read shows in its size and time.
import { constants, type Disk } from './disk.ts';
import { contentStamp, type FoundFile, stampOf } from './folder.ts';

const CHUNK_BYTES = 1024 * 1024;

export class OpenFile {
  readonly #handle: Awaited<ReturnType<Disk['open']>>;
  readonly #stamp: string;

  private constructor(handle: Awaited<ReturnType<Disk['open']>>, stamp: string) {
    this.#handle = handle;
    this.#stamp = stamp;
  }

  /** Undefined where it is not the file any more that was found. */
  static async open(disk: Disk, file: FoundFile): Promise<OpenFile | undefined> {
    // A link that was put there since is not followed, and a pipe is not waited for.
    const handle = await disk.open(file.path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stats = await handle.stat({ bigint: true });
      if (stats.isFile() && stampOf(stats) === file.stamp) return new OpenFile(handle, contentStamp(stats));
    } catch (error) {
      await handle.close();
      throw error;
    }
    await handle.close();
    return undefined;
  }

  /** A chunk is good until the next is asked for. `stop` throws where the reading is to end. */
  async *chunks(from: number, stop: () => void): AsyncGenerator<Buffer, void, undefined> {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let at = from; ; ) {
      stop();
      const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  async unchanged(): Promise<boolean> {
    return contentStamp(await this.#handle.stat({ bigint: true })) === this.#stamp;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
