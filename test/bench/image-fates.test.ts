import assert from 'node:assert/strict';
import { imageFates } from '../../bench/ros/image-fates.js';

const PERIOD_MS = 100;
const queue = { depth: 5, periodMs: PERIOD_MS };
const sent = Array.from({ length: 20 }, (_, i) => i * PERIOD_MS * 1e6);
/** The images of these indices, taken so many milliseconds after their stamps. */
const taken = (indices: readonly number[], delayMs: (i: number) => number) =>
  indices.map((i) => [String(sent[i]), i * PERIOD_MS + delayMs(i)] as const);
const all = sent.map((_, i) => i);

describe('fates of images on their way to the node', () => {
  it('all received', () => {
    assert.deepEqual(
      imageFates(
        sent,
        taken(all, () => 8),
        queue,
      ),
      { received: 20, overwritten: 0, lost: 0 },
    );
  });

  it('a gap before a fresh image is a loss, and so is one at the end', () => {
    const arrived = all.filter((i) => ![4, 5, 19].includes(i));
    assert.deepEqual(
      imageFates(
        sent,
        taken(arrived, () => 30),
        queue,
      ),
      { received: 17, overwritten: 0, lost: 3 },
    );
  });

  it('a gap before an image as old as the queue is long is an overflow of the queue', () => {
    // the node stands still from 300 ms to 1210 ms; of 3 to 12 the queue keeps 8 to 12
    const arrived = all.filter((i) => i < 3 || i > 7);
    assert.deepEqual(
      imageFates(
        sent,
        taken(arrived, (i) => (i >= 8 && i <= 12 ? 1210 - i * PERIOD_MS : 8)),
        queue,
      ),
      { received: 15, overwritten: 5, lost: 0 },
    );
  });
});
