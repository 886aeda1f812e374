import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { RingRobot } from './helpers/ring-robot.js';
import type { RingRobotOptions } from './helpers/ring-robot.js';
import type { ReceivedCloud } from './robot.js';
import { requireRos2 } from './ros2-graph.js';
import type { Ros2Environment } from './ros2-graph.js';
import { eventually } from './waiting.js';

const CLOUD = 'sensor_msgs/msg/PointCloud2';
/** Until the other processes have heard the goodbye of one that ended. */
const GOODBYE_LIMIT_MS = 5000;
const CAMERAS = [{ name: 'front', degrees: 0 }];
const preload = (name: string): string =>
  fileURLToPath(new URL(`helpers/preload-${name}.ts`, import.meta.url));

describe('behaviour 11: shutdown', function () {
  this.timeout(180_000);
  let ros: Ros2Environment;
  let robot: RingRobot;

  before(function () {
    ros = requireRos2(this);
  });

  /** A node in the middle of its work. */
  const startWorking = async (options: Partial<RingRobotOptions> = {}): Promise<void> => {
    robot = await RingRobot.start(ros, { cameras: CAMERAS, ...options });
    await robot.listen('~/occupied_voxels', CLOUD);
    await robot.stream(undefined, { periodS: 0.05 });
    await robot.next<ReceivedCloud>('~/occupied_voxels');
  };
  const endsWith = async (code: number, signal: NodeJS.Signals): Promise<void> => {
    robot.node.kill(signal);
    // a process that took longer than 0.9 s by its own clock would end with 1
    assert.deepEqual(await robot.node.exit(), { code, signal: null }, robot.node.log);
    assert.doesNotMatch(robot.node.log, /terminate called|SIGABRT|Segmentation/);
  };

  describe('asked for or by a fault', () => {
    afterEach(async () => {
      await robot?.graph.dispose();
    });

    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      it(`on ${signal} in the middle of work is orderly, with exit code 0`, async function () {
        // on a machine with much else to do the node may not get 0.9 s worth of its time
        this.retries(2);
        await startWorking();
        await endsWith(0, signal);
        assert.match(robot.node.log, new RegExp(`${signal}: shutting down`));
        // it said goodbye: without that it would be taken for alive 20 s long
        await eventually(
          () => robot.receiver.request({ op: 'node_names' }) as Promise<readonly string[]>,
          (names) => !names.includes('/bdc_occ'),
          GOODBYE_LIMIT_MS,
        );
      });
    }

    it('on SIGINT while the program is still being read is orderly, with exit code 0', async () => {
      robot = await RingRobot.start(ros, {
        ...{ cameras: CAMERAS, isUnready: true },
        preload: preload('first-signal'),
      });
      assert.deepEqual(await robot.node.exit(), { code: 0, signal: null }, robot.node.log);
      assert.match(robot.node.log, /SIGINT before the node was there: shutting down/);
      assert.doesNotMatch(robot.node.log, /unexpected error|terminate called|ready: model/);
    });

    it('on a signal while the model is being read is orderly, with exit code 0', async function () {
      this.retries(2);
      robot = await RingRobot.start(ros, {
        ...{ cameras: CAMERAS, isUnready: true, preload: preload('signal-at-configure') },
      });
      assert.deepEqual(await robot.node.exit(), { code: 0, signal: null }, robot.node.log);
      assert.match(robot.node.log, /SIGTERM: shutting down/);
      assert.doesNotMatch(robot.node.log, /unexpected error|terminate called|activate failed|ready: model/);
    });

    it('on a signal while ~/reload_model reads a model is orderly, with exit code 0', async function () {
      this.retries(2);
      await startWorking();
      for (const delayMs of [0, 30, 60, 90]) {
        if (delayMs > 0) {
          await robot.graph.dispose();
          await startWorking();
        }
        const reloaded = robot.receiver
          .call('std_srvs/srv/Trigger', '/bdc_occ/reload_model')
          .catch(() => undefined);
        await setTimeout(delayMs);
        await endsWith(0, 'SIGTERM');
        assert.doesNotMatch(robot.node.log, /is invalid|Error processing|unexpected error/);
        await robot.graph.dispose();
        await reloaded;
      }
    });

    it('that hangs is cut short, with exit code 1', async () => {
      robot = await RingRobot.start(ros, {
        ...{ cameras: CAMERAS, isUnready: true, preload: preload('hanging-shutdown') },
      });
      assert.deepEqual(await robot.node.exit(), { code: 1, signal: null }, robot.node.log);
      assert.match(robot.node.log, /SIGTERM: shutting down\n.*the end took longer than 900 ms/s);
    });

    it('by the end of the ROS context, from wherever, is orderly, with exit code 0', async () => {
      await startWorking({ preload: preload('context-shutdown') });
      await endsWith(0, 'SIGUSR2');
      assert.match(robot.node.log, /the ROS context was shut down: shutting down/);
      assert.doesNotMatch(robot.node.log, /unexpected error|defect/);
    });

    it('is not brought about by a callback of the executor that throws: that is logged and counted', async () => {
      await startWorking({ preload: preload('throwing-take') });
      robot.node.kill('SIGUSR2');
      await robot.node.waitForLog(/a callback failed \(1 times so far\): Error: thrown by the test/);
      const { values } = await robot.status('lifecycle', (status) =>
        status.values.some(({ key, value }) => key === 'exceptions in callbacks' && value === '1'),
      );
      assert.ok(values.some(({ key, value }) => key === 'state' && value === 'active'));
      robot.receiver.drainAll();
      await robot.next<ReceivedCloud>('~/occupied_voxels');
    });

    it('by a callback that throws is orderly, and says with its exit code that it was not asked for', async () => {
      await startWorking({ preload: preload('throwing-callback') });
      await endsWith(3, 'SIGUSR2');
      assert.match(
        robot.node.log,
        /unexpected error, please report it: Error: thrown by the test\n.*at .*: shutting down/s,
      );
    });
  });

  describe('cannot be provoked from outside', () => {
    const NODE = '/bdc_occ';

    before(() => startWorking());

    after(async () => {
      await robot?.graph.dispose();
    });

    const assertWorks = async (): Promise<void> => {
      robot.receiver.drain('/bdc_occ/occupied_voxels');
      await robot.next<ReceivedCloud>('~/occupied_voxels');
      assert.doesNotMatch(robot.node.log, /terminate called/);
    };

    it('by parameters of every type, without a name, or that are not there', async () => {
      for (const [name, value] of [
        ['grid_max_height', [1, 2, 3]],
        ['grid_max_height', [1.5]],
        ['cameras', [true]],
        ['', 1],
        ['', 'text'],
        ['no_such', [1, 2]],
        ['use_sim_time', 'yes'],
        ['use_sim_time', [1]],
      ] as const) {
        const { successful, reason } = await robot.receiver.setParameter(NODE, name, value);
        assert.equal(successful, false, `${name} ${JSON.stringify(value)}`);
        assert.ok(reason.length > 0);
      }
      // a value of no type means: delete
      const unset = { parameters: [{ name: 'grid_max_height', value: { type: 0 } }] };
      const { results } = await robot.receiver.call<{
        readonly results: readonly { readonly successful: boolean }[];
      }>('rcl_interfaces/srv/SetParameters', `${NODE}/set_parameters`, unset);
      assert.equal(results[0]!.successful, false);
      const bogus = { parameters: [{ name: 'x', value: { type: 77 } }] };
      await robot.receiver.call(
        'rcl_interfaces/srv/SetParametersAtomically',
        `${NODE}/set_parameters_atomically`,
        bogus,
      );
      // by itself rclnodejs gives no answer to these
      for (const service of ['GetParameters', 'DescribeParameters', 'GetParameterTypes']) {
        const path = `${NODE}/${service.replaceAll(/([a-z])([A-Z])/g, '$1_$2').toLowerCase()}`;
        const names = ['no_such', ''];
        await robot.receiver.call(`rcl_interfaces/srv/${service}`, path, { names });
      }
      await assertWorks();
    });

    it('by requests for transitions that there are not', async () => {
      for (const transition of [{ id: 99 }, { id: 255 }, { label: 'nonsense' }, { id: 97 }]) {
        const { success } = await robot.receiver.call<{ readonly success: boolean }>(
          'lifecycle_msgs/srv/ChangeState',
          `${NODE}/change_state`,
          { transition },
        );
        assert.equal(success, false);
      }
      await assertWorks();
    });

    it('by malformed and empty messages on every topic it listens to', async () => {
      await robot.driver.advertise('/tf', 'tf2_msgs/msg/TFMessage', {});
      await robot.driver.waitMatched();
      for (const topic of [robot.imageTopic('front'), robot.infoTopic('front'), '/tf', '/tf_static']) {
        for (const hex of [
          '',
          '00',
          '00010000',
          `00010000${'ff'.repeat(40)}`,
          `00030000${'00'.repeat(64)}`,
        ]) {
          // rclpy itself refuses some of them
          await robot.driver.request({ op: 'publish_bytes', topic, hex }).catch(() => undefined);
        }
      }
      await robot.driver.publish('/tf', { transforms: [{ header: { frame_id: 'a' }, child_frame_id: 'a' }] });
      await assertWorks();
    });
  });
});
