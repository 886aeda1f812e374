import assert from 'node:assert/strict';
import { modelFile } from './frame-file.js';
import type { Peer } from './peer.js';
import { Ros2Graph, requireRos2 } from './ros2-graph.js';
import type { RunningNode } from './running-node.js';

const LIMIT_MS = 120_000;
const NODE = '/bdc_occ';

describe("the node's parameters on the graph", function () {
  this.timeout(LIMIT_MS);
  let graph: Ros2Graph;
  let node: RunningNode;
  let peer: Peer;

  before(async function () {
    const ros = requireRos2(this);
    graph = new Ros2Graph(ros);
    node = graph.startNode(['--ros-args', '-p', `model:=${modelFile()}`]);
    peer = graph.startPeer();
    await node.waitForLog(/ready: model/);
  });

  after(async () => {
    await graph?.dispose();
  });

  const set = (name: string, value: unknown) =>
    peer.request({ op: 'set_parameter', node: NODE, name, value });
  const doubleValue = async (name: string): Promise<unknown> => {
    const answer = (await peer.request({ op: 'get_parameter', node: NODE, name })) as Record<string, unknown>;
    return answer['double_value'];
  };

  it('are described with range, and whether they may change', async () => {
    const described = await peer.request({ op: 'describe_parameter', node: NODE, name: 'grid_max_height' });
    const { description, read_only, floating_point_range } = described as Record<string, unknown>;
    assert.match(String(description), /metres above base_frame/);
    assert.equal(read_only, false);
    assert.deepEqual(floating_point_range, [{ from_value: -100, to_value: 100, step: 0 }]);
    const threads = await peer.request({ op: 'describe_parameter', node: NODE, name: 'threads' });
    assert.equal((threads as Record<string, unknown>)['read_only'], false);
    assert.deepEqual((threads as Record<string, unknown>)['integer_range'], [
      { from_value: 0, to_value: 256, step: 1 },
    ]);
  });

  it('take a new value, also a whole number for a double', async () => {
    assert.deepEqual(await set('grid_max_height', 3.5), { successful: true, reason: '' });
    assert.equal(await doubleValue('grid_max_height'), 3.5);
    assert.deepEqual(await set('grid_max_height', 4), { successful: true, reason: '' });
    assert.equal(await doubleValue('grid_max_height'), 4);
  });

  it('refuse values that do not fit, with a reason that can be read', async () => {
    const refusals: readonly (readonly [string, unknown, RegExp])[] = [
      [
        'grid_max_height',
        1000.5,
        /^parameter grid_max_height: expected a number from -100 to 100, found 1000.5$/,
      ],
      ['grid_max_height', 'tall', /^parameter grid_max_height: expected a number, found "tall"$/],
      ['grid_min_height', 50.5, /expected less than grid_max_height/],
      ['max_spread_ms', 2.5, /read-only/],
    ];
    for (const [name, value, reason] of refusals) {
      const answer = (await set(name, value)) as { readonly successful: boolean; readonly reason: string };
      assert.equal(answer.successful, false);
      assert.match(answer.reason, reason);
    }
  });

  it('outlive requests that rclnodejs cannot read, and answer them', async () => {
    const before = await doubleValue('max_wait_ms');
    const answers = [await set('grid_max_height', [1, 2, 3]), await set('', 1.5)];
    for (const answer of answers as { readonly successful: boolean; readonly reason: string }[]) {
      assert.equal(answer.successful, false);
      assert.match(answer.reason, /expected a number, found \[1,2,3\]|the request cannot be read/);
    }
    assert.equal(await doubleValue('max_wait_ms'), before);
  });
});
