import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import type { CompressedImage } from '../../src/messages/ros-types.js';
import { LATCHED_QOS } from './helpers/ring-robot.js';
import { Ros2Graph, requireRos2 } from './ros2-graph.js';
import type { Ros2Environment } from './ros2-graph.js';
import type { RunningNode } from './running-node.js';

const program = fileURLToPath(new URL('helpers/publish-odd-buffers.ts', import.meta.url));

describe('publishCdr', function () {
  this.timeout(120_000);
  let ros: Ros2Environment;
  let graph: Ros2Graph;
  let odd: RunningNode;

  before(async function () {
    ros = requireRos2(this);
    graph = new Ros2Graph(ros);
    odd = graph.startExecutable(process.execPath, ['--import', 'tsx', program]);
    await odd.waitForLog(/published/);
  });

  after(() => graph.dispose());

  it('refuses an empty buffer, which would end a process that also subscribes', () => {
    assert.match(
      odd.log,
      /refused: RangeError: expected a CDR message of at least 4 bytes for \/odd, found 0 bytes/,
    );
  });

  it('sends a message that begins in the middle of its memory as it is', async () => {
    const peer = graph.startPeer();
    await peer.subscribe('/odd', 'sensor_msgs/msg/CompressedImage', LATCHED_QOS);
    const { header, format, data } = await peer.next<CompressedImage>('/odd');
    assert.deepEqual(header, { stamp: { sec: 7, nanosec: 8 }, frame_id: 'shifted' });
    assert.equal(format, 'jpeg');
    assert.deepEqual([...data], [1, 2, 3]);
  });
});
