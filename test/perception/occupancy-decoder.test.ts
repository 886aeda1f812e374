import assert from 'node:assert/strict';

import type { OutputTensor } from '../../src/engine/types.js';
import { BdcError } from '../../src/errors.js';
import { OccupancyDecoder } from '../../src/perception/occupancy-decoder.js';
import { engineOutput, manifest, occupancyTensors } from './engine-output.js';

describe('OccupancyDecoder', () => {
  const decoder = new OccupancyDecoder(manifest);
  const observed = new Uint8Array(24).fill(1);

  it("gives labels, confidence and the observed mask in the grid's order", () => {
    const tensors = occupancyTensors();
    const occupancy = decoder.decode(engineOutput(tensors), observed);
    assert.deepEqual(occupancy.grid.shape, [4, 3, 2]);
    assert.equal(occupancy.labels, tensors['occupancy_labels']!.data);
    assert.equal(occupancy.confidence, tensors['occupancy_confidence']!.data);
    assert.equal(occupancy.observed, observed);
  });

  const malformed: readonly [string, Readonly<Record<string, OutputTensor>>, RegExp][] = [
    ['a class that the manifest lacks', occupancyTensors(2), /classes below 2, found 2 at voxel 0/],
    ['no outputs at all', {}, /"occupancy_labels" is missing/],
    [
      'another grid',
      { ...occupancyTensors(), occupancy_labels: { shape: [1, 3, 4, 2], data: new Uint8Array(24) } },
      /\[1, 4, 3, 2\], found a Uint8Array \[1, 3, 4, 2\]/,
    ],
    [
      'another type',
      { ...occupancyTensors(), occupancy_labels: { shape: [1, 4, 3, 2], data: new Float32Array(24) } },
      /must be a Uint8Array .* found a Float32Array/,
    ],
    [
      'less data than its shape says',
      { ...occupancyTensors(), occupancy_confidence: { shape: [1, 4, 3, 2], data: new Float32Array(23) } },
      /of 23 values/,
    ],
  ];
  for (const [what, tensors, message] of malformed) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => decoder.decode(engineOutput(tensors), observed),
        (error) => {
          assert.ok(error instanceof BdcError);
          assert.equal(error.code, 'MODEL_OUTPUT_INVALID');
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }
});
