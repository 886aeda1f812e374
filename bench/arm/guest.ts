/** What runs in the emulator: `node guest.js MODEL`, two frames on one thread; count-blocks.c is told to count the second. */
import { loadEngine } from '../../src/engine/load-engine.js';
import { ringOfCameras } from '../ring-of-cameras.js';

const [model = ''] = process.argv.slice(2);
const engine = await loadEngine(model, { threads: 1, logits: false });
const { input, graph } = engine.manifest;
const images = graph.inputs.every(({ name }) => name === 'images')
  ? Array.from({ length: input.cameras }, (_, camera) =>
      Uint8Array.from({ length: input.width * input.height * 3 }, (_, i) => (i * 37 + camera * 11) & 255),
    )
  : undefined;
if (engine.featureSize !== undefined) {
  await engine.setRig(ringOfCameras(input.cameras, engine.featureSize, input));
}
for (let frame = 0; frame < 2; frame++) {
  process.kill(process.pid, 0); // the mark
  if (images !== undefined) await engine.run(images);
  else {
    const [{ shape } = { shape: [] }] = graph.inputs;
    const sizes = shape.map(Number);
    const count = sizes.reduce((product, size) => product * size, 1);
    const data = Float32Array.from({ length: count }, (_, i) => ((i * 37) % 255) / 127 - 1);
    await engine.runTensors({ input: { shape: sizes, data } });
  }
}
process.stdout.write(
  JSON.stringify({
    isa: engine.isa,
    bytes: engine.steps.reduce((sum, { bytes }) => sum + bytes, 0),
    macs: engine.steps.reduce(
      (sum, { macs, outputShape }) => sum + macs * (outputShape[0] || input.cameras),
      0,
    ),
  }),
);
engine.dispose();
