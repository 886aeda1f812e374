import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { BdcError } from '../errors.js';

/** The files that a bag's path means, in the order of recording. */
export interface BagFiles {
  readonly files: readonly string[];
  readonly warnings: readonly string[];
}

const METADATA = 'metadata.yaml';
const BAG_FILE = /\.(mcap|db3)(\.zstd)?$/;

/**
 * @param path a bag's file, or the folder of `ros2 bag record`, whose metadata.yaml lists the files that the bag was split into
 * @throws BdcError `BAG_UNREADABLE`; `BAG_FILE_MISSING` where a file that metadata.yaml lists is not there
 */
export async function bagFiles(path: string): Promise<BagFiles> {
  try {
    if (!(await stat(path)).isDirectory()) return { files: [path], warnings: [] };
    return await listedFiles(path, await readdir(path));
  } catch (cause) {
    if (cause instanceof BdcError) throw cause;
    throw unreadable(path, (cause as Error).message, cause);
  }
}

async function listedFiles(folder: string, names: readonly string[]): Promise<BagFiles> {
  // drive_2 comes before drive_10
  const present = names
    .filter((name) => BAG_FILE.test(name))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  if (present.length === 0) throw unreadable(folder, 'no .mcap or .db3 file in that folder');
  const listed = names.includes(METADATA) ? filesOf(await readFile(join(folder, METADATA), 'utf8')) : [];
  if (listed.length > 0) return { files: listed.map((file) => locate(folder, file)), warnings: [] };
  return {
    files: present.map((name) => join(folder, name)),
    warnings: [
      `${folder} has no usable ${METADATA} (was the recording cut off?): its ${present.length} files are read in the order of their names`,
    ],
  };
}

/** None if the text is not rosbag2's. */
function filesOf(text: string): readonly string[] {
  try {
    const { rosbag2_bagfile_information: information } = parse(text) as {
      readonly rosbag2_bagfile_information?: { readonly relative_file_paths?: unknown };
    };
    const files = information?.relative_file_paths;
    return Array.isArray(files) ? files.filter((file) => typeof file === 'string') : [];
  } catch {
    return [];
  }
}

/** Bags of Eloquent and before list paths from outside of the folder. */
function locate(folder: string, file: string): string {
  const found = [join(folder, file), join(folder, basename(file))].find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new BdcError('bag', {
    code: 'BAG_FILE_MISSING',
    message: `expected ${file} in ${folder}, as its ${METADATA} says, found no such file; copy it there, or take its line out of ${METADATA}`,
  });
}

const unreadable = (path: string, why: string, cause?: unknown): BdcError =>
  new BdcError('bag', { code: 'BAG_UNREADABLE', message: `cannot read bag ${path}: ${why}`, cause });
