import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { saveModel, smallNetwork } from '../engine/model-builder.js';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;

const inspect = (...args: string[]) =>
  promisify(execFile)(process.execPath, ['--import', 'tsx', MAIN, 'inspect', ...args]);

describe('bdc-occ inspect', function () {
  this.timeout(60_000);

  it('prints one JSON object with the cost of each module', async () => {
    const { stdout } = await inspect(await saveModel(smallNetwork()), '--json');
    const summary = JSON.parse(stdout) as Record<string, unknown>;
    // smallNetwork: 70 channels on feature maps of 4×6, three cameras; head on a BEV grid of 3×4
    const stem = 70 * 27;
    const bits = 70 * 70 * 9;
    const head = 6 * 5 * 9;
    const pixels = 24;
    const cameras = 3;
    assert.equal(summary['name'], 'small');
    assert.equal(summary['binary_parameters'], bits);
    assert.equal(summary['parameters'], stem + 70 + 70 + bits + 70 + (3 + 5) * 70 + head + 6);
    assert.deepEqual(summary['macs'], {
      binary: bits * pixels * cameras,
      real: (stem + 8 * 70) * pixels * cameras + head * 12,
      int8: 0,
      binary_weight_int8_input: 0,
      binary_weight_real_input: 0,
    });
    const modules = summary['modules'] as Record<string, { macs: { real: number }; parameters: number }>;
    assert.deepEqual(Object.keys(modules), ['image_encoder', 'view_transformer', 'bev_encoder', 'heads']);
    assert.equal(modules['heads']!.macs.real, head * 12);
    assert.equal(modules['bev_encoder']!.parameters, 0);
    assert.deepEqual(summary['classes'], { occupancy: ['ground', 'wall', 'free'], detection: [] });
    assert.deepEqual(summary['history'], { operations: [], bytes: 0 });
    assert(typeof summary['bytes'] === 'number' && 'input' in summary && 'grid' in summary);
  });

  it('counts int8 convolutions apart from real ones', async () => {
    const model = new URL('../fixtures/golden/op-conv2d-int8/model.safetensors', import.meta.url).pathname;
    const { macs } = JSON.parse((await inspect(model, '--json')).stdout) as {
      macs: { int8: number; real: number };
    };
    assert(macs.int8 > 0);
    assert.equal(macs.real, 0);
  });

  it('counts binary weights on int8 values apart from those on real ones', async () => {
    const macsOf = async (fixture: string): Promise<Record<string, number>> => {
      const { pathname } = new URL(`../fixtures/golden/${fixture}/model.safetensors`, import.meta.url);
      return (JSON.parse((await inspect(pathname, '--json')).stdout) as { macs: Record<string, number> })
        .macs;
    };
    const onInt8 = await macsOf('op-binary-conv2d-int8-input');
    assert(onInt8['binary_weight_int8_input']! > 0);
    assert.equal(onInt8['binary_weight_real_input'], 0);
    const onReal = await macsOf('op-binary-conv2d-real-input-pointwise');
    assert(onReal['binary_weight_real_input']! > 0);
    assert.equal(onReal['binary_weight_int8_input'], 0);
  });

  it('prints a table for people', async () => {
    const { stdout } = await inspect(await saveModel(smallNetwork()));
    assert.match(stdout, /^small \(0\.\d+ MB\)$/m);
    assert.match(stdout, /^view_transformer +0\.001 /m);
    assert.match(stdout, /^grid +4×3×2 voxels/m);
    assert.match(stdout, /^memory +none/m);
  });

  it('says what a network keeps of the previous frame and what it needs for that', async () => {
    const temporal = new URL('../fixtures/golden/network-temporal/model.safetensors', import.meta.url)
      .pathname;
    const { stdout } = await inspect(temporal);
    assert.match(
      stdout,
      /^memory +of the previous frame: align_previous \(0\.01 MB\); needs the ego motion$/m,
    );
    const stereo = new URL('../fixtures/golden/op-cameras/model.safetensors', import.meta.url).pathname;
    assert.match(
      (await inspect(stereo)).stdout,
      /stereo_cost_volume .*; needs the ego motion and images without distortion$/m,
    );
  });

  it('says in one line what is wrong with a file', async () => {
    await assert.rejects(inspect(await saveModel(new Uint8Array(40))), (error: unknown) => {
      const { code, stderr } = error as { code: number; stderr: string };
      assert.equal(code, 2);
      assert.match(stderr, /^error: .*not a model file.*\[MODEL_HEADER\]$/m);
      return true;
    });
  });
});
