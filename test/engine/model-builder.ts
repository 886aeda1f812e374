import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GraphOperation } from '../../src/engine/manifest.js';

type Values = Float32Array | Int8Array | BigUint64Array;

export interface StoredTensor {
  dtype: string;
  shape: number[];
  data: Values;
}

export interface HeaderEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** A manifest whose every field a test may spoil. */
export interface LooseManifest {
  format: string;
  format_version: number;
  input: Record<string, unknown>;
  grid: Record<string, unknown>;
  occupancy: { classes: unknown[]; free: number };
  graph: {
    inputs: { name: string; shape: (number | string)[] }[];
    operations: (GraphOperation & Record<string, unknown>)[];
    outputs: Record<string, string>;
  };
  [field: string]: unknown;
}

/** The parts of a model file; serialize puts them together, spoiled or not. */
export interface ModelParts {
  manifest: LooseManifest;
  tensors: Record<string, StoredTensor>;
  /** Changes the finished header. */
  spoilHeader?: (header: Record<string, HeaderEntry>) => void;
}

export const f32 = (shape: number[], value: (i: number) => number): StoredTensor => ({
  dtype: 'F32',
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i)),
});

/** Numbers in [-1, 1) that look random and are the same everywhere. */
export const noise = (i: number): number => (Math.imul(i + 1, 2654435761) >>> 8) / 2 ** 23 - 1;

export const WIDTH = 12;
export const HEIGHT = 8;
export const CAMERAS = 3;
export const DEPTHS = [1, 2, 3];
/** nx, ny, nz */
export const GRID_SHAPE = [4, 3, 2];
const CLASSES = 3;
const CHANNELS = 70; // not a multiple of 64

/**
 * A whole network in small: stem, sign, binary convolution, depth and context, lift_splat, head, argmax.
 * Feature maps are 4×6, the BEV grid 3×4 cells.
 */
export function smallNetwork(): ModelParts {
  const logits = GRID_SHAPE[2]! * CLASSES;
  const tensors: Record<string, StoredTensor> = {
    'stem.weight': f32([CHANNELS, 3, 3, 3], (i) => noise(i) / 5),
    'sign.threshold': f32([CHANNELS], (i) => noise(i + 7) / 10),
    'sign.direction': {
      dtype: 'I8',
      shape: [CHANNELS],
      data: Int8Array.from({ length: CHANNELS }, (_, i) => (i % 3 === 0 ? -1 : 1)),
    },
    'binary.weight': {
      dtype: 'U64',
      shape: [CHANNELS, 3, 3, 2],
      data: BigUint64Array.from({ length: CHANNELS * 18 }, (_, i) => {
        const low = BigInt(Math.imul(i + 3, 2246822519) >>> 0);
        return i % 2 === 0 ? (low << 32n) | (low ^ 0x5a5a5a5an) : low & 0x3fn;
      }),
    },
    'binary.scale': f32([CHANNELS], (i) => 0.01 + i / 5000),
    'depth.weight': f32([DEPTHS.length, CHANNELS, 1, 1], (i) => noise(i + 11)),
    'context.weight': f32([5, CHANNELS, 1, 1], (i) => noise(i + 13)),
    'head.weight': f32([logits, 5, 3, 3], (i) => noise(i + 17)),
    'head.bias': f32([logits], (i) => noise(i + 19)),
  };
  const conv = (
    module: string,
    name: string,
    input: string,
    padding: number,
    stride: number,
    bias = false,
  ) => ({
    name,
    op: 'conv2d',
    module,
    inputs: [input],
    outputs: [name],
    attributes: { stride: [stride, stride], padding: [padding, padding] },
    tensors: { weight: `${name}.weight`, ...(bias && { bias: `${name}.bias` }) },
  });
  const operations = [
    conv('image_encoder', 'stem', 'images', 1, 2),
    {
      name: 'sign',
      op: 'sign',
      module: 'image_encoder',
      inputs: ['stem'],
      outputs: ['sign'],
      tensors: { threshold: 'sign.threshold', direction: 'sign.direction' },
    },
    {
      name: 'binary',
      op: 'binary_conv2d',
      module: 'image_encoder',
      inputs: ['sign'],
      outputs: ['binary'],
      attributes: { in_channels: CHANNELS, stride: [1, 1], padding: [1, 1] },
      tensors: { weight: 'binary.weight', scale: 'binary.scale' },
    },
    conv('view_transformer', 'depth', 'binary', 0, 1),
    { name: 'softmax', op: 'softmax', module: 'view_transformer', inputs: ['depth'], outputs: ['softmax'] },
    conv('view_transformer', 'context', 'binary', 0, 1),
    {
      name: 'splat',
      op: 'lift_splat',
      module: 'view_transformer',
      inputs: ['softmax', 'context'],
      outputs: ['splat'],
      attributes: { depths: DEPTHS },
    },
    conv('heads', 'head', 'splat', 1, 1, true),
    {
      name: 'argmax',
      op: 'occupancy_argmax',
      module: 'heads',
      inputs: ['head'],
      outputs: ['labels', 'confidence'],
      attributes: { classes: CLASSES },
    },
  ] as unknown as LooseManifest['graph']['operations'];
  return {
    manifest: manifestOf({
      inputs: [{ name: 'images', shape: ['cameras', 3, HEIGHT, WIDTH] }],
      operations,
      outputs: {
        occupancy_logits: 'head',
        occupancy_labels: 'labels',
        occupancy_confidence: 'confidence',
        bev: 'splat',
      },
    }),
    tensors,
  };
}

