import { statfs } from 'node:fs/promises';
import { BdcError } from '../errors.js';
import type { ImageSize } from './rig.js';

/** Measured: labels, lidar and rows of the tables, and an image's JPEG per pixel. */
const SAMPLE_BYTES = 0.82e6;
const JPEG_BYTES_PER_PIXEL = 0.4;
/** Kept free, for what else writes meanwhile. */
const SPARE_BYTES = 200e6;

/** About what a sample takes on the disk. */
export function sampleBytes(cameras: number, { width, height }: ImageSize): number {
  return SAMPLE_BYTES + cameras * width * height * JPEG_BYTES_PER_PIXEL;
}

/** What an ordinary user may still write to the file system of `folder`. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** @throws BdcError `DISK_FULL` */
export function requireSpace(
  { bytes, freeBytes }: { readonly bytes: number; readonly freeBytes: number },
  folder: string,
): void {
  if (bytes + SPARE_BYTES <= freeBytes) return;
  const gigabytes = (value: number): string => (value / 1e9).toFixed(1);
  throw new BdcError('dataset', {
    code: 'DISK_FULL',
    message:
      `${folder}: about ${gigabytes(bytes)} GB are to be written and ${gigabytes(SPARE_BYTES)} GB to stay free, ` +
      `but the disk has ${gigabytes(freeBytes)} GB left; free space, choose another folder or fewer scenes`,
  });
}
