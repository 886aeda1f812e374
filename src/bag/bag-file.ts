import type { IReadable } from '@mcap/core';
import { hasMcapPrefix } from '@mcap/core';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BdcError } from '../errors.js';

const MAGIC_BYTES = 16n;

/** What users hand in instead, by the file's first bytes. */
const OTHER_FORMATS: readonly (readonly [prefix: string, found: string])[] = [
  ['SQLite format 3', 'a rosbag2 SQLite bag; convert it with "ros2 bag convert" and storage_id: mcap'],
  ['#ROSBAG V', 'a ROS 1 bag; convert it with "mcap convert" or rosbags-convert'],
  ['\x28\xb5\x2f\xfd', 'a zstd-compressed file; unpack it with "zstd -d"'],
];

/**
 * The MCAP file that a path means: the path itself, or the one file in a folder made by `ros2 bag record`.
 * @throws BdcError `BAG_UNREADABLE`, `BAG_SPLIT`
 */
export async function bagFileOf(path: string): Promise<string> {
  try {
    if (!(await stat(path)).isDirectory()) return path;
    const files = (await readdir(path)).filter((name) => name.endsWith('.mcap')).sort();
    if (files.length === 1) return join(path, files[0]!);
    throw new BdcError('bag', {
      code: 'BAG_SPLIT',
      message:
        files.length === 0
          ? `folder ${path} has no .mcap file in it`
          : `folder ${path} has ${files.length} .mcap files (${files[0]} …); name one, or join them with "ros2 bag convert"`,
    });
  } catch (cause) {
    if (cause instanceof BdcError) throw cause;
    throw new BdcError('bag', {
      code: 'BAG_UNREADABLE',
      message: `cannot read bag ${path}: ${(cause as Error).message}`,
      cause,
    });
  }
}

/** @throws BdcError `BAG_EMPTY` for a file of no bytes, `BAG_NOT_MCAP` for anything without MCAP's first bytes */
export async function requireMcap(readable: IReadable, name: string): Promise<void> {
  const size = await readable.size();
  if (size === 0n) {
    throw new BdcError('bag', { code: 'BAG_EMPTY', message: `bag ${name} is a file of 0 bytes` });
  }
  const start = await readable.read(0n, size < MAGIC_BYTES ? size : MAGIC_BYTES);
  if (hasMcapPrefix(new DataView(start.buffer, start.byteOffset, start.byteLength))) return;
  const text = Buffer.from(start).toString('latin1');
  const found = OTHER_FORMATS.find(([prefix]) => text.startsWith(prefix))?.[1] ?? 'none of its first bytes';
  throw new BdcError('bag', {
    code: 'BAG_NOT_MCAP',
    message: `expected ${name} to be an MCAP bag, found ${found}`,
  });
}
