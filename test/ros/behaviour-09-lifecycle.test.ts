import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BagReader } from '../../src/bag/bag-reader.js';
import { replayBag } from '../../src/cli/replay-run.js';
import { MessageCodec } from '../../src/messages/message-codec.js';
import { countOccupiedVoxels } from '../../src/messages/occupied-voxels-cloud.js';
import { nsFromTime } from '../../src/messages/stamp.js';
import { modelFile } from './frame-file.js';
import { testManifest } from './helpers/clouds.js';
import { RingRobot, THREE_CAMERAS, valuesOf } from './helpers/ring-robot.js';
import type { ReceivedCloud } from './robot.js';
import { Ros2Graph, requireRos2 } from './ros2-graph.js';
import type { Ros2Environment } from './ros2-graph.js';
import { eventually, repeatUntil } from './waiting.js';

const CLOUD = 'sensor_msgs/msg/PointCloud2';
const TRIGGER = 'std_srvs/srv/Trigger';
const CHANGE = 'lifecycle_msgs/srv/ChangeState';
const goldenModel = fileURLToPath(
  new URL('../fixtures/golden/network-six-cameras/model.safetensors', import.meta.url),
);

interface Answer {
  readonly success: boolean;
  readonly message: string;
}

interface TransitionEvent {
  readonly start_state: { readonly label: string };
  readonly goal_state: { readonly label: string };
}

