import assert from 'node:assert/strict';
import { XMLParser } from 'fast-xml-parser';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { cameraParameters, NODE_PARAMETERS } from '../../src/ros/node-parameters.js';
import { OUTPUTS, type OutputName } from '../../src/ros/outputs/output-table.js';
import { Ros2Graph, requireRos2, type Ros2Environment } from '../ros/ros2-graph.js';

const config = fileURLToPath(new URL('../../config/', import.meta.url));
const read = (file: string): string => readFileSync(config + file, 'utf8');
const defaultOf = (name: string): unknown =>
  NODE_PARAMETERS.find((declaration) => declaration.name === name)!.defaultValue;

/** Type of a topic of the node under its default name; undefined if it has no such topic. */
function outputType(topic: string): string | undefined {
  const [, name, group] = /^\/bdc_occ\/(\w+)(?:\/(\w+))?$/.exec(topic) ?? [];
  if (group !== undefined && !(defaultOf('voxel_groups') as string[]).includes(group)) return undefined;
  return Object.hasOwn(OUTPUTS, name ?? '') ? OUTPUTS[name as OutputName].type : undefined;
}

describe('config/nav2_costmap.yaml', () => {
  interface Source {
    readonly topic: string;
    readonly data_type: string;
    readonly marking: boolean;
    readonly clearing: boolean;
    readonly min_obstacle_height?: number;
    readonly max_obstacle_height?: number;
  }
  type Costmap = Readonly<Record<string, unknown>> & { readonly plugins: readonly string[] };
  const file = parse(read('nav2_costmap.yaml')) as Record<
    string,
    Record<string, { readonly ros__parameters: Costmap }>
  >;
  const costmap = (name: string): Costmap => file[name]![name]!.ros__parameters;

  it('lists the layers that it configures', () => {
    for (const name of Object.keys(file)) {
      const { plugins, ...parameters } = costmap(name);
      const layers = Object.entries(parameters).filter(([, value]) => typeof value === 'object');
      assert.deepEqual(layers.map(([layer]) => layer).sort(), [...plugins].sort(), name);
    }
  });

  it('takes obstacles and free space from topics of the node, with their types', () => {
    const layer = costmap('local_costmap')['voxel_layer'] as Record<string, Source> & {
      readonly observation_sources: string;
    };
    const sources = layer.observation_sources.split(' ').map((name) => layer[name]!);
    for (const { topic, data_type } of sources)
      assert.equal(outputType(topic), `sensor_msgs/msg/${data_type}`, topic);
    assert.ok(sources.some(({ marking }) => marking) && sources.some(({ clearing }) => clearing));
    assert.ok(!sources.some(({ topic }) => topic.endsWith('/ground')), 'the ground is no obstacle');
    for (const source of sources.filter(({ marking }) => marking)) {
      assert.equal(source.min_obstacle_height, defaultOf('grid_min_height'));
      assert.equal(source.max_obstacle_height, defaultOf('grid_max_height'));
    }
  });

  it('takes the map as the node publishes it', () => {
    const layer = costmap('global_costmap')['static_layer'] as Record<string, unknown>;
    assert.equal(outputType(layer['map_topic'] as string), 'nav_msgs/msg/OccupancyGrid');
    assert.equal(layer['map_subscribe_transient_local'], OUTPUTS.occupancy_grid.isLatched);
    // StaticLayer::getParameters (Nav2) reads the parameters of its own with its name before them, others without
    const own = ['plugin', 'enabled', 'map_topic', 'map_subscribe_transient_local'];
    assert.deepEqual(Object.keys(layer).sort(), own.sort());
    for (const name of ['track_unknown_space', 'trinary_costmap', 'transform_tolerance'])
      assert.ok(name in costmap('global_costmap'), name);
    // the grid moves with the robot: only a rolling costmap transforms it
    assert.equal(costmap('global_costmap')['rolling_window'], true);
  });
});

describe('config/bdc_occ_foxglove.json', () => {
  type Panel = string | { readonly first: Panel; readonly second: Panel };
  interface PanelConfiguration {
    readonly topics?: object;
    readonly imageMode?: Readonly<Record<string, string>>;
  }
  const layout = JSON.parse(read('bdc_occ_foxglove.json')) as {
    readonly configById: Readonly<Record<string, PanelConfiguration>>;
    readonly layout: Panel;
  };
  const panels = (panel: Panel): readonly string[] =>
    typeof panel === 'string' ? [panel] : [...panels(panel.first), ...panels(panel.second)];

  it('shows each panel that it configures', () => {
    assert.deepEqual(panels(layout.layout).toSorted(), Object.keys(layout.configById).sort());
  });

  it('names topics that are there by default', () => {
    for (const topic of Object.keys(layout.configById['3D!bdc_occ']!.topics!))
      assert.ok(outputType(topic), topic);
    const cameras = (defaultOf('cameras') as string[]).flatMap((camera) =>
      cameraParameters(camera).map(({ defaultValue }) => `/${String(defaultValue)}`),
    );
    for (const { imageMode } of Object.values(layout.configById)) {
      for (const topic of Object.values(imageMode ?? {})) assert.ok(cameras.includes(topic), topic);
    }
  });
});

describe('config/fastdds_large_images.xml', function () {
  this.timeout(60_000);
  const SEGMENT_BYTES = 64 * 1024 * 1024;
  let ros: Ros2Environment;

  before(function () {
    ros = requireRos2(this);
  });

  it('is loaded: a participant has a shared memory segment of its size', async function () {
    const xml = new XMLParser().parse(read('fastdds_large_images.xml')) as {
      profiles: { transport_descriptors: { transport_descriptor: readonly { segment_size?: number }[] } };
    };
    const [shared] = xml.profiles.transport_descriptors.transport_descriptor;
    assert.equal(shared!.segment_size, SEGMENT_BYTES);
    const segments = (): readonly string[] =>
      readdirSync('/dev/shm').filter(
        (name) =>
          /^fast(rtps|dds)_[0-9a-f]+$/.test(name) && statSync(`/dev/shm/${name}`).size >= SEGMENT_BYTES,
      );
    const before = segments();
    const graph = new Ros2Graph(ros);
    try {
      const peer = graph.startPeer();
      await peer.advertise('/image', 'sensor_msgs/msg/Image');
      assert.ok(segments().some((name) => !before.includes(name)));
    } finally {
      await graph.dispose();
    }
  });
});

describe('config/cyclonedds_large_images.xml', () => {
  it('asks for the receive buffer that its comment has the kernel allow', () => {
    const text = read('cyclonedds_large_images.xml');
    const [, allowed] = /net\.core\.rmem_max=(\d+)/.exec(text)!;
    const [, wanted] = /SocketReceiveBufferSize min="(\d+)MB"/.exec(text)!;
    assert.ok(Number(wanted) * 1e6 <= Number(allowed));
    assert.doesNotThrow(() => new XMLParser().parse(text, true));
  });
});
