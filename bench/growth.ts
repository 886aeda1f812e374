import { measurePeaks } from '../src/engine/native.js';
import type { EngineOptions } from '../src/engine/types.js';
import { engineWithRig, randomImages } from './frame-benchmark.js';
import { benchmarkLayer } from './layer-benchmark.js';
import { median } from './paired.js';

export interface ScalingRow {
  readonly threads: number;
  readonly ms: number;
  /** How many times as fast as with one thread. */
  readonly speedup: number;
  /**
   * The same of a loop of XOR, popcount and addition on registers, which waits for neither memory nor other threads: what the cores allow.
   * Where two threads share a core it is far below two.
   */
  readonly limit: number;
}
export type GrowthRow = { readonly ms: number } & (
  { readonly cameras: number } | { readonly grid: number } | { readonly channels: number }
);

async function timeFrames(
  path: string,
  options: EngineOptions,
  cameras: number | undefined,
  repetitions: number,
): Promise<number> {
  const engine = await engineWithRig(path, options);
  try {
    const { input } = engine.manifest;
    const images: (Uint8Array | undefined)[] = randomImages(input.cameras, input.width, input.height);
    if (cameras !== undefined) images.fill(undefined, cameras);
    const times: number[] = [];
    for (let i = -2; i < repetitions; i++) {
      const start = performance.now();
      await engine.run(images);
      if (i >= 0) times.push(performance.now() - start);
    }
    return median(times);
  } finally {
    engine.dispose();
  }
}

/** Whole frames of ours, RGB bytes to the last output, with 1 … `most` threads. */
export async function measureScaling(
  path: string,
  isa: NonNullable<EngineOptions['isa']>,
  { most, repetitions }: { readonly most: number; readonly repetitions: number },
): Promise<ScalingRow[]> {
  const rows: ScalingRow[] = [];
  for (let threads = 1; threads <= most; threads *= 2) {
    const ms = await timeFrames(path, { threads, isa }, undefined, repetitions);
    const limit = measurePeaks(isa, threads).binary / measurePeaks(isa, 1).binary;
    rows.push({ threads, ms, speedup: (rows[0]?.ms ?? ms) / ms, limit });
  }
  return rows;
}

/** How time grows: whole frames with the number of cameras; a 3×3 block with the side of its grid and with its channels. */
export async function measureGrowth(
  path: string,
  options: EngineOptions & { readonly threads: number },
  { cameras, repetitions }: { readonly cameras: number; readonly repetitions: number },
): Promise<GrowthRow[]> {
  const rows: GrowthRow[] = [];
  for (let count = 1; count <= cameras; count++) {
    rows.push({ cameras: count, ms: await timeFrames(path, options, count, repetitions) });
  }
  const layer = { ...options, depth: 4, repetitions, peers: false };
  for (const grid of [50, 100, 200]) {
    const { ours_ms } = await benchmarkLayer({ kind: 'W1A1', kernel: 3, channels: 64, size: grid }, layer);
    rows.push({ grid, ms: ours_ms });
  }
  for (const channels of [64, 128, 256, 512]) {
    const { ours_ms } = await benchmarkLayer({ kind: 'W1A1', kernel: 3, channels, size: 50 }, layer);
    rows.push({ channels, ms: ours_ms });
  }
  return rows;
}