describe('behaviour 9: lifecycle and services', function () {
  this.timeout(180_000);
  let ros: Ros2Environment;
  let robot: RingRobot;

  before(function () {
    ros = requireRos2(this);
  });

  afterEach(async () => {
    await robot?.graph.dispose();
  });

  const start = async (parameters: Record<string, unknown>, graph = new Ros2Graph(ros)): Promise<void> => {
    robot = await RingRobot.start(ros, { cameras: THREE_CAMERAS, parameters, graph, isUnready: true });
    const isManual = parameters['autostart'] === false;
    await robot.node.waitForLog(isManual ? /waiting for "configure" and "activate"/ : /ready: model/);
  };
  const state = async (): Promise<string> => {
    const answer = await robot.receiver.call<{ readonly current_state: { readonly label: string } }>(
      'lifecycle_msgs/srv/GetState',
      '/bdc_occ/get_state',
    );
    return answer.current_state.label;
  };
  const change = async (transition: object): Promise<boolean> =>
    (await robot.receiver.call<Answer>(CHANGE, '/bdc_occ/change_state', { transition })).success;
  const to = (label: string): Promise<boolean> => change({ label });
  const trigger = (name: string): Promise<Answer> => robot.receiver.call<Answer>(TRIGGER, `/bdc_occ/${name}`);
  const topics = async (): Promise<readonly string[]> =>
    Object.keys((await robot.receiver.request({ op: 'topics' })) as object);

  it('configure loads the model, activate publishes, deactivate stops, cleanup frees', async () => {
    await start({ autostart: false });
    await robot.stream();
    assert.equal(await state(), 'unconfigured');
    assert.ok(!(await topics()).includes('/bdc_occ/occupied_voxels'));

    assert.ok(await to('configure'));
    assert.equal(await state(), 'inactive');
    // the answer comes once the model is loaded
    const { values } = await robot.status('lifecycle', ({ message }) => message === 'inactive');
    assert.ok(values.some(({ key }) => key === 'model'));
    await robot.listen('~/occupied_voxels', CLOUD);
    assert.equal(
      await robot.receiver.request({ op: 'subscriber_count', topic: robot.imageTopic('front') }),
      0,
    );

    assert.ok(await to('activate'));
    assert.equal(await state(), 'active');
    await robot.next<ReceivedCloud>('~/occupied_voxels');

    assert.ok(await to('deactivate'));
    assert.equal(await state(), 'inactive');
    robot.receiver.drain('/bdc_occ/occupied_voxels');
    await robot.status('lifecycle', ({ message }) => message === 'inactive');
    await robot.status('lifecycle');
    assert.deepEqual(robot.receiver.drain('/bdc_occ/occupied_voxels'), []);

    assert.ok(await to('activate'));
    await robot.next<ReceivedCloud>('~/occupied_voxels');
    assert.ok(await to('deactivate'));
    assert.ok(await to('cleanup'));
    assert.equal(await state(), 'unconfigured');
    const freed = await robot.status('lifecycle', ({ message }) => message === 'unconfigured');
    assert.ok(!freed.values.some(({ key }) => key === 'model'));
    assert.ok(await to('shutdown'));
    assert.equal(await state(), 'finalized');
  });

  it('starts by itself with autostart, which is the default', async () => {
    await start({});
    assert.equal(await state(), 'active');
  });

  it('goes through the error state for a bad model, says why, and takes a good one afterwards', async () => {
    const graph = new Ros2Graph(ros);
    const model = path.join(graph.folder, 'model.safetensors');
    writeFileSync(model, 'not a model');
    await start({ autostart: false, model }, graph);
    await robot.listen('~/transition_event', 'lifecycle_msgs/msg/TransitionEvent');
    const nextGoal = async (accepts?: (event: TransitionEvent) => boolean): Promise<string> =>
      (await robot.receiver.next('/bdc_occ/transition_event', accepts)).goal_state.label;
    // an event is told once, and whether the node knows of the listener yet cannot be seen
    await repeatUntil(
      nextGoal(({ goal_state }) => goal_state.label === 'unconfigured'),
      () => to('configure'),
    );
    robot.receiver.drain('/bdc_occ/transition_event');
    assert.equal(await to('configure'), false);
    assert.equal(await state(), 'unconfigured');
    assert.deepEqual(
      [await nextGoal(), await nextGoal(), await nextGoal()],
      ['configuring', 'errorprocessing', 'unconfigured'],
    );
    const { message } = await robot.status('lifecycle', ({ level }) => level === 2);
    assert.match(message, /model\.safetensors/);
    assert.match(robot.node.log, /configure failed: .*model\.safetensors/);
    copyFileSync(modelFile(), model);
    assert.ok(await to('configure'));
    await robot.status('lifecycle', ({ level }) => level === 0);
  });

  it('refuses transitions that the state does not have, by label, by id and by numbers that are none', async () => {
    await start({ autostart: false });
    for (const transition of [
      { label: 'activate' },
      { label: 'transition_success' },
      { label: 'destroy' },
      { label: 'no such thing' },
      { id: 3 },
      { id: 99 },
      { id: 255 },
      { id: 10 },
    ]) {
      assert.equal(await change(transition), false, JSON.stringify(transition));
    }
    assert.equal(await state(), 'unconfigured');
    assert.ok(await change({ id: 1 }), 'configure, by its id');
  });

  it('~/reload_model takes another model while the node works, and keeps the old one where the new one is no good', async () => {
    await start({});
    await robot.listen('~/occupied_voxels', CLOUD);
    await robot.stream();
    await robot.next<ReceivedCloud>('~/occupied_voxels');
    const { name } = await testManifest();

    await robot.receiver.setParameter('/bdc_occ', 'model', '/nonexistent.safetensors');
    const refused = await trigger('reload_model');
    assert.equal(refused.success, false);
    assert.match(refused.message, /nonexistent\.safetensors/);
    assert.equal(valuesOf(await robot.status('lifecycle'))['model'], name);
    robot.receiver.drain('/bdc_occ/occupied_voxels');
    await robot.next<ReceivedCloud>('~/occupied_voxels');

    await robot.receiver.setParameter('/bdc_occ', 'model', goldenModel);
    const taken = await trigger('reload_model');
    assert.ok(taken.success, taken.message);
    const golden = taken.message.replace('model ', '');
    assert.notEqual(golden, name);
    await robot.status('lifecycle', (status) => valuesOf(status)['model'] === golden);
    robot.receiver.drain('/bdc_occ/occupied_voxels');
    await robot.status('processing', (status) => Number(valuesOf(status)['frames per second']) > 0);
    assert.equal(await state(), 'active');
  });

  it('~/reload_model and a transition at the same time come one after the other', async () => {
    await start({ autostart: false });
    const other = robot.graph.startPeer();
    const reload = (): Promise<Answer> => other.call<Answer>(TRIGGER, '/bdc_occ/reload_model');
    assert.ok(await to('configure'));
    // from here on both peers know the services
    assert.ok((await reload()).success);
    for (let pause = 0; pause <= 120; pause += 15) {
      assert.ok(await to('activate'));
      const reloaded = reload();
      await setTimeout(pause);
      assert.ok(await to('deactivate'), `deactivate ${pause} ms after the request to reload`);
      const { success, message } = await reloaded;
      assert.ok(success, message);
      assert.equal(await state(), 'inactive');
      await eventually(
        () => robot.receiver.request({ op: 'subscriber_count', topic: robot.imageTopic('front') }),
        (count) => count === 0,
      );
    }
    assert.ok(await to('activate'));
    await robot.stream();
    await robot.listen('~/occupied_voxels', CLOUD);
    await robot.next<ReceivedCloud>('~/occupied_voxels');
    assert.doesNotMatch(robot.node.log, /(reload_model|activate) failed|pointer is invalid/);
  });

  it('an activation that fails leaves no subscription behind', async () => {
    await start({
      autostart: false,
      camera: { left: { image_topic: '/front/image', info_topic: '/front/image' } },
    });
    assert.ok(await to('configure'));
    assert.equal(await to('activate'), false);
    assert.match(
      robot.node.log,
      /activate failed: topic \/front\/image: expected one type of messages, found .*CameraInfo; .*\[TOPIC_OF_TWO_TYPES\]/,
    );
    await eventually(
      () => robot.receiver.request({ op: 'subscriber_count', topic: robot.imageTopic('front') }),
      (count) => count === 0,
    );
    assert.equal(await state(), 'unconfigured');
  });

  it('~/save_frame writes a bag from which "bdc-occ replay" makes the same voxels', async () => {
    const graph = new Ros2Graph(ros);
    const folder = path.join(graph.folder, 'bags', 'deep');
    await start({ save_frame_directory: folder }, graph);
    const before = await trigger('save_frame');
    assert.deepEqual([before.success, /there is no frame to save/.test(before.message)], [false, true]);

    await robot.listen('~/occupied_voxels', CLOUD);
    await robot.stream();
    const first = await robot.next<ReceivedCloud>('~/occupied_voxels');
    await robot.status('cameras', ({ message }) => message === 'all 3 cameras are alive');
    await robot.stop('front', 'left', 'right');
    const { success, message: file } = await trigger('save_frame');
    assert.ok(success, file);
    assert.ok(file.startsWith(folder) && file.endsWith('.mcap'));

    const reader = await BagReader.open(file);
    assert.deepEqual(
      reader.topics.map(({ name }) => name).sort(),
      [
        '/tf_static',
        ...THREE_CAMERAS.flatMap(({ name }) => [
          `/camera/${name}/camera_info`,
          `/camera/${name}/image_raw/compressed`,
        ]),
      ].sort(),
    );
    await reader.close();
    const stamp = BigInt(/frame_(\d+)\.mcap/.exec(file)![1]!);
    const isOfFile = ({ header }: ReceivedCloud): boolean => nsFromTime(header.stamp) === stamp;
    const cloud = isOfFile(first) ? first : await robot.next('~/occupied_voxels', isOfFile);
    let voxels: number | undefined;
    const out = path.join(graph.folder, 'replayed.mcap');
    const options = {
      out,
      model: modelFile(),
      baseFrame: 'base_link',
      maxSpread: 60,
      gridMinHeight: 0.2,
      gridMaxHeight: 2,
      compression: 'none',
    } as const;
    await replayBag(file, options, (_, result, engine) => {
      voxels = countOccupiedVoxels(result, engine.manifest.occupancy!.free);
    });
    assert.equal(voxels, cloud.width);
  });

  it('~/save_frame writes raw images whole while newer ones come', async () => {
    const graph = new Ros2Graph(ros);
    robot = await RingRobot.start(ros, {
      // so large that a newer set comes before they are written
      cameras: THREE_CAMERAS.map((camera) => ({ ...camera, width: 960, height: 540, transport: 'raw' })),
      parameters: { save_frame_directory: path.join(graph.folder, 'bags') },
      graph,
    });
    await robot.stream(undefined, { periodS: 0.02 });
    await robot.status('cameras', ({ message }) => message === 'all 3 cameras are alive');
    const codec = new MessageCodec();
    for (let i = 0; i < 5; i++) {
      const { success, message: file } = await trigger('save_frame');
      assert.ok(success, file);
      const reader = await BagReader.open(file);
      let images = 0;
      for await (const { topic, data } of reader.messages()) {
        if (topic.type !== 'sensor_msgs/msg/Image') continue;
        const [, camera] = /^\/camera\/(\w+)\//.exec(topic.name)!;
        const sent = robot.imageMessage(camera!) as { readonly data: { readonly file: string } };
        assert.ok(readFileSync(sent.data.file).equals(codec.decode(topic.type, data).data), camera);
        images++;
      }
      await reader.close();
      assert.ok(images > 0);
    }
  });

  it('many activations after each other leave nothing behind', async () => {
    await start({ autostart: false });
    await robot.stream();
    assert.ok(await to('configure'));
    for (let i = 0; i < 20; i++) {
      assert.ok(await to('activate'));
      assert.ok(await to('deactivate'));
    }
    await eventually(
      () => robot.receiver.request({ op: 'subscriber_count', topic: robot.imageTopic('front') }),
      (count) => count === 0,
    );
    assert.ok(await to('activate'));
    await robot.listen('~/occupied_voxels', CLOUD);
    await robot.next<ReceivedCloud>('~/occupied_voxels');
  });
});
