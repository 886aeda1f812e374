import assert from 'node:assert/strict';
import { parseCalibrationFile } from '../../src/geometry/calibration-file.js';

const FILE = `image_width: 640
image_height: 480
camera_name: narrow_stereo
camera_matrix:
  rows: 3
  cols: 3
  data: [438.783367, 0.000000, 305.593336, 0.000000, 437.302876, 243.738352, 0.000000, 0.000000, 1.000000]
distortion_model: plumb_bob
distortion_coefficients:
  rows: 1
  cols: 5
  data: [-0.361976, 0.110510, 0.001014, 0.000505, 0.000000]
`;

describe('parseCalibrationFile', () => {
  it('reads what camera_calibration writes', () => {
    assert.deepEqual(parseCalibrationFile(FILE, 'front.yaml'), {
      width: 640,
      height: 480,
      distortion_model: 'plumb_bob',
      d: [-0.361976, 0.11051, 0.001014, 0.000505, 0],
      k: [438.783367, 0, 305.593336, 0, 437.302876, 243.738352, 0, 0, 1],
    });
  });

  for (const [what, text, message] of [
    ['no YAML', 'a: [', /calibration file front\.yaml: it is no YAML/],
    ['an empty file', '', /expected fields image_width/],
    ['a size that is none', FILE.replace('640', '0'), /image_width to be a whole number above 0, found 0/],
    ['a matrix of text', FILE.replace('438.783367', 'x'), /camera_matrix\.data to be 9 numbers/],
    [
      'no coefficients',
      FILE.replace('distortion_coefficients', 'other'),
      /distortion_coefficients\.data to be numbers, found undefined/,
    ],
    ['no model', FILE.replace('plumb_bob', '5'), /distortion_model to be a name such as plumb_bob, found 5/],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(() => parseCalibrationFile(text, 'front.yaml'), {
        code: 'CALIBRATION_FILE_INVALID',
        message,
      });
    });
  }
});