/** A manifest around any graph. */
export function manifestOf(graph: LooseManifest['graph']): LooseManifest {
  const names = ['ground', 'wall', 'free'];
  return {
    format: 'bdc_occ',
    format_version: 1,
    name: 'small',
    license: 'Apache-2.0',
    training_data: 'none',
    metrics: {},
    input: {
      width: WIDTH,
      height: HEIGHT,
      cameras: CAMERAS,
      camera_names: ['front', 'left', 'right'],
      mean: [120, 110, 100],
      std: [60, 61, 62],
    },
    grid: { min: [-4, -3, -1], max: [4, 3, 1], shape: GRID_SHAPE },
    occupancy: {
      classes: names.map((name) => ({ name, color: [0, 0, 0], traversable: false })),
      free: 2,
    },
    graph,
  };
}

export function serialize({ manifest, tensors, spoilHeader }: ModelParts): Uint8Array {
  const entries: Record<string, HeaderEntry> = {};
  let end = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    entries[name] = { dtype, shape, data_offsets: [end, end + data.byteLength] };
    end += Math.ceil(data.byteLength / 8) * 8;
  }
  spoilHeader?.(entries);
  const header = new TextEncoder().encode(
    JSON.stringify({ __metadata__: { manifest: JSON.stringify(manifest) }, ...entries }),
  );
  const dataOffset = 8 + Math.ceil(header.length / 8) * 8;
  const file = new Uint8Array(dataOffset + end).fill(0x20, 0, dataOffset);
  new DataView(file.buffer).setBigUint64(0, BigInt(dataOffset - 8), true);
  file.set(header, 8);
  let at = dataOffset;
  for (const { data } of Object.values(tensors)) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += Math.ceil(data.byteLength / 8) * 8;
  }
  return file;
}

let folder: Promise<string> | undefined;
let files = 0;

/** Writes a model file into a folder of its own and returns its path. */
export async function saveModel(model: ModelParts | Uint8Array): Promise<string> {
  folder ??= mkdtemp(join(tmpdir(), 'bdc-occ-engine-'));
  const path = join(await folder, `model-${files++}.safetensors`);
  await writeFile(path, model instanceof Uint8Array ? model : serialize(model));
  return path;
}
