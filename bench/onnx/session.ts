import { InferenceSession, Tensor } from 'onnxruntime-node';

export type { Tensor as OrtTensor } from 'onnxruntime-node';

/** An onnxruntime session on the CPU with `threads` threads that sleep between runs, as ours do. */
export async function createSession(model: Uint8Array, threads: number): Promise<InferenceSession> {
  return InferenceSession.create(model, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    extra: { session: { force_spinning_stop: '1' } },
  });
}

export function floatTensor(data: Float32Array, shape: readonly number[]): Tensor {
  return new Tensor('float32', data, shape);
}

export function byteTensor(data: Uint8Array, shape: readonly number[]): Tensor {
  return new Tensor('uint8', data, shape);
}
