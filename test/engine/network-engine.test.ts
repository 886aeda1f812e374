import assert from 'node:assert/strict';
import { loadEngine } from '../../src/engine/load-engine.js';
import { supportedIsas } from '../../src/engine/native.js';
import type { NetworkEngine } from '../../src/engine/network-engine.js';
import type { EngineOptions, EngineOutput, RigRays } from '../../src/engine/types.js';
import {
  CAMERAS,
  DEPTHS,
  f32,
  GRID_SHAPE,
  HEIGHT,
  manifestOf,
  noise,
  saveModel,
  smallNetwork,
  WIDTH,
  type LooseManifest,
  type ModelParts,
} from './model-builder.js';

const FEATURE_CELLS = 4 * 6;

/** Cameras at the origin that look around; every ray stays inside the grid for some of the depths. */
function rig(cameras = CAMERAS): RigRays {
  const rays = new Float32Array(cameras * FEATURE_CELLS * 3).map((_, i) => noise(i) * [1, 0.8, 0.2][i % 3]!);
  return { cameras, rays, origins: new Float32Array(cameras * 3).map((_, i) => noise(i + 5) / 4) };
}

const image = (seed: number): Uint8Array =>
  Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => (noise(i + seed * 1000) + 1) * 127);

const images = (count = CAMERAS): Uint8Array[] => Array.from({ length: count }, (_, i) => image(i));

/** A network that takes long enough to be caught in the act: many 3×3 convolutions. */
function slowNetwork(): ModelParts {
  const size = 32;
  const operations = Array.from({ length: 60 }, (_, i) => ({
    name: `conv${i}`,
    op: 'conv2d',
    module: 'image_encoder',
    inputs: [i === 0 ? 'x' : `conv${i - 1}`],
    outputs: [`conv${i}`],
    attributes: { stride: [1, 1], padding: [1, 1] },
    tensors: { weight: 'weight' },
  })) as unknown as LooseManifest['graph']['operations'];
  return {
    manifest: manifestOf({
      inputs: [{ name: 'x', shape: [1, size, 64, 64] }],
      operations,
      outputs: { y: 'conv59' },
    }),
    tensors: { weight: f32([size, size, 3, 3], (i) => noise(i) / size) },
  };
}

const slowInput = { x: { shape: [1, 32, 64, 64], data: new Float32Array(32 * 64 * 64).fill(1) } };

function assertSame(actual: EngineOutput, expected: EngineOutput): void {
  assert.deepEqual([...actual.tensors.keys()], [...expected.tensors.keys()]);
  for (const [role, tensor] of expected.tensors) assert.deepEqual(actual.tensors.get(role), tensor, role);
}

/** Largest difference relative to the largest value. */
function relativeError(actual: EngineOutput, expected: EngineOutput, role: string): number {
  const a = actual.tensors.get(role)!.data;
  const b = expected.tensors.get(role)!.data;
  const scale = Math.max(...b.map(Math.abs));
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!))) / scale;
}

