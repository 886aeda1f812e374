import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { loadEngine } from '../src/engine/load-engine.js';
import type { GraphOperation, ModuleName } from '../src/engine/manifest.js';
import type { NetworkEngine } from '../src/engine/network-engine.js';
import type { EngineOptions } from '../src/engine/types.js';
import type { LayerOptions } from './layer-benchmark.js';
import { randomFloats } from './layers.js';
import { readNetwork } from './model-file.js';
import type { Network } from './network.js';
import { createSession, floatTensor } from './onnx/session.js';
import { QuantizedTwin } from './onnx/quantized-twin.js';
import { OnnxTwin, type TwinInput, WITHOUT_COUNTERPART } from './onnx/twin.js';
import { type Contestant, median, ratioOf, runPaired } from './paired.js';
import { ringOfCameras } from './ring-of-cameras.js';

export interface FrameResult {
  readonly model: string;
  readonly cameras: number;
  /**
   * Milliseconds of all steps but lift_splat and the images' normalisation, which the twins lack. They lack occupancy_argmax too, which
   * counts here all the same where it is one step with the convolution before it.
   */
  readonly ours_ms: number;
  /** Milliseconds of ours from RGB bytes to the last output. */
  readonly whole_ms: number;
  readonly ort_fp32_ms: number | null;
  readonly ort_u8_ms: number | null;
  readonly ratio_fp32: number | null;
  readonly ratio_u8: number | null;
  /** Milliseconds of ours by module, everything included. */
  readonly modules: Readonly<Record<ModuleName, number>>;
  /** Resident memory of this process with the engine alone, after a frame. */
  readonly rss_mb: number;
}

/** The parts of a graph on both sides of `lift_splat`, without the operations that the twin lacks. */
export function cutGraph(operations: readonly GraphOperation[]): {
  readonly perCamera: readonly GraphOperation[];
  readonly bev: readonly GraphOperation[];
  readonly liftSplat: GraphOperation | undefined;
} {
  const liftSplat = operations.find(({ op }) => op === 'lift_splat');
  const afterLift = new Set(liftSplat?.outputs);
  const perCamera: GraphOperation[] = [];
  const bev: GraphOperation[] = [];
  for (const operation of operations) {
    if (WITHOUT_COUNTERPART.has(operation.op)) continue;
    if (operation.inputs.some((input) => afterLift.has(input))) {
      for (const output of operation.outputs) afterLift.add(output);
      bev.push(operation);
    } else {
      perCamera.push(operation);
    }
  }
  return { perCamera, bev, liftSplat };
}

/** Tensors that the twin ends with: what `operations` make and none of them uses. */
function leaves(operations: readonly GraphOperation[]): string[] {
  const used = new Set(operations.flatMap(({ inputs }) => inputs));
  return operations.flatMap(({ outputs }) => outputs).filter((output) => !used.has(output));
}

interface TwinPart {
  readonly session: InferenceSession;
  readonly feeds: Record<string, Tensor>;
}

interface TwinOptions {
  readonly threads: number;
  readonly precision: 'fp32' | 'u8';
}

async function twinPart(
  network: Network,
  operations: readonly GraphOperation[],
  inputs: readonly TwinInput[],
  { threads, precision }: TwinOptions,
): Promise<TwinPart> {
  const twin = precision === 'u8' ? new QuantizedTwin(network, inputs) : new OnnxTwin(network, inputs);
  const model = twin.translate(operations, leaves(operations));
  const feeds = inputs.map(({ name, shape }, i) => {
    const count = shape.reduce((product, size) => product * size, 1);
    return [name, floatTensor(randomFloats(count, i + 1), shape)] as const;
  });
  return { session: await createSession(model, threads), feeds: Object.fromEntries(feeds) };
}

interface FrameSizes {
  readonly cameras: number;
  /** Channels of the BEV map that lift_splat makes. */
  readonly lifted: number;
}

