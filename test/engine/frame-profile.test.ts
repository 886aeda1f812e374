import assert from 'node:assert/strict';
import { profileSteps } from '../../src/engine/frame-profile.js';
import { loadEngine } from '../../src/engine/load-engine.js';

const PEAKS = { binary: 1000, real: 100 };

const modelOf = (fixture: string): string =>
  new URL(`../fixtures/golden/${fixture}/model.safetensors`, import.meta.url).pathname;

async function profileOf(fixture: string) {
  const engine = await loadEngine(modelOf(fixture), { threads: 1 });
  try {
    const [{ name, shape } = { name: '', shape: [] }] = engine.manifest.graph.inputs;
    const sizes = shape.map((size) => (size === 'cameras' ? engine.manifest.input.cameras : size));
    const data = new Float32Array(sizes.reduce((product, size) => product * size, 1));
    const output = await engine.runTensors({ [name]: { shape: sizes, data } });
    return profileSteps(engine, [output], PEAKS);
  } finally {
    engine.dispose();
  }
}

describe('profileSteps', () => {
  it('compares real convolutions with the peak of real arithmetic', async () => {
    const step = (await profileOf('op-conv2d')).find(({ arithmetic }) => arithmetic === 'real')!;
    assert.equal(step.peakPercent, (100 * step.gigaMacsPerSecond!) / PEAKS.real);
  });

  it('tells int8 convolutions from real ones, and compares them with no peak', async () => {
    const steps = await profileOf('op-conv2d-int8');
    const step = steps.find(({ arithmetic }) => arithmetic === 'int8')!;
    assert(step.gigaMacsPerSecond! > 0);
    assert.equal(step.peakPercent, undefined);
    assert(!steps.some(({ arithmetic }) => arithmetic === 'real'));
  });
});
