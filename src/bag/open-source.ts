import { basename, join } from 'node:path';
import { BdcError } from '../errors.js';
import { bagFormatOf } from './bag-file.js';
import { FileReadable } from './file-io.js';
import { openMcap } from './mcap-source.js';
import type { MessageSource } from './message-source.js';
import { SqliteSource } from './sqlite-source.js';
import { TemporaryFolder } from './temporary-folder.js';
import { unpackFile } from './zstd.js';

/**
 * Opens one file of a bag, whatever it is.
 * @throws BdcError `BAG_UNREADABLE`, `BAG_EMPTY`, `BAG_NOT_ROS2`, `BAG_DAMAGED`
 */
export async function openSource(path: string): Promise<MessageSource> {
  const readable = await FileReadable.open(path);
  try {
    switch (await bagFormatOf(readable, path)) {
      case 'mcap':
        return await openMcap(readable, () => readable.close());
      case 'sqlite':
        await readable.close();
        return await named(path, () => SqliteSource.open(path));
      case 'zstd':
        await readable.close();
        return await openUnpacked(path);
    }
  } catch (error) {
    await readable.close();
    throw error;
  }
}

/** Needs room for the unpacked file among the system's temporary files while the bag is open. */
async function openUnpacked(path: string): Promise<MessageSource> {
  const folder = await TemporaryFolder.create();
  try {
    const unpacked = join(folder.path, basename(path).replace(/\.zstd?$/, ''));
    await named(path, () => unpackFile(path, unpacked));
    const source = await openSource(unpacked);
    const { indexed, warnings, topics, remedy } = source;
    return {
      ...{ indexed, warnings, topics, remedy },
      read: (wanted) => source.read(wanted),
      close: async () => {
        await source.close();
        await folder.remove();
      },
    };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

async function named<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new BdcError('bag', {
      code: 'BAG_DAMAGED',
      message: `bag ${path} is damaged: ${(cause as Error).message}`,
      cause,
    });
  }
}
