import assert from 'node:assert/strict';
import { loadEngine } from '../../src/engine/load-engine.js';
import type { NetworkEngine } from '../../src/engine/network-engine.js';
import type { RigidMotion } from '../../src/engine/types.js';
import { BdcError } from '../../src/errors.js';
import { CAMERAS, HEIGHT, saveModel, smallNetwork, WIDTH, type ModelParts } from './model-builder.js';

const [ROWS, COLUMNS] = [4, 6];
const ahead = (metres: number): RigidMotion => [1, 0, 0, metres, 0, 1, 0, 0, 0, 0, 1, 0];
const STILL = ahead(0);

/** The small network with the previous frame's BEV feature added to the current one. */
export function networkWithHistory(): ModelParts {
  const parts = smallNetwork();
  const { operations } = parts.manifest.graph;
  const head = operations.findIndex(({ name }) => name === 'head');
  const operation = (name: string, op: string, inputs: string[]) => ({
    name,
    op,
    module: 'bev_encoder' as const,
    inputs,
    outputs: [name],
  });
  operations[head] = { ...operations[head]!, inputs: ['both'] };
  operations.splice(
    head,
    0,
    operation('previous', 'align_previous', ['splat']),
    operation('both', 'add', ['splat', 'previous']),
  );
  return parts;
}

const images = (seed: number): Uint8Array[] =>
  Array.from({ length: CAMERAS }, (_, camera) =>
    Uint8Array.from(
      { length: WIDTH * HEIGHT * 3 },
      (_, i) => Math.imul(i + camera * 977 + seed * 7919, 2654435761) >>> 24,
    ),
  );

async function open(parts: ModelParts): Promise<NetworkEngine> {
  const engine = await loadEngine(await saveModel(parts), { threads: 1 });
  const cells = CAMERAS * ROWS * COLUMNS;
  await engine.setRig({
    cameras: CAMERAS,
    rays: Float32Array.from({ length: cells * 3 }, (_, i) => (((i * 7) % 11) - 5) / 8),
    origins: new Float32Array(CAMERAS * 3),
  });
  return engine;
}

describe('An engine that keeps history', () => {
  const engines: NetworkEngine[] = [];
  const opened = async (parts = networkWithHistory()): Promise<NetworkEngine> => {
    const engine = await open(parts);
    engines.push(engine);
    return engine;
  };
  const logits = async (engine: NetworkEngine, seed: number, motion?: RigidMotion): Promise<Float32Array> => {
    const { tensors } = await engine.run(images(seed), motion && { motion });
    return tensors.get('occupancy_logits')!.data as Float32Array;
  };

  afterEach(() => {
    for (const engine of engines.splice(0)) engine.dispose();
  });

  it('says how much it keeps: two maps', async () => {
    assert.equal((await opened()).historyBytes, 2 * 5 * 3 * 4 * 4);
    assert.equal((await opened(smallNetwork())).historyBytes, 0);
  });

  it('computes the first frame, and each one without a motion, exactly as the network without history', async () => {
    const engine = await opened();
    const without = await opened(smallNetwork());
    for (const seed of [1, 2, 3]) assert.deepEqual(await logits(engine, seed), await logits(without, seed));
    assert.deepEqual(
      await logits(await opened(), 1, STILL),
      await logits(without, 1),
      'nothing to align yet',
    );
  });

  it('uses the previous frame where it is told the motion, and depends on that', async () => {
    const engine = await opened();
    await logits(engine, 1);
    const still = await logits(engine, 2, STILL);
    await logits(engine, 1);
    const moved = await logits(engine, 2, ahead(2));
    const fresh = await logits(await opened(), 2);
    assert.notDeepEqual(still, fresh);
    assert.notDeepEqual(moved, fresh);
    assert.notDeepEqual(moved, still);
  });

  it('remembers one frame only', async () => {
    const [engine, other] = [await opened(), await opened()];
    for (const seed of [1, 2, 3]) await logits(engine, seed, STILL);
    await logits(other, 3);
    assert.deepEqual(await logits(engine, 4, STILL), await logits(other, 4, STILL));
  });

  it('shares nothing with another engine of the same model', async () => {
    const [engine, other] = [await opened(), await opened()];
    await logits(engine, 1);
    assert.deepEqual(await logits(other, 2, STILL), await logits(await opened(), 2));
  });

  it('refuses a motion that is none', async () => {
    const engine = await opened();
    for (const motion of [[1, 0, 0], ahead(NaN)] as unknown as RigidMotion[]) {
      await assert.rejects(logits(engine, 1, motion), (error: unknown) => {
        assert.ok(error instanceof BdcError, String(error));
        assert.equal(error.code, 'MOTION_INVALID');
        return true;
      });
    }
  });
});