/** A twin: one session before `lift_splat`, one after it, which is fed with random numbers. */
async function createTwin(
  network: Network,
  { cameras, lifted: channels }: FrameSizes,
  options: TwinOptions,
): Promise<Contestant> {
  const { graph, grid } = network.manifest;
  const { perCamera, bev, liftSplat } = cutGraph(graph.operations);
  const inputs = graph.inputs.map(({ name, shape }) => ({
    name,
    shape: shape.map((size) => (size === 'cameras' ? cameras : size)),
  }));
  const parts = [await twinPart(network, perCamera, inputs, options)];
  if (liftSplat !== undefined) {
    const [lifted = ''] = liftSplat.outputs;
    const [nx, ny] = grid.shape;
    parts.push(await twinPart(network, bev, [{ name: lifted, shape: [1, channels, ny, nx] }], options));
  }
  return {
    name: options.precision,
    run: async () => {
      for (const { session, feeds } of parts) await session.run(feeds);
      return undefined;
    },
    close: async () => {
      for (const { session } of parts) await session.release();
    },
  };
}

/** Random RGB images of the network's size. */
export function randomImages(cameras: number, width: number, height: number): Uint8Array[] {
  return Array.from({ length: cameras }, (_, camera) =>
    Uint8Array.from(randomFloats(width * height * 3, camera + 1), (value) => 128 + 127 * value),
  );
}

/** An engine with a ring of cameras, ready for frames. */
export async function engineWithRig(path: string, options: EngineOptions): Promise<NetworkEngine> {
  const engine = await loadEngine(path, { ...options, logits: false });
  const { input } = engine.manifest;
  if (engine.featureSize !== undefined) {
    await engine.setRig(ringOfCameras(input.cameras, engine.featureSize, input));
  }
  return engine;
}

/** Times whole frames of a model with a ring of cameras and random images. */
export async function benchmarkFrame(
  path: string,
  { repetitions, peers, ...options }: Omit<LayerOptions, 'depth'>,
): Promise<FrameResult> {
  const network = await readNetwork(path);
  const { input, name } = network.manifest;
  const { cameras, width, height } = input;
  const engine = await engineWithRig(path, options);
  const contestants: Contestant[] = [
    {
      name: 'ours',
      run: async () => {
        const start = performance.now();
        const { operations, milliseconds } = await engine.run(images);
        wholes.push(performance.now() - start);
        modules.push(milliseconds);
        return operations
          .filter(({ op }) => op !== 'normalize' && !WITHOUT_COUNTERPART.has(op))
          .reduce((sum, operation) => sum + operation.milliseconds, 0);
      },
      close: () => {
        engine.dispose();
        return Promise.resolve();
      },
    },
  ];
  const images = randomImages(cameras, width, height);
  const wholes: number[] = [];
  const modules: Readonly<Record<ModuleName, number>>[] = [];
  try {
    await engine.run(images);
    const rss = process.memoryUsage.rss() / 2 ** 20;
    const { threads } = options;
    const lift = network.manifest.graph.operations.findIndex(({ op }) => op === 'lift_splat');
    const lifted = engine.operations[lift]?.outputShape[1] ?? 0;
    for (const precision of peers ? (['fp32', 'u8'] as const) : []) {
      contestants.push(await createTwin(network, { cameras, lifted }, { threads, precision }));
    }
    const times = await runPaired(contestants, repetitions);
    const own = times.get('ours') ?? NaN;
    const ofModule = (module: ModuleName): number => median(modules.slice(1).map((entry) => entry[module]));
    return {
      model: name,
      cameras,
      ours_ms: own,
      whole_ms: median(wholes.slice(1)),
      ort_fp32_ms: times.get('fp32') ?? null,
      ort_u8_ms: times.get('u8') ?? null,
      ratio_fp32: ratioOf(times.get('fp32'), own),
      ratio_u8: ratioOf(times.get('u8'), own),
      modules: {
        image_encoder: ofModule('image_encoder'),
        view_transformer: ofModule('view_transformer'),
        bev_encoder: ofModule('bev_encoder'),
        heads: ofModule('heads'),
      },
      rss_mb: rss,
    };
  } finally {
    for (const contestant of contestants) await contestant.close();
  }
}
