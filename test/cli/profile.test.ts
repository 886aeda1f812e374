import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { saveModel, smallNetwork } from '../engine/model-builder.js';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;

const profile = (...args: string[]) =>
  promisify(execFile)(process.execPath, ['--import', 'tsx', MAIN, 'profile', '--frames', '1', ...args]);

describe('bdc-occ profile', function () {
  this.timeout(60_000);

  it('runs one thread for each core of --affinity, and says what the system refuses', async () => {
    const model = await saveModel(smallNetwork());
    const { stdout, stderr } = await profile(model, '--json', '--affinity', '1022-1023', '--nice', '3');
    assert.equal((JSON.parse(stdout) as { threads: number }).threads, 2);
    assert.match(stderr, /^warning: thread 0 can't be pinned to core 1022: /m);
    assert.match(stderr, /^warning: thread 1 can't be pinned to core 1023: /m);
    assert.doesNotMatch(stderr, /nice/);
  });

  it('gives a network that uses the calibration one', async () => {
    const network = smallNetwork();
    const { operations, outputs } = network.manifest.graph;
    operations.push({
      ...{ name: 'calibration', op: 'camera_parameters', module: 'image_encoder' },
      ...{ inputs: ['images'], outputs: ['calibration'] },
    });
    outputs['calibration'] = 'calibration';
    const { stdout } = await profile(await saveModel(network), '--json');
    const { steps } = JSON.parse(stdout) as { readonly steps: readonly { readonly op: string }[] };
    assert.ok(
      steps.some(({ op }) => op.includes('camera_parameters')),
      JSON.stringify(steps.map(({ op }) => op)),
    );
  });

  for (const [option, value, reason] of [
    ['--affinity', '3-1', /expected different cores from 0 to 1023 such as 0,2-3, found "3-1"/],
    ['--nice', '40', /--nice .*whole number from -20 to 19, found "40"/],
    ['--realtime-priority', '0', /--realtime-priority .*whole number from 1 to 99, found "0"/],
  ] as const) {
    it(`refuses ${option} ${value}`, async () => {
      const model = await saveModel(smallNetwork());
      await assert.rejects(profile(model, option, value), (error: { code?: number; stderr?: string }) => {
        assert.notEqual(error.code, 0);
        assert.match(error.stderr ?? '', reason);
        return true;
      });
    });
  }
});
