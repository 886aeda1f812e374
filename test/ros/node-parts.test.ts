import assert from 'node:assert/strict';
import { FrameStatistics } from '../../src/ros/frame-statistics.js';
import { nearestName } from '../../src/ros/nearest-name.js';
import { RateLimit } from '../../src/ros/outputs/rate-limit.js';
import { incompatibility } from '../../src/ros/quality-of-service.js';

describe('nearestName', () => {
  it('finds the name that was meant, in any case, and none where nothing is near', () => {
    const known = ['threads', 'model', 'camera.front.image_topic'];
    assert.equal(nearestName('treads', known), 'threads');
    assert.equal(nearestName('Model', known), 'model');
    assert.equal(nearestName('camera.frnt.image_topic', known), 'camera.front.image_topic');
    assert.equal(nearestName('xyz', known), undefined);
  });
});

describe('RateLimit', () => {
  const admitted = (rate: number, times: readonly number[]): readonly number[] => {
    const limit = new RateLimit();
    return times.filter((ms) => limit.admits(rate, ms));
  };

  it('lets through every second one of twice the rate, also where they come a little early', () => {
    assert.deepEqual(admitted(5, [0, 100, 199, 300, 401, 500, 598]), [0, 199, 401, 598]);
  });

  it('lets all through at 0, and does not make up for a pause', () => {
    assert.deepEqual(admitted(0, [0, 1, 2]), [0, 1, 2]);
    assert.deepEqual(admitted(1, [0, 10_000, 10_100, 10_500, 11_000]), [0, 10_000, 11_000]);
  });
});

describe('incompatibility', () => {
  const qos = (reliability: 'reliable' | 'best_effort', durability: 'volatile' | 'transient_local') => ({
    reliability,
    durability,
  });

  it('is what DDS says: an offer must be as good as the request', () => {
    assert.match(
      incompatibility(qos('best_effort', 'volatile'), qos('reliable', 'volatile'))!,
      /best effort/,
    );
    assert.match(
      incompatibility(qos('reliable', 'volatile'), qos('reliable', 'transient_local'))!,
      /volatile/,
    );
    assert.equal(
      incompatibility(qos('reliable', 'transient_local'), qos('best_effort', 'volatile')),
      undefined,
    );
  });
});

describe('FrameStatistics', () => {
  const result = {
    stamp: 0n,
    frameId: 'base_link',
    liveCameras: [true],
    timings: {
      preprocess: 1,
      modules: { image_encoder: 2, view_transformer: 3, bev_encoder: 4, heads: 5 },
      decode: 6,
      total: 21,
    },
  };

  it('counts a run of dropped frames from the last frame that met nothing to do', () => {
    const statistics = new FrameStatistics();
    statistics.received();
    for (let i = 0; i < 3; i++) {
      statistics.received();
      statistics.received();
      statistics.dropped();
      statistics.processed(result, 1, 10);
    }
    assert.equal(statistics.droppedInARow, 3);
    statistics.processed(result, 1, 10);
    assert.equal(statistics.droppedInARow, 3);
    statistics.received();
    assert.equal(statistics.droppedInARow, 0);
    assert.deepEqual(statistics.total, { received: 8, processed: 4, dropped: 3, failed: 0, abandoned: 0 });
  });

  it('gives the numbers of a period once', () => {
    const statistics = new FrameStatistics();
    for (const age of [10, 30, 20]) {
      statistics.received();
      statistics.processed(result, 1, age);
    }
    const { processed, stages } = statistics.takePeriod();
    assert.equal(processed, 3);
    assert.deepEqual(stages['age'], { p50: 20, p99: 30, max: 30 });
    assert.deepEqual(stages['heads'], { p50: 5, p99: 5, max: 5 });
    assert.deepEqual(statistics.takePeriod().stages, {});
  });
});
