import { mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

import { BdcError } from './errors.js';

/** Text is handed to the system in pieces of about so many characters. */
const PIECE = 1 << 16;

/** A file that appears under its name only when it is complete: it is written beside, as `….part`, and renamed at the end. */
export class AtomicFile {
  readonly path: string;
  readonly #file: FileHandle;
  #waiting = '';

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  /** Makes the folder too. @throws BdcError `OUTPUT_NOT_WRITABLE`; also where something else than a file has the name */
  static open(path: string): Promise<AtomicFile> {
    return orFault(path, async () => {
      const there = await stat(path).catch(() => undefined);
      if (there?.isDirectory()) throw new Error('it is a folder');
      if (there?.isFile() === false) throw new Error('it is a device or a pipe');
      await mkdir(dirname(path), { recursive: true });
      return new AtomicFile(path, await open(`${path}.part`, 'w'));
    });
  }

  /** @throws BdcError `OUTPUT_NOT_WRITABLE`, for example on a full disk */
  async write(content: string | Uint8Array): Promise<void> {
    if (typeof content === 'string') {
      this.#waiting += content;
      if (this.#waiting.length < PIECE) return;
      content = this.#take();
    }
    const bytes = content;
    await orFault(this.path, () => this.#file.writeFile(bytes));
  }

  /** Gives the file its name. @throws BdcError `OUTPUT_NOT_WRITABLE`; then the file isn't there */
  async close(): Promise<void> {
    try {
      await orFault(this.path, async () => {
        await this.#file.writeFile(this.#take());
        await this.#file.close();
        await rename(`${this.path}.part`, this.path);
      });
    } catch (error) {
      await this.discard();
      throw error;
    }
  }

  /** Removes what was written. */
  async discard(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await rm(`${this.path}.part`, { force: true });
  }

  #take(): string {
    const text = this.#waiting;
    this.#waiting = '';
    return text;
  }
}

/** A whole file at once, or none. @throws BdcError `OUTPUT_NOT_WRITABLE` */
export async function writeAtomically(path: string, content: string | Uint8Array): Promise<void> {
  const file = await AtomicFile.open(path);
  await completing(file, () => file.write(content));
}

/** Closes what the work writes to; where the work fails, discards that. */
export async function completing<Result>(
  output: Pick<AtomicFile, 'close' | 'discard'>,
  work: () => Promise<Result>,
): Promise<Result> {
  let result: Result;
  try {
    result = await work();
  } catch (error) {
    await output.discard();
    throw error;
  }
  await output.close();
  return result;
}

async function orFault<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    throw new BdcError('configuration', {
      code: 'OUTPUT_NOT_WRITABLE',
      message: `${path} cannot be written: ${(cause as Error).message}; free space or choose another folder`,
      cause,
    });
  }
}
