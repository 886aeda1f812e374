import type { IReadable } from '@mcap/core';
import { hasMcapPrefix } from '@mcap/core';
import { BdcError } from '../errors.js';

const MAGIC_BYTES = 16n;

export type BagFormat = 'mcap' | 'sqlite' | 'zstd';

const OTHER_FORMATS: readonly (readonly [prefix: string, format: BagFormat | undefined, found: string])[] = [
  ['SQLite format 3', 'sqlite', 'a rosbag2 SQLite bag, which is read from a file only'],
  ['\x28\xb5\x2f\xfd', 'zstd', 'a zstd-compressed file, which is read from a file only'],
  ['#ROSBAG V', undefined, 'a ROS 1 bag; convert it with "mcap convert" or rosbags-convert'],
];

/**
 * What a bag's file is, by its first bytes.
 * @param name goes into error messages
 * @throws BdcError `BAG_EMPTY` for a file of no bytes, `BAG_NOT_ROS2` for anything that is no bag of ROS 2
 */
export async function bagFormatOf(readable: IReadable, name: string): Promise<BagFormat> {
  const { format, found } = await recognise(readable, name);
  if (format !== undefined) return format;
  throw notABag(name, found);
}

/** @throws BdcError as `bagFormatOf`, also for the other formats */
export async function requireMcap(readable: IReadable, name: string): Promise<void> {
  const { format, found } = await recognise(readable, name);
  if (format !== 'mcap') throw notABag(name, found);
}

async function recognise(
  readable: IReadable,
  name: string,
): Promise<{ readonly format: BagFormat | undefined; readonly found: string }> {
  const size = await readable.size();
  if (size === 0n) {
    throw new BdcError('bag', { code: 'BAG_EMPTY', message: `bag ${name} is a file of 0 bytes` });
  }
  const start = await readable.read(0n, size < MAGIC_BYTES ? size : MAGIC_BYTES);
  if (hasMcapPrefix(new DataView(start.buffer, start.byteOffset, start.byteLength))) {
    return { format: 'mcap', found: 'an MCAP bag' };
  }
  const text = Buffer.from(start).toString('latin1');
  const other = OTHER_FORMATS.find(([prefix]) => text.startsWith(prefix));
  return { format: other?.[1], found: other?.[2] ?? 'neither by its first bytes' };
}

const notABag = (name: string, found: string): BdcError =>
  new BdcError('bag', {
    code: 'BAG_NOT_ROS2',
    message: `expected ${name} to be a bag of ROS 2 (MCAP or SQLite), found ${found}`,
  });
