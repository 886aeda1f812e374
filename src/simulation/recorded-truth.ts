import { BagReader } from '../bag/bag-reader.js';
import { BdcError } from '../errors.js';
import { RigidTransform } from '../geometry/rigid-transform.js';
import type { VoxelGrid } from '../geometry/voxel-grid.js';
import { MessageCodec } from '../messages/message-codec.js';
import { fieldOffset, FLOAT32, pointStarts, UINT8 } from '../messages/point-cloud.js';
import type { Detection3DArray, PointCloud2 } from '../messages/ros-types.js';
import { nsFromTime } from '../messages/stamp.js';
import type { StampNs } from '../perception/types.js';

export interface TrueBox {
  /** nuScenes detection class. */
  readonly name: string;
  readonly position: readonly [number, number, number];
  /** Length, width, height. */
  readonly size: readonly [number, number, number];
  readonly yaw: number;
}

/** What a simulated drive's bag says of one frame, in the base frame. */
export interface FrameTruth {
  /** Class of each voxel, `[nx][ny][nz]`. */
  readonly labels: Uint8Array;
  /** 1 where a camera sees the voxel, same order. */
  readonly mask: Uint8Array;
  readonly boxes: readonly TrueBox[];
}

/**
 * The ground truth of a drive that `exportBag` wrote, by stamp; `grid` is the one it was written for.
 * @throws BdcError `BAG_WITHOUT_TRUTH` if the bag has none, or one of other voxels; `POINT_CLOUD_INVALID` for a cloud without labels
 */
export async function readRecordedTruth(
  path: string,
  grid: VoxelGrid,
): Promise<ReadonlyMap<StampNs, FrameTruth>> {
  const codec = new MessageCodec();
  const reader = await BagReader.open(path);
  const voxels = new Map<StampNs, Omit<FrameTruth, 'boxes'>>();
  const boxes = new Map<StampNs, readonly TrueBox[]>();
  try {
    for await (const { topic, data } of reader.messages({
      topics: ['/ground_truth/voxels', '/ground_truth/detections'],
    })) {
      if (topic.name === '/ground_truth/voxels') {
        const cloud = codec.decode('sensor_msgs/msg/PointCloud2', data);
        voxels.set(nsFromTime(cloud.header.stamp), voxelsOf(cloud, grid, path));
      } else {
        const array = codec.decode('vision_msgs/msg/Detection3DArray', data);
        boxes.set(nsFromTime(array.header.stamp), array.detections.map(boxOf));
      }
    }
  } finally {
    await reader.close();
  }
  if (voxels.size === 0) throw withoutTruth(path, 'no /ground_truth/voxels');
  return new Map([...voxels].map(([stamp, truth]) => [stamp, { ...truth, boxes: boxes.get(stamp) ?? [] }]));
}

function voxelsOf(cloud: PointCloud2, grid: VoxelGrid, path: string): Omit<FrameTruth, 'boxes'> {
  const x = fieldOffset(cloud, 'x', FLOAT32);
  const y = fieldOffset(cloud, 'y', FLOAT32);
  const z = fieldOffset(cloud, 'z', FLOAT32);
  const label = fieldOffset(cloud, 'label', UINT8);
  const view = new DataView(cloud.data.buffer, cloud.data.byteOffset, cloud.data.byteLength);
  const labels = new Uint8Array(grid.size);
  const mask = new Uint8Array(grid.size);
  for (const at of pointStarts(cloud)) {
    const point = [
      view.getFloat32(at + x, true),
      view.getFloat32(at + y, true),
      view.getFloat32(at + z, true),
    ] as const;
    const index = grid.indexOf(point);
    if (index === undefined || mask[index] === 1) {
      throw withoutTruth(path, `voxels that are not those of a grid of ${grid.shape.join('×')}`);
    }
    labels[index] = view.getUint8(at + label);
    mask[index] = 1;
  }
  return { labels, mask };
}

function boxOf({ results, bbox }: Detection3DArray['detections'][number]): TrueBox {
  const { position, orientation } = bbox.center;
  const { x, y, z, w } = orientation;
  // A box that stands upright in the world is tilted in the frame of a vehicle on a slope: its heading is what counts.
  const forward = new RigidTransform([x, y, z, w], [0, 0, 0]).rotate([1, 0, 0]);
  return {
    name: results[0]?.hypothesis.class_id ?? '',
    position: [position.x, position.y, position.z],
    size: [bbox.size.x, bbox.size.y, bbox.size.z],
    yaw: Math.atan2(forward[1], forward[0]),
  };
}

function withoutTruth(path: string, found: string): BdcError {
  return new BdcError('bag', {
    code: 'BAG_WITHOUT_TRUTH',
    message: `${path}: expected the ground truth of a simulated drive, found ${found}; make the bag with "bdc-occ simulate"`,
  });
}
