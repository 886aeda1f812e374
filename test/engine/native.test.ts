import assert from 'node:assert/strict';
import { BdcError } from '../../src/errors.js';
import { loadEngine } from '../../src/engine/load-engine.js';
import { nativeApi, nativeImages, type NativeFrame, type NativeModel } from '../../src/engine/native.js';
import { loadNativeSimulation } from '../../src/simulation/native.js';
import { CAMERAS, f32, HEIGHT, saveModel, serialize, smallNetwork, WIDTH } from './model-builder.js';

const NONSENSE: readonly unknown[] = [
  undefined,
  null,
  0,
  -1,
  NaN,
  'x',
  Symbol('x'),
  [],
  [undefined],
  {},
  () => 1,
  new Float32Array(2),
  new Date(),
];

describe('The native addon', () => {
  it('throws a TypeError for arguments of the wrong type', () => {
    const api = nativeApi();
    for (const value of NONSENSE) {
      const nonsense = value as never;
      const model = {
        dataOffset: 0,
        tensors: value,
        inputs: [],
        operations: [],
        outputs: [],
      } as unknown as NativeModel;
      assert.throws(() => void api.load(nonsense, nonsense, nonsense), TypeError);
      assert.throws(
        () =>
          void api.load(new Uint8Array(8), model, {
            threads: 1,
            affinity: [],
            mode: 'fast',
            residual: 'fp32',
          }),
        TypeError,
      );
      assert.throws(() => void api.setRig(nonsense, nonsense), TypeError);
      assert.throws(() => void api.run(nonsense, nonsense), TypeError);
      assert.throws(() => api.abort(nonsense), TypeError);
      assert.throws(() => api.dispose(nonsense), TypeError);
    }
  });

  it('throws a TypeError for arguments of the wrong type from images and the simulation too', () => {
    for (const [name, entry] of Object.entries({ ...nativeImages(), ...loadNativeSimulation() })) {
      for (const value of NONSENSE) {
        assert.throws(
          () => (entry as (...values: unknown[]) => unknown)(value, value, value),
          TypeError,
          name,
        );
      }
    }
  });

  it('throws a TypeError for raw images whose bytes are not what they say', () => {
    const image = {
      ...{ data: new Uint8Array(24), width: 4, height: 2, step: 12 },
      ...{ layout: 'packed', pixelBytes: 3, at: [0, 1, 2] },
    } as const;
    const wrong: readonly object[] = [
      ...NONSENSE.flatMap((value) => Object.keys(image).map((key) => ({ ...image, [key]: value }))),
      { ...image, data: new Uint8Array(23) },
      { ...image, width: 5 },
      { ...image, step: 11 },
      { ...image, at: [0, 1, 3] },
      { ...image, layout: 'yuv420' },
      { ...image, layout: 'bayer', width: 3, step: 12 },
    ];
    for (const value of wrong) assert.throws(() => void nativeImages().unpack(value as never), TypeError);
  });

  it('throws an error for frames that make no sense', async () => {
    const api = nativeApi();
    const pixels = f32([1, 3, HEIGHT, WIDTH], () => 0).data as Float32Array;
    const model: NativeModel = {
      dataOffset: 0,
      tensors: [],
      inputs: [{ name: 'images', shape: [0, 3, HEIGHT, WIDTH] }],
      operations: [
        {
          name: 'y',
          op: 'relu',
          module: 'heads',
          inputs: ['images'],
          outputs: ['y'],
          attributes: {},
          tensors: {},
        },
      ],
      outputs: [{ role: 'y', tensor: 'y' }],
      images: { width: WIDTH, height: HEIGHT, mean: [0, 0, 0], std: [1, 1, 1] },
      grid: { min: [0, 0, 0], max: [1, 1, 1], shape: [1, 1, 1] },
      cameras: CAMERAS,
    };
    const { handle } = await api.load(new Uint8Array(), model, {
      threads: 1,
      affinity: [],
      mode: 'fast',
      residual: 'fp32',
    });
    for (const value of NONSENSE) {
      const frames = [
        value,
        { cameras: value, images: [] },
        { cameras: [0], images: value },
        { cameras: [0], images: [value] },
        { cameras: [0], tensors: [value] },
        { cameras: [0], tensors: [{ input: value, shape: [1, 3, HEIGHT, WIDTH], data: pixels }] },
        { cameras: [0], tensors: [{ input: 0, shape: value, data: pixels }] },
        { cameras: [0], tensors: [{ input: 0, shape: [1, 3, HEIGHT, WIDTH], data: value }] },
      ] as unknown as NativeFrame[];
      for (const frame of frames) {
        // 0 is a fair index of an input
        if (value === 0 && frame === frames[5]) continue;
        await assert.rejects(async () => api.run(handle, frame), Error);
      }
      await assert.rejects(async () => api.setRig(handle, value as never), Error);
    }
    const frame: NativeFrame = {
      cameras: [0],
      tensors: [{ input: 0, shape: [1, 3, HEIGHT, WIDTH], data: pixels }],
    };
    const running = api.run(handle, frame);
    await assert.rejects(async () => api.run(handle, frame), { code: 'ENGINE_BUSY' });
    await running;
    api.dispose(handle);
    await assert.rejects(async () => api.run(handle, frame), { code: 'ENGINE_DISPOSED' });
  });

  it('survives any flipped byte of a model file', async () => {
    const sound = serialize(smallNetwork());
    const headerEnd = 8 + Number(new DataView(sound.buffer).getBigUint64(0, true));
    let refused = 0;
    for (let i = 0; i < 400; ++i) {
      const file = sound.slice();
      // most of the flips in the header, where they hurt
      const at = Math.imul(i + 1, 2654435761) >>> 0;
      const position = i % 8 === 0 ? at % file.length : at % headerEnd;
      file[position]! ^= 1 << (i % 7);
      try {
        const engine = await loadEngine(await saveModel(file), { threads: 1 });
        engine.dispose();
      } catch (error) {
        assert(error instanceof BdcError, `byte ${position}: ${String(error)}`);
        ++refused;
      }
    }
    assert(refused > 100, `${refused} refused`);
  });
});
