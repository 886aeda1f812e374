import { BdcError } from '../errors.js';
import type { ModelManifest } from './manifest.js';
import type { NativeEngine } from './native.js';

type NativeOutput = NativeEngine['outputs'][number];

/** Channels of the box maps (docs/model-format.md). */
const BOX_CHANNELS: Readonly<Record<string, number>> = { reg: 2, height: 1, dim: 3, rot: 2, vel: 2 };

/**
 * Checks that the outputs the graph computes are those that the manifest's grid and classes ask for.
 * @throws BdcError `MODEL_OUTPUT`
 */
export function checkOutputs(manifest: ModelManifest, outputs: readonly NativeOutput[]): void {
  for (const output of outputs) {
    const expected = expectedShape(manifest, output);
    if (expected === undefined) continue;
    const type = output.role === 'occupancy_labels' ? 'u8' : 'f32';
    if (output.type !== type || output.shape.some((size, axis) => size !== expected[axis])) {
      throw new BdcError('model', {
        code: 'MODEL_OUTPUT',
        message:
          `graph.outputs.${output.role}: expected ${type} [${expected.join(', ')}], as grid and classes say, ` +
          `found ${output.type} [${output.shape.join(', ')}]`,
      });
    }
  }
}

/** Undefined for a role that the manifest says nothing about. */
function expectedShape(
  { grid, occupancy, detection }: ModelManifest,
  { role, shape }: NativeOutput,
): number[] | undefined {
  const [nx, ny, nz] = grid.shape;
  if (role === 'occupancy_labels' || role === 'occupancy_confidence') return [1, nx, ny, nz];
  if (role === 'occupancy_logits' && occupancy !== undefined) {
    return [1, nz * occupancy.classes.length, ny, nx];
  }
  const channels = role === 'heatmap' ? detection?.classes.length : BOX_CHANNELS[role];
  return channels === undefined ? undefined : [1, channels, ...shape.slice(2)];
}