describe('NetworkEngine', () => {
  const engines: NetworkEngine[] = [];
  const load = async (model: ModelParts = smallNetwork(), options: EngineOptions = {}) => {
    const engine = await loadEngine(await saveModel(model), { threads: 1, ...options });
    engines.push(engine);
    return engine;
  };
  afterEach(() => {
    for (const engine of engines.splice(0)) engine.dispose();
  });

  it('gives every output of the manifest with its shape and type', async () => {
    const engine = await load();
    await engine.setRig(rig());
    const { tensors, milliseconds, operations } = await engine.run(images());
    const [nx, ny, nz] = GRID_SHAPE;
    assert.deepEqual(tensors.get('occupancy_logits')!.shape, [1, nz! * 3, ny, nx]);
    assert.deepEqual(tensors.get('occupancy_labels')!.shape, [1, nx, ny, nz]);
    assert(tensors.get('occupancy_labels')!.data instanceof Uint8Array);
    assert(tensors.get('occupancy_confidence')!.data instanceof Float32Array);
    assert.deepEqual(operations.map(({ op }) => op).slice(0, 3), ['normalize', 'conv2d', 'sign']);
    const total = operations.reduce((sum, operation) => sum + operation.milliseconds, 0);
    const byModule = Object.values(milliseconds).reduce((sum, value) => sum + value, 0);
    assert(Math.abs(total - byModule) < 1e-6 && total > 0);
  });

  it('labels each voxel with its largest logit, in [x][y][z] order', async () => {
    const engine = await load();
    await engine.setRig(rig());
    const { tensors } = await engine.run(images());
    const logits = tensors.get('occupancy_logits')!.data;
    const labels = tensors.get('occupancy_labels')!.data;
    const [nx, ny, nz] = GRID_SHAPE as [number, number, number];
    for (let x = 0; x < nx; ++x) {
      for (let y = 0; y < ny; ++y) {
        for (let z = 0; z < nz; ++z) {
          const values = [0, 1, 2].map((k) => logits[((z * 3 + k) * ny + y) * nx + x]!);
          assert.equal(labels[(x * ny + y) * nz + z], values.indexOf(Math.max(...values)));
        }
      }
    }
  });

  it('sums depth times context over cameras, bins and feature cells', async () => {
    const model = smallNetwork();
    Object.assign(model.manifest.graph.outputs, { depth: 'softmax', context: 'context' });
    const engine = await load(model);
    const { rays, origins } = rig();
    await engine.setRig(rig());
    const { tensors } = await engine.run(images());
    const depth = tensors.get('depth')!.data;
    const context = tensors.get('context')!.data;
    const expected = new Float64Array(5 * 12);
    for (let camera = 0; camera < CAMERAS; ++camera) {
      for (const [d, metres] of DEPTHS.entries()) {
        for (let cell = 0; cell < FEATURE_CELLS; ++cell) {
          const [x, y, z] = [0, 1, 2].map(
            (axis) =>
              origins[camera * 3 + axis]! + metres * rays[(camera * FEATURE_CELLS + cell) * 3 + axis]!,
          ) as [number, number, number];
          // the grid of smallNetwork: [-4, -3, -1] to [4, 3, 1], 4×3×2 cells
          const [i, j, k] = [Math.floor((x + 4) / 2), Math.floor((y + 3) / 2), Math.floor(z + 1)];
          if (i < 0 || i >= 4 || j < 0 || j >= 3 || k < 0 || k >= 2) continue;
          const weight = depth[(camera * DEPTHS.length + d) * FEATURE_CELLS + cell]!;
          for (let c = 0; c < 5; ++c) {
            expected[(c * 3 + j) * 4 + i]! += weight * context[(camera * 5 + c) * FEATURE_CELLS + cell]!;
          }
        }
      }
    }
    const bev = tensors.get('bev')!.data;
    assert(
      expected.some((value) => Math.abs(value) > 0.1),
      'points fall into the grid',
    );
    for (const [i, value] of expected.entries()) assert(Math.abs(bev[i]! - value) < 1e-4, `cell ${i}`);
  });

  it('normalises images with mean and standard deviation', async () => {
    const model = smallNetwork();
    model.manifest.graph.outputs['images'] = 'images';
    const engine = await load(model);
    await engine.setRig(rig());
    const normalized = (await engine.run(images())).tensors.get('images')!;
    assert.deepEqual(normalized.shape, [CAMERAS, 3, HEIGHT, WIDTH]);
    const pixel = image(1)[(2 * WIDTH + 5) * 3 + 1]!; // camera 1, green of row 2, column 5
    const value = normalized.data[((1 * 3 + 1) * HEIGHT + 2) * WIDTH + 5]!;
    assert(Math.abs(value - (pixel - 110) / 61) < 1e-6);
  });

  for (const isa of supportedIsas()) {
    it(`computes with ${isa} what the reference computes`, async () => {
      const [fast, reference] = [
        await load(undefined, { isa }),
        await load(undefined, { mode: 'reference' }),
      ];
      for (const engine of [fast, reference]) await engine.setRig(rig());
      const [actual, expected] = [await fast.run(images()), await reference.run(images())];
      for (const role of ['occupancy_logits', 'bev', 'occupancy_confidence']) {
        assert(relativeError(actual, expected, role) < 1e-5, role);
      }
    });
  }

  it('gives identical results on one thread and on two', async () => {
    const [one, two] = [await load(undefined, { threads: 1 }), await load(undefined, { threads: 2 })];
    for (const engine of [one, two]) await engine.setRig(rig());
    assertSame(await two.run(images()), await one.run(images()));
  });

  it('gives identical results frame after frame', async () => {
    const engine = await load();
    await engine.setRig(rig());
    const first = await engine.run(images());
    await engine.run([image(7), image(8), image(9)]);
    assertSame(await engine.run(images()), first);
  });

  describe('with cameras missing', () => {
    it('leaves out their rays and nothing else', async () => {
      const engine = await load();
      await engine.setRig(rig());
      const all = images();
      const bev = async (frame: (Uint8Array | undefined)[]) =>
        (await engine.run(frame)).tensors.get('bev')!.data as Float32Array;
      const whole = await bev(all);
      const parts = [
        await bev([all[0], undefined, undefined]),
        await bev([undefined, all[1], undefined]),
        await bev([undefined, undefined, all[2]]),
      ];
      for (const [i, value] of whole.entries()) {
        assert(Math.abs(parts[0]![i]! + parts[1]![i]! + parts[2]![i]! - value) < 1e-4);
      }
    });
    it('refuses a frame without any', async () => {
      const engine = await load();
      await engine.setRig(rig());
      await assert.rejects(engine.run([undefined, undefined, undefined]), {
        kind: 'camera',
        code: 'IMAGE_COUNT',
      });
    });
    it('takes a rig of fewer cameras than the model', async () => {
      const engine = await load();
      await engine.setRig(rig(1));
      await engine.run(images(1));
    });
  });

  it('uses a new rig from the next frame on', async () => {
    const engine = await load();
    await engine.setRig(rig());
    const before = engine.run(images());
    const change = engine.setRig({ ...rig(), rays: rig().rays.map((value) => -value) });
    const after = engine.run(images());
    await change;
    assert(relativeError(await after, await before, 'bev') > 1e-3);
  });

  it('skips rays that are NaN', async () => {
    const engine = await load();
    await engine.setRig({ ...rig(), rays: rig().rays.fill(NaN) });
    const { tensors } = await engine.run(images());
    assert(tensors.get('bev')!.data.every((value) => value === 0));
  });

  describe('refuses', () => {
    const refuses = (what: string, act: (engine: NetworkEngine) => Promise<unknown>, error: object): void => {
      it(what, async () => {
        const engine = await load();
        await assert.rejects(act(engine), error);
        await engine.setRig(rig());
        await engine.run(images()); // and works as if nothing had happened
      });
    };
    refuses('a frame before the rig', (engine) => engine.run(images()), {
      kind: 'configuration',
      code: 'RIG_MISSING',
      message: /call setRig first/,
    });
    refuses('more cameras than the model takes', (engine) => engine.setRig(rig(4)), { code: 'RIG_CAMERAS' });
    refuses('a rig of no camera', (engine) => engine.setRig(rig(0)), { code: 'RIG_CAMERAS' });
    refuses(
      'rays of another feature size',
      (engine) => engine.setRig({ ...rig(), rays: new Float32Array(9) }),
      {
        kind: 'camera',
        code: 'RIG_SIZE',
      },
    );
    refuses(
      'an origin that is NaN',
      (engine) => engine.setRig({ ...rig(), origins: rig().origins.fill(NaN) }),
      { code: 'RIG_ORIGIN' },
    );
    const afterRig = (frame: unknown) => async (engine: NetworkEngine) => {
      await engine.setRig(rig());
      await engine.run(frame as Uint8Array[]);
    };
    refuses('too few images', afterRig(images(2)), {
      kind: 'camera',
      code: 'IMAGE_COUNT',
      message: /found 2/,
    });
    refuses('too many images', afterRig(images(4)), { code: 'IMAGE_COUNT' });
    refuses('an image of the wrong size', afterRig([image(0), new Uint8Array(7), image(2)]), {
      code: 'IMAGE_SIZE',
      message: /camera 1: expected 288 bytes \(8×12 RGB\), found 7/,
    });
    refuses('an image that is no byte array', afterRig([image(0), 'x', image(2)]), { code: 'IMAGE_SIZE' });
    refuses(
      'an input of another name',
      (engine) => engine.runTensors({ pictures: f32Input([1, 3, 8, 12]) }),
      {
        code: 'INPUT_UNKNOWN',
      },
    );
    refuses('an input of another shape', (engine) => engine.runTensors({ images: f32Input([1, 3, 8, 13]) }), {
      code: 'INPUT_SHAPE',
      message: /"images": expected the shape \[1…3, 3, 8, 12\], found \[1, 3, 8, 13\]/,
    });
    refuses(
      'an input of another length than its shape',
      (engine) => engine.runTensors({ images: { shape: [1, 3, 8, 12], data: new Float32Array(3) } }),
      { code: 'INPUT_SHAPE' },
    );
    refuses('a frame without its input', (engine) => engine.runTensors({}), { code: 'INPUT_MISSING' });
    refuses(
      'cameras that the rig does not have',
      async (engine) => {
        await engine.setRig(rig(1));
        await engine.runTensors({ images: f32Input([1, 3, 8, 12]) }, { cameras: [2] });
      },
      { code: 'CAMERA_INDEX' },
    );
  });

  it('runs two engines at once', async () => {
    const [a, b] = [await load(), await load()];
    await Promise.all([a.setRig(rig()), b.setRig(rig())]);
    const expected = await a.run(images());
    const outputs = await Promise.all([a.run(images()), b.run(images()), a.run(images()), b.run(images())]);
    for (const output of outputs) assertSame(output, expected);
  });

  it('leaves the event loop free while it computes', async () => {
    const engine = await load(slowNetwork());
    let ticks = 0;
    const timer = setInterval(() => ++ticks, 1);
    await engine.runTensors(slowInput);
    clearInterval(timer);
    assert(ticks > 3, `${ticks} ticks`);
  });

  describe('gives up', () => {
    it('the frame whose signal fires', async () => {
      const engine = await load(slowNetwork());
      await engine.runTensors(slowInput);
      const controller = new AbortController();
      const frame = engine.runTensors(slowInput, { signal: controller.signal });
      setImmediate(() => controller.abort('enough'));
      await assert.rejects(frame, { name: 'AbortError', code: 'ABORT_ERR', cause: 'enough' });
      await engine.runTensors(slowInput);
    });
    it('a frame whose signal has fired before', async () => {
      const engine = await load();
      await assert.rejects(engine.run(images(), { signal: AbortSignal.abort() }), { name: 'AbortError' });
    });
    it('a frame that waits for its turn, and not the one before it', async () => {
      const engine = await load(slowNetwork());
      const controller = new AbortController();
      const first = engine.runTensors(slowInput);
      const second = engine.runTensors(slowInput, { signal: controller.signal });
      controller.abort();
      await assert.rejects(second, { name: 'AbortError' });
      await first;
    });
    it('the frame in flight on dispose', async () => {
      const engine = await load(slowNetwork());
      const frame = engine.runTensors(slowInput);
      setImmediate(() => engine.dispose());
      await assert.rejects(frame, { name: 'AbortError' });
    });
  });

  describe('after dispose', () => {
    it('rejects every call, and takes another dispose', async () => {
      const engine = await load();
      engine.dispose();
      engine.dispose();
      const gone = { kind: 'configuration', code: 'ENGINE_DISPOSED' };
      await assert.rejects(engine.run(images()), gone);
      await assert.rejects(engine.setRig(rig()), gone);
      await assert.rejects(engine.runTensors({}), gone);
    });
  });
});

function f32Input(shape: number[]): { shape: number[]; data: Float32Array } {
  return { shape, data: f32(shape, noise).data as Float32Array };
}
