import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { BdcError } from '../../src/errors.js';
import { cameraModelFromInfo } from '../../src/geometry/camera-info.js';
import type { CameraInfo } from '../../src/geometry/camera-info.js';
import type { Pixel } from '../../src/geometry/camera-model.js';
import type { Vector3 } from '../../src/geometry/rigid-transform.js';

interface Projections {
  readonly width: number;
  readonly height: number;
  readonly k: readonly number[];
  readonly points: readonly Vector3[];
  readonly lenses: readonly {
    readonly distortion_model: string;
    readonly d: readonly number[];
    readonly pixels: readonly Pixel[];
  }[];
}

const projections = JSON.parse(
  readFileSync(new URL('../fixtures/camera-models/projections.json', import.meta.url), 'utf8'),
) as Projections;

const distance = (a: Pixel | undefined, b: Pixel): number =>
  a === undefined ? Infinity : Math.hypot(a[0] - b[0], a[1] - b[1]);

function* pixelGrid(width: number, height: number): Generator<Pixel> {
  for (let u = 0; u < width; u += width / 32) for (let v = 0; v < height; v += height / 18) yield [u, v];
}

describe('cameraModelFromInfo', () => {
  const { width, height, k } = projections;
  const info: CameraInfo = { width, height, distortion_model: 'plumb_bob', d: [0, 0, 0, 0, 0], k };

  for (const { distortion_model, d, pixels } of projections.lenses) {
    const lens = `${distortion_model} with ${d.length} coefficients`;
    const camera = cameraModelFromInfo({ width, height, k, distortion_model, d }, 'front');

    it(`projects through ${lens} as OpenCV does`, () => {
      projections.points.forEach((point, i) => {
        assert.ok(distance(camera.project(point), pixels[i]!) < 1e-9, `point ${i}`);
      });
    });

    it(`finds each pixel's ray again through ${lens}`, () => {
      for (const pixel of pixelGrid(width, height)) {
        const ray = camera.unproject(pixel);
        assert.ok(ray, `pixel ${pixel.join(', ')} has no ray`);
        assert.equal(ray[2], 1);
        assert.ok(distance(camera.project(ray), pixel) < 1e-6, `pixel ${pixel.join(', ')}`);
      }
    });
  }

  it('has no distortion where the coefficients are zeros or none', () => {
    for (const [distortion_model, d] of [
      ['plumb_bob', [0, 0, 0, 0, 0]],
      ['', []],
      ['none', []],
    ] as const) {
      const camera = cameraModelFromInfo({ ...info, distortion_model, d }, 'front');
      assert.deepEqual(camera.project([1, -0.2, 2]), [640 + 400, 360 - 81]);
      assert.deepEqual(camera.unproject([640, 360]), [0, 0, 1]);
    }
  });

  it('has no image of what is behind a pinhole camera', () => {
    const camera = cameraModelFromInfo(info, 'front');
    assert.equal(camera.project([0.1, 0.1, -1]), undefined);
    assert.equal(camera.project([0.1, 0.1, 0]), undefined);
    assert.equal(camera.project([0, 0, NaN]), undefined);
  });

  it('does not fold points far off axis back into the image', () => {
    // r − 0.3 r³ grows up to r = √(1 / 0.9) = 1.054, where it is 0.703; at r = 1.6 it is 0.37 again.
    const camera = cameraModelFromInfo({ ...info, d: [-0.3, 0, 0, 0, 0] }, 'front');
    assert.ok(camera.project([1.05, 0, 1]));
    assert.equal(camera.project([1.06, 0, 1]), undefined);
    assert.equal(camera.project([1.6, 0, 1]), undefined);
    assert.ok(camera.unproject([640 + 800 * 0.702, 360]));
    assert.equal(camera.unproject([640 + 800 * 0.704, 360]), undefined);
  });

  it('ends a rational lens before the pole of its denominator', () => {
    const camera = cameraModelFromInfo(
      { ...info, distortion_model: 'rational_polynomial', d: [0, 0, 0, 0, 0, -1, 0, 0] },
      'front',
    );
    assert.ok(camera.project([0.9, 0, 1]));
    assert.equal(camera.project([1.1, 0, 1]), undefined);
  });

  it('sees beyond 90° with a fisheye lens, where no pixel has a ray with z = 1', () => {
    const camera = cameraModelFromInfo({ ...info, distortion_model: 'equidistant', d: [0, 0, 0, 0] }, 'rear');
    const pixel = camera.project([1, 0, -0.1]);
    assert.ok(distance(pixel, [640 + 800 * (Math.PI / 2 + Math.atan(0.1)), 360]) < 1e-9);
    assert.equal(camera.unproject(pixel!), undefined);
    assert.deepEqual(camera.unproject([640, 360]), [0, 0, 1]);
  });

  it('ends a fisheye lens where its radius stops growing', () => {
    // θ − 0.2 θ³ grows up to θ = √(1 / 0.6) = 1.291, where it is 0.861.
    const camera = cameraModelFromInfo(
      { ...info, distortion_model: 'equidistant', d: [-0.2, 0, 0, 0] },
      'rear',
    );
    assert.ok(camera.project([Math.tan(1.29), 0, 1]));
    assert.equal(camera.project([Math.tan(1.3), 0, 1]), undefined);
    assert.ok(camera.unproject([640, 360 + 810 * 0.86]));
    assert.equal(camera.unproject([640, 360 + 810 * 0.862]), undefined);
  });

  it('takes region of interest and binning into account', () => {
    const roi = { x_offset: 100, y_offset: 60, width: 640, height: 400 };
    const camera = cameraModelFromInfo({ ...info, roi, binning_x: 2, binning_y: 2 }, 'front');
    assert.deepEqual([camera.width, camera.height], [320, 200]);
    assert.deepEqual(camera.unproject([(640 - 100) / 2, (360 - 60) / 2]), [0, 0, 1]);
    assert.deepEqual(camera.project([1, 0, 1]), [(640 + 800 - 100) / 2, (360 - 60) / 2]);
  });

  it('takes a zero region of interest and zero binning for none', () => {
    const roi = { x_offset: 0, y_offset: 0, width: 0, height: 0 };
    const camera = cameraModelFromInfo({ ...info, roi, binning_x: 0, binning_y: 0 }, 'front');
    assert.deepEqual([camera.width, camera.height], [width, height]);
  });

  describe('refuses', () => {
    const cases: readonly [string, Partial<CameraInfo>, string, RegExp][] = [
      ['a K of zeros', { k: new Float64Array(9) }, 'CAMERA_NOT_CALIBRATED', /not calibrated/],
      ['NaN in K', { k: [800, 0, NaN, 0, 810, 360, 0, 0, 1] }, 'CAMERA_INFO_INVALID', /finite.*NaN/],
      ['a K of the wrong length', { k: [800, 0, 640] }, 'CAMERA_INFO_INVALID', /9 finite/],
      [
        'no focal length',
        { k: [0, 0, 640, 0, 810, 360, 0, 0, 1] },
        'CAMERA_INFO_INVALID',
        /fx and fy above 0/,
      ],
      ['a skewed K', { k: [800, 1, 640, 0, 810, 360, 0, 0, 1] }, 'CAMERA_INFO_INVALID', /\[800 1 640;/],
      ['a width of 0', { width: 0 }, 'CAMERA_INFO_INVALID', /0 × 720/],
      ['a binning that is not whole', { binning_x: 1.5 }, 'CAMERA_INFO_INVALID', /binning/],
      [
        'a region of interest outside of the image',
        { roi: { x_offset: 1000, y_offset: 0, width: 400, height: 100 } },
        'CAMERA_INFO_INVALID',
        /region of interest/,
      ],
      ['an unknown lens', { distortion_model: 'toString' }, 'CAMERA_DISTORTION_UNSUPPORTED', /"toString"/],
      [
        'too few coefficients',
        { d: [0.1, 0.2, 0.3] },
        'CAMERA_DISTORTION_UNSUPPORTED',
        /0 or 4 or 5.*found 3/,
      ],
      ['NaN in the coefficients', { d: [NaN, 0, 0, 0] }, 'CAMERA_DISTORTION_UNSUPPORTED', /finite/],
      [
        'a tilted sensor',
        { distortion_model: 'rational_polynomial', d: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.1, 0] },
        'CAMERA_DISTORTION_UNSUPPORTED',
        /tilted/,
      ],
    ];
    for (const [what, changes, code, message] of cases) {
      it(what, () => {
        assert.throws(
          () => cameraModelFromInfo({ ...info, ...changes }, 'front_left'),
          (error) => {
            assert.ok(error instanceof BdcError);
            assert.equal(error.kind, 'camera');
            assert.equal(error.code, code);
            assert.match(error.message, message);
            assert.match(error.message, /front_left/);
            return true;
          },
        );
      });
    }
  });
});
