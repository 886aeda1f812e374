import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { loadEngine } from '../src/engine/load-engine.js';
import type { GraphOperation } from '../src/engine/manifest.js';
import type { LayerOptions } from './layer-benchmark.js';
import { randomFloats } from './layers.js';
import { readNetwork } from './model-file.js';
import type { Network } from './network.js';
import { createSession, floatTensor } from './onnx/session.js';
import { OnnxTwin, type TwinInput, WITHOUT_COUNTERPART } from './onnx/twin.js';
import { type Contestant, median, runPaired } from './paired.js';
import { ringOfCameras } from './ring-of-cameras.js';

export interface FrameResult {
  readonly model: string;
  readonly cameras: number;
  /** Milliseconds of all operations but lift_splat, occupancy_argmax and the images' normalisation. */
  readonly ours: number;
  /** Milliseconds of the FP32 twin, which lacks those operations. */
  readonly onnxruntime?: number;
  /** Milliseconds of ours from RGB bytes to the last output. */
  readonly oursWhole: number;
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

async function twinPart(
  network: Network,
  operations: readonly GraphOperation[],
  inputs: readonly TwinInput[],
  threads: number,
): Promise<TwinPart> {
  const model = new OnnxTwin(network, inputs).translate(operations, leaves(operations));
  const feeds = inputs.map(({ name, shape }, i) => {
    const count = shape.reduce((product, size) => product * size, 1);
    return [name, floatTensor(randomFloats(count, i + 1), shape)] as const;
  });
  return { session: await createSession(model, threads), feeds: Object.fromEntries(feeds) };
}

/** The FP32 twin: one session before `lift_splat`, one after it, which is fed with random numbers. */
async function createTwin(network: Network, cameras: number, threads: number): Promise<Contestant> {
  const { graph, grid } = network.manifest;
  const { perCamera, bev, liftSplat } = cutGraph(graph.operations);
  const inputs = graph.inputs.map(({ name, shape }) => ({
    name,
    shape: shape.map((size) => (size === 'cameras' ? cameras : size)),
  }));
  const parts = [await twinPart(network, perCamera, inputs, threads)];
  if (liftSplat !== undefined) {
    const [first] = parts;
    const [, context = ''] = liftSplat.inputs;
    const [lifted = ''] = liftSplat.outputs;
    const features = (await first?.session.run(first.feeds))?.[context];
    const channels = features?.dims[1];
    if (channels === undefined) throw new Error(`the twin has no output '${context}' for lift_splat`);
    const [nx, ny] = grid.shape;
    parts.push(await twinPart(network, bev, [{ name: lifted, shape: [1, channels, ny, nx] }], threads));
  }
  return {
    name: 'onnxruntime',
    run: async () => {
      for (const { session, feeds } of parts) await session.run(feeds);
      return undefined;
    },
    close: async () => {
      for (const { session } of parts) await session.release();
    },
  };
}

/** Times whole frames of a model with a ring of cameras and random images. */
export async function benchmarkFrame(
  path: string,
  { repetitions, peers, ...options }: Omit<LayerOptions, 'depth'>,
): Promise<FrameResult> {
  const network = await readNetwork(path);
  const { input, name } = network.manifest;
  const { cameras, width, height } = input;
  const engine = await loadEngine(path, options);
  const contestants: Contestant[] = [];
  try {
    if (engine.featureSize !== undefined) {
      await engine.setRig(ringOfCameras(cameras, engine.featureSize, input));
    }
    const images = Array.from({ length: cameras }, (_, camera) =>
      Uint8Array.from(randomFloats(width * height * 3, camera + 1), (value) => 128 + 127 * value),
    );
    const wholes: number[] = [];
    contestants.push({
      name: 'ours',
      run: async () => {
        const start = performance.now();
        const { operations } = await engine.run(images);
        wholes.push(performance.now() - start);
        return operations
          .filter(({ op }) => op !== 'normalize' && !WITHOUT_COUNTERPART.has(op))
          .reduce((sum, { milliseconds }) => sum + milliseconds, 0);
      },
      close: () => {
        engine.dispose();
        return Promise.resolve();
      },
    });
    if (peers) contestants.push(await createTwin(network, cameras, options.threads));
    const times = await runPaired(contestants, repetitions);
    const twin = times.get('onnxruntime');
    return {
      model: name,
      cameras,
      ours: times.get('ours') ?? NaN,
      oursWhole: median(wholes.slice(1)),
      ...(twin === undefined ? {} : { onnxruntime: twin }),
    };
  } finally {
    for (const contestant of contestants) await contestant.close();
  }
}
