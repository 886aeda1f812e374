import assert from 'node:assert/strict';
import {
  chooseCameras,
  defaultAnchor,
  findCameras,
  findTransformTopics,
  type BagCamera,
} from '../../src/bag/camera-topics.js';
import type { CountedTopic } from '../../src/bag/message-source.js';

const topic = (name: string, type: string, changes: Partial<CountedTopic> = {}): CountedTopic => ({
  name,
  type: `sensor_msgs/msg/${type}`,
  messageEncoding: 'cdr',
  schemaEncoding: 'ros2msg',
  schema: new Uint8Array(),
  metadata: new Map(),
  messageCount: 5,
  ...changes,
});
const camera = (name: string): BagCamera => ({
  name,
  imageTopic: `/${name}/image_raw`,
  imageType: 'sensor_msgs/msg/Image',
  infoTopic: `/${name}/camera_info`,
  isRectified: false,
});

describe('findCameras', () => {
  for (const [image, type, isRectified] of [
    ['image_raw', 'Image', false],
    ['image_raw/compressed', 'CompressedImage', false],
    ['image/compressed', 'CompressedImage', false],
    ['image_color', 'Image', false],
    ['image_rect', 'Image', true],
    ['image_rect/compressed', 'CompressedImage', true],
    ['image_rect_color/compressed', 'CompressedImage', true],
    ['image_rect_compressed', 'CompressedImage', true],
  ] as const) {
    it(`finds ${image} beside its CameraInfo`, () => {
      const found = findCameras([
        topic(`/car/left/${image}`, type),
        topic('/car/left/camera_info', 'CameraInfo'),
      ]);
      assert.deepEqual(found, [
        {
          name: 'left',
          imageTopic: `/car/left/${image}`,
          imageType: `sensor_msgs/msg/${type}`,
          infoTopic: '/car/left/camera_info',
          isRectified,
        },
      ]);
    });
  }

  it('prefers unrectified images, and those that are there', () => {
    const found = findCameras([
      topic('/a/image_rect', 'Image'),
      topic('/a/image_raw', 'Image', { messageCount: 0 }),
      topic('/a/image_raw/compressed', 'CompressedImage'),
      topic('/a/image_raw/compressedDepth', 'CompressedImage'),
      topic('/a/depth', 'Image'),
      topic('/a/camera_info', 'CameraInfo'),
    ]);
    assert.deepEqual(
      found.map(({ imageTopic }) => imageTopic),
      ['/a/image_raw/compressed'],
    );
  });

  it('keeps cameras of the same name apart by their namespaces', () => {
    const found = findCameras(
      ['/front/left', '/rear/left', '/rear/mid', ''].flatMap((namespace) => [
        topic(`${namespace}/image_raw`, 'Image'),
        topic(`${namespace}/camera_info`, 'CameraInfo'),
      ]),
    );
    assert.deepEqual(
      found.map(({ name }) => name),
      ['camera', 'front/left', 'rear/left', 'mid'],
    );
  });

  it('says what is there where no camera is', () => {
    assert.throws(() => findCameras([topic('/points', 'PointCloud2')]), {
      code: 'BAG_NO_CAMERAS',
      message: /\/points \(sensor_msgs\/msg\/PointCloud2, 5\)/,
    });
    assert.throws(() => findCameras([topic('/a/image_raw', 'Image')]), {
      code: 'BAG_NO_CAMERAS',
      message: /without a CameraInfo .*\/a\/image_raw/,
    });
    const ros1 = { messageEncoding: 'ros1' };
    assert.throws(
      () => findCameras([topic('/a/image_raw', 'Image', ros1), topic('/a/camera_info', 'CameraInfo', ros1)]),
      { code: 'BAG_NO_CAMERAS' },
    );
  });
});

describe('chooseCameras', () => {
  const found = ['a', 'b', 'c'].map(camera);
  const names = (cameras: readonly BagCamera[]): readonly string[] => cameras.map(({ name }) => name);

  it('takes all that fit, those of the training first', () => {
    assert.deepEqual(names(chooseCameras(found, { trained: ['c', 'x'], max: 3 })), ['c', 'a', 'b']);
  });

  it('takes those of the training where not all fit, and asks where that does not help', () => {
    assert.deepEqual(names(chooseCameras(found, { trained: ['c', 'a'], max: 2 })), ['c', 'a']);
    assert.throws(() => chooseCameras(found, { trained: ['x'], max: 2 }), {
      code: 'BAG_TOO_MANY_CAMERAS',
      message: /choose some of a, b, c/,
    });
  });

  it('takes those that were asked for, and refuses one that is not there', () => {
    assert.deepEqual(names(chooseCameras(found, { requested: ['b'], trained: [], max: 1 })), ['b']);
    assert.throws(() => chooseCameras(found, { requested: ['z'], trained: [], max: 1 }), {
      code: 'BAG_CAMERA_UNKNOWN',
    });
  });

  it('has the camera that looks ahead set the stamps', () => {
    assert.equal(defaultAnchor(['CAM_BACK', 'CAM_FRONT_LEFT', 'CAM_FRONT'].map(camera)), 'CAM_FRONT');
    assert.equal(defaultAnchor(found), 'a');
  });
});

it('findTransformTopics finds those of a namespace too', () => {
  const tf = { type: 'tf2_msgs/msg/TFMessage' };
  assert.deepEqual(
    findTransformTopics([topic('/tf', '', tf), topic('/robot/tf_static', '', tf), topic('/stf', '', tf)]),
    { dynamic: ['/tf'], fixed: ['/robot/tf_static'] },
  );
});
