import { readdirSync, readFileSync } from 'node:fs';
import { headerLength, parseHeader, PREFIX_BYTES } from '../../src/engine/safetensors.js';
import type { RigidMotion } from '../../src/engine/types.js';

export interface FixtureTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array;
}

/** One folder of test/fixtures/golden; its README says what is in it. */
export interface GoldenFixture {
  readonly name: string;
  readonly model: string;
  readonly tensors: ReadonlyMap<string, FixtureTensor>;
}

/** One of a fixture's frames, with the motion since the one before; all but sequences have one. */
export interface GoldenFrame {
  readonly tensors: ReadonlyMap<string, FixtureTensor>;
  readonly motion: RigidMotion | undefined;
}

export function framesOf({ tensors }: GoldenFixture): GoldenFrame[] {
  const frames: GoldenFrame[] = [];
  for (;;) {
    const prefix = `frame${frames.length}.`;
    const own = [...tensors].filter(([name]) => name.startsWith(prefix));
    if (own.length === 0) break;
    const motion = tensors.get(`${prefix}motion`)?.data;
    frames.push({
      tensors: new Map(own.map(([name, tensor]) => [name.slice(prefix.length), tensor])),
      motion: motion && ([...motion] as unknown as RigidMotion),
    });
  }
  return frames.length > 0 ? frames : [{ tensors, motion: undefined }];
}

const ROOT = new URL('../fixtures/golden/', import.meta.url);

export function goldenFixtures(): GoldenFixture[] {
  return readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const folder = new URL(`${name}/`, ROOT);
      return {
        name,
        model: new URL('model.safetensors', folder).pathname,
        tensors: readTensors(new URL('io.safetensors', folder)),
      };
    });
}

function readTensors(path: URL): Map<string, FixtureTensor> {
  const file = Uint8Array.from(readFileSync(path)); // a copy of its own, so that offsets are aligned
  const header = parseHeader(file.subarray(PREFIX_BYTES, PREFIX_BYTES + headerLength(file, file.length)));
  return new Map(
    header.tensors.map(({ name, dtype, shape, begin, end }) => {
      const bytes = file.slice(header.dataOffset + begin, header.dataOffset + end);
      return [name, { shape, data: dtype === 'F32' ? new Float32Array(bytes.buffer) : bytes }];
    }),
  );
}
